"""What must be true of every table: each judgement holds on good rows and fails on bad ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from cryptovol_dagster.build import (
    build_bars_1s,
    build_features_1s,
    build_gaps,
    build_labels_1s,
)
from cryptovol_dagster.check import (
    ABOUT,
    JUDGES,
    explains_holes,
    is_current,
    is_dense,
    is_known,
    is_matured,
    is_plausible,
    is_scored,
    keeps_contract,
)
from cryptovol_dagster.ticks import build_ticks
from data_lake.lake import Lake
from data_lake.layout import hour_path
from data_lake.settings import Settings
from data_lake.tables import BARS_1S, FEATURES_1S, FORECASTS, GAPS, LABELS_1S, OUTCOMES, TRADES
from volatility.frame import Frame

Hour = Callable[[int], str]
Market = Callable[..., list[Frame]]
Record = Callable[[Lake, Iterable[Frame]], None]


@pytest.fixture
def built(lake: Lake, hour: Hour, market: Market, record: Record) -> Lake:
    """Two hours through the chain."""
    record(lake, market([0, 1], every_s=5))
    hours = [hour(0), hour(1)]
    build_ticks(lake, hours)
    for build in (build_gaps, build_bars_1s, build_features_1s, build_labels_1s):
        build(lake, hours)
    return lake


def test_good_rows_hold(built: Lake, hour: Hour) -> None:
    hours = [hour(0), hour(1)]
    for table in (TRADES, GAPS, BARS_1S, FEATURES_1S, LABELS_1S):
        judges = {"contract": keeps_contract(table), "current": is_current(table, lambda _: True)}
        for judge in (judges | JUDGES[table.path]).values():
            found = judge(built, hours)
            assert found.holds, found.why


def test_every_judgement_is_explained() -> None:
    asked = {name for judges in JUDGES.values() for name in judges}
    assert set(ABOUT) == asked | {"keeps_contract", "is_current"}


def test_a_torn_file_breaks_the_contract(built: Lake, hour: Hour) -> None:
    assert built.storage.folder is not None
    path = built.storage.folder / hour_path(TRADES, hour(0))
    path.write_bytes(path.read_bytes()[:-40])
    found = keeps_contract(TRADES)(built, [hour(0)])
    assert not found.holds
    assert "torn" in found.why


def test_a_recorded_hour_that_was_not_built_is_told(
    built: Lake, hour: Hour, market: Market, record: Record
) -> None:
    record(built, market([3], every_s=60))
    assert not is_current(TRADES, lambda _: True)(built, []).holds
    assert is_current(TRADES, lambda each: each < hour(3))(built, []).holds


def test_no_champion_is_no_fault_of_forecasts(built: Lake) -> None:
    found = is_current(FORECASTS, lambda _: True)(built, [])
    assert found.holds
    assert "no champion" in found.why


def test_a_hole_without_a_gap_is_told(built: Lake, hour: Hour) -> None:
    trades = built.read(TRADES, hour(0))
    built.replace(TRADES, hour(0), trades.filter(pc.not_equal(trades["trade_id"], 100)), {})
    found = explains_holes(built, [hour(0)])
    assert not found.holds
    build_gaps(built, [hour(0)])
    found = explains_holes(built, [hour(0)])
    assert found.holds
    assert found.figures["trades_missing"] == 2


def test_a_missing_bar_is_told(built: Lake, hour: Hour) -> None:
    bars = built.read(BARS_1S, hour(0))
    built.replace(BARS_1S, hour(0), bars.slice(0, bars.num_rows - 1), {})
    found = is_dense(built, [hour(0)])
    assert not found.holds
    assert f"ETH-USD {hour(0)}" in found.why
    assert not is_known(built, [hour(0)]).holds


def test_unknown_volatility_is_told(built: Lake, hour: Hour) -> None:
    features = built.read(FEATURES_1S, hour(0))
    place = features.column_names.index("rv_60s")
    blind = features.set_column(place, "rv_60s", pa.nulls(features.num_rows, pa.float64()))
    built.replace(FEATURES_1S, hour(0), blind, {})
    assert not is_known(built, [hour(0)]).holds


def test_a_label_known_too_early_is_told(built: Lake, hour: Hour) -> None:
    """Its end lies beyond the newest features."""
    labels = built.read(LABELS_1S, hour(1))
    place = labels.column_names.index("rv")
    rv = pa.array([1e-6] * labels.num_rows, pa.float64())
    built.replace(LABELS_1S, hour(1), labels.set_column(place, "rv", rv), {})
    found = is_matured(built, [hour(1)])
    assert not found.holds
    assert found.figures["known_too_early"] > 0  # type: ignore[operator]


def test_forecasts_and_outcomes_of_a_trained_home_hold(trained_home: Settings, hour: Hour) -> None:
    lake = Lake(trained_home.lake_root)
    for table, judge in ((FORECASTS, is_plausible), (OUTCOMES, is_scored)):
        found = judge(lake, lake.hours(table))
        assert found.holds, found.why


def test_an_impossible_forecast_is_told(trained_home: Settings, lake: Lake, hour: Hour) -> None:
    good = Lake(trained_home.lake_root)
    rows = good.read(FORECASTS, hour(2))
    place = rows.column_names.index("rv")
    negative = pc.negate(rows["rv"])
    lake.replace(FORECASTS, hour(2), rows.set_column(place, "rv", negative), {})
    assert not is_plausible(lake, [hour(2)]).holds
    outcomes = good.read(OUTCOMES, hour(2))
    place = outcomes.column_names.index("qlike")
    wrong = outcomes.set_column(place, "qlike", pc.subtract(outcomes["qlike"], 100.0))
    lake.replace(OUTCOMES, hour(2), wrong, {})
    assert not is_scored(lake, [hour(2)]).holds
