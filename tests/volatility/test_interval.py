"""Intervals learn from what matured, and from nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volatility.array import Ints, Matrix, Vector
from volatility.interval import MEMORY, MIN_RESIDUALS, AdaptiveInterval, adaptive_intervals


def clock(n: int, delay: int) -> tuple[Ints, Ints]:
    ts = np.arange(n, dtype=np.int64)
    return ts, ts + delay


def covered(given_: Matrix, residual: Vector) -> float:
    known = np.isfinite(given_[:, 0])
    inside = (residual >= given_[:, 0]) & (residual <= given_[:, 2])
    return float(inside[known].mean())


def test_nine_in_ten_outcomes_fall_inside_when_nothing_changes() -> None:
    residual = np.random.default_rng(1).standard_normal(4_000)
    offsets, _ = adaptive_intervals(*clock(4_000, 5), residual, np.zeros(4_000))
    assert covered(offsets, residual) == pytest.approx(0.9, abs=0.015)


def test_coverage_survives_a_spread_that_triples() -> None:
    """Here a fixed interval would cover 42 % of the second half."""
    spread = np.where(np.arange(12_000) < 6_000, 1.0, 3.0)
    residual = np.random.default_rng(2).standard_normal(12_000) * spread
    offsets, _ = adaptive_intervals(*clock(12_000, 5), residual, np.zeros(12_000))
    assert covered(offsets[6_000:], residual[6_000:]) == pytest.approx(0.9, abs=0.04)


def test_both_ends_miss_equally_often_for_a_skewed_residual() -> None:
    residual = np.random.default_rng(3).exponential(size=6_000)
    offsets, _ = adaptive_intervals(*clock(6_000, 1), residual, np.zeros(6_000))
    known = np.isfinite(offsets[:, 0])
    assert (residual < offsets[:, 0])[known].mean() == pytest.approx(0.05, abs=0.01)
    assert (residual > offsets[:, 2])[known].mean() == pytest.approx(0.05, abs=0.01)


@given(cut=st.integers(60, 190), delay=st.integers(1, 30))
@settings(max_examples=30)
def test_outcomes_that_have_not_matured_change_nothing(cut: int, delay: int) -> None:
    residual = np.random.default_rng(4).standard_normal(200)
    spoiled = np.where(np.arange(200) > cut - delay, 99.0, residual)
    ts, end = clock(200, delay)
    true, _ = adaptive_intervals(ts, end, residual, np.zeros(200))
    other, _ = adaptive_intervals(ts, end, spoiled, np.zeros(200))
    assert np.array_equal(true[: cut + 1], other[: cut + 1], equal_nan=True)


def test_no_interval_is_given_before_enough_outcomes_are_known() -> None:
    offsets, last = adaptive_intervals(*clock(100, 7), np.zeros(100), np.zeros(100))
    first = int(np.flatnonzero(np.isfinite(offsets[:, 0]))[0])
    assert first == MIN_RESIDUALS - 1 + 7
    assert last is not None


def test_too_few_outcomes_leave_no_interval_at_all() -> None:
    offsets, last = adaptive_intervals(*clock(20, 1), np.zeros(20), np.zeros(20))
    assert np.isnan(offsets).all()
    assert last is None


def test_products_of_one_instant_get_one_interval() -> None:
    ts = np.repeat(np.arange(100, dtype=np.int64), 3)
    residual = np.random.default_rng(5).standard_normal(300)
    offsets, _ = adaptive_intervals(ts, ts + 1, residual, np.zeros(300))
    groups = offsets.reshape(100, 3, 3)
    assert np.array_equal(groups[:, 0], groups[:, 2], equal_nan=True)


def test_the_centre_is_the_mean_residual() -> None:
    residual = np.random.default_rng(6).standard_normal(500)
    _, last = adaptive_intervals(*clock(500, 1), residual, np.zeros(500))
    assert last is not None
    assert last.centre == pytest.approx(residual.mean())
    assert last.lo < last.centre < last.hi


def test_memory_is_bounded_and_the_oldest_goes_first() -> None:
    interval = AdaptiveInterval()
    interval.observe(np.full(MEMORY, 5.0), None)
    interval.observe(np.zeros(MEMORY), None)
    offsets = interval.offsets()
    assert offsets is not None
    assert (offsets.lo, offsets.centre, offsets.hi) == (0.0, 0.0, 0.0)
