"""Is one forecast better than another: Diebold-Mariano with HAC variance, by period, bootstrap."""

from __future__ import annotations

from typing import Final

import numpy as np

from volatility.array import Ints, Vector
from volatility.dataset import SECOND_NS

DAY_NS: Final = 86_400 * SECOND_NS
WEEK_NS: Final = 7 * DAY_NS
DRAWS: Final = 2_000
"""Bootstrap samples."""


def by_instant(ts: Ints, values: Vector) -> tuple[Ints, Vector]:
    """Mean over the products of each instant: one series in time, int64 [m] and float64 [m]."""
    instants, group = np.unique(ts, return_inverse=True)
    return instants, np.bincount(group, weights=values) / np.bincount(group)


def hac_lag(span_ns: int, step_ns: int, horizon_ns: int, n: int) -> int:
    """Lags of the long-run variance, in steps.

    One day, as far as a tenth of the data allows it, and never less than the horizon, because
    overlapping labels correlate that far by construction.
    """
    reach = max(horizon_ns, min(DAY_NS, span_ns // 10))
    return min(max(1, -(-reach // step_ns)), max(1, n - 1))


def long_run_variance(values: Vector, lag: int) -> float:
    """Newey-West variance of a series with Bartlett weights 1 - j/(lag+1); never negative.

    Notes:
        With zeros before and after, the Bartlett estimator equals the mean square of all sums
        over lag + 1 neighbours, divided by lag + 1; that takes one pass for any lag.
    """
    centred = values - values.mean()
    width = lag + 1
    padding = np.zeros(width)
    running = np.cumsum(np.concatenate([padding, centred, padding]))
    sums = running[width:] - running[:-width]
    return float((sums**2).sum() / (width * len(values)))


def diebold_mariano(ts: Ints, loss: Vector, reference: Vector, horizon_s: int) -> float:
    """Student t of the mean loss difference; negative when `loss` is the better.

    Products of one instant are averaged first. NaN with under 10 instants or without variance.
    """
    instants, difference = by_instant(ts, loss - reference)
    if len(instants) < 10:
        return float("nan")
    span, step = int(instants[-1] - instants[0]), int(np.median(np.diff(instants)))
    lag = hac_lag(span, step, horizon_s * SECOND_NS, len(instants))
    variance = long_run_variance(difference, lag)
    if variance <= 0.0:
        return float("nan")
    return float(difference.mean() / np.sqrt(variance / len(difference)))


def block_ns(span_ns: int) -> int:
    """Length of a bootstrap block: a week, or a tenth of the span where that is shorter."""
    return max(1, min(WEEK_NS, span_ns // 10))


def bootstrap_gain(
    ts: Ints, loss: Vector, reference: Vector, *, seed: int, draws: int = DRAWS
) -> Vector:
    """Gains `1 - mean loss / mean reference` of resampled calendar blocks, float64 [draws].

    Whole blocks (see `block_ns`) are drawn with replacement, all products together.
    """
    first, last = int(ts.min()), int(ts.max())
    _, block = np.unique((ts - first) // block_ns(last - first + 1), return_inverse=True)
    ours = np.bincount(block, weights=loss)
    theirs = np.bincount(block, weights=reference)
    drawn = np.random.default_rng(seed).integers(0, len(ours), size=(draws, len(ours)))
    gains: Vector = 1.0 - ours[drawn].sum(axis=1) / theirs[drawn].sum(axis=1)
    return gains


def periods(ts: Ints) -> dict[str, Ints]:
    """Row positions by calendar quarter, or by fourth of a span shorter than two quarters."""
    first, last = int(ts.min()), int(ts.max())
    if last - first < 182 * DAY_NS:
        code = np.minimum((ts - first) * 4 // (last - first + 1), 3)
        names = [f"part {k + 1} of 4" for k in range(4)]
        return {names[k]: np.flatnonzero(code == k) for k in np.unique(code)}
    months = ts.astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64)
    code = months // 3
    return {
        f"{1970 + quarter // 4}-Q{quarter % 4 + 1}": np.flatnonzero(code == quarter)
        for quarter in np.unique(code)
    }
