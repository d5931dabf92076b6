"""From a variance forecast to a spike probability: Platt scaling of its distance to the threshold.

The score is ln F - ln threshold; the two parameters come from out-of-sample forecasts only
(Platt 1999, with the targets pulled off 0 and 1 as Lin, Lin and Weng 2007 do).
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from volatility.array import Flags, Vector

MIN_OF_EACH: Final = 10
"""Fewest spikes, and fewest calm rows, that two parameters are estimated from."""


class Platt(msgspec.Struct, frozen=True):
    """p = 1 / (1 + exp(-(intercept + slope * score)))."""

    intercept: float
    slope: float  # >= 0: a higher forecast never means a smaller probability

    def probability(self, forecast: Vector, threshold: Vector) -> Vector:
        """Spike probability, float64 [n]; NaN where forecast or threshold is unknown or not > 0."""
        return _logistic(self.intercept + self.slope * spike_score(forecast, threshold))


def spike_score(forecast: Vector, threshold: Vector) -> Vector:
    """The score ln F - ln threshold, float64 [n]; NaN where either is not positive."""
    usable = (forecast > 0.0) & (threshold > 0.0)
    ratio = np.divide(forecast, threshold, out=np.full(len(forecast), np.nan), where=usable)
    score: Vector = np.log(ratio)
    return score


def fit_platt(score: Vector, spike: Flags, steps: int = 100) -> Platt | None:
    """Maximum likelihood by Newton's method; None where a class has under `MIN_OF_EACH` rows.

    Rows with a score of NaN are left out. A negative slope is refused: the base rate is used.
    """
    known = np.isfinite(score)
    score, spike = score[known], spike[known]
    hits = int(spike.sum())
    misses = len(spike) - hits
    if min(hits, misses) < MIN_OF_EACH:
        return None
    target = np.where(spike, (hits + 1.0) / (hits + 2.0), 1.0 / (misses + 2.0))
    base = float(np.log(hits / misses))
    intercept, slope = _newton(score, target, base, steps)
    return Platt(intercept, slope) if slope > 0.0 else Platt(base, 0.0)


def _newton(score: Vector, target: Vector, intercept: float, steps: int) -> tuple[float, float]:
    design = np.column_stack([np.ones(len(score)), score])
    weights = np.array([intercept, 0.0])
    loss = _loss(design, target, weights)
    for _ in range(steps):
        p = _logistic(design @ weights)
        gradient = design.T @ (p - target)
        hessian = design.T @ (design * (p * (1.0 - p))[:, None]) + 1e-10 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        # Halve the step until the likelihood grows: plain Newton may leap out of its basin.
        while _loss(design, target, weights - step) > loss and np.abs(step).max() > 1e-10:
            step = step / 2.0
        weights = weights - step
        loss = _loss(design, target, weights)
        if np.abs(step).max() < 1e-10:
            break
    return float(weights[0]), float(weights[1])


def _loss(design: Vector, target: Vector, weights: Vector) -> float:
    logit = design @ weights
    return float((np.logaddexp(0.0, logit) - target * logit).mean())


def _logistic(logit: Vector) -> Vector:
    return 0.5 * (1.0 + np.tanh(0.5 * logit))
