"""`cryptovol archive`: Kafka to bronze until a signal; see `archiver` for how."""

from __future__ import annotations

import threading
from collections.abc import Callable

from data_lake.clock import Clock
from data_lake.lake import Lake
from ingest_service.archive_report import ArchiveReport
from ingest_service.archiver import Archiver, FlushPolicy
from ingest_service.shutdown import stop_on_signals
from ingest_service.topic import TICKS_RAW


def run_archive(
    servers: str,
    lake_root: str,
    clock: Clock,
    *,
    topic: str = TICKS_RAW,
    accept_gap: bool = False,
    until_caught_up: bool = False,
    policy: FlushPolicy | None = None,
    stopping: Callable[[threading.Event], None] | None = None,
) -> ArchiveReport:
    """Archive a topic until a signal, or until caught up; see `Archiver`.

    `stopping` is given the event that ends the run; by default SIGTERM and SIGINT set it.

    Raises:
        BrokerError: Kafka cannot be reached, or the log does not go on where the lake ends.
        LakeError: the lake cannot be opened.
    """
    stop = threading.Event()
    (stopping or stop_on_signals)(stop)
    archiver = Archiver(
        servers, Lake(lake_root), clock, topic=topic, accept_gap=accept_gap, policy=policy
    )
    return archiver.run(stop, until_caught_up=until_caught_up)
