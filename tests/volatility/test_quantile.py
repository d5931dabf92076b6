"""The trailing quantile: exact, whatever it forgets and however it started."""

from __future__ import annotations

import doctest
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import volatility.quantile
from volatility.quantile import TrailingQuantile

steps = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from([0.0, 1.0, 1.5, 2.0, 7.0, float("nan")])),
    min_size=1,
    max_size=60,
)


def series(pairs: list[tuple[int, float]]) -> tuple[Any, Any]:
    return np.cumsum([gap for gap, _ in pairs]), np.array([value for _, value in pairs])


def oracle(ts: Any, values: Any, i: int, lookback: int, q: float) -> tuple[float, int]:
    inside = values[(ts > ts[i] - lookback) & (ts <= ts[i]) & ~np.isnan(values)]
    return float(np.quantile(inside, q)) if len(inside) else float("nan"), len(inside)


@given(pairs=steps, q=st.sampled_from([0.0, 0.5, 0.9, 1.0]), lookback=st.integers(1, 30))
def test_it_is_the_linear_quantile_of_what_lies_in_the_lookback(
    pairs: list[tuple[int, float]], q: float, lookback: int
) -> None:
    ts, values = series(pairs)
    quantiles, counts = TrailingQuantile(q, lookback_ns=lookback, capacity=lookback).extend(
        ts, values
    )
    for i in range(len(ts)):
        expected, count = oracle(ts, values, i, lookback, q)
        assert counts[i] == count
        assert quantiles[i] == pytest.approx(expected, rel=1e-14, nan_ok=True)


@given(pairs=steps, cut=st.integers(0, 60), lookback=st.integers(1, 30))
def test_loading_a_history_equals_having_lived_it(
    pairs: list[tuple[int, float]], cut: int, lookback: int
) -> None:
    ts, values = series(pairs)
    cut = min(cut, len(ts))
    lived = TrailingQuantile(0.9, lookback_ns=lookback, capacity=lookback)
    lived.extend(ts[:cut], values[:cut])
    loaded = TrailingQuantile(0.9, lookback_ns=lookback, capacity=lookback)
    loaded.load(ts[:cut], values[:cut])
    for one, other in zip(
        lived.extend(ts[cut:], values[cut:]), loaded.extend(ts[cut:], values[cut:]), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_the_examples_of_its_docstrings_hold() -> None:
    assert doctest.testmod(volatility.quantile).failed == 0
