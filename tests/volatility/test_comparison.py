"""Tests of one forecast against another, held equal to their textbook forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from volatility.array import Vector
from volatility.comparison import (
    DAY_NS,
    WEEK_NS,
    block_ns,
    bootstrap_gain,
    by_instant,
    diebold_mariano,
    hac_lag,
    long_run_variance,
    periods,
)
from volatility.dataset import SECOND_NS

series = arrays(np.float64, st.integers(2, 60), elements=st.floats(-10.0, 10.0))


def newey_west(values: Vector, lag: int) -> float:
    """The estimator as Newey and West (1987) write it."""
    x = values - values.mean()
    n = len(x)
    total = float(x @ x) / n
    for j in range(1, min(lag, n - 1) + 1):
        total += 2.0 * (1.0 - j / (lag + 1)) * float(x[j:] @ x[:-j]) / n
    return total


@given(values=series, lag=st.integers(0, 80))
def test_long_run_variance_is_newey_west(values: Vector, lag: int) -> None:
    assert long_run_variance(values, lag) == pytest.approx(newey_west(values, lag), abs=1e-8)


@given(values=series, lag=st.integers(0, 80))
def test_long_run_variance_is_never_negative(values: Vector, lag: int) -> None:
    assert long_run_variance(values, lag) >= 0.0


def test_products_are_averaged_within_an_instant() -> None:
    ts, mean = by_instant(np.array([5, 3, 5]), np.array([1.0, 7.0, 3.0]))
    assert (ts.tolist(), mean.tolist()) == ([3, 5], [7.0, 2.0])


@pytest.mark.parametrize(
    ("span_s", "step_s", "horizon_s", "lag"),
    [
        (30 * 86_400, 900, 3_600, 96),  # a day, where ten are there
        (36_000, 10, 300, 360),  # a tenth of ten hours
        (1_000, 10, 300, 30),  # never under the horizon
        (50, 10, 300, 5),  # never more than there are
    ],
)
def test_the_lag_is_a_day_as_far_as_the_data_allow(
    span_s: int, step_s: int, horizon_s: int, lag: int
) -> None:
    span, step, horizon = span_s * SECOND_NS, step_s * SECOND_NS, horizon_s * SECOND_NS
    assert hac_lag(span, step, horizon, span_s // step_s + 1) == lag


def test_diebold_mariano_rejects_at_its_nominal_rate_when_forecasts_are_equal() -> None:
    """Overlapping windows of noise: a t without HAC would reject in half of the samples."""
    generator = np.random.default_rng(1)
    ts = np.arange(4_000) * 60 * SECOND_NS
    hits = 0
    for _ in range(200):
        noise = generator.standard_normal(4_004)
        difference = np.convolve(noise, np.ones(5), "valid")
        hits += diebold_mariano(ts, difference, np.zeros(4_000), 300) < -1.65
    assert hits / 200 < 0.13


def test_the_better_forecast_has_a_negative_t() -> None:
    generator = np.random.default_rng(2)
    ts = np.arange(3_000) * 60 * SECOND_NS
    loss, worse = generator.random(3_000), 0.5 + generator.random(3_000)
    assert diebold_mariano(ts, loss, worse, 300) < -5.0
    assert diebold_mariano(ts, worse, loss, 300) > 5.0


@pytest.mark.parametrize("n", [5, 100])
def test_diebold_mariano_of_too_little_or_of_no_difference_is_unknown(n: int) -> None:
    ts = np.arange(n) * SECOND_NS
    assert np.isnan(diebold_mariano(ts, np.ones(n), np.ones(n), 1))


def test_a_bootstrap_block_is_a_week_or_a_tenth_of_less() -> None:
    assert block_ns(400 * DAY_NS) == WEEK_NS
    assert block_ns(20 * DAY_NS) == 2 * DAY_NS


def test_bootstrap_gains_surround_the_gain_and_follow_the_seed() -> None:
    generator = np.random.default_rng(3)
    ts = np.arange(5_000) * 60 * SECOND_NS
    reference = generator.random(5_000)
    loss = 0.9 * reference + 0.05 * generator.random(5_000)
    gains = bootstrap_gain(ts, loss, reference, seed=1)
    lo, hi = np.quantile(gains, [0.05, 0.95])
    assert lo < 1.0 - loss.mean() / reference.mean() < hi
    assert np.array_equal(gains, bootstrap_gain(ts, loss, reference, seed=1))
    assert not np.array_equal(gains, bootstrap_gain(ts, loss, reference, seed=2))


def test_one_lucky_day_widens_the_bound_below_zero() -> None:
    ts = np.arange(10 * 1_440) * 60 * SECOND_NS
    loss, reference = np.ones(len(ts)), np.ones(len(ts)) * 0.99
    reference[:1_440] = 1.5
    assert 1.0 - loss.mean() / reference.mean() > 0.03
    assert np.quantile(bootstrap_gain(ts, loss, reference, seed=1), 0.05) < 0.0


def test_long_spans_are_cut_into_calendar_quarters() -> None:
    ts = np.arange(0, 365 * DAY_NS, DAY_NS)
    assert list(periods(ts)) == ["1970-Q1", "1970-Q2", "1970-Q3", "1970-Q4"]
    assert [len(rows) for rows in periods(ts).values()] == [90, 91, 92, 92]


def test_short_spans_are_cut_into_fourths() -> None:
    ts = np.arange(0, 1_000) * SECOND_NS
    cut = periods(ts)
    assert list(cut) == [f"part {k} of 4" for k in (1, 2, 3, 4)]
    assert [len(rows) for rows in cut.values()] == [250] * 4
