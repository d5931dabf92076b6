"""`cryptovol kafka start|stop|status`: a real single-node Apache Kafka for one machine.

Everything of one broker lies in one folder: configuration, log, data, and `broker.json` with its
ports and process id. Starting it again finds its data and its ports.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Final
from uuid import uuid4

import msgspec

from ingest_service.kafka_jars import ensure_jars, java
from ingest_service.kafka_recipe import HEAP, KAFKA_VERSION, LOG4J, server_properties
from ingest_service.topic import ensure_topics
from volatility.errors import BrokerError

START_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 20.0


class _State(msgspec.Struct, frozen=True):
    """What `broker.json` holds."""

    port: int
    controller_port: int
    pid: int  # 0: not running


class BrokerStatus(msgspec.Struct, frozen=True):
    """How a broker stands."""

    servers: str  # bootstrap servers; empty where no broker was ever started
    pid: int  # 0: not running
    folder: str
    version: str = KAFKA_VERSION

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self.pid != 0


def start(folder: Path, port: int = 0, *, timeout_s: float = START_TIMEOUT_S) -> BrokerStatus:
    """Start the broker in `folder` and create the topics; one that runs already stays.

    `port` is for a folder's first start; 0 takes a free one.

    Raises:
        BrokerError: no Java 17+, no jars, the port is taken, or the broker does not come up.
    """
    found = status(folder)
    if not found.running:
        state = _prepare(folder, port)
        _check_free(state.port)
        pid = _spawn(folder)
        _save(folder, _State(state.port, state.controller_port, pid))
        found = BrokerStatus(f"127.0.0.1:{state.port}", pid, str(folder))
        _await_ready(folder, found, timeout_s)
    ensure_topics(found.servers)
    return found


def stop(folder: Path, *, timeout_s: float = STOP_TIMEOUT_S) -> bool:
    """Stop the broker of `folder`; says whether there was one.

    It is asked to shut down cleanly; after `timeout_s` it is killed.
    """
    found = status(folder)
    if not found.running:
        return False
    os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout_s
    while _is_ours(found.pid, folder):
        if time.monotonic() > deadline:
            os.kill(found.pid, signal.SIGKILL)
            deadline = float("inf")
        time.sleep(0.05)
    return True


def status(folder: Path) -> BrokerStatus:
    """Whether the broker of `folder` runs, and where."""
    state = _load(folder)
    if state is None:
        return BrokerStatus("", 0, str(folder))
    pid = state.pid if state.pid and _is_ours(state.pid, folder) else 0
    return BrokerStatus(f"127.0.0.1:{state.port}", pid, str(folder))


def _prepare(folder: Path, port: int) -> _State:
    """Configuration and formatted storage; both stay when they are there."""
    state = _load(folder)
    if state is None:
        folder.mkdir(parents=True, exist_ok=True)
        state = _State(port or _free_port(), _free_port(), 0)
        data = folder / "data"
        _properties(folder).write_text(
            server_properties(state.port, state.controller_port, data.absolute())
        )
        (folder / "log4j2.xml").write_text(LOG4J)
        _format(folder)
        _save(folder, state)
    elif port and port != state.port:
        reason = f"the broker in {folder} has port {state.port}; delete the folder to change it"
        raise BrokerError(f"127.0.0.1:{port}", reason)
    return state


def _format(folder: Path) -> None:
    tool = [java(), "-cp", f"{ensure_jars()}/*", "kafka.tools.StorageTool"]
    cluster = urlsafe_b64encode(uuid4().bytes).decode().rstrip("=").replace("-", "_")
    done = subprocess.run(
        [*tool, "format", "--standalone", "-t", cluster, "-c", str(_properties(folder))],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BrokerError("127.0.0.1", f"cannot format {folder}: {_last_line(done.stderr)}")


def _spawn(folder: Path) -> int:
    """Start the broker detached from us, its output in `broker.log`; returns its process id."""
    command = [
        java(),
        *HEAP,
        f"-Dlog4j2.configurationFile={(folder / 'log4j2.xml').absolute()}",
        "-cp",
        f"{ensure_jars()}/*",
        "kafka.Kafka",
        str(_properties(folder)),
    ]
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    log = str(folder / "broker.log")
    return os.posix_spawn(
        command[0],
        command,
        dict(os.environ),
        setsid=True,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, flags, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
    )


def _await_ready(folder: Path, found: BrokerStatus, timeout_s: float) -> None:
    host, _, port = found.servers.partition(":")
    deadline = time.monotonic() + timeout_s
    while os.waitpid(found.pid, os.WNOHANG) == (0, 0):  # our child, and alive
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) == 0:
                return
        if time.monotonic() > deadline:
            stop(folder)
            raise BrokerError(found.servers, f"not up after {timeout_s:g} s; see broker.log")
        time.sleep(0.1)
    reason = _last_line((folder / "broker.log").read_text(errors="replace"))
    raise BrokerError(found.servers, f"the broker ended at once: {reason}")


def _is_ours(pid: int, folder: Path) -> bool:
    """Whether `pid` lives and is the broker of this folder, not a stranger with its number."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # when it is our child: let the dead go
    ps = shutil.which("ps")
    proc = Path(f"/proc/{pid}/cmdline")
    if proc.parent.parent.is_dir() and Path("/proc/self").exists():
        command = proc.read_bytes().decode(errors="replace") if proc.exists() else ""
    elif ps:
        run = [ps, "-p", str(pid), "-o", "command="]
        command = subprocess.run(run, capture_output=True, text=True, check=False).stdout
    else:
        return False
    return "kafka.Kafka" in command and str(_properties(folder)) in command


def _properties(folder: Path) -> Path:
    return (folder / "server.properties").absolute()


def _load(folder: Path) -> _State | None:
    try:
        return msgspec.json.decode((folder / "broker.json").read_bytes(), type=_State)
    except FileNotFoundError:
        return None


def _save(folder: Path, state: _State) -> None:
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        file.write(msgspec.json.encode(state))
    Path(file.name).replace(folder / "broker.json")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise BrokerError(f"127.0.0.1:{port}", "the port is taken by another program")


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no output"
