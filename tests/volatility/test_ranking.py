"""PR-AUC against scikit-learn, and when it is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from volatility.array import Flags, Ints, Vector
from volatility.dataset import SECOND_NS
from volatility.ranking import (
    Ranking,
    Refusal,
    average_precision,
    count_episodes,
    count_independent,
    rank_spikes,
)


@given(
    rows=st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=1, max_size=80).filter(
        lambda rows: any(hit for hit, _ in rows)
    )
)
def test_average_precision_agrees_with_scikit_learn_ties_included(
    rows: list[tuple[bool, int]],
) -> None:
    hit = np.array([h for h, _ in rows])
    score = np.array([float(s) for _, s in rows])
    assert average_precision(hit, score) == pytest.approx(average_precision_score(hit, score))


def test_without_a_hit_average_precision_is_unknown() -> None:
    assert np.isnan(average_precision(np.zeros(4, np.bool_), np.arange(4.0)))


def test_overlapping_windows_are_counted_once() -> None:
    """An hour of decisions every 10 s holds twelve 300 s windows, whatever the products."""
    ts = np.tile(np.arange(0, 3600, 10), 3) * SECOND_NS
    assert count_independent(ts, 300) == 12


def test_a_hole_in_the_record_holds_no_windows() -> None:
    ts = np.array([0, 86_400]) * SECOND_NS
    assert count_independent(ts, 300) == 2


def test_spikes_within_one_horizon_are_one_episode() -> None:
    ts = np.array([0, 100, 399, 1_000, 1_299, 1_599]) * SECOND_NS
    product = np.zeros(6, np.int64)
    assert count_episodes(product, ts, np.ones(6, np.bool_), 300) == 3


def test_a_shock_to_every_product_is_one_episode() -> None:
    ts = np.array([0, 0, 0, 900]) * SECOND_NS
    product = np.array([0, 1, 2, 1])
    assert count_episodes(product, ts, np.ones(4, np.bool_), 300) == 2


def test_no_spike_is_no_episode() -> None:
    none = np.zeros(3, np.bool_)
    assert count_episodes(np.zeros(3, np.int64), np.arange(3), none, 300) == 0


def rows(windows: int, every: int) -> tuple[Ints, Ints, Flags, Vector]:
    ts = np.arange(windows) * 300 * SECOND_NS
    spike = np.arange(windows) % every == 0
    return np.zeros(windows, np.int64), ts, spike, spike.astype(float)


def test_under_500_windows_no_figure_is_stated() -> None:
    refusal = rank_spikes(*rows(499, 5), 300)
    assert refusal == Refusal(499, 100, "499 independent 300 s windows, 500 needed")


def test_under_50_episodes_no_figure_is_stated() -> None:
    refusal = rank_spikes(*rows(980, 20), 300)
    assert str(refusal) == "49 separate spike episodes, 50 needed"


def test_enough_of_both_gives_the_figure_with_its_base_rate() -> None:
    ranking = rank_spikes(*rows(1000, 10), 300)
    assert ranking == Ranking(1.0, 0.1, 1000, 1000, 100)
