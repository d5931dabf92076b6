"""Scores against scikit-learn, closed forms and their invariances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, mean_gamma_deviance, r2_score

from volatility.array import Vector
from volatility.metric import (
    brier,
    brier_skill,
    calibration_error,
    coverage,
    gain,
    qlike,
    r2_log,
)

positive = arrays(np.float64, st.integers(2, 60), elements=st.floats(1e-12, 1e3))


def sample(seed: int, n: int = 400) -> tuple[Vector, Vector]:
    generator = np.random.default_rng(seed)
    log_rv = generator.standard_normal(n)
    return np.exp(log_rv), np.exp(0.7 * log_rv + 0.5 * generator.standard_normal(n) + 0.3)


@given(rv=positive)
def test_qlike_is_zero_for_the_truth_and_positive_otherwise(rv: Vector) -> None:
    assert np.allclose(qlike(rv, rv), 0.0)
    assert (qlike(rv, rv * 1.5) > 0.0).all()


@given(rv=positive, scale=st.floats(1e-6, 1e6))
def test_qlike_does_not_depend_on_the_unit(rv: Vector, scale: float) -> None:
    forecast = rv[::-1]
    assert np.allclose(qlike(rv, forecast), qlike(rv * scale, forecast * scale), rtol=1e-6)


def test_qlike_punishes_too_little_more_than_too_much() -> None:
    one = np.ones(1)
    assert qlike(one, one / 3.0)[0] > qlike(one, one * 3.0)[0]


def test_twice_qlike_is_scikit_learns_gamma_deviance() -> None:
    rv, forecast = sample(1)
    assert 2.0 * qlike(rv, forecast).mean() == pytest.approx(mean_gamma_deviance(rv, forecast))


def test_the_gain_is_the_share_of_the_loss_saved() -> None:
    assert gain(np.array([0.5, 1.0]), np.array([1.0, 2.0])) == pytest.approx(0.5)


def test_r2_log_ignores_a_constant_factor_and_else_agrees_with_scikit_learn() -> None:
    rv, forecast = sample(2)
    log_forecast = np.log(forecast) + (np.log(rv) - np.log(forecast)).mean()
    assert r2_log(rv, forecast) == pytest.approx(r2_score(np.log(rv), log_forecast))
    assert r2_log(rv, 7.0 * forecast) == pytest.approx(r2_log(rv, forecast))


def test_products_of_different_level_do_not_lend_each_other_r2() -> None:
    rv, forecast = sample(3)
    level = np.where(np.arange(len(rv)) % 2 == 0, 1.0, 1e6)
    group = (np.arange(len(rv)) % 2).astype(np.int64)
    assert r2_log(rv * level, forecast * level) > 0.95
    assert r2_log(rv * level, forecast * level, group) < 0.8


def test_r2_log_of_a_constant_outcome_is_unknown() -> None:
    assert np.isnan(r2_log(np.ones(5), np.ones(5)))


@pytest.mark.parametrize("seed", range(5))
def test_brier_agrees_with_scikit_learn(seed: int) -> None:
    generator = np.random.default_rng(seed)
    p = generator.random(300)
    hit = generator.random(300) < p
    assert brier(hit, p) == pytest.approx(brier_score_loss(hit, p))


def test_brier_skill_is_one_for_an_oracle_and_zero_for_the_base_rate() -> None:
    hit = np.arange(100) % 10 == 0
    assert brier_skill(hit, hit.astype(float)) == 1.0
    assert brier_skill(hit, np.full(100, 0.1)) == pytest.approx(0.0)


def test_brier_skill_without_a_spike_is_unknown() -> None:
    assert np.isnan(brier_skill(np.zeros(5, np.bool_), np.full(5, 0.1)))


@pytest.mark.parametrize("seed", range(5))
def test_calibration_error_agrees_with_scikit_learns_curve(seed: int) -> None:
    generator = np.random.default_rng(seed)
    p = generator.random(500)
    hit = generator.random(500) < p**2
    rate, stated = calibration_curve(hit, p, n_bins=10)
    weight = np.bincount((p * 10).astype(int), minlength=10) / len(p)
    assert calibration_error(hit, p) == pytest.approx(float(weight @ np.abs(rate - stated)))


def test_a_probability_of_one_belongs_to_the_last_bin() -> None:
    assert calibration_error(np.ones(3, np.bool_), np.ones(3)) == 0.0


def test_coverage_counts_the_ends_as_inside() -> None:
    rv = np.array([1.0, 2.0, 3.0, 4.0])
    assert coverage(rv, np.full(4, 2.0), np.full(4, 3.0)) == 0.5
