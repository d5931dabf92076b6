"""The README is run: every `sh` block, in order, on the lake a demo has left."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_the_readme_has_blocks_to_run() -> None:
    assert len(BLOCKS) >= 3


def test_every_file_the_readme_points_to_is_there() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert targets
    assert [t for t in targets if not (ROOT / t).exists()] == []


def test_the_demo_says_what_it_did_and_that_it_is_simulated(demo: tuple[Path, str]) -> None:
    _, said = demo
    for words in ("simulated", "frames received", "silver/gaps", "champion", "log_har", "drift:"):
        assert words in said, said


def test_every_block_runs(demo: tuple[Path, str], tmp_path: Path) -> None:
    """One shell per block, stopping at the first command that fails."""
    home, _ = demo
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "CRYPTOVOL_HOME": str(home), "PATH": path, "COLUMNS": "160"}
    for block in BLOCKS:
        done = subprocess.run(
            ["sh", "-e", "-c", block],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        assert done.stdout.strip(), block


@pytest.mark.parametrize("first", ["silver.trades", "gold.outcomes"])
def test_the_demo_leaves_rows(demo: tuple[Path, str], first: str) -> None:
    home, _ = demo
    done = subprocess.run(
        [str(ROOT / ".venv/bin/cryptovol"), "sql", f"select count(*) from {first}", "--format=csv"],
        env={**os.environ, "CRYPTOVOL_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout.splitlines()[1]) > 0
