"""Bronze to trades and quotes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
import pytest

from cryptovol_dagster import ticks
from cryptovol_dagster.ticks import build_quotes, build_ticks, build_trades
from data_lake.bronze import BronzeWriter
from data_lake.clock import ManualClock
from data_lake.lake import Lake
from data_lake.layout import hour_bounds
from data_lake.tables import QUOTES, TRADES
from volatility.frame import Frame

Hour = Callable[[int], str]
Market = Callable[..., list[Frame]]
Record = Callable[[Lake, Iterable[Frame]], None]


def test_every_frame_is_explained(lake: Lake, hour: Hour, market: Market, record: Record) -> None:
    record(lake, market([0, 1], every_s=60))
    made = build_ticks(lake, [hour(0), hour(1)])
    assert made.kinds == {("ticker", "rows"): 240}
    assert not made.reasons
    assert lake.read_hours(TRADES, [hour(0), hour(1)]).num_rows == 240
    assert lake.read_hours(QUOTES, [hour(0), hour(1)]).num_rows == 240


def test_an_hour_alone_and_within_a_range_are_the_same(
    lake: Lake, hour: Hour, market: Market, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many frames are parsed at once."""
    record(lake, market(range(4), every_s=20))
    together = build_ticks(lake, [hour(n) for n in range(4)]).built
    monkeypatch.setattr(ticks, "MAX_FRAMES", 100)
    apart = build_ticks(lake, [hour(n) for n in range(4)]).built
    for table in (TRADES, QUOTES):
        for each in together[table.path]:
            alone = build_ticks(lake, [each], (table,)).built[table.path][each]
            assert alone.sha256 == together[table.path][each].sha256
            assert not alone.changed
            assert not apart[table.path][each].changed


def test_an_hours_scale_and_rows_are_its_own(
    lake: Lake, hour: Hour, record: Record, frame: Callable[..., Frame]
) -> None:
    """A large price in hour 1, a fine one in hour 0; one trade told in both hours."""
    start = hour_bounds(hour(0))[0]
    later = hour_bounds(hour(1))[0]
    told = [frame("BTC-USD", n, start + n, 2.0) for n in (1, 2)]
    fine = msgspec.structs.replace(
        told[0], payload=told[0].payload.replace(b'"2.00"', b'"2.0000000001"')
    )
    large = frame("BTC-USD", 3, later + 3, 40_000_000_000.0)
    again = frame("BTC-USD", 2, later + 2, 2.0)
    record(lake, [fine, told[1], again, large])
    together = build_ticks(lake, [hour(0), hour(1)]).built
    assert lake.read(TRADES, hour(0))["price_scale"].to_pylist() == [10, 10]
    assert lake.read(TRADES, hour(1))["price_scale"].to_pylist() == [8, 8]
    for n in (0, 1):
        for path, built in build_ticks(lake, [hour(n)]).built.items():
            assert built[hour(n)].sha256 == together[path][hour(n)].sha256


def test_rejected_frames_are_counted(
    lake: Lake, hour: Hour, record: Record, frame: Callable[..., Frame]
) -> None:
    good = frame("BTC-USD", 1, hour_bounds(hour(0))[0], 2.0)
    partly = good.payload.replace(b'"price":"2.00"', b'"price":"NaN"')
    bad = good.payload.replace(b'"trade_id":1', b'"trade_id":"x"')
    record(lake, [msgspec.structs.replace(good, payload=p) for p in (good.payload, partly, bad)])
    made = build_ticks(lake, [hour(0)])
    assert (made.rejected, made.partly_rejected) == (1, 1)


def test_late_frames_are_folded_into_their_hour(
    lake: Lake, hour: Hour, market: Market, record: Record, frame: Callable[..., Frame]
) -> None:
    """A frame of hour 0 that arrives after hour 1 was recorded."""
    record(lake, market([0, 1], every_s=60))
    before = build_trades(lake, [hour(0)])[hour(0)]
    start = hour_bounds(hour(0))[0]
    record(lake, [frame("BTC-USD", 9_999, start + 1_000_000_000, 60_000.0)])
    after = build_trades(lake, [hour(0)])[hour(0)]
    assert after.changed
    assert after.rows == before.rows + 1
    assert after.inputs != before.inputs


def test_repeated_frames_change_nothing(
    lake: Lake, hour: Hour, market: Market, record: Record
) -> None:
    """A recording replayed twice: other inputs, the same rows."""
    record(lake, market([0], every_s=60))
    first = build_ticks(lake, [hour(0)]).built
    record(lake, market([0], every_s=60))
    second = build_ticks(lake, [hour(0)]).built
    for path, built in second.items():
        assert built[hour(0)].sha256 == first[path][hour(0)].sha256


def test_an_hour_without_frames_is_an_empty_partition(lake: Lake, hour: Hour) -> None:
    assert build_quotes(lake, [hour(3)])[hour(3)].rows == 0
    assert lake.read(QUOTES, hour(3)).num_rows == 0


def test_dead_letters_are_not_read_for_rows(
    lake: Lake, hour: Hour, market: Market, record: Record
) -> None:
    """They are kept in bronze under a topic of their own."""
    record(lake, market([0], every_s=60))
    writer = BronzeWriter(lake, "ticks.dead_letter", clock=ManualClock(0))
    for dead in market([0], every_s=600):
        writer.append(dead)
    writer.flush()
    writer.close()
    assert build_ticks(lake, [hour(0)]).kinds == {("ticker", "rows"): 120}
