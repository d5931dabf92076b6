"""Platt scaling against scikit-learn, and where it declines."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from volatility.array import Flags, Vector
from volatility.calibration import Platt, fit_platt, spike_score


def sample(seed: int, n: int = 3_000, slope: float = 1.7) -> tuple[Vector, Flags]:
    generator = np.random.default_rng(seed)
    score = generator.standard_normal(n)
    return score, generator.random(n) < 1.0 / (1.0 + np.exp(2.0 - slope * score))


@pytest.mark.parametrize("seed", range(4))
def test_the_parameters_are_scikit_learns_but_for_the_pulled_targets(seed: int) -> None:
    score, spike = sample(seed)
    fitted = fit_platt(score, spike)
    oracle = LogisticRegression(C=1e9, tol=1e-10).fit(score[:, None], spike)
    assert fitted is not None
    assert fitted.slope == pytest.approx(float(oracle.coef_[0, 0]), rel=0.02)
    assert fitted.intercept == pytest.approx(float(oracle.intercept_[0]), rel=0.02)


def test_mean_probability_is_the_pulled_hit_rate() -> None:
    """The likelihood's first condition: predictions and targets have the same mean."""
    score, spike = sample(9)
    fitted = fit_platt(score, spike)
    assert fitted is not None
    p = fitted.probability(np.exp(score), np.ones(len(score)))
    assert p.mean() == pytest.approx(spike.mean(), abs=1e-3)


def test_separable_spikes_give_a_steep_finite_slope() -> None:
    score = np.linspace(-1.0, 1.0, 200)
    fitted = fit_platt(score, score > 0.0)
    assert fitted is not None
    assert 5.0 < fitted.slope < 1e4


def test_a_score_that_points_the_wrong_way_is_replaced_by_the_base_rate() -> None:
    score, spike = sample(3, slope=-1.0)
    fitted = fit_platt(score, spike)
    assert fitted is not None
    assert fitted.slope == 0.0
    p = fitted.probability(np.ones(1), np.ones(1))
    assert p[0] == pytest.approx(spike.mean())


@pytest.mark.parametrize("spikes", [0, 9, 291, 300])
def test_too_few_of_either_class_give_no_calibration(spikes: int) -> None:
    assert fit_platt(np.arange(300.0), np.arange(300) < spikes) is None


def test_unknown_scores_are_left_out() -> None:
    score, spike = sample(4)
    padded = fit_platt(np.append(score, np.full(50, np.nan)), np.append(spike, np.ones(50, bool)))
    assert padded == fit_platt(score, spike)


def test_the_score_is_the_log_distance_to_the_threshold() -> None:
    forecast, threshold = np.array([2.0, 2.0, 2.0, np.nan]), np.array([1.0, np.nan, 0.0, 1.0])
    score = spike_score(forecast, threshold)
    assert score[0] == pytest.approx(np.log(2.0))
    assert np.isnan(score[1:]).all()


def test_a_higher_forecast_is_never_less_likely_a_spike() -> None:
    p = Platt(-2.0, 1.5).probability(np.geomspace(1e-12, 1e3, 50), np.full(50, 1e-6))
    assert (np.diff(p) >= 0.0).all()
    assert ((p >= 0.0) & (p <= 1.0)).all()
