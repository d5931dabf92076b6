"""Bytes nobody could use: kept with a reason, out of the way of the record.

With a broker a letter goes to `ticks.dead_letter`, value = the bytes, headers `reason` and
`origin` beside those of every frame. In direct mode it goes to the lake's chain of the same name
as a fact (`feed=ingestor`), so no reader of bronze takes it for market data. A frame that came
from a socket is in the record as well: a letter is a copy, never the only trace.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Protocol

import msgspec

from ingest_service.fact import fact
from ingest_service.kafka_sink import KafkaSink
from ingest_service.message import to_headers, to_key
from ingest_service.sink import Sink
from volatility.frame import Frame


class DeadLetter(msgspec.Struct, frozen=True):
    """A frame with unusable bytes, why, and where it came from (an address, or file and line)."""

    frame: Frame
    reason: str
    origin: str

    @property
    def payload(self) -> bytes:
        """The bytes."""
        return self.frame.payload


class DeadLetters(Protocol):
    """Takes letters; used by one thread at a time."""

    def put(self, letter: DeadLetter) -> None:
        """Keep one letter."""
        ...

    def close(self) -> None:
        """Return once every letter is durable."""
        ...


class MemoryDeadLetters:
    """Keeps letters in a list, in order: for embedding and for tests."""

    def __init__(self) -> None:
        self.letters: list[DeadLetter] = []

    def put(self, letter: DeadLetter) -> None:
        """Keep one letter."""
        self.letters.append(letter)

    def close(self) -> None:
        """Do nothing: letters are where they belong."""


class KafkaDeadLetters:
    """Letters to a Kafka topic; connects at the first one."""

    def __init__(self, open_sink: Callable[[], KafkaSink]) -> None:
        self._open_sink = open_sink
        self._sink: KafkaSink | None = None

    def put(self, letter: DeadLetter) -> None:
        """Keep one letter.

        Raises:
            BrokerError: the broker cannot be reached or refuses.
        """
        self._sink = self._sink or self._open_sink()
        headers = to_headers(letter.frame)
        headers.append(("reason", letter.reason.encode()))
        headers.append(("origin", letter.origin.encode()))
        self._sink.send(letter.payload, to_key(letter.frame.product), headers)

    def close(self) -> None:
        """Return once every letter is acknowledged.

        Raises:
            BrokerError: not all were.
        """
        if self._sink is not None:
            self._sink.close()


class LakeDeadLetters:
    """Letters to a chain of the lake; opens it at the first one."""

    def __init__(self, open_sink: Callable[[], Sink]) -> None:
        self._open_sink = open_sink
        self._sink: Sink | None = None

    def put(self, letter: DeadLetter) -> None:
        """Keep one letter.

        Raises:
            LakeError: the lake cannot be written.
        """
        self._sink = self._sink or self._open_sink()
        frame = letter.frame
        self._sink.put(
            fact(
                "dead_letter",
                recv_ns=frame.recv_ns,
                source=frame.source,
                conn=frame.conn,
                frame=frame.frame,
                feed=frame.feed,
                product=frame.product,
                reason=letter.reason,
                origin=letter.origin,
                **_spelled(letter.payload),
            )
        )

    def close(self) -> None:
        """Return once every letter is durable.

        Raises:
            LakeError: the lake cannot be written.
        """
        if self._sink is not None:
            self._sink.close()


def _spelled(payload: bytes) -> dict[str, str]:
    """The bytes as JSON can hold them: text where they are UTF-8, base64 otherwise."""
    try:
        return {"text": payload.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(payload).decode()}
