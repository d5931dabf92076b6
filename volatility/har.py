"""Gamma-HAR+, champion zero: a gamma regression on multi-scale log variance and the season.

A generalised linear model with log link whose deviance is twice QLIKE, so it is trained on the
loss it is scored on.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from volatility.array import Ints, Matrix, Vector
from volatility.dataset import SECOND_NS, Dataset
from volatility.timescale import rv_floor

RIDGE: Final = 1e-2
"""Weight of the squared coefficients (of standardised terms) in the mean deviance / 2."""
WIDEST: Final = 6.0
"""Standardised terms are cut at this many standard deviations of the training rows."""
SEASON_S: Final = 2 * 86_400
"""A season is fitted once training spans this long; before, the hour of day is only a trend."""


class GammaHar(msgspec.Struct, frozen=True, tag="gamma_har"):
    """log F = intercept + sum of slope * clip((term - centre) / spread)."""

    columns: tuple[int, ...]  # positions in x of the log terms
    floors: tuple[float, ...]  # least value of each log term
    season: tuple[tuple[int, int], ...]  # positions in x of (sine, cosine)
    centres: tuple[float, ...]  # mean of each term in train
    spreads: tuple[float, ...]  # standard deviation of each term in train
    intercept: float
    slopes: tuple[float, ...]
    floor: float  # least forecast

    def terms(self, x: Matrix) -> Matrix:
        """Standardised terms, float64 [n, terms]; a missing one stands at its training mean."""
        raw = _raw_terms(x, self.columns, self.floors, self.season)
        standard = (raw - np.array(self.centres)) / np.array(self.spreads)
        filled: Matrix = np.nan_to_num(np.clip(standard, -WIDEST, WIDEST), nan=0.0)
        return filled

    def forecast(self, x: Matrix) -> Vector:
        """Forecast rv, float64 [n], from features [n, k]."""
        total = np.full(len(x), self.intercept)
        terms = self.terms(x)
        for j, slope in enumerate(self.slopes):
            # Not a matrix product: BLAS sums in an order that depends on the number of rows.
            total += slope * terms[:, j]
        forecast: Vector = np.maximum(np.exp(total), self.floor)
        return forecast


def fit_gamma_har(dataset: Dataset, rows: Ints) -> GammaHar:
    """Standardise the terms on `rows` and fit scikit-learn's `GammaRegressor` to floored rv."""
    from sklearn.linear_model import GammaRegressor

    scale = dataset.scale
    windows = [(n, rv_floor(w)) for w, n in scale.rv.items()]
    windows += [(n, rv_floor(1)) for n in scale.ewma.values()]
    columns = tuple(dataset.names.index(name) for name, _ in windows)
    floors = tuple(floor for _, floor in windows)
    season = season_columns(dataset, rows)
    raw = _raw_terms(dataset.x[rows], columns, floors, season)
    centres, spreads = raw.mean(axis=0), raw.std(axis=0)
    spreads = np.where(spreads > 1e-9, spreads, 1.0)
    target = dataset.target[rows]
    level = float(target.mean())
    blank = GammaHar(
        columns, floors, season, _floats(centres), _floats(spreads), 0.0, (), dataset.floor
    )
    solver = GammaRegressor(alpha=RIDGE, solver="newton-cholesky", max_iter=200, tol=1e-8)
    solver.fit(blank.terms(dataset.x[rows]), target / level)
    return msgspec.structs.replace(
        blank,
        intercept=float(solver.intercept_) + float(np.log(level)),
        slopes=_floats(solver.coef_),
    )


def season_columns(dataset: Dataset, rows: Ints) -> tuple[tuple[int, int], ...]:
    """Positions of the season's columns, none while training spans less than `SEASON_S`."""
    times = dataset.ts[rows]
    if int(times.max() - times.min()) < SEASON_S * SECOND_NS:
        return ()
    names = dataset.names
    return tuple((names.index(sine), names.index(cosine)) for sine, cosine in dataset.scale.season)


def _raw_terms(
    x: Matrix,
    columns: tuple[int, ...],
    floors: tuple[float, ...],
    season: tuple[tuple[int, int], ...],
) -> Matrix:
    """Logs of the variance columns, then two harmonics of each period."""
    terms = [
        np.log(np.maximum(x[:, column], floor))
        for column, floor in zip(columns, floors, strict=True)
    ]
    for i, j in season:
        sine, cosine = x[:, i], x[:, j]
        terms += [sine, cosine, 2.0 * sine * cosine, cosine * cosine - sine * sine]
    return np.column_stack(terms)


def _floats(values: Vector) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
