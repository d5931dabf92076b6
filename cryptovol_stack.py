"""The whole stack on one machine: `cryptovol up` starts, watches and stops its processes."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from data_lake.environment import dagster_home
from data_lake.settings import Settings
from volatility.errors import CryptovolError, SettingError

STOP_TIMEOUT_S: Final = 10.0
"""How long a process may take to flush and leave before it is killed."""

_POLL_S: Final = 0.25
_CLI: Final = (sys.executable, "-m", "cryptovol")


class ProcessError(CryptovolError):
    """A process of the stack ended by itself."""

    def __init__(self, name: str, status: int, log: Path) -> None:
        super().__init__(name, status, log)
        self.name, self.status, self.log = name, status, log

    def __str__(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        last = lines[-1][:300] if lines else "it said nothing"
        return f"{self.name} ended with status {self.status}: {last} (whole log: {self.log})"


@dataclass(frozen=True)
class Process:
    """One process of the stack."""

    name: str
    command: tuple[str, ...]
    shows: str  # an address to open, or what it does


def plan_stack(config: Settings, products: Sequence[str], *, live: bool) -> list[Process]:
    """The processes of the stack, in starting order.

    Without `live` the feed is a simulated exchange at real speed, and what is recorded says so.
    """
    ids, host = ",".join(products), config.host
    listen = ["ingest", "--products", ids]
    processes = []
    if not live:
        port = _free_port(host)
        processes.append(
            _command("exchange", "simulated", "simulate", "--port", str(port), "--products", ids)
        )
        listen += ["--url", f"ws://{host}:{port}", "--source", "sim"]
    processes.append(_command("ingestor", "recording " + ids, *listen))
    if config.kafka_servers:
        processes.append(_command("archiver", f"from {config.kafka_servers}", "archive"))
    return [*processes, *_servers(config)]


def _command(name: str, shows: str, *arguments: str) -> Process:
    return Process(name, (*_CLI, *arguments), shows)


def _servers(config: Settings) -> Iterator[Process]:
    from cryptovol_dagster.ui import dev_command

    host, port = config.host, config.dagster_port
    yield Process("dagster", tuple(dev_command(config)), f"http://{host}:{port}")
    if not config.mlflow_tracking_uri:
        port = config.mlflow_port
        mlflow = (sys.executable, "-m", "mlflow", "server", "--host", host, "--port", str(port))
        store = ("--backend-store-uri", config.tracking_uri, "--workers", "1")
        yield Process("mlflow", (*mlflow, *store), f"http://{host}:{port}")


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def check_port(host: str, port: int, setting: str) -> None:
    """Make sure a server can bind.

    Raises:
        SettingError: the port is taken; names the setting that changes it.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as exc:
            raise SettingError(setting, port, f"cannot listen on {host}: {exc.strerror}") from exc


@contextmanager
def running(process: Process, logs: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run one process with its output in `logs`; SIGTERM at the end, SIGKILL when it stays."""
    with (logs / f"{process.name}.log").open("wb") as log:
        child = subprocess.Popen(
            process.command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def supervise(
    processes: Sequence[Process], logs: Path, stop: threading.Event, started: Callable[[], None]
) -> None:
    """Run processes until `stop`; they end in reverse order of starting.

    Raises:
        ProcessError: one of them ended by itself; the others were stopped.
    """
    logs.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        children = [(p, stack.enter_context(running(p, logs))) for p in processes]
        started()
        while not stop.wait(_POLL_S):
            for process, child in children:
                status = child.poll()
                if status is not None:
                    raise ProcessError(process.name, status, logs / f"{process.name}.log")


def run_stack(config: Settings, console: Any, *, live: bool, products: Sequence[str]) -> None:
    """Run the stack until SIGINT or SIGTERM.

    Raises:
        SettingError: a port is taken.
        ProcessError: a part of the stack ended by itself.
    """
    from data_lake.registry import Registry

    check_port(config.host, config.dagster_port, "CRYPTOVOL_DAGSTER_PORT")
    check_port(config.host, config.mlflow_port, "CRYPTOVOL_MLFLOW_PORT")
    if config.host not in ("127.0.0.1", "::1", "localhost"):
        console.print(f"warning: servers bind to {config.host}: others can reach them")
    dagster_home(config.home)
    Registry.of(config).ensure()
    processes = plan_stack(config, products, live=live)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    logs = config.home.absolute() / "logs"
    supervise(processes, logs, stop, lambda: _introduce(console, processes, logs, live=live))
    console.print("stopped; everything received is in the lake")


def _introduce(console: Any, processes: Sequence[Process], logs: Path, *, live: bool) -> None:
    for process in processes:
        console.print(f"  {process.name:<10} {process.shows}")
    origin = "Coinbase, live" if live else "a simulated exchange: these are not real prices"
    console.print(f"Feed: {origin}. Logs: {logs}. Ctrl-C stops everything.")
