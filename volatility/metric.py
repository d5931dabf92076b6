"""Scores of variance forecasts and of spike probabilities: plain functions on arrays.

Figures marked "own mean error removed" ignore a constant offset in logs: a forecast of the mean
of rv must lie above the mean of log rv (Jensen), which is no fault.
"""

from __future__ import annotations

import numpy as np

from volatility.array import Flags, Ints, Vector


def qlike(rv: Vector, forecast: Vector) -> Vector:
    """QLIKE loss of each forecast, rv/F - ln(rv/F) - 1, float64 [n]; 0 is perfect.

    Half the gamma deviance (Patton 2011). Both arguments are floored and positive.
    """
    ratio = rv / forecast
    return ratio - np.log(ratio) - 1.0


def gain(loss: Vector, reference: Vector) -> float:
    """The share of the reference's mean loss that is saved; negative when worse."""
    return 1.0 - float(loss.mean()) / float(reference.mean())


def r2_log(rv: Vector, forecast: Vector, group: Ints | None = None) -> float:
    """R^2 of log rv, own mean error removed; NaN where log rv does not vary.

    With `group` int64 [n], means are removed within each group: products of different levels
    then do not lend each other explained variance.
    """
    actual = np.log(rv)
    error = actual - np.log(forecast)
    group = np.zeros(len(rv), np.int64) if group is None else group
    return _share_explained(_centred(error, group), _centred(actual, group))


def brier(hit: Flags, p: Vector) -> float:
    """Mean squared error of the probability."""
    return float(((p - hit) ** 2).mean())


def brier_skill(hit: Flags, p: Vector) -> float:
    """1 - Brier / Brier of always saying the base rate of these rows; NaN with one class only."""
    base = float(hit.mean())
    climate = base * (1.0 - base)
    return 1.0 - brier(hit, p) / climate if climate > 0.0 else float("nan")


def calibration_error(hit: Flags, p: Vector, bins: int = 10) -> float:
    """Expected calibration error: |mean p - hit rate| over equal-width bins, weighted by rows."""
    bin_of = np.minimum((p * bins).astype(np.int64), bins - 1)
    counts = np.bincount(bin_of, minlength=bins)
    gap = np.bincount(bin_of, weights=p - hit, minlength=bins)
    return float(np.abs(gap).sum() / counts.sum())


def coverage(rv: Vector, lo: Vector, hi: Vector) -> float:
    """The share of outcomes inside [lo, hi]."""
    return float(((rv >= lo) & (rv <= hi)).mean())


def _centred(values: Vector, group: Ints) -> Vector:
    counts = np.bincount(group)
    sums = np.bincount(group, weights=values)
    means: Vector = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
    centred: Vector = values - means[group]
    return centred


def _share_explained(error: Vector, actual: Vector) -> float:
    spread = float((actual**2).sum())
    return 1.0 - float((error**2).sum()) / spread if spread > 0.0 else float("nan")
