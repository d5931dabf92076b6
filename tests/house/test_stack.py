"""The stack: started together, watched, and stopped together."""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path

import pytest

from cryptovol_stack import Process, ProcessError, check_port, plan_stack, supervise
from data_lake.settings import Settings
from volatility.errors import SettingError


def _settings(home: Path) -> Settings:
    return Settings(home=home, kafka_servers="", mlflow_tracking_uri="")


def script(name: str, code: str) -> Process:
    """A process that runs a line of Python."""
    return Process(name, (sys.executable, "-c", code), "")


def test_a_process_that_ends_by_itself_stops_the_others_and_is_named(tmp_path: Path) -> None:
    lasting = script("lasting", "import time; time.sleep(60)")
    broken = script("broken", "import sys; print('the reason'); sys.exit(3)")
    with pytest.raises(ProcessError, match="broken ended with status 3: the reason"):
        supervise([lasting, broken], tmp_path, threading.Event(), lambda: None)


def test_a_stop_ends_every_process(tmp_path: Path) -> None:
    stop = threading.Event()
    told = "import signal, time; signal.signal(15, lambda *_: (print('told'), exit(0)))"
    waiting = script("waiting", f"{told}; print('up', flush=True); time.sleep(60)")

    def stop_once_up() -> None:
        while "up" not in (tmp_path / "waiting.log").read_text():
            stop.wait(0.02)
        stop.set()

    supervise([waiting], tmp_path, stop, stop_once_up)
    assert "told" in (tmp_path / "waiting.log").read_text()


def test_a_taken_port_names_its_setting() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingError, match=f"CRYPTOVOL_DAGSTER_PORT={port}"):
            check_port("127.0.0.1", port, "CRYPTOVOL_DAGSTER_PORT")


@pytest.mark.parametrize("live", [False, True])
def test_every_server_of_the_stack_binds_to_this_machine_only(live: bool, tmp_path: Path) -> None:
    processes = plan_stack(_settings(tmp_path), ["BTC-USD"], live=live)
    served = [p for p in processes if "--host" in p.command]
    assert {p.name for p in served} == {"dagster", "mlflow"}
    assert all(p.command[p.command.index("--host") + 1] == "127.0.0.1" for p in served)


def test_only_a_simulated_feed_is_recorded_as_simulated(tmp_path: Path) -> None:
    for live in (False, True):
        processes = plan_stack(_settings(tmp_path), ["BTC-USD"], live=live)
        ingestor = next(p for p in processes if p.name == "ingestor")
        assert ("sim" in ingestor.command) is not live
