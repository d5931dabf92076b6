"""How well spikes are ranked, and when the sample is too small to say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from volatility.array import Flags, Ints, Vector
from volatility.dataset import SECOND_NS

MIN_WINDOWS: Final = 500
"""Fewest independent label windows below which no PR-AUC is stated."""
MIN_EPISODES: Final = 50
"""Fewest separate spike episodes below which no PR-AUC is stated."""


class Refusal(msgspec.Struct, frozen=True):
    """Why a figure is not stated."""

    n_independent: int  # windows that do not overlap in time
    n_episodes: int  # separate spike episodes
    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True)
class Ranking:
    """Average precision of the spike probability, with what chance would score."""

    pr_auc: float
    base_rate: float  # the average precision of a coin
    n: int  # decisions
    n_independent: int
    n_episodes: int


def average_precision(hit: Flags, score: Vector) -> float:
    """Area under precision-recall as a step function; ties share one step. NaN without a hit."""
    if not hit.any():
        return float("nan")
    order = np.argsort(-score, kind="stable")
    last_of_tie = np.append(np.diff(score[order]) != 0.0, True)
    found = np.cumsum(hit[order])[last_of_tie]
    taken = (np.flatnonzero(last_of_tie) + 1).astype(np.float64)
    recall_step = np.diff(found, prepend=0) / found[-1]
    return float((recall_step * found / taken).sum())


def count_independent(ts: Ints, horizon_s: int) -> int:
    """Label windows that cannot overlap: clock cells of one horizon that hold a decision.

    Conservative on purpose: products share a cell, because one market moves them together.
    """
    return len(np.unique(ts // (horizon_s * SECOND_NS)))


def count_episodes(product: Ints, ts: Ints, spike: Flags, horizon_s: int) -> int:
    """Spike episodes of the product that has most: runs of spikes a horizon or more apart.

    The greatest count of one product, not the sum: a shock to the whole market is one event.
    """
    most = 0
    for code in np.unique(product[spike]):
        times = np.sort(ts[spike & (product == code)])
        most = max(most, 1 + int((np.diff(times) >= horizon_s * SECOND_NS).sum()))
    return most


def refuse(n_independent: int, n_episodes: int, horizon_s: int) -> Refusal | None:
    """Say why a PR-AUC on so small a sample is not stated, or None where it may be."""
    why = []
    if n_independent < MIN_WINDOWS:
        why.append(f"{n_independent} independent {horizon_s} s windows, {MIN_WINDOWS} needed")
    if n_episodes < MIN_EPISODES:
        why.append(f"{n_episodes} separate spike episodes, {MIN_EPISODES} needed")
    return Refusal(n_independent, n_episodes, "; ".join(why)) if why else None


def rank_spikes(
    product: Ints, ts: Ints, spike: Flags, score: Vector, horizon_s: int
) -> Ranking | Refusal:
    """PR-AUC of `score` for `spike`, or the reason why none is stated.

    Args:
        product: product codes, int64 [n].
        ts: decision times, int64 [n] ns.
        spike: what happened, bool [n].
        score: anything that grows with the probability, float64 [n].
        horizon_s: length of the label window, seconds.
    """
    windows = count_independent(ts, horizon_s)
    episodes = count_episodes(product, ts, spike, horizon_s)
    refusal = refuse(windows, episodes, horizon_s)
    if refusal is not None:
        return refusal
    precision = average_precision(spike, score)
    return Ranking(precision, float(spike.mean()), len(ts), windows, episodes)
