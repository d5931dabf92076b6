"""Walk-forward folds on time: train on the past, purge, test on the next block, roll."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from volatility.array import Ints
from volatility.dataset import SECOND_NS, Dataset
from volatility.errors import ModelError

MIN_TRAIN_ROWS: Final = 200
"""Fewest decisions a model is fitted on."""


@dataclass(frozen=True, eq=False)
class Fold:
    """One refit. `train` and `test` are row positions; every test row is at or after the start."""

    number: int  # from 0; fold 0 only calibrates, it is never scored
    start: int  # first instant of the test block, ns UTC
    end: int  # end of the test block, exclusive, ns UTC
    train: Ints
    test: Ints


def walk_forward(
    ts: Ints,
    label_end: Ints,
    *,
    start: int,
    end: int,
    block: int,
    embargo: int,
    window: int | None = None,
) -> list[Fold]:
    """Consecutive test blocks of `block` ns over [start, end), each with its purged training rows.

    A row trains fold f when `label_end + embargo <= f.start` and, with a rolling `window`,
    `ts >= f.start - window`. Folds without test rows are left out.

    Args:
        ts: decision times, int64 [n] ns.
        label_end: when each label is complete, int64 [n] ns.
        start: first instant of the first test block, ns.
        end: end of the last test block, ns; the last block may be short.
        block: length of a test block, ns.
        embargo: pause between the last training label and the test, ns.
        window: how far before the test training may reach, ns; None for all history.

    Raises:
        ValueError: a length is negative or zero where it may not be.
    """
    if block <= 0 or embargo < 0 or (window is not None and window <= 0):
        raise ValueError(f"block={block}, embargo={embargo}, window={window}: lengths must be > 0")
    folds: list[Fold] = []
    for opens in range(start, end, block):
        closes = min(opens + block, end)
        test = np.flatnonzero((ts >= opens) & (ts < closes))
        trainable = label_end + embargo <= opens
        if window is not None:
            trainable &= ts >= opens - window
        if len(test):
            folds.append(Fold(len(folds), opens, closes, np.flatnonzero(trainable), test))
    return folds


def plan(
    dataset: Dataset,
    *,
    folds: int = 4,
    first_share: float = 0.4,
    embargo_s: int | None = None,
    window_s: int | None = None,
) -> list[Fold]:
    """Cut a dataset into one calibration block and `folds` scored blocks of equal length.

    The first `first_share` of the span only trains. The embargo is the longest feature window, or
    a twentieth of the span where the history is too short to allow that.

    Raises:
        ModelError: the history is too short to train the first fold or to fill the blocks.
    """
    if dataset.n == 0:
        raise ModelError(dataset.scale.name, "no decision has both features and a label")
    begin, last = int(dataset.ts[0]), int(dataset.ts[-1])
    span = last - begin + dataset.step_s * SECOND_NS
    start = begin + int(span * first_share)
    block = -(-(begin + span - start) // (folds + 1))
    embargo = min(dataset.scale.longest_s * SECOND_NS, span // 20)
    cut = walk_forward(
        dataset.ts,
        dataset.label_end,
        start=start,
        end=begin + span,
        block=block,
        embargo=embargo if embargo_s is None else embargo_s * SECOND_NS,
        window=None if window_s is None else window_s * SECOND_NS,
    )
    check_folds(dataset, cut)
    return cut


def check_folds(dataset: Dataset, folds: list[Fold]) -> None:
    """Refuse folds that no honest figure can come from.

    Raises:
        ModelError: fewer than two folds, or a fold with too few training rows.
    """
    horizon = f"{dataset.scale.name} at {dataset.horizon_s} s"
    if len(folds) < 2:
        raise ModelError(horizon, f"{len(folds)} test blocks, 2 needed: calibrate, then score")
    fewest = min(len(fold.train) for fold in folds)
    if fewest < MIN_TRAIN_ROWS:
        hours = (dataset.ts[-1] - dataset.ts[0]) / 3.6e12
        raise ModelError(
            horizon,
            f"{fewest} training rows in the first fold, {MIN_TRAIN_ROWS} needed; "
            f"the {dataset.n} labelled decisions span {hours:.1f} h: record longer",
        )


def tail(ts: Ints, rows: Ints, share: float = 0.15) -> Ints:
    """The rows in the last `share` of `rows` by time; rows of one instant stay together."""
    times = np.sort(ts[rows])
    cut = times[min(int(len(times) * (1.0 - share)), len(times) - 1)]
    late: Ints = rows[ts[rows] >= cut]
    return late


def purged_head(ts: Ints, label_end: Ints, rows: Ints, held_out: Ints) -> Ints:
    """The rows whose labels are complete before the first of `held_out` is decided."""
    head: Ints = rows[label_end[rows] <= ts[held_out].min()]
    return head
