"""`cryptovol export-slice`: the newest part of the raw record as a recording `replay` understands.

One line per frame, in the seed's own format with four keys more:
`{"ts": <receive time, epoch seconds, 9 decimals>, "pair": …, "raw": "<the bytes>", "feed": …,
"source": …, "conn": …, "frame": …}`. Replaying it gives the same silver, `source` aside.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from data_lake.chain import chain, follow, read_link
from data_lake.lake import Lake
from data_lake.layout import DIRECT_TOPIC
from data_lake.tables import FRAMES
from ingest_service.consumer import open_consumer
from ingest_service.message import from_record
from ingest_service.topic import TICKS_RAW, broker_errors, describe
from ingest_service.transport import Transport
from volatility.errors import BrokerError, LakeError, RecordingError
from volatility.frame import Frame

if TYPE_CHECKING:
    from rich.console import RenderableType

MINUTE_NS: Final = 60_000_000_000
READ_TIMEOUT_S: Final = 60.0


class SliceReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was exported."""

    file: str
    frames: int
    skipped: int  # payloads that are no UTF-8: a JSON string cannot hold them
    first_recv_ns: int
    last_recv_ns: int

    def render(self) -> RenderableType:
        """The report as a line for a terminal."""
        from rich.text import Text

        seconds = (self.last_recv_ns - self.first_recv_ns) / 1e9
        skipped = f"; {self.skipped:,} are no UTF-8 and were left out" if self.skipped else ""
        return Text(f"{self.file}: {self.frames:,} frames over {seconds:,.1f} s{skipped}")


class _SliceLine(msgspec.Struct):
    ts: msgspec.Raw
    pair: str | None
    raw: str
    feed: str
    source: str
    conn: str
    frame: int


def encode_line(frame: Frame) -> bytes | None:
    """The frame as a line with its newline; None where its payload is no UTF-8."""
    try:
        raw = frame.payload.decode()
    except UnicodeDecodeError:
        return None
    seconds, ns = divmod(frame.recv_ns, 1_000_000_000)
    line = _SliceLine(
        msgspec.Raw(b"%d.%09d" % (seconds, ns)),
        frame.product,
        raw,
        frame.feed,
        frame.source,
        frame.conn,
        frame.frame,
    )
    return msgspec.json.encode(line) + b"\n"


def export_slice(transport: Transport, out: Path, *, minutes: float = 10.0) -> SliceReport:
    """Write the frames of the log's last `minutes`, counted back from its newest frame.

    The file appears whole or not at all; one that is there is replaced.

    Raises:
        BrokerError: Kafka cannot be reached, or holds no frames.
        LakeError: the lake holds no frames, or a bronze file is torn.
        RecordingError: the file cannot be written.
    """
    span_ns = int(minutes * MINUTE_NS)
    frames = (
        _from_kafka(transport.servers, span_ns)
        if transport.servers
        else _from_lake(transport.lake_root, span_ns)
    )
    partial = out.with_name(f".{out.name}.partial")
    try:
        report = _write(partial, out, frames)
        partial.replace(out)
    except OSError as exc:
        raise RecordingError(str(out), 0, exc.strerror or str(exc)) from exc
    finally:
        # Where the file could not be made, it cannot be removed either; the first error says why.
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
    return report


def _write(partial: Path, out: Path, frames: Iterable[Frame]) -> SliceReport:
    written = skipped = 0
    times: list[int] = []
    with partial.open("wb") as file:
        for frame in frames:
            line = encode_line(frame)
            if line is None:
                skipped += 1
                continue
            file.write(line)
            written += 1
            times = [min([frame.recv_ns, *times]), max([frame.recv_ns, *times])]
    first, last = times or (0, 0)
    return SliceReport(
        file=str(out), frames=written, skipped=skipped, first_recv_ns=first, last_recv_ns=last
    )


def _from_lake(root: str, span_ns: int) -> Iterator[Frame]:
    """Frames of the direct chain, oldest first, from the first file that reaches into the span."""
    lake = Lake(root)
    links = [link for link in follow(chain(lake)) if link.file.topic == DIRECT_TOPIC]
    if not links:
        raise LakeError(root, "holds no frames yet")
    tail: list[Any] = []
    newest_ns = 0
    for link in reversed(links):
        table = read_link(lake, link, FRAMES.schema.names)
        latest_ns = max(table["kafka_ts"].to_pylist())
        newest_ns = newest_ns or latest_ns
        if latest_ns < newest_ns - span_ns:
            break
        tail.append(table)
    for table in reversed(tail):
        for row in table.to_pylist():
            if row["kafka_ts"] >= newest_ns - span_ns:
                yield _frame(row)


def _frame(row: dict[str, Any]) -> Frame:
    return Frame(
        recv_ns=row["recv_ts"],
        **{name: row[name] for name in ("source", "feed", "conn", "frame", "product", "payload")},
    )


def _from_kafka(servers: str, span_ns: int) -> list[Frame]:
    """Frames of `ticks.raw` in order of their log time; each partition keeps its own order."""
    from kafka import TopicPartition

    _, partitions = describe(servers, TICKS_RAW)
    parts = [TopicPartition(TICKS_RAW, partition) for partition in partitions]
    with broker_errors(servers):
        consumer = open_consumer(servers)
        try:
            consumer.assign(parts)
            records = _tail(consumer, servers, parts, span_ns // 1_000_000)
        finally:
            consumer.close(autocommit=False)
    records.sort(key=lambda r: (r.timestamp, r.partition, r.offset))
    return [from_record(record) for record in records]


def _tail(consumer: Any, servers: str, parts: list[Any], span_ms: int) -> list[Any]:
    """Records of the last `span_ms` before the newest record."""
    ends = consumer.end_offsets(parts)
    starts = consumer.beginning_offsets(parts)
    filled = [at for at in parts if ends[at] > starts[at]]
    if not filled:
        raise BrokerError(servers, f"{TICKS_RAW} holds no frames yet")
    for at in filled:
        consumer.seek(at, ends[at] - 1)
    newest_ms = max(r.timestamp for r in _read(consumer, servers, {at: ends[at] for at in filled}))
    begin = consumer.offsets_for_times(dict.fromkeys(filled, newest_ms - span_ms))
    wanted = {at: ends[at] for at in filled if begin[at] is not None}
    for at in wanted:
        consumer.seek(at, begin[at].offset)
    return _read(consumer, servers, wanted)


def _read(consumer: Any, servers: str, ends: dict[Any, int]) -> list[Any]:
    """Every record from where the consumer stands to `ends`."""
    records: list[Any] = []
    deadline = time.monotonic() + READ_TIMEOUT_S
    while any(consumer.position(at) < end for at, end in ends.items()):
        batches = consumer.poll(timeout_ms=200)
        for at, batch in batches.items():
            records += [r for r in batch if r.offset < ends.get(at, 0)]
        if batches:
            deadline = time.monotonic() + READ_TIMEOUT_S
        elif time.monotonic() > deadline:
            raise BrokerError(servers, f"nothing to read for {READ_TIMEOUT_S:g} s")
    return records
