"""Intervals of log rv that adapt to what came true: adaptive conformal inference.

Two one-sided quantiles of past log residuals, each at a level that moves after every outcome so
that its side is missed 5 % of the time (Gibbs and Candes 2021). A residual is used only once its
label has matured.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from typing import Final

import msgspec
import numpy as np

from volatility.array import Ints, Matrix, Vector

MISS: Final = 0.05
"""Share of outcomes allowed beyond each end: a 90 % interval."""
STEP: Final = 0.005
"""How far a level moves after one instant's outcomes."""
MEMORY: Final = 5_000
"""Residuals remembered."""
MIN_RESIDUALS: Final = 30
"""Residuals needed before an interval is given."""


class Offsets(msgspec.Struct, frozen=True):
    """What is added to ln F: the interval's ends and the centre of ln rv."""

    lo: float
    centre: float  # mean log residual: turns a forecast of the mean into one of ln rv
    hi: float


class AdaptiveInterval:
    """The state of one model's interval: remembered residuals and two miss levels."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque()
        self._ordered: list[float] = []
        self._sum = 0.0
        self._miss_lo = self._miss_hi = MISS

    def offsets(self) -> Offsets | None:
        """The ends and centre now; None while fewer than `MIN_RESIDUALS` are known."""
        if len(self._ordered) < MIN_RESIDUALS:
            return None
        lo, hi = self._quantile(self._miss_lo), self._quantile(1.0 - self._miss_hi)
        return Offsets(min(lo, hi), self._sum / len(self._ordered), max(lo, hi))

    def observe(self, residuals: Vector, offsets: Offsets | None) -> None:
        """Learn ln rv - ln F of labels that matured at one instant, given the ends stated then."""
        if offsets is not None and len(residuals):
            below = float((residuals < offsets.lo).mean())
            above = float((residuals > offsets.hi).mean())
            self._miss_lo = _bounded(self._miss_lo + STEP * (MISS - below))
            self._miss_hi = _bounded(self._miss_hi + STEP * (MISS - above))
        for residual in map(float, residuals):
            self._remember(residual)

    def _remember(self, residual: float) -> None:
        insort(self._ordered, residual)
        self._recent.append(residual)
        self._sum += residual
        if len(self._recent) > MEMORY:
            oldest = self._recent.popleft()
            self._sum -= oldest
            del self._ordered[bisect_left(self._ordered, oldest)]

    def _quantile(self, share: float) -> float:
        place = share * (len(self._ordered) - 1)
        left = min(int(place), len(self._ordered) - 2)
        low, high = self._ordered[left], self._ordered[left + 1]
        return low + (place - left) * (high - low)


def adaptive_intervals(
    ts: Ints, label_end: Ints, log_rv: Vector, log_forecast: Vector
) -> tuple[Matrix, Offsets | None]:
    """Run the interval through decisions in time order, feeding residuals back as they mature.

    Args:
        ts: decision times, int64 [n] ns, ascending; equal ones are decided together.
        label_end: when each outcome is known, int64 [n] ns, later than its ts.
        log_rv: outcomes, float64 [n].
        log_forecast: ln F, float64 [n].

    Returns:
        lo, centre and hi offsets of each decision, float64 [n, 3] (NaN before the first interval),
        and the offsets after everything has matured.
    """
    interval = AdaptiveInterval()
    residual = log_rv - log_forecast
    given = np.full((len(ts), 3), np.nan)
    waiting: deque[tuple[int, slice, Offsets | None]] = deque()
    starts = np.flatnonzero(np.diff(ts, prepend=np.iinfo(np.int64).min))
    for begin, end in zip(starts, np.append(starts[1:], len(ts)), strict=True):
        while waiting and waiting[0][0] <= ts[begin]:
            _, rows, offsets = waiting.popleft()
            interval.observe(residual[rows], offsets)
        now = interval.offsets()
        if now is not None:
            given[begin:end] = now.lo, now.centre, now.hi
        waiting.append((int(label_end[begin]), slice(begin, end), now))
    for _, rows, offsets in waiting:
        interval.observe(residual[rows], offsets)
    return given, interval.offsets()


def _bounded(level: float) -> float:
    return min(max(level, 0.0005), 0.5)
