"""Leak tests that run on the very data and folds a model is judged on."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from volatility.dataset import Dataset
from volatility.evaluate import evaluate
from volatility.model import ROSTER
from volatility.ranking import average_precision, count_independent
from volatility.split import Fold

SLACK: Final = 0.05
"""How far above the base rate shuffled labels may score, plus a term for the sample's size."""


def leak_tests(dataset: Dataset, folds: list[Fold], *, seed: int = 0) -> dict[str, bool]:
    """Outcome of each test by name, True where no leak was found."""
    return {
        "no training label reaches into a test block": is_purged(dataset, folds),
        "shuffled labels score at the base rate": shuffles_to_base(dataset, folds, seed=seed),
    }


def is_purged(dataset: Dataset, folds: list[Fold]) -> bool:
    """No fold trains on a label that ends after its test block opens."""
    return all(int(dataset.label_end[f.train].max(initial=f.start)) <= f.start for f in folds)


def shuffles_to_base(dataset: Dataset, folds: list[Fold], *, seed: int = 0) -> bool:
    """A model trained and scored on shuffled labels ranks spikes no better than chance.

    Outcomes are shuffled within each product; a pipeline that still scores has seen the answer.
    """
    shuffled = shuffle_labels(dataset, seed)
    seen = evaluate(shuffled, folds, roster={"gamma_har": ROSTER["gamma_har"]})
    track = seen.tracks["gamma_har"]
    rated = np.isfinite(track.p_spike) & (seen.fold > 0)
    hit = seen.rows.spike[rated]
    if not hit.any():
        return True
    noise = 1.0 / np.sqrt(count_independent(seen.rows.ts[rated], dataset.horizon_s))
    base = float(hit.mean())
    return average_precision(hit, track.p_spike[rated]) <= base + SLACK + base * float(noise)


def shuffle_labels(dataset: Dataset, seed: int) -> Dataset:
    """The dataset with outcomes (rv and spike) permuted among the decisions of each product."""
    generator = np.random.default_rng(seed)
    order = np.arange(dataset.n)
    for code in range(len(dataset.products)):
        mine = np.flatnonzero((dataset.product == code) & dataset.has_threshold)
        order[mine] = generator.permutation(mine)
    return replace(dataset, rv=dataset.rv[order], spike=dataset.spike[order])
