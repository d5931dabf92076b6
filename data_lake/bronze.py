"""The bronze writer: frames become files whose creation is the commit.

A file is named by the offset its chain had reached, so two rival writers always want the same name
and the store lets one of them create it. The loser is fenced: it drops its buffer and goes on from
where the winner left off. Nothing but the lake remembers how far the chain has come.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from uuid import uuid4

from data_lake.batch import Stored, hours_of, rows_of
from data_lake.chain import BronzeFooter, newest_file
from data_lake.clock import Clock
from data_lake.lake import Lake
from data_lake.layout import (
    DIRECT_EPOCH,
    DIRECT_TOPIC,
    LOCKS,
    bronze_folder,
    bronze_path,
)
from data_lake.lock import FolderLock
from data_lake.parquet import encode, read_record, sealed
from data_lake.tables import FRAMES
from volatility.errors import FencedError, LakeError
from volatility.frame import Frame

SECOND_NS: Final = 1_000_000_000
_ROW_OVERHEAD: Final = 256  # bytes of Python objects that hold one frame beside its payload


class Committed(NamedTuple):
    """What one flush made durable."""

    path: str
    first_offset: int
    last_offset: int
    rows: int
    hours: tuple[str, ...]  # keys of the event-time hours touched


class BronzeWriter:
    """Appends frames to one (topic, epoch, partition); for one thread at a time.

    `append` never touches the disk. Call `flush` when `due()` says so, and on a timer.
    """

    def __init__(
        self,
        lake: Lake,
        topic: str = DIRECT_TOPIC,
        epoch: str = DIRECT_EPOCH,
        partition: int = 0,
        *,
        max_rows: int = 50_000,
        max_bytes: int = 64 << 20,
        max_seconds: float = 60.0,
        clock: Clock,
    ) -> None:
        """Resume the chain from the lake.

        Raises:
            LakeError: the newest file is torn or altered, the topic or epoch is malformed, or, in
                direct mode, another process already writes to this lake.
        """
        bronze_folder(topic, epoch, partition)
        self.topic, self.epoch, self.partition = topic, epoch, partition
        self._lake, self._clock = lake, clock
        self._max_rows, self._max_bytes = max_rows, max_bytes
        self._max_wait_ns = int(max_seconds * SECOND_NS)
        self._id = uuid4().hex
        self._first = self._next = 0
        self._buffer: list[Stored] = []
        self._bytes = self._since = 0
        self._hole_from: int | None = None
        self._lock = self._take_lock()
        try:
            self._resume()
        except BaseException:
            self.close()
            raise

    @property
    def next_offset(self) -> int:
        """The offset to read next: everything before it is in the lake or in the buffer."""
        return self._next

    @property
    def committed_offset(self) -> int:
        """The first offset that is not in the lake yet."""
        return self._first

    @property
    def buffered_rows(self) -> int:
        """Frames waiting for the next flush."""
        return len(self._buffer)

    @property
    def buffered_bytes(self) -> int:
        """About how much memory the waiting frames take."""
        return self._bytes + _ROW_OVERHEAD * len(self._buffer)

    def append(self, frame: Frame, offset: int | None = None, kafka_ts: int | None = None) -> None:
        """Take one frame into the buffer.

        From a broker, give its `offset` and `kafka_ts` (ns UTC); offsets the log skips are fine.
        In direct mode leave both out: the offset is counted, the receive time stands in.

        Raises:
            ValueError: the offset lies before `next_offset`.
        """
        if offset is None:
            offset = self._next
        elif offset < self._next:
            raise ValueError(f"offset {offset} is behind the chain, which expects {self._next}")
        if not self._buffer:
            self._since = self._clock.now_ns()
        self._buffer.append(Stored(offset, frame.recv_ns if kafka_ts is None else kafka_ts, frame))
        self._bytes += len(frame.payload)
        self._next = offset + 1

    def accept_hole(self, offset: int) -> None:
        """Go on at `offset` although frames before it are gone; the next file records the hole.

        Raises:
            ValueError: frames are waiting, or the chain is already past `offset`.
        """
        if self._buffer or offset < self._next:
            raise ValueError(f"cannot skip from {self._next} to {offset}: flush first")
        if self._hole_from is None:
            self._hole_from = self._first
        self._first = self._next = offset

    def due(self) -> bool:
        """Say whether the buffer is full, or its oldest frame has waited long enough."""
        return bool(self._buffer) and (
            len(self._buffer) >= self._max_rows
            or self.buffered_bytes >= self._max_bytes
            or self._clock.now_ns() - self._since >= self._max_wait_ns
        )

    def flush(self) -> Committed | None:
        """Write the buffer as one file; None when it is empty.

        Raises:
            FencedError: another writer committed these offsets. The buffer is dropped, and
                `next_offset` is where the winner left off: read the log again from there.
            LakeError: the file could not be written. The buffer is kept: flush again later.
        """
        if not self._buffer:
            return None
        path = bronze_path(
            self.topic, self.epoch, self.partition, self._first, self._buffer[0].kafka_ts
        )
        rows = rows_of(self._buffer)
        footer = self._footer(rows)
        if not self._lake.storage.create(path, encode(rows, footer)) and not self._ours(path):
            self._fenced(path)
        self._first = footer.last_offset + 1
        self._empty()
        return Committed(path, footer.first_offset, footer.last_offset, footer.rows, footer.hours)

    def close(self) -> None:
        """Give up the lock. Frames not flushed are not written."""
        if self._lock is not None:
            self._lock.release()

    def _take_lock(self) -> FolderLock | None:
        """Direct writers invent offsets, so there must be only one; archivers fence each other."""
        folder = self._lake.storage.folder
        if self.topic != DIRECT_TOPIC or folder is None:
            return None
        return FolderLock(folder / LOCKS / DIRECT_TOPIC, "writing to this lake")

    def _resume(self) -> None:
        newest = newest_file(self._lake, self.topic, self.epoch, self.partition)
        self._first = self._next = newest.last_offset + 1 if newest else 0
        self._empty()

    def _empty(self) -> None:
        self._buffer = []
        self._bytes = 0
        self._hole_from = None

    def _footer(self, rows: Any) -> BronzeFooter:
        digest, columns = sealed(rows)
        return BronzeFooter(
            topic=self.topic,
            epoch=self.epoch,
            partition=self.partition,
            first_offset=self._first,
            last_offset=self._next - 1,
            rows=rows.num_rows,
            hours=hours_of(stored.frame for stored in self._buffer),
            sha256=digest,
            columns=columns,
            schema_version=FRAMES.version,
            writer=self._id,
            hole_from=self._hole_from,
        )

    def _ours(self, path: str) -> bool:
        """An object store may apply a put, lose the answer and refuse the retry."""
        try:
            return read_record(self._lake.storage, path, BronzeFooter).writer == self._id
        except LakeError:
            return False

    def _fenced(self, path: str) -> None:
        dropped = len(self._buffer)
        self._resume()
        reason = f"another writer was first; {dropped} frames dropped, resume at {self._next}"
        raise FencedError(path, reason)
