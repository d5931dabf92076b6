"""Features of an hour: closed forms, nulls, and what the rows do not depend on."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_lake.tables import FEATURES_1S
from volatility.bar import bars_1s
from volatility.column import floats, int_column, ints
from volatility.compute import features_1s
from volatility.feature import FAMILIES, FEATURES, WINDOWS_S
from volatility.tick import HOUR_NS, SECOND_NS
from volatility.tick_table import bar_table, blank_bars

Row = dict[str, Any]
START_NS = 1_767_225_600 * SECOND_NS
BP = math.log(1.0001)


def observed_bars(r: Any, start_ns: int = START_NS) -> Any:
    """Bars of one product with these returns; the first closes a second after `start_ns`."""
    bars = blank_bars(len(r))
    bars["ts"] = start_ns + SECOND_NS * np.arange(1, len(r) + 1)
    bars["r"], bars["observed"] = r, ~np.isnan(r)
    mid = np.rint(1e12 * np.exp(np.cumsum(np.nan_to_num(r)))).astype(np.int64)
    for name in ("mid2_open", "mid2_high", "mid2_low", "mid2_close"):
        bars[name] = mid
    bars["price_scale"], bars["n_quotes"], bars["n_trades"] = 8, 2, 3
    bars["spread_bps"], bars["imbalance"], bars["ofi"] = 1.5, 0.25, -2.0
    bars["volume"], bars["signed_volume"], bars["age_ns"], bars["rank"] = 1.0, 0.5, 0, 0
    return bar_table(np.zeros(len(r), np.int64), ["BTC-USD"], bars)


def row(features: Any, second: int) -> Row:
    """The row `second` seconds after the first product's start."""
    found: Row = features.slice(second - 1, 1).to_pylist()[0]
    return found


def test_a_table_of_features_keeps_the_contract_of_the_lake() -> None:
    features = features_1s(observed_bars(np.zeros(3600)), START_NS, START_NS + HOUR_NS)
    assert features.cast(FEATURES_1S.schema).schema == FEATURES_1S.schema
    assert features.num_rows == 3600


def test_a_constant_drift_is_closed_form() -> None:
    """A price growing 1 bp a second has rv_w = w ln(1.0001)^2, and all of it is upward."""
    features = features_1s(observed_bars(np.full(7200, BP)), START_NS, START_NS + 2 * HOUR_NS)
    for second in (3601, 5000, 7200):
        at = row(features, second)
        for w in WINDOWS_S:
            assert at[f"rv_{w}s"] == pytest.approx(w * BP**2, rel=1e-14)
            assert at[f"rs_pos_{w}s"] == at[f"rv_{w}s"]
            assert at[f"rs_neg_{w}s"] == 0.0
            assert at[f"bv_{w}s"] == pytest.approx(math.pi / 2 * w * BP**2, rel=1e-14)
            assert at[f"jump_share_{w}s"] == pytest.approx(1 - math.pi / 2, rel=1e-13)
            assert at[f"ret_mean_{w}s"] == pytest.approx(BP, rel=1e-14)
            span = ((w - 1) * BP) ** 2 / (4 * math.log(2))
            assert at[f"parkinson_{w}s"] == pytest.approx(span, rel=1e-9)
        for half_life in (10, 60, 300):
            assert at[f"ewma_var_{half_life}s"] == pytest.approx(BP**2, rel=1e-14)


def test_windows_of_counts_and_means_are_closed_form() -> None:
    at = row(features_1s(observed_bars(np.zeros(3700)), START_NS, START_NS + 2 * HOUR_NS), 3650)
    for w in WINDOWS_S:
        assert at[f"spread_bps_{w}s"] == pytest.approx(1.5, rel=1e-15)
        assert at[f"imbalance_{w}s"] == 0.25
        assert at[f"ofi_{w}s"] == -2.0 * w
        assert at[f"n_trades_{w}s"] == 3.0 * w
        assert at[f"signed_volume_{w}s"] == 0.5 * w
        assert at[f"quote_rate_{w}s"] == 2.0


def test_a_single_jump_is_all_jump() -> None:
    r = np.zeros(7200)
    r[5000] = 0.01
    at = row(features_1s(observed_bars(r), START_NS, START_NS + 2 * HOUR_NS), 5005)
    assert at["rv_10s"] == pytest.approx(1e-4, rel=1e-14)
    assert at["bv_10s"] == 0.0
    assert at["jump_share_10s"] == 1.0


