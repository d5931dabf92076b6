"""The bronze chain: files that follow each other by offset, read so that no frame doubles.

Per (topic, epoch, partition) each file covers the offsets from the one it is named by to the last
its footer tells. A reader follows the offsets, not the files: where files overlap (a compaction
that died half-way) the earlier name wins, where one is missing there is a hole to report.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.lake import Lake
from data_lake.layout import bronze_folder, parse_bronze_path
from data_lake.parquet import read_rows, select
from data_lake.storage import Entry
from data_lake.tables import FRAMES
from volatility.errors import LakeError


class BronzeFooter(msgspec.Struct, frozen=True, kw_only=True):
    """What a bronze file says about itself, in its own footer."""

    topic: str
    epoch: str  # Kafka topic id
    partition: int
    first_offset: int  # the offset the chain had reached; the file is named by it
    last_offset: int  # the next file starts at last_offset + 1
    rows: int  # at most last - first + 1; fewer where the log itself skips offsets
    hours: tuple[str, ...]  # keys of the event-time hours the frames touch
    sha256: str  # of the rows
    columns: dict[str, str]  # sha256 of each column
    schema_version: int
    writer: str  # random id of the writer that created the file
    hole_from: int | None = (
        None  # offsets [hole_from, first_offset) are gone, and that was accepted
    )


class BronzeFile(NamedTuple):
    """One file of a chain; sorts by place in the log, never by path, whose dates may go back."""

    topic: str
    epoch: str
    partition: int
    first_offset: int
    last_offset: int
    path: str  # relative to the lake root
    rows: int
    hours: tuple[str, ...]
    sha256: str
    hole_from: int | None

    @property
    def chain(self) -> tuple[str, str, int]:
        """Topic, epoch and partition: what offsets are counted in."""
        return self.topic, self.epoch, self.partition


class Link(NamedTuple):
    """One step along a chain: of `file`, the rows from offset `start` on are new."""

    file: BronzeFile
    start: int
    hole_from: int | None  # offsets [hole_from, start) are in no file

    @property
    def overlaps(self) -> bool:
        """Earlier files hold some of this file's offsets too."""
        return self.start > self.file.first_offset


def chain(lake: Lake) -> list[BronzeFile]:
    """Every bronze file, by topic, epoch, partition and first offset.

    Raises:
        LakeError: a file is torn or altered, or is not what its name says.
    """
    entries = lake.storage.entries(FRAMES.path)
    return sorted(bronze_file(lake, entry) for entry in entries if is_bronze(entry))


def is_bronze(entry: Entry) -> bool:
    """Say whether the path is one a bronze file can have."""
    return parse_bronze_path(entry.path) is not None


def bronze_file(lake: Lake, entry: Entry) -> BronzeFile:
    """The bronze file at `entry`, its footer proven and compared with its name.

    Raises:
        LakeError: the file is torn or altered, or is not what its name says.
    """
    name = parse_bronze_path(entry.path)
    footer = lake.record(entry, BronzeFooter)
    written = (footer.topic, footer.epoch, footer.partition, footer.first_offset)
    if written != name:
        raise LakeError(entry.path, f"swapped: this file was written as {written}")
    return BronzeFile(
        *written,
        footer.last_offset,
        entry.path,
        footer.rows,
        footer.hours,
        footer.sha256,
        footer.hole_from,
    )


def newest_file(lake: Lake, topic: str, epoch: str, partition: int) -> BronzeFile | None:
    """The file that ends one chain; None when the chain is empty.

    Raises:
        LakeError: the file is torn or altered, or is not what its name says.
    """
    entries = lake.storage.entries(bronze_folder(topic, epoch, partition))
    named = [entry for entry in entries if is_bronze(entry)]
    return bronze_file(lake, max(named, key=lambda entry: entry.path[-27:])) if named else None


def follow(files: Iterable[BronzeFile]) -> Iterator[Link]:
    """Walk the chains of sorted `files`; a file that holds nothing new is left out."""
    for _, members in groupby(files, key=lambda file: file.chain):
        expected: int | None = None
        for file in members:
            start = file.first_offset if expected is None else max(expected, file.first_offset)
            if start > file.last_offset:
                continue
            hole = expected is not None and expected < start
            yield Link(file, start, expected if hole else None)
            expected = file.last_offset + 1


def read_frames(
    lake: Lake,
    hours: Iterable[str] | None = None,
    *,
    files: Sequence[BronzeFile] | None = None,
    columns: Sequence[str] | None = None,
) -> Any:
    """Frames in chain order, a `pa.Table` of FRAMES columns (or `columns`), none twice.

    With `hours` only files that touch one of these event-time hours are read. Such files hold
    frames of other hours too: whoever asks for an hour still filters by event time.
    `files` is what `chain` returned, to save asking again.

    Raises:
        LakeError: a file is missing, torn or altered.
    """
    names = select(FRAMES, columns)
    wanted = None if hours is None else set(hours)
    links = follow(chain(lake) if files is None else sorted(files))
    parts = [
        read_link(lake, link, names)
        for link in links
        if wanted is None or not wanted.isdisjoint(link.file.hours)
    ]
    schema = pa.schema([FRAMES.schema.field(name) for name in names])
    return pa.concat_tables(parts) if parts else schema.empty_table()


def read_link(lake: Lake, link: Link, columns: Sequence[str]) -> Any:
    """The new rows of one step along a chain, a `pa.Table`.

    Raises:
        LakeError: the file is missing, torn or altered.
    """
    if not link.overlaps:
        return read_rows(lake.storage, link.file.path, FRAMES, BronzeFooter, columns)[0]
    rows, _ = read_rows(lake.storage, link.file.path, FRAMES, BronzeFooter)
    new = rows.filter(pc.greater_equal(rows.column("offset"), link.start))
    return new.select(list(columns))


def fingerprint(files: Iterable[BronzeFile], hour: str) -> str:
    """One digest for all frames that touch an hour; empty text when there are none.

    It changes when a file that touches the hour is added, removed or rewritten with other rows.
    """
    touching = [file for file in sorted(files) if hour in file.hours]
    lines = "".join(f"{file.chain} {file.first_offset} {file.sha256}\n" for file in touching)
    return hashlib.sha256(lines.encode()).hexdigest() if touching else ""
