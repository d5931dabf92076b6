"""Frames straight to the lake: direct mode, no broker."""

from __future__ import annotations

import threading
from typing import Final

import structlog

from data_lake.bronze import SECOND_NS, BronzeWriter
from data_lake.clock import Clock
from data_lake.lake import Lake
from data_lake.layout import DIRECT_EPOCH, DIRECT_TOPIC
from volatility.errors import FencedError, LakeError
from volatility.frame import Frame

MAX_ROWS: Final = 20_000
MAX_BYTES: Final = 16 << 20
MAX_SECONDS: Final = 10.0
"""A frame is in the lake at most this long after it was received: what a power cut can cost."""

RETRY_S: Final = 0.5
_log: Final = structlog.get_logger(__name__)


class DirectSink:
    """The lake's own writer behind the sink contract.

    A lake that cannot be written (disk full, store away) is tried again at every tick; once twice
    the normal buffer waits, `put` blocks until there is room. Nothing is dropped.
    """

    def __init__(
        self,
        lake: Lake,
        clock: Clock,
        *,
        topic: str = DIRECT_TOPIC,
        max_rows: int = MAX_ROWS,
        max_bytes: int = MAX_BYTES,
        max_seconds: float = MAX_SECONDS,
    ) -> None:
        """Continue the topic's chain where the lake ends.

        Raises:
            LakeError: the chain's end is torn, or another process writes to this lake.
        """
        self._writer = BronzeWriter(
            lake,
            topic,
            DIRECT_EPOCH,
            0,
            max_rows=max_rows,
            max_bytes=max_bytes,
            max_seconds=max_seconds,
            clock=clock,
        )
        self._limit_rows, self._limit_bytes = 2 * max_rows, 2 * max_bytes
        self._stopped = threading.Event()
        self._clock, self._retry_ns = clock, 0  # no flush before, after a failed one
        self.failed_flushes = 0

    @property
    def overfull(self) -> bool:
        """Whether twice the normal buffer waits for a lake that cannot be written."""
        writer = self._writer
        return (
            writer.buffered_rows >= self._limit_rows or writer.buffered_bytes >= self._limit_bytes
        )

    def put(self, frame: Frame) -> None:
        """Buffer one frame; a full buffer is written out.

        Raises:
            LakeError: the lake cannot be written and we are asked to stop, or it was written by
                somebody else (`FencedError`).
        """
        self._writer.append(frame)
        self.tick()
        while self.overfull:
            if self._stopped.wait(RETRY_S):
                self.flush()
            self.tick()

    def tick(self) -> None:
        """Write the buffer out when it is full or old enough; a failure is tried again later.

        Raises:
            FencedError: somebody else wrote this chain.
        """
        if not self._writer.due() or self._clock.now_ns() < self._retry_ns:
            return
        try:
            self._writer.flush()
        except FencedError:
            raise
        except LakeError as exc:
            self.failed_flushes += 1
            self._retry_ns = self._clock.now_ns() + int(RETRY_S * SECOND_NS)
            _log.error("the lake cannot be written; frames wait", reason=str(exc))

    def flush(self) -> None:
        """Write everything out.

        Raises:
            LakeError: the lake cannot be written; the frames are still buffered.
        """
        self._writer.flush()

    def close(self) -> None:
        """Write everything out and let the chain go.

        Raises:
            LakeError: the lake cannot be written.
        """
        try:
            self.flush()
        finally:
            self._writer.close()

    def stop(self) -> None:
        """Make a blocked `put` give up."""
        self._stopped.set()