def test_a_market_that_stands_still_has_zero_variance_and_no_jump_share() -> None:
    at = row(features_1s(observed_bars(np.zeros(3600)), START_NS, START_NS + HOUR_NS), 3600)
    assert at["rv_60s"] == at["bv_60s"] == at["parkinson_60s"] == 0.0
    assert at["jump_share_60s"] is None


def test_a_quiet_minute_keeps_its_digits_after_a_jump_in_the_same_hour() -> None:
    """Plain prefix sums would leave an error of 1e-16 times the jump: 1e-6 of the minute's rv."""
    r = np.full(3600, 1e-9)
    r[100] = 0.3
    at = row(features_1s(observed_bars(r), START_NS, START_NS + HOUR_NS), 3000)
    assert at["rv_60s"] == pytest.approx(60e-18, rel=1e-14)


def test_the_ewma_halves_in_its_half_life() -> None:
    """One return, then none: weights at 61 and at 121 s are nearly full, so their ratio is 1/2."""
    r = np.zeros(7200)
    r[3600 + 60] = 0.01
    features = features_1s(observed_bars(r), START_NS, START_NS + 2 * HOUR_NS)
    now, later = row(features, 3661)["ewma_var_60s"], row(features, 3721)["ewma_var_60s"]
    assert later / now == pytest.approx(0.5, rel=1e-12)
    assert now == pytest.approx(1e-4 * (1 - 2 ** (-1 / 60)), rel=1e-12)


def test_the_ewma_is_null_until_half_its_weight_is_observed() -> None:
    features = features_1s(observed_bars(np.full(600, BP)), START_NS, START_NS + HOUR_NS)
    assert row(features, 9)["ewma_var_10s"] is None
    assert row(features, 11)["ewma_var_10s"] == pytest.approx(BP**2)
    assert row(features, 299)["ewma_var_300s"] is None
    assert row(features, 301)["ewma_var_300s"] == pytest.approx(BP**2)


def test_a_window_with_a_bar_that_is_not_observed_is_null() -> None:
    r = np.full(7200, BP)
    r[4000] = np.nan
    features = features_1s(observed_bars(r), START_NS, START_NS + 2 * HOUR_NS)
    window = [f"{family}_60s" for family in FAMILIES]
    assert all(row(features, 4000)[name] is not None for name in window)
    for second in (4001, 4060):
        assert all(row(features, second)[name] is None for name in window)
    after = row(features, 4061)
    missing = {name for name in window if after[name] is None}
    assert missing == {"bv_60s", "jump_share_60s"}, "they need the return before the window"
    assert all(row(features, 4062)[name] is not None for name in window)
    assert row(features, 4001)["ewma_var_60s"] is None
    assert row(features, 4002)["ewma_var_60s"] == pytest.approx(BP**2)


def test_a_missing_bar_is_a_bar_not_observed() -> None:
    bars = observed_bars(np.full(3600, BP))
    holed = pa.concat_tables([bars.slice(0, 1000), bars.slice(1001)])
    features = features_1s(holed, START_NS, START_NS + HOUR_NS)
    assert features.num_rows == 3600
    assert row(features, 1001)["rv_10s"] is None
    assert row(features, 1011)["rv_10s"] == pytest.approx(10 * BP**2)


def test_a_bar_that_contradicts_itself_is_not_observed() -> None:
    """Observed without a return or a mid: no table of ours has one, and none may poison an hour."""
    bars = observed_bars(np.full(3600, BP))
    broken = bars.slice(1000, 2).to_pylist()
    broken[0]["r"] = broken[1]["mid2_low"] = broken[1]["mid2_high"] = None
    odd = pa.Table.from_pylist(broken, schema=bars.schema)
    bars = pa.concat_tables([bars.slice(0, 1000), odd, bars.slice(1002)])
    features = features_1s(bars, START_NS, START_NS + HOUR_NS)
    assert row(features, 1001)["rv_10s"] is None
    assert row(features, 1011)["rv_10s"] is None
    assert row(features, 1012)["rv_10s"] == pytest.approx(10 * BP**2, rel=1e-12)
    assert row(features, 1012)["parkinson_10s"] > 0.0


def test_a_window_that_reaches_before_the_first_bar_is_null() -> None:
    features = features_1s(observed_bars(np.full(3600, BP)), START_NS, START_NS + HOUR_NS)
    assert row(features, 59)["rv_60s"] is None
    assert row(features, 60)["rv_60s"] == pytest.approx(60 * BP**2)
    assert row(features, 3600)["rv_3600s"] == pytest.approx(3600 * BP**2)


