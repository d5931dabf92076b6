"""What is installed, reachable and configured here, and what to do about what is not."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, NamedTuple

from cryptovol_stack import check_port
from data_lake.settings import Settings
from volatility.errors import CryptovolError

State = Literal["ok", "absent", "broken"]
LEAST_FREE_GIB: Final = 5

_EXTRAS: Final = {
    "kafka": ("kafka", "crc32c", "lz4"),
    "batch": ("dagster", "dagster_webserver", "mlflow", "lightgbm", "sklearn", "evidently"),
}


class Finding(NamedTuple):
    """One thing looked at; `absent` is fine until it is needed, `broken` is not."""

    state: State
    what: str
    said: str

    @property
    def broken(self) -> bool:
        """Whether something configured does not work."""
        return self.state == "broken"

    def __str__(self) -> str:
        return f"{self.state:<7} {self.what:<16} {self.said}"


def diagnose(config: Settings) -> list[Finding]:
    """Look at everything the commands rely on; reads only, apart from creating home."""
    return [
        Finding("ok", "python", f"{sys.version.split()[0]} at {sys.prefix}"),
        *_packages(),
        _home(config.home),
        _lake(config),
        _broker(config),
        _program("java", "Java 17+, for a local Kafka; direct mode needs none"),
        _program("mvn", "Maven, to fetch Kafka's jars once"),
        *_ports(config),
    ]


def _packages() -> Iterator[Finding]:
    for extra, modules in _EXTRAS.items():
        lacking = [name for name in modules if importlib.util.find_spec(name) is None]
        if lacking:
            said = f"{', '.join(lacking)} missing: pip install 'cryptovol[{extra}]'"
            yield Finding("absent", f"extra {extra}", said)
        else:
            yield Finding("ok", f"extra {extra}", "installed")


def _home(home: Path) -> Finding:
    home = home.absolute()
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        return Finding("broken", "home", f"{home}: {exc.strerror}; set CRYPTOVOL_HOME")
    if not os.access(home, os.W_OK):
        return Finding("broken", "home", f"{home} cannot be written; set CRYPTOVOL_HOME")
    free = shutil.disk_usage(home).free / 2**30
    if free < LEAST_FREE_GIB:
        return Finding("broken", "home", f"{home} has only {free:.1f} GiB free")
    return Finding("ok", "home", f"{home}, {free:.0f} GiB free")


def _lake(config: Settings) -> Finding:
    from data_lake.chain import chain
    from data_lake.lake import Lake

    try:
        files = chain(Lake(config.lake_root))
    except CryptovolError as exc:
        return Finding("broken", "lake", str(exc))
    return Finding("ok", "lake", f"{config.lake_root}, {len(files)} bronze files")


def _broker(config: Settings) -> Finding:
    if not config.kafka_servers:
        return Finding("absent", "kafka", "KAFKA_SERVERS is not set: direct mode, no broker")
    from ingest_service.topic import TICKS_RAW, describe

    try:
        _, partitions = describe(config.kafka_servers, TICKS_RAW)
    except CryptovolError as exc:
        return Finding("broken", "kafka", str(exc))
    return Finding("ok", "kafka", f"{config.kafka_servers}, {len(partitions)} partitions")


def _program(name: str, purpose: str) -> Finding:
    path = shutil.which(name)
    return Finding("ok" if path else "absent", name, path or f"not found; {purpose}")


def _ports(config: Settings) -> Iterator[Finding]:
    ports = {"DAGSTER": config.dagster_port, "MLFLOW": config.mlflow_port}
    for name, port in ports.items():
        setting = f"CRYPTOVOL_{name}_PORT"
        try:
            check_port(config.host, port, setting)
        except CryptovolError as exc:
            yield Finding("absent", f"port {port}", f"{exc} (fine when `cryptovol up` runs)")
        else:
            yield Finding("ok", f"port {port}", f"free for {name.title()}")
