"""A Kafka consumer the way we want it: no group offsets, no created topics, bounded fetches."""

from __future__ import annotations

from typing import Any

from ingest_service.topic import CONNECT_TIMEOUT_MS


def open_consumer(servers: str, *, reset: str = "earliest", group: str | None = None) -> Any:
    """A `kafka.KafkaConsumer` to be `assign`ed.

    `reset` says what an offset outside the log does: `none` raises. `group` only names who
    commits offsets.
    """
    from kafka import KafkaConsumer

    return KafkaConsumer(
        bootstrap_servers=servers,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset=reset,
        max_poll_records=5000,
        max_partition_fetch_bytes=4 << 20,
        allow_auto_create_topics=False,
        bootstrap_timeout_ms=CONNECT_TIMEOUT_MS,
        metrics_enabled=False,
    )
