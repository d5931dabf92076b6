"""Gamma-HAR+ minimises the loss it is scored on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from volatility.dataset import Dataset, dataset
from volatility.har import SEASON_S, fit_gamma_har
from volatility.metric import qlike


def test_no_other_level_scores_better_in_train(day: Dataset) -> None:
    rows = np.arange(day.n)
    forecast = fit_gamma_har(day, rows).forecast(day.x)
    best = qlike(day.target, forecast).mean()
    for factor in (0.98, 1.02):
        assert qlike(day.target, forecast * factor).mean() > best


def test_terms_are_standardised_on_the_training_rows_alone(day: Dataset) -> None:
    rows = np.arange(day.n // 3)
    terms = fit_gamma_har(day, rows).terms(day.x[rows])
    assert terms.mean(axis=0) == pytest.approx(np.zeros(terms.shape[1]), abs=0.05)
    assert terms.std(axis=0) == pytest.approx(np.ones(terms.shape[1]), abs=0.1)


def test_a_missing_term_counts_as_its_training_mean(day: Dataset) -> None:
    fitted = fit_gamma_har(day, np.arange(day.n))
    x = day.x[:1].copy()
    x[0, day.names.index("ewma_var_10s")] = np.nan
    column = fitted.columns.index(day.names.index("ewma_var_10s"))
    assert fitted.terms(x)[0, column] == 0.0
    assert np.isfinite(fitted.forecast(x)).all()


def test_an_absurd_feature_cannot_explode_the_forecast(day: Dataset) -> None:
    fitted = fit_gamma_har(day, np.arange(day.n))
    x = np.vstack([day.x[0], np.full(day.x.shape[1], 1e300), np.zeros(day.x.shape[1])])
    assert (fitted.forecast(x) < 1e6 * day.target.max()).all()


def test_the_hour_of_day_is_a_season_only_once_it_was_seen_twice(
    day: Dataset, market: Callable[..., tuple[Any, Any]]
) -> None:
    assert fit_gamma_har(day, np.arange(day.n)).season == ()
    week = dataset(*market(SEASON_S / 3600 + 2.0), 300, 60)
    assert len(fit_gamma_har(week, np.arange(week.n)).season) == 1
