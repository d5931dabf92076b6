"""Forecasts without learning worth the name: persistence, EWMA, log-HAR."""

from __future__ import annotations

import msgspec
import numpy as np

from volatility.array import Ints, Matrix, Vector
from volatility.dataset import Dataset
from volatility.metric import qlike
from volatility.split import tail
from volatility.timescale import rv_floor


class Persistence(msgspec.Struct, frozen=True, tag="persistence"):
    """The next window is like the last."""

    column: int  # position of the look-back rv in x
    floor: float  # least forecast

    def forecast(self, x: Matrix) -> Vector:
        """Forecast rv, float64 [n], from features [n, k]."""
        return np.maximum(x[:, self.column], self.floor)


class Ewma(msgspec.Struct, frozen=True, tag="ewma"):
    """An exponentially weighted mean of r^2, scaled to the horizon."""

    column: int  # position of the EWMA in x
    factor: float  # horizon in the EWMA's unit of time, times the level
    floor: float  # least forecast

    def forecast(self, x: Matrix) -> Vector:
        """Forecast rv, float64 [n], from features [n, k]."""
        return np.maximum(x[:, self.column] * self.factor, self.floor)


class LogHar(msgspec.Struct, frozen=True, tag="log_har"):
    """Heterogeneous autoregression of log rv (Corsi 2009), smeared back to a mean (Duan 1983)."""

    columns: tuple[int, ...]  # positions of the look-back rvs in x
    floors: tuple[float, ...]  # least rv of each look-back
    intercept: float
    slopes: tuple[float, ...]
    smear: float  # mean of exp(residual) over the last 15 % of training
    floor: float  # least forecast

    def forecast(self, x: Matrix) -> Vector:
        """Forecast rv, float64 [n], from features [n, k]."""
        total = np.full(len(x), self.intercept)
        for column, least, slope in zip(self.columns, self.floors, self.slopes, strict=True):
            total += slope * np.log(np.maximum(x[:, column], least))
        forecast: Vector = np.maximum(self.smear * np.exp(total), self.floor)
        return forecast


def fit_persistence(dataset: Dataset, rows: Ints) -> Persistence:
    """Nothing is fitted."""
    del rows
    return Persistence(
        _position(dataset, dataset.scale.rv_column(dataset.horizon_s)), dataset.floor
    )


def fit_ewma(dataset: Dataset, rows: Ints) -> Ewma:
    """Choose the half-life with the least QLIKE in train; level on the last 15 % of train."""
    best: tuple[float, Ewma] | None = None
    for name in dataset.scale.ewma.values():
        candidate = _levelled_ewma(dataset, rows, _position(dataset, name))
        loss = float(qlike(dataset.target[rows], candidate.forecast(dataset.x[rows])).mean())
        if best is None or loss < best[0]:
            best = loss, candidate
    if best is None:
        raise ValueError(f"scale {dataset.scale.name} has no EWMA column")
    return best[1]


def fit_log_har(dataset: Dataset, rows: Ints) -> LogHar:
    """OLS of log rv on the logs of three look-back windows."""
    names = [dataset.scale.rv[w] for w in dataset.scale.har_s]
    columns = tuple(_position(dataset, name) for name in names)
    floors = tuple(rv_floor(w) for w in dataset.scale.har_s)
    logs = np.log(np.maximum(dataset.x[rows][:, list(columns)], floors))
    design = np.column_stack([np.ones(len(rows)), logs])
    solution = np.linalg.lstsq(design, np.log(dataset.target[rows]), rcond=None)[0]
    raw = LogHar(
        columns, floors, float(solution[0]), tuple(map(float, solution[1:])), 1.0, dataset.floor
    )
    return msgspec.structs.replace(raw, smear=_level(dataset, rows, raw.forecast(dataset.x)))


def _levelled_ewma(dataset: Dataset, rows: Ints, column: int) -> Ewma:
    raw = Ewma(column, float(dataset.horizon_s), dataset.floor)
    level = _level(dataset, rows, raw.forecast(dataset.x))
    return msgspec.structs.replace(raw, factor=dataset.horizon_s * level)


def _level(dataset: Dataset, rows: Ints, forecast: Vector) -> float:
    """The factor that minimises QLIKE on the last 15 % of train: the mean of rv / forecast.

    For a log-linear forecast this is Duan's smearing estimate, the mean of exp(residual).
    """
    late = tail(dataset.ts, rows)
    return float((dataset.target[late] / forecast[late]).mean())


def _position(dataset: Dataset, name: str) -> int:
    return dataset.names.index(name)
