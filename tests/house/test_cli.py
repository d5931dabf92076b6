"""The command line: every command explains itself, every mistake is one line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

import cryptovol

ROOT = Path(__file__).resolve().parents[2]


def commands() -> Iterator[tuple[str, ...]]:
    """Every command of the CLI, `kafka start` as two words."""
    root = typer.main.get_command(cryptovol.app)
    for name, command in sorted(root.commands.items()):  # type: ignore[attr-defined]
        below = getattr(command, "commands", {})
        yield from ((name, child) for child in below) if below else ((name,),)


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The CLI as a user runs it, in a home of its own, without a broker."""
    env = {**os.environ, "CRYPTOVOL_HOME": str(home), "COLUMNS": "200"}
    env.pop("KAFKA_SERVERS", None)
    return subprocess.run(
        [sys.executable, "-m", "cryptovol", *arguments],
        env=env,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("command", list(commands()), ids=" ".join)
def test_every_command_and_flag_is_documented(command: tuple[str, ...]) -> None:
    found = typer.main.get_command(cryptovol.app)
    for name in command:
        found = found.commands[name]  # type: ignore[attr-defined]
    assert found.help
    undocumented = [p.name for p in found.params if not getattr(p, "help", None)]
    assert undocumented == []


@pytest.mark.parametrize("command", list(commands()), ids=" ".join)
def test_every_command_is_in_a_readme(command: tuple[str, ...]) -> None:
    words = f"cryptovol {' '.join(command)}"
    readmes = [ROOT / "README.md", *ROOT.glob("*/README.md"), *ROOT.glob("*/*/README.md")]
    texts = [path.read_text(encoding="utf-8") for path in readmes]
    assert any(words in text for text in texts)


MISTAKES = {
    "an unknown flag": (("replay", "--loud"), 2, "--loud"),
    "a bad value": (("simulate", "--port", "99999"), 2, "--port"),
    "a bad product": (("ingest", "--products", "../etc"), 1, "../etc"),
    "a missing file": (("replay", "nowhere.ndjson"), 1, "nowhere.ndjson"),
    "a bad instant": (("materialize", "--start", "soon"), 1, "--start='soon'"),
    "an unknown table": (("materialize", "--select", "silver/candles"), 1, "silver/candles"),
    "no broker": (("archive",), 1, "KAFKA_SERVERS"),
    "wrong sql": (("sql", "selec 1"), 1, "selec"),
    "a write": (("sql", "copy (select 1) to 'x.csv'"), 1, "read-only"),
    "nothing to train on": (("train",), 1, "gold/labels_1s"),
    "an empty log": (("check", "--timeout", "0.2"), 1, "0 of 20"),
    "a bad address": (("ingest", "--url", "http://127.0.0.1:1", "--minutes", "0.05"), 1, "ws://"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gets_one_line_naming_it(mistake: str, tmp_path: Path) -> None:
    arguments, status, named = MISTAKES[mistake]
    done = run(tmp_path, *arguments)
    assert done.returncode == status
    last = done.stderr.strip().splitlines()
    assert last, done.stdout
    assert last[-1].startswith("cryptovol: ")
    assert named in last[-1]
    assert "Traceback" not in done.stderr


def test_a_bad_setting_names_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRYPTOVOL_DAGSTER_PORT", "high")
    done = run(tmp_path, "doctor")
    assert done.returncode == 1
    assert done.stderr.startswith("cryptovol: CRYPTOVOL_DAGSTER_PORT='high'")


@pytest.mark.parametrize("command", [("materialize",), ("train",), ("verify",), ("doctor",)])
def test_a_home_that_cannot_be_is_one_line(command: tuple[str, ...], tmp_path: Path) -> None:
    """The path of home leads through a file."""
    (tmp_path / "file").touch()
    env = {**os.environ, "CRYPTOVOL_HOME": str(tmp_path / "file" / "home")}
    done = subprocess.run(
        [sys.executable, "-m", "cryptovol", *command],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert str(tmp_path / "file") in done.stdout + done.stderr


def test_doctor_finds_a_fresh_home_healthy(tmp_path: Path) -> None:
    done = run(tmp_path, "doctor")
    assert done.returncode == 0, done.stdout
    assert "direct mode" in done.stdout


def test_an_empty_lake_verifies(tmp_path: Path) -> None:
    assert run(tmp_path, "verify").returncode == 0


def test_starting_the_cli_imports_nothing_heavy() -> None:
    heavy = {"dagster", "mlflow", "pandas", "numba", "duckdb", "kafka", "lightgbm", "evidently"}
    code = "import sys, cryptovol; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert heavy.isdisjoint(done.stdout.split())
