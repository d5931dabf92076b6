"""Kafka topics: their names, their settings, their ids."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from volatility.errors import BrokerError

TICKS_RAW: Final = "ticks.raw"
DEAD_LETTER: Final = "ticks.dead_letter"
FORECASTS: Final = "volatility.forecasts"
ALERTS: Final = "volatility.alerts"
TOPICS: Final = (TICKS_RAW, DEAD_LETTER, FORECASTS, ALERTS)

MAX_MESSAGE: Final = 20 << 20
"""Bytes in the largest message: a 16 MiB frame with its headers, and room."""

PARTITIONS: Final = 4
CONNECT_TIMEOUT_MS: Final = 10_000

SETTINGS: Final = {
    # Retention goes by the log's own clock, so a replayed recording from years ago stays.
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": str(MAX_MESSAGE),
}


@contextmanager
def broker_errors(servers: str) -> Iterator[None]:
    """Turn whatever the client raises into a `BrokerError` that names the servers."""
    from kafka.errors import KafkaError

    try:
        yield
    except (KafkaError, OSError) as exc:
        raise BrokerError(servers, _first_line(exc)) from exc


def _first_line(exc: Exception) -> str:
    return (str(exc) or type(exc).__name__).splitlines()[0][:200]


@contextmanager
def admin(servers: str, timeout_ms: int = CONNECT_TIMEOUT_MS) -> Iterator[Any]:
    """An admin client that is closed again.

    Raises:
        BrokerError: the broker cannot be reached within `timeout_ms`, or refuses a request.
    """
    from kafka import KafkaAdminClient

    _await_listener(servers, timeout_ms / 1000)
    with broker_errors(servers):
        client = KafkaAdminClient(bootstrap_servers=servers, bootstrap_timeout_ms=timeout_ms)
        try:
            yield client
        finally:
            client.close()


def _await_listener(servers: str, timeout_s: float) -> None:
    """Wait until one of the servers accepts a connection; the client itself says less and leaks."""
    deadline = time.monotonic() + timeout_s
    while True:
        reason = "no server given"
        for server in servers.split(","):
            host, _, port = server.strip().rpartition(":")
            try:
                socket.create_connection((host.strip("[]"), int(port)), timeout=timeout_s).close()
            except (OSError, ValueError) as exc:
                reason = f"{server}: {exc}"
            else:
                return
        if time.monotonic() > deadline:
            raise BrokerError(servers, reason)
        time.sleep(0.1)


def ensure_topics(
    servers: str, topics: Sequence[str] = TOPICS, partitions: int = PARTITIONS
) -> None:
    """Create the topics that do not exist yet; those that do stay as they are.

    Raises:
        BrokerError: the broker cannot be reached or refuses.
    """
    from kafka.admin import NewTopic
    from kafka.errors import TopicAlreadyExistsError

    with admin(servers) as client:
        present = set(client.list_topics())
        for name in (topic for topic in topics if topic not in present):
            new = NewTopic(name, partitions, -1, topic_configs=SETTINGS)
            try:
                client.create_topics([new])
            except TopicAlreadyExistsError:
                continue
        client.wait_for_topics(list(topics))


def describe(servers: str, topic: str) -> tuple[str, list[int]]:
    """The topic's id, new whenever it is recreated, and its partitions, ascending.

    Raises:
        BrokerError: the broker cannot be reached, or has no such topic.
    """
    with admin(servers) as client:
        found = client.describe_topics([topic])[0]
    if found["error_code"] or not found["topic_id"]:
        raise BrokerError(servers, f"no topic {topic}; `cryptovol kafka start` creates it")
    return str(found["topic_id"]), sorted(p["partition_index"] for p in found["partitions"])
