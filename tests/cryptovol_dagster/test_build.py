"""Read, compute, replace."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pyarrow.compute as pc
import pytest

from cryptovol_dagster.build import (
    build_bars_1s,
    build_features_1s,
    build_gaps,
    build_labels_1s,
    build_outcomes,
)
from cryptovol_dagster.progress import listening
from cryptovol_dagster.recipe import Built
from cryptovol_dagster.ticks import build_ticks
from data_lake.lake import Lake
from data_lake.layout import hour_bounds
from data_lake.tables import BARS_1S, FEATURES_1S, GAPS, LABELS_1S
from volatility.errors import LakeError
from volatility.frame import Frame

Hour = Callable[[int], str]
Market = Callable[..., list[Frame]]
Record = Callable[[Lake, Iterable[Frame]], None]
Build = Callable[[Lake, Sequence[str]], Built]

CHAIN: tuple[Build, ...] = (build_gaps, build_bars_1s, build_features_1s, build_labels_1s)


def build_all(lake: Lake, hours: Sequence[str]) -> dict[str, Built]:
    """The whole chain, one table after the other."""
    build_ticks(lake, hours)
    return {build.__name__: build(lake, hours) for build in CHAIN}


def test_building_twice_changes_nothing(
    lake: Lake, hour: Hour, market: Market, record: Record
) -> None:
    hours = [hour(n) for n in range(3)]
    record(lake, market(range(3), every_s=20))
    first, second = build_all(lake, hours), build_all(lake, hours)
    for name, built in second.items():
        assert [m.changed for m in built.values()] == [False] * 3
        assert [m.sha256 for m in built.values()] == [m.sha256 for m in first[name].values()]


def test_an_hour_alone_and_within_a_range_are_the_same(
    lake: Lake, hour: Hour, market: Market, record: Record
) -> None:
    """Neighbours kept from the hour before are the neighbours read anew."""
    hours = [hour(n) for n in range(4)]
    record(lake, market(range(4), every_s=20))
    together = build_all(lake, hours)
    for build in CHAIN:
        for each in reversed(hours):
            assert build(lake, [each])[each].sha256 == together[build.__name__][each].sha256


def test_bars_stand_on_a_dense_grid(lake: Lake, hour: Hour, market: Market, record: Record) -> None:
    record(lake, market([0], every_s=300, products=["BTC-USD"]))
    build_ticks(lake, [hour(0)])
    build_bars_1s(lake, [hour(0)])
    start, end = hour_bounds(hour(0))
    ts = lake.read(BARS_1S, hour(0), ["ts"])["ts"].to_pylist()
    assert ts == list(range(start + 1_000_000_000, end + 1, 1_000_000_000))


def test_labels_wait_for_the_hour_after_them(
    lake: Lake, hour: Hour, market: Market, record: Record
) -> None:
    """The last label of each horizon is null until the next hour exists."""
    record(lake, market([0, 1], every_s=5))
    build_ticks(lake, [hour(0), hour(1)])
    build_bars_1s(lake, [hour(0)])
    build_features_1s(lake, [hour(0)])
    end = hour_bounds(hour(0))[1]

    build_labels_1s(lake, [hour(0)])
    waiting = lake.read(LABELS_1S, hour(0))
    late = waiting.filter(pc.greater(waiting["label_end"], end))
    assert late["rv"].null_count == late.num_rows > 0

    build_bars_1s(lake, [hour(1)])
    build_features_1s(lake, [hour(1)])
    after = build_labels_1s(lake, [hour(0)])[hour(0)]
    assert after.changed
    matured = lake.read(LABELS_1S, hour(0))
    late = matured.filter(pc.greater(matured["label_end"], end))
    unknown = late.filter(pc.is_null(late["rv"]))
    first = hour_bounds(hour(0))[0] + 10_000_000_000  # nothing was known before the first quotes
    assert pc.all(pc.less(unknown["ts"], first)).as_py() is not False


def test_a_hole_between_hours_is_found_from_manifests(
    lake: Lake, hour: Hour, market: Market, record: Record
) -> None:
    """Hours 1 and 2 were never recorded: 120 trades of each product are missing."""
    record(lake, market([0, 3], every_s=60))
    build_ticks(lake, [hour(0), hour(3)])
    build_gaps(lake, [hour(0), hour(3)])
    gaps = lake.read(GAPS, hour(3))
    assert gaps["product"].to_pylist() == ["BTC-USD", "ETH-USD"]
    assert gaps["missing"].to_pylist() == [120, 120]
    assert lake.read(GAPS, hour(0)).num_rows == 0


def test_a_missing_input_is_refused_by_name(
    lake: Lake, hour: Hour, market: Market, record: Record
) -> None:
    record(lake, market([0, 1], every_s=60))
    with pytest.raises(LakeError, match=f"build first: silver/quotes {hour(0)}"):
        build_bars_1s(lake, [hour(0)])
    build_ticks(lake, [hour(0), hour(1)])
    build_bars_1s(lake, [hour(1)])
    with pytest.raises(LakeError, match=f"build first: silver/bars_1s {hour(0)}"):
        build_features_1s(lake, [hour(1)])
    with pytest.raises(LakeError, match="build first"):
        build_outcomes(lake, [hour(0)])


def test_a_neighbour_that_cannot_exist_is_not_asked_for(
    lake: Lake, hour: Hour, market: Market, record: Record
) -> None:
    """The first hour of a recording has no hour before it."""
    record(lake, market([5], every_s=60))
    build_ticks(lake, [hour(5)])
    build_bars_1s(lake, [hour(5)])
    assert build_features_1s(lake, [hour(5)])[hour(5)].rows == 7200
    assert lake.hours(FEATURES_1S) == [hour(5)]


def test_builders_tell_how_far_they_are(
    lake: Lake, hour: Hour, market: Market, record: Record
) -> None:
    record(lake, market([0, 1], every_s=60))
    heard: list[tuple[str, int, int]] = []
    with listening(lambda *said: heard.append(said)):
        build_ticks(lake, [hour(0), hour(1)])
        build_bars_1s(lake, [hour(0), hour(1)])
    assert ("silver/trades", 2, 2) in heard
    assert heard[-2:] == [("silver/bars_1s", 1, 2), ("silver/bars_1s", 2, 2)]
