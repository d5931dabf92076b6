"""Frames on their way into a bronze file: their place in the log, their columns, their hours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import pyarrow as pa

from data_lake.layout import HOUR_NS, hour_key
from data_lake.tables import FRAMES
from volatility.frame import Frame
from volatility.peek import peek


class Stored(NamedTuple):
    """One frame at its place in the log."""

    offset: int
    kafka_ts: int  # ns since epoch UTC
    frame: Frame


def rows_of(buffer: list[Stored]) -> Any:
    """The frames as a `pa.Table` of FRAMES columns."""
    frames = [stored.frame for stored in buffer]
    columns: list[list[object]] = [
        [stored.offset for stored in buffer],
        [stored.kafka_ts for stored in buffer],
        [frame.recv_ns for frame in frames],
        [frame.source for frame in frames],
        [frame.feed for frame in frames],
        [frame.conn for frame in frames],
        [frame.frame for frame in frames],
        [frame.product for frame in frames],
        [frame.payload for frame in frames],
    ]
    return pa.table(columns, schema=FRAMES.schema)


def hours_of(frames: Iterable[Frame]) -> tuple[str, ...]:
    """Event-time hours the frames touch; acks, errors and facts of the ingestor touch none."""
    hours = {
        ns // HOUR_NS
        for frame in frames
        for ns in peek(frame.payload, frame.feed).instants_ns(frame.recv_ns)
    }
    return tuple(hour_key(hour * HOUR_NS) for hour in sorted(hours))
