"""What each baseline forecasts, in closed form."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from volatility.baseline import Persistence, fit_ewma, fit_log_har, fit_persistence
from volatility.dataset import Dataset
from volatility.metric import qlike
from volatility.split import tail
from volatility.timescale import rv_floor


def test_persistence_repeats_the_last_window(day: Dataset) -> None:
    rows = np.arange(day.n)
    forecast = fit_persistence(day, rows).forecast(day.x)
    assert np.array_equal(forecast, np.maximum(day.past_rv, day.floor))


def test_a_window_without_a_move_is_forecast_at_the_floor() -> None:
    assert Persistence(0, rv_floor(300)).forecast(np.zeros((1, 1))) == pytest.approx([5e-9])


def test_ewma_takes_the_half_life_that_was_best_in_train(day: Dataset) -> None:
    rows = np.arange(day.n // 2)
    chosen = fit_ewma(day, rows)
    losses = {}
    for column in map(day.names.index, day.scale.ewma.values()):
        raw = day.x[:, column] * day.horizon_s
        late = tail(day.ts, rows)
        level = (day.target[late] / np.maximum(raw[late], day.floor)).mean()
        losses[column] = qlike(day.target[rows], np.maximum(raw[rows] * level, day.floor)).mean()
    assert chosen.column == min(losses, key=lambda column: losses[column])


def test_log_har_has_the_slopes_of_scikit_learns_least_squares(day: Dataset) -> None:
    rows = np.arange(day.n // 2)
    fitted = fit_log_har(day, rows)
    design = np.log(np.maximum(day.x[rows][:, list(fitted.columns)], fitted.floors))
    oracle = LinearRegression().fit(design, np.log(day.target[rows]))
    assert fitted.slopes == pytest.approx(tuple(oracle.coef_))
    assert fitted.intercept == pytest.approx(oracle.intercept_)


def test_log_har_is_smeared_on_the_newest_part_of_train(day: Dataset) -> None:
    """Duan's estimate: the forecast's mean error in ratio is one on the last 15 % of train."""
    rows = np.arange(day.n // 2)
    fitted = fit_log_har(day, rows)
    late = tail(day.ts, rows)
    raw = msgspec.structs.replace(fitted, smear=1.0).forecast(day.x[late])
    assert fitted.smear == pytest.approx(float((day.target[late] / raw).mean()))
