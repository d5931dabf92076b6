"""The UI over a trained home: what a newcomer sees in a browser."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cryptovol_dagster.ui import dev_command, ui_environment, webserver_command
from data_lake.settings import Settings

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=3400,1400",
    "--virtual-time-budget=30000",
)


@contextmanager
def webserver(settings: Settings) -> Iterator[str]:
    """The address of a running webserver."""
    with subprocess.Popen(
        webserver_command(settings),
        env=ui_environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        try:
            said = []
            for line in server.stdout or ():
                said.append(line)
                if "Serving dagster-webserver on" in line:
                    break
            else:
                pytest.fail("".join(said[-20:]))
            yield f"http://{settings.host}:{settings.dagster_port}"
        finally:
            server.terminate()
            server.communicate(timeout=30)


def words_of(chromium: str, address: str, profile: Path) -> str:
    """The text a page shows once its scripts have settled."""
    command = [chromium, *FLAGS, f"--user-data-dir={profile}", "--dump-dom", address]
    dom = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    bare = re.sub(r"<(script|style).*?</\1>", " ", dom, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", bare))


@pytest.mark.browser
def test_the_asset_graph_is_drawn_with_what_was_materialised(
    chromium: str, trained_home: Settings, tmp_path: Path
) -> None:
    """From the feed to the drift report, groups, checks and times of the runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = trained_home.model_copy(update={"dagster_port": port})
    with webserver(settings) as address:
        lineage = "assets/report/drift?view=lineage&lineageScope=upstream&lineageDepth=10"
        seen = words_of(chromium, f"{address}/{lineage}", tmp_path)
        assert "Materialized" in seen
        for asset in ("frames", "trades", "quotes", "bars_1s", "features_1s", "labels_1s"):
            assert asset in seen
        assert "volatility_1s" in seen
        assert "3 / 3 Passed" in seen
        assert "Never materialized" not in seen.partition("frames")[2]
        events = words_of(chromium, f"{address}/assets/gold/features_1s?view=events", tmp_path)
        assert "2026-03-02-05:00" in events
        assert "run_rows" in events


def test_the_ui_stays_on_this_machine(home: Settings) -> None:
    """And writes where everything else is written, telling nobody."""
    for command in (webserver_command(home), dev_command(home)):
        assert command[command.index("--host") + 1] == "127.0.0.1"
        assert command[command.index("--port") + 1] == "3000"
    environment = ui_environment(home)
    assert environment["DAGSTER_HOME"] == str(home.home / "dagster")
    assert environment["CRYPTOVOL_HOME"] == str(home.home)
    assert environment["DAGSTER_DISABLE_TELEMETRY"] == "1"
    assert "nux" in (home.home / "dagster" / "dagster.yaml").read_text()
