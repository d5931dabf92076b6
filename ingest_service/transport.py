"""The one place that decides between broker and lake; everything else sees a `Sink`."""

from __future__ import annotations

from dataclasses import dataclass

from data_lake.clock import Clock
from data_lake.lake import Lake
from ingest_service.dead_letter import DeadLetters, KafkaDeadLetters, LakeDeadLetters
from ingest_service.direct_sink import DirectSink
from ingest_service.kafka_sink import KafkaSink
from ingest_service.sink import Sink
from ingest_service.topic import DEAD_LETTER, TICKS_RAW


@dataclass(frozen=True)
class Transport:
    """Where frames go: to Kafka when `servers` is set, else straight to the lake."""

    lake_root: str
    servers: str = ""  # Kafka bootstrap servers; empty: direct mode

    def open_sink(self, clock: Clock, topic: str = TICKS_RAW) -> Sink:
        """The sink for frames.

        Raises:
            BrokerError: the broker cannot be reached, or lacks the topic.
            LakeError: the lake cannot be opened, or another process writes to it.
        """
        if self.servers:
            return KafkaSink(self.servers, topic)
        return DirectSink(Lake(self.lake_root), clock)

    def open_dead_letters(self, clock: Clock) -> DeadLetters:
        """Where unusable bytes go; nothing is opened before the first one."""
        if self.servers:
            return KafkaDeadLetters(lambda: KafkaSink(self.servers, DEAD_LETTER))
        return LakeDeadLetters(lambda: DirectSink(Lake(self.lake_root), clock, topic=DEAD_LETTER))