@pytest.mark.parametrize(("known", "expected"), [(29, None), (30, 0.25), (60, 0.25)])
def test_half_of_a_window_must_have_a_known_imbalance(known: int, expected: float | None) -> None:
    bars = observed_bars(np.zeros(60))
    imbalance = np.full(60, np.nan)
    imbalance[:known] = 0.25
    values = pa.array(imbalance, from_pandas=True)
    bars = bars.set_column(bars.column_names.index("imbalance"), "imbalance", values)
    assert row(features_1s(bars, START_NS, START_NS + HOUR_NS), 60)["imbalance_60s"] == expected


def test_time_of_day_goes_round_once_a_day() -> None:
    at = row(features_1s(observed_bars(np.zeros(3600)), START_NS, START_NS + HOUR_NS), 3600)
    assert at["tod_sin"] == pytest.approx(math.sin(2 * math.pi / 24), rel=1e-14)
    assert at["tod_cos"] == pytest.approx(math.cos(2 * math.pi / 24), rel=1e-14)


def test_a_row_carries_the_most_artificial_source_of_its_last_hour() -> None:
    bars = observed_bars(np.zeros(7200))
    source = ["live"] * 7200
    source[999] = "sim"
    bars = bars.set_column(bars.column_names.index("source"), "source", pa.array(source))
    features = features_1s(bars, START_NS, START_NS + 2 * HOUR_NS)
    assert [row(features, s)["source"] for s in (999, 1000, 4599, 4600)] == [
        *("live", "sim", "sim", "live")
    ]


Compute = Callable[[Any, int, int], Any]


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_an_hour_needs_its_own_bars_and_two_hours_before_and_nothing_else(
    make_tape: Any, seed: int
) -> None:
    """A partition job with two earlier hours agrees bit for bit with one run over everything."""
    tape = make_tape(seed, 4.0, 2500, ("BTC-USD", "ETH-USD"))
    start = tape.START_NS
    bars = bars_1s(tape.quotes(), tape.trades(), start, start + 4 * HOUR_NS)
    whole = features_1s(bars, start, start + 4 * HOUR_NS)
    for h in range(4):
        since, until = start + h * HOUR_NS, start + (h + 1) * HOUR_NS
        near = pc.and_(
            pc.greater(bars["ts"], since - 2 * HOUR_NS), pc.less_equal(bars["ts"], until)
        )
        part = features_1s(bars.filter(near), since, until)
        mine = pc.and_(pc.greater(whole["ts"], since), pc.less_equal(whole["ts"], until))
        assert part.equals(whole.filter(mine))


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_rows_of_bars_may_come_in_any_order(make_tape: Any, seed: int) -> None:
    tape = make_tape(seed, 1.0, 800, ("BTC-USD", "ETH-USD"))
    start = tape.START_NS
    bars = bars_1s(tape.quotes(), tape.trades(), start, start + HOUR_NS)
    shuffled = bars.take(pa.array(np.random.default_rng(seed).permutation(bars.num_rows)))
    once, again = (features_1s(rows, start, start + HOUR_NS) for rows in (bars, shuffled))
    assert once.equals(again)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_sums_of_squares_are_never_negative(make_tape: Any, seed: int) -> None:
    tape = make_tape(seed, 2.0, 3000, ("BTC-USD",))
    start = tape.START_NS
    bars = bars_1s(tape.quotes(), tape.trades(), start, start + 2 * HOUR_NS)
    features = features_1s(bars, start, start + 2 * HOUR_NS)
    for name in FEATURES:
        if name.startswith(("rv_", "bv_", "rs_", "parkinson_", "ewma_", "n_trades_")):
            assert np.nanmin(floats(features[name]), initial=0.0) >= 0.0, name


def test_moving_the_clock_by_whole_days_moves_nothing_else() -> None:
    r = np.random.default_rng(0).standard_normal(5000) * 1e-4
    later = START_NS + 5 * 24 * HOUR_NS
    once = features_1s(observed_bars(r), START_NS, START_NS + 2 * HOUR_NS)
    again = features_1s(observed_bars(r, later), later, later + 2 * HOUR_NS)
    back = int_column(ints(again["ts"]) - (later - START_NS), pa.int64())
    assert again.set_column(1, "ts", back).equals(once)


@pytest.mark.parametrize(("start", "end"), [(1, SECOND_NS), (0, 5), (HOUR_NS, 0)])
def test_bounds_off_the_grid_are_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="start on an hour"):
        features_1s(observed_bars(np.zeros(1)), start, end)
