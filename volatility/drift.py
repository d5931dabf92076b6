"""Drift: have the features moved against the window the champion was trained on?

The size of a move is the population stability index (PSI) of one feature's histogram,
`sum((c - r) ln(c / r))` over reference deciles plus one bin for nulls. Markets are autocorrelated,
so even a stationary window differs a lot from the whole: what counts as large is measured, window
by window, on the reference itself (each window against the others), never taken from a p-value.
A window has drifted when more features leave their band than reference windows do. Retraining is
called for only after several such windows in a row, and not again during a cool-down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from volatility.array import Matrix, Vector

Counts = NDArray[np.float64]  # (features, bins): rows of one window per bin

_PRIOR: Final = 0.5  # rows added to every reference bin: PSI stays finite where one is empty


@dataclass(frozen=True)
class DriftRule:
    """The thresholds of the decision.

    `band_quantile` is taken over reference windows; `least_psi` and `least_share` are floors below
    which a move is never called drift, however quiet the reference was.
    """

    bins: int = 10
    band_quantile: float = 0.95
    least_psi: float = 0.25
    least_share: float = 0.3
    consecutive: int = 2  # windows
    cool_down_s: float = 86_400.0  # seconds since the champion was trained
    least_windows: int = 6  # reference windows, under which no band can be measured


@dataclass(frozen=True)
class FeatureDrift:
    """One feature in the newest window; drifted when `psi` exceeds `band`."""

    feature: str
    psi: float
    band: float
    null_share: float  # of the newest window's rows, in [0, 1]

    @property
    def drifted(self) -> bool:
        """Whether the move is larger than the noise measured on the reference."""
        return self.psi > self.band


@dataclass(frozen=True)
class DriftDecision:
    """What was found and what to do; `shares` are the drifted shares of consecutive windows."""

    drifted: bool
    retrain: bool
    reason: str
    shares: tuple[float, ...] = ()  # oldest first
    share_band: float = float("nan")
    features: tuple[FeatureDrift, ...] = field(default=(), repr=False)


def stability_index(reference: Counts, current: Counts) -> Vector:
    """PSI per feature of two histograms with the same bins, `(features, bins)` each.

    One row spread like the reference is added to the current one, so an empty bin costs what it
    weighs in the reference, and one that is empty in both costs nothing.
    """
    r = (reference + _PRIOR) / (reference + _PRIOR).sum(axis=-1, keepdims=True)
    c = (current + r) / (current.sum(axis=-1, keepdims=True) + 1)
    psi: Vector = ((c - r) * np.log(c / r)).sum(axis=-1)
    return psi


def assess(
    names: Sequence[str],
    reference: Sequence[Matrix],
    current: Sequence[Matrix],
    *,
    since_training_s: float,
    rule: DriftRule | None = None,
) -> DriftDecision:
    """Judge consecutive windows of features, oldest first, against reference windows.

    Args:
        names: feature names, the columns of every matrix.
        reference: windows of the champion's training span, of the length of the current ones.
        current: the newest windows, oldest first; at least one.
        since_training_s: seconds since the champion's training data ended.
        rule: thresholds; the defaults of `DriftRule` when None.
    """
    rule = rule or DriftRule()
    windows = [w for w in reference if len(w)]
    newest = [w for w in current if len(w)]
    if len(windows) < rule.least_windows or not newest:
        return DriftDecision(False, False, _too_little(len(windows), len(newest), rule))
    edges = _edges(np.concatenate(windows), rule.bins)
    counts = np.stack([_histogram(w, edges) for w in windows])
    total = counts.sum(axis=0)
    noise = np.stack([stability_index(total - own, own) for own in counts])
    band = np.maximum(np.quantile(noise, rule.band_quantile, axis=0), rule.least_psi)
    usual = np.quantile((noise > band).mean(axis=1), rule.band_quantile)
    share_band = float(max(usual, rule.least_share))
    scores = np.stack([stability_index(total, _histogram(w, edges)) for w in newest])
    shares = tuple(float(s) for s in (scores > band).mean(axis=1))
    nulls = np.isnan(newest[-1]).mean(axis=0)
    features = tuple(
        FeatureDrift(name, float(p), float(b), float(n))
        for name, p, b, n in zip(names, scores[-1], band, nulls, strict=True)
    )
    return _decide(shares, share_band, features, since_training_s, rule)


def _decide(
    shares: tuple[float, ...],
    share_band: float,
    features: tuple[FeatureDrift, ...],
    since_training_s: float,
    rule: DriftRule,
) -> DriftDecision:
    drifted = shares[-1] > share_band
    run = 0
    for share in reversed(shares):
        if share <= share_band:
            break
        run += 1
    moved = f"{shares[-1]:.0%} of features left their band, {share_band:.0%} is usual"
    if not drifted:
        reason = f"{moved}: no drift"
    elif run < rule.consecutive:
        reason = f"{moved}: {run} window of {rule.consecutive} in a row, waiting"
    elif since_training_s < rule.cool_down_s:
        reason = f"{moved}: trained {since_training_s / 3600:.1f} h ago, cooling down"
    else:
        reason = f"{moved}, {run} windows in a row: retrain"
    retrain = run >= rule.consecutive and since_training_s >= rule.cool_down_s
    return DriftDecision(drifted, retrain, reason, shares, share_band, features)


def _too_little(reference: int, current: int, rule: DriftRule) -> str:
    if not current:
        return "no current window holds rows: nothing to judge"
    return (
        f"{reference} reference windows, {rule.least_windows} needed to measure the noise band: "
        "no decision"
    )


def _edges(rows: Matrix, bins: int) -> list[Vector]:
    """Inner bin edges per feature: distinct quantiles of the known values."""
    inner = np.linspace(0, 1, bins + 1)[1:-1]
    known = (column[~np.isnan(column)] for column in rows.T)
    return [np.unique(np.quantile(c, inner)) if len(c) else np.zeros(0) for c in known]


def _histogram(rows: Matrix, edges: list[Vector]) -> Counts:
    """Rows per bin, the last bin for nulls; features with fewer edges leave bins empty."""
    width = max(len(e) for e in edges) + 2
    counts = np.zeros((len(edges), width))
    for i, (column, inner) in enumerate(zip(rows.T, edges, strict=True)):
        known = column[~np.isnan(column)]
        bins = np.searchsorted(inner, known, side="right")
        counts[i, : len(inner) + 1] = np.bincount(bins, minlength=len(inner) + 1)
        counts[i, -1] = len(column) - len(known)
    return counts
