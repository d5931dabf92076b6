"""What to build."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

from hypothesis import given
from hypothesis import strategies as st

from cryptovol_dagster.build import (
    build_bars_1s,
    build_features_1s,
    build_gaps,
    build_labels_1s,
)
from cryptovol_dagster.plan import Bounds, ranges, stale_hours, stale_ticks, with_dependants
from cryptovol_dagster.recipe import Ledger
from cryptovol_dagster.ticks import build_ticks
from data_lake.chain import chain
from data_lake.lake import Lake
from data_lake.layout import hour_after, hour_bounds
from data_lake.tables import BARS_1S, QUOTES, TRADES
from volatility.frame import Frame

Hour = Callable[[int], str]
Market = Callable[..., list[Frame]]
Record = Callable[[Lake, Iterable[Frame]], None]

ALWAYS = Bounds(closed=lambda _: True, matured=lambda _: True)


def plan(lake: Lake, bounds: Bounds = ALWAYS, **kwargs: object) -> dict[str, list[str]]:
    """What is stale, without forecasts."""
    return stale_hours(Ledger(lake), chain(lake), bounds, forecasting=False, **kwargs)  # type: ignore[arg-type]


def build(lake: Lake, hours: list[str]) -> None:
    """The whole chain."""
    build_ticks(lake, hours)
    for one in (build_gaps, build_bars_1s, build_features_1s, build_labels_1s):
        one(lake, hours)


def test_everything_recorded_is_missing_at_first(
    lake: Lake, hour: Hour, market: Market, record: Record
) -> None:
    record(lake, market([0, 2], every_s=60))
    found = plan(lake)
    assert list(found) == [
        "silver/trades",
        "silver/quotes",
        "silver/gaps",
        "silver/bars_1s",
        "gold/features_1s",
        "gold/labels_1s",
    ]
    assert all(hours == [hour(0), hour(2)] for hours in found.values())


def test_nothing_is_stale_once_built(
    lake: Lake, hour: Hour, market: Market, record: Record
) -> None:
    record(lake, market([0, 1], every_s=60))
    build(lake, [hour(0), hour(1)])
    assert plan(lake) == {}
    assert set(plan(lake, rebuild=True)) >= {"silver/trades", "gold/labels_1s"}


def test_a_late_frame_makes_what_was_computed_from_it_stale(
    lake: Lake, hour: Hour, market: Market, record: Record, frame: Callable[..., Frame]
) -> None:
    """Trades of hour 1: bars of 1 and 2, features up to 4, labels from 0 on, later gaps."""
    record(lake, market(range(6), every_s=60))
    build(lake, [hour(n) for n in range(6)])
    record(lake, [frame("BTC-USD", 9_999, hour_bounds(hour(1))[0] + 1_000_000_000, 60_000.0)])
    assert plan(lake) == {
        "silver/trades": [hour(1)],
        "silver/quotes": [hour(1)],
        "silver/gaps": [hour(1)],
        "silver/bars_1s": [hour(1), hour(2)],
        "gold/features_1s": [hour(n) for n in (1, 2, 3, 4)],
        "gold/labels_1s": [hour(n) for n in (0, 1, 2, 3, 4)],
    }


def test_a_newest_trade_that_changes_makes_later_gaps_and_labels_stale(
    lake: Lake, hour: Hour, market: Market, record: Record, frame: Callable[..., Frame]
) -> None:
    """Found once trades and features are rebuilt: what reaches far back is a fingerprint."""
    record(lake, market(range(3), every_s=60))
    build(lake, [hour(n) for n in range(3)])
    record(lake, [frame("BTC-USD", 61, hour_bounds(hour(1))[0] - 1, 60_000.0)])
    build_ticks(lake, [hour(0)])
    assert hour(1) in plan(lake)["silver/gaps"]


def test_a_new_next_hour_makes_labels_stale(
    lake: Lake, hour: Hour, market: Market, record: Record
) -> None:
    record(lake, market([0], every_s=60))
    build(lake, [hour(0)])
    record(lake, market([1], every_s=60))
    found = plan(lake)
    assert found["silver/trades"] == [hour(1)]
    assert found["gold/labels_1s"] == [hour(0), hour(1)]


def test_only_hours_inside_the_bounds_are_built(
    lake: Lake, hour: Hour, market: Market, record: Record
) -> None:
    """Open hours wait, labels wait an hour longer, and a caller's range is kept."""
    record(lake, market(range(5), every_s=60))
    bounds = Bounds(lambda h: h < hour(4), lambda h: h < hour(3), start=hour(1), end=hour(4))
    found = plan(lake, bounds)
    assert found["silver/trades"] == [hour(1), hour(2), hour(3)]
    assert found["gold/labels_1s"] == [hour(1), hour(2)]
    assert set(plan(lake, tables=(TRADES, BARS_1S))) == {"silver/trades", "silver/bars_1s"}


def test_ticks_are_stale_when_frames_arrived(
    lake: Lake, hour: Hour, market: Market, record: Record
) -> None:
    record(lake, market([0, 1], every_s=60))
    build_ticks(lake, [hour(0), hour(1)], (QUOTES,))
    both = [hour(0), hour(1)]
    assert stale_ticks(Ledger(lake), chain(lake), both) == both
    build_ticks(lake, [hour(0)])
    assert stale_ticks(Ledger(lake), chain(lake), both) == [hour(1)]


def test_dependants_are_hours_that_exist(hour: Hour) -> None:
    built = [hour(n) for n in range(6)]
    assert with_dependants([hour(1)], built) == [hour(n) for n in (1, 2, 3, 4)]
    assert with_dependants([hour(5)], built) == [hour(5)]
    assert with_dependants([hour(9)], built) == [hour(9)]


@given(numbers=st.sets(st.integers(0, 60)))
def test_ranges_cover_the_hours_and_nothing_else(numbers: set[int]) -> None:
    """Each run is consecutive, and no two runs touch."""
    hours = {hour_after("2026-02-28-00:00", n) for n in numbers}
    covered: list[str] = []
    found = ranges(hours)
    for start, end in found:
        each = start
        while each <= end:
            covered.append(each)
            each = hour_after(each)
    assert covered == sorted(hours)
    assert all(hour_after(a[1]) < b[0] for a, b in itertools.pairwise(found))
