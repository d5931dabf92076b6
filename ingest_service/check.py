"""`cryptovol check`: is anything arriving?"""

from __future__ import annotations

import time
from typing import Final

import msgspec

from data_lake.chain import BronzeFile, chain
from data_lake.lake import Lake
from data_lake.layout import DIRECT_TOPIC
from ingest_service.consumer import open_consumer
from ingest_service.topic import TICKS_RAW, broker_errors, describe
from ingest_service.transport import Transport
from volatility.errors import BrokerError, LakeError

POLL_S: Final = 0.2


class CheckResult(msgspec.Struct, frozen=True):
    """Messages consumed, and how long that took."""

    messages_seen: int
    seconds: float

    def __str__(self) -> str:
        return f"messages_seen={self.messages_seen} seconds={self.seconds:.1f}"


def run_check(
    transport: Transport,
    *,
    topic: str = TICKS_RAW,
    minimum: int = 20,
    timeout_s: float = 60.0,
    fresh: bool = False,
) -> CheckResult:
    """Consume `minimum` messages of `topic`, in direct mode frames of the lake's direct chain.

    Counting starts with what is there already, unless only `fresh` messages are asked for.

    Raises:
        BrokerError: Kafka cannot be reached, has no such topic, or too little came in time.
        LakeError: too little came in time, or a bronze file is torn.
    """
    began = time.monotonic()
    seen = (
        _consume(transport.servers, topic, minimum, began + timeout_s, fresh=fresh)
        if transport.servers
        else _watch_lake(transport.lake_root, minimum, began + timeout_s, fresh=fresh)
    )
    if seen < minimum:
        reason = f"{seen} of {minimum} messages in {timeout_s:g} s"
        if transport.servers:
            raise BrokerError(transport.servers, f"{reason} on {topic}; is the ingestor running?")
        raise LakeError(transport.lake_root, f"{reason}; is the ingestor running?")
    return CheckResult(minimum, time.monotonic() - began)


def _consume(servers: str, topic: str, minimum: int, deadline: float, *, fresh: bool) -> int:
    from kafka import TopicPartition

    _, partitions = describe(servers, topic)
    seen = 0
    with broker_errors(servers):
        consumer = open_consumer(servers)
        try:
            consumer.assign([TopicPartition(topic, partition) for partition in partitions])
            consumer.seek_to_end() if fresh else consumer.seek_to_beginning()
            while seen < minimum and time.monotonic() < deadline:
                batches = consumer.poll(timeout_ms=int(POLL_S * 1000))
                seen += sum(len(records) for records in batches.values())
        finally:
            consumer.close(autocommit=False)
    return seen


def _watch_lake(root: str, minimum: int, deadline: float, *, fresh: bool) -> int:
    lake = Lake(root)
    before = _frames(chain(lake)) if fresh else 0
    while (seen := _frames(chain(lake)) - before) < minimum:
        if time.monotonic() > deadline:
            return seen
        time.sleep(POLL_S)
    return seen


def _frames(files: list[BronzeFile]) -> int:
    return sum(file.rows for file in files if file.topic == DIRECT_TOPIC)
