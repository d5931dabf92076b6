"""Kafka to bronze, exactly once: the lake says where to go on, creating a file is the commit.

Partitions are assigned, not subscribed; any number of archivers may run on the same ones. Whoever
creates the next file first wins it, the others drop their buffer and go on from there. Group
offsets are committed afterwards and only so that lag tools have something to show.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Final

import structlog

from data_lake.bronze import BronzeWriter
from data_lake.clock import Clock
from data_lake.lake import Lake
from ingest_service.archive_report import ArchiveReport
from ingest_service.consumer import open_consumer
from ingest_service.message import from_record
from ingest_service.topic import TICKS_RAW, broker_errors, describe
from volatility.errors import BrokerError, FencedError, LakeError

GROUP: Final = "cryptovol-archive"
RETRY_S: Final = 1.0
RECHECK_NS: Final = 5_000_000_000
_MS_NS: Final = 1_000_000
_log: Final = structlog.get_logger(__name__)


@dataclass(frozen=True)
class FlushPolicy:
    """When a partition's buffer becomes a file: whichever comes first."""

    max_rows: int = 20_000
    max_bytes: int = 16 << 20
    max_seconds: float = 10.0


class Archiver:
    """Copies one topic to the lake until told to stop."""

    def __init__(
        self,
        servers: str,
        lake: Lake,
        clock: Clock,
        *,
        topic: str = TICKS_RAW,
        accept_gap: bool = False,
        policy: FlushPolicy | None = None,
    ) -> None:
        """Connect and find where every partition goes on.

        Raises:
            BrokerError: unreachable, no such topic, or the log does not go on where the lake ends.
            LakeError: the end of a chain is torn.
        """
        self._servers, self._lake, self._clock, self._topic = servers, lake, clock, topic
        self._accept_gap, self._policy = accept_gap, policy or FlushPolicy()
        self._checked_ns = 0
        self.report = ArchiveReport()
        with broker_errors(servers):
            self._consumer: Any = open_consumer(servers, reset="none", group=GROUP)
        try:
            self._open()
        except BaseException:
            self._consumer.close(autocommit=False)
            raise

    def run(self, stop: threading.Event, *, until_caught_up: bool = False) -> ArchiveReport:
        """Archive until `stop` is set, or until the end the log has now; flush, and report.

        Raises:
            BrokerError: the log does not go on where the lake ends.
            LakeError: asked to stop while the lake cannot be written.
        """
        goal = self._ends() if until_caught_up else None
        try:
            while not stop.is_set() and (goal is None or self._behind(goal)):
                self._step(stop)
            for writer in self._writers.values():
                self._flush(writer, stop)
        finally:
            self.close()
        return self.report

    def close(self) -> None:
        """Let go of consumer and chains; what is not flushed stays in Kafka."""
        for writer in self._writers.values():
            self.report.next_offsets[writer.partition] = writer.committed_offset
            writer.close()
        self._consumer.close(autocommit=False)

    def _open(self) -> None:
        """Writers at the end of their chains, and the consumer at the same offsets."""
        from kafka import TopicPartition

        self._epoch, partitions = describe(self._servers, self._topic)
        self._writers: dict[Any, BronzeWriter] = {
            TopicPartition(self._topic, p): self._writer(p) for p in partitions
        }
        self._consumer.assign(list(self._writers))
        self._seek_all()

    def _writer(self, partition: int) -> BronzeWriter:
        policy = self._policy
        return BronzeWriter(
            self._lake,
            self._topic,
            self._epoch,
            partition,
            max_rows=policy.max_rows,
            max_bytes=policy.max_bytes,
            max_seconds=policy.max_seconds,
            clock=self._clock,
        )

    def _seek_all(self) -> None:
        with broker_errors(self._servers):
            first = self._consumer.beginning_offsets(list(self._writers))
            last = self._consumer.end_offsets(list(self._writers))
        begun = any(writer.next_offset for writer in self._writers.values())
        for at, writer in self._writers.items():
            self._check_bounds(writer, first[at], last[at], begun=begun)
            self._consumer.seek(at, writer.next_offset)

    def _check_bounds(self, writer: BronzeWriter, first: int, last: int, *, begun: bool) -> None:
        """Compare where the chain goes on with what the log still holds.

        A lake that has nothing of the topic yet (not `begun`) starts wherever the log starts.
        """
        where = f"{writer.topic}[{writer.partition}]"
        expected = writer.next_offset
        if expected > last:
            reason = f"{where}: the lake has offsets to {expected - 1}, the log ends at {last - 1}"
            raise BrokerError(self._servers, reason)
        if expected >= first:
            return
        lost = f"offsets {expected} to {first - 1} are no longer in the log"
        if begun and not self._accept_gap:
            reason = f"{where}: {lost}; --accept-gap records the hole and goes on"
            raise BrokerError(self._servers, reason)
        _log.warning("starting beyond a hole", partition=where, reason=lost)
        self._flush(writer, threading.Event())
        writer.accept_hole(first)

    def _ends(self) -> dict[Any, int]:
        with broker_errors(self._servers):
            return dict(self._consumer.end_offsets(list(self._writers)))

    def _behind(self, goal: dict[Any, int]) -> bool:
        return any(self._writers[at].next_offset < end for at, end in goal.items())

    def _step(self, stop: threading.Event) -> None:
        from kafka.errors import LogTruncationError, OffsetOutOfRangeError

        self._recheck_topic(stop)
        try:
            with broker_errors(self._servers):
                batches = self._consumer.poll(timeout_ms=200)
        except BrokerError as exc:
            if not isinstance(exc.__cause__, LogTruncationError | OffsetOutOfRangeError):
                raise
            self._checked_ns = 0
            self._recheck_topic(stop)
            self._seek_all()
            return
        for at, records in batches.items():
            self._append(at, records, stop)
        for at, writer in self._writers.items():
            if writer.due():
                self._flush_or_seek(at, writer, stop)

    def _append(self, at: Any, records: list[Any], stop: threading.Event) -> None:
        writer = self._writers[at]
        for record in records:
            if record.offset < writer.next_offset:
                continue
            writer.append(from_record(record), record.offset, record.timestamp * _MS_NS)
            if writer.due() and not self._flush_or_seek(at, writer, stop):
                return  # the rest of the batch is behind or beyond the new position

    def _flush_or_seek(self, at: Any, writer: BronzeWriter, stop: threading.Event) -> bool:
        """Flush; where a rival was first, seek to where it left off and say False."""
        if self._flush(writer, stop):
            self._commit(at, writer.committed_offset)
            return True
        self._consumer.seek(at, writer.next_offset)
        return False

    def _flush(self, writer: BronzeWriter, stop: threading.Event) -> bool:
        """Make the buffer a file; False where another archiver had done so.

        A lake that cannot be written is tried again for ever; meanwhile nothing is read.
        """
        while True:
            try:
                committed = writer.flush()
            except FencedError as exc:
                self.report.fenced += 1
                _log.info("another archiver was first", reason=str(exc))
                return False
            except LakeError as exc:
                _log.error("the lake cannot be written; waiting", reason=str(exc))
                if stop.wait(RETRY_S):
                    raise
            else:
                if committed is not None:
                    self.report.files += 1
                    self.report.rows += committed.rows
                return True

    def _recheck_topic(self, stop: threading.Event) -> None:
        """Start a new epoch where the topic was deleted and created again."""
        now = self._clock.now_ns()
        if now - self._checked_ns < RECHECK_NS:
            return
        self._checked_ns = now
        try:
            epoch, _ = describe(self._servers, self._topic)
        except BrokerError as exc:
            _log.warning("cannot ask for the topic", reason=str(exc))
            return
        if epoch != self._epoch:
            _log.error("the topic was recreated: new epoch", old=self._epoch, new=epoch)
            for writer in self._writers.values():
                self._flush(writer, stop)
                writer.close()
            self._open()

    def _commit(self, at: Any, offset: int) -> None:
        """Tell the group where we are, for lag tools; the lake does not depend on it."""
        from kafka import OffsetAndMetadata

        self._consumer.commit_async({at: OffsetAndMetadata(offset, "", -1)})
