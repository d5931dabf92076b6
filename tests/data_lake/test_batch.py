"""Frames on their way into a file."""

from __future__ import annotations

from collections.abc import Callable

from data_lake.batch import Stored, hours_of, rows_of
from data_lake.layout import hour_after, hour_bounds
from data_lake.tables import FRAMES
from volatility.frame import Feed, Frame

HOUR = "2025-11-12-07:00"
START = hour_bounds(HOUR)[0]


def _frame(payload: bytes, feed: Feed) -> Frame:
    return Frame(
        recv_ns=START, source="live", feed=feed, conn="c", frame=0, product=None, payload=payload
    )


def test_rows_are_in_the_table_schema(make_frame: Callable[..., Frame]) -> None:
    rows = rows_of([Stored(7, START, make_frame(0)), Stored(9, START, _frame(b"", "ingestor"))])
    assert rows.schema == FRAMES.schema
    assert rows.column("offset").to_pylist() == [7, 9]
    assert rows.column("product").to_pylist() == ["BTC-USD", None]


def test_a_frame_touches_every_hour_it_tells_of() -> None:
    """A market_trades snapshot of a quiet product reaches hours back."""
    trades = ",".join(
        f'{{"product_id":"X-Y","trade_id":"1","price":"1","size":"1","side":"BUY","time":"{time}"}}'
        for time in ("2025-11-12T05:59:59.9Z", "2025-11-12T07:00:00Z")
    )
    text = (
        '{"channel":"market_trades","timestamp":"2025-11-12T07:00:01Z","sequence_num":0,'
        f'"events":[{{"type":"snapshot","trades":[{trades}]}}]}}'
    )
    assert hours_of([_frame(text.encode(), "advanced")]) == (hour_after(HOUR, -2), HOUR)


def test_a_flat_row_without_a_time_happened_when_it_was_received() -> None:
    row = b'{"product_id":"BTC-USD","price":"1","best_bid":"1","best_ask":"2"}'
    assert hours_of([_frame(row, "flat")]) == (HOUR,)
    assert hours_of([_frame(b"?", "flat")]) == ()


def test_what_makes_no_rows_touches_no_hour() -> None:
    assert hours_of([_frame(b"{}", "ingestor"), _frame(b"?", "exchange")]) == ()
