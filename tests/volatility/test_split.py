"""No training label ever reaches a test block."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import TimeSeriesSplit

from volatility.dataset import SECOND_NS, Dataset
from volatility.errors import ModelError
from volatility.split import MIN_TRAIN_ROWS, check_folds, plan, purged_head, tail, walk_forward

times = st.lists(st.integers(0, 5_000), min_size=1, max_size=200).map(sorted)
lengths = st.integers(1, 2_000)


@given(ts=times, horizon=lengths, block=lengths, embargo=st.integers(0, 500), start=lengths)
def test_no_training_label_touches_its_test_block(
    ts: list[int], horizon: int, block: int, embargo: int, start: int
) -> None:
    t = np.array(ts, np.int64)
    for fold in walk_forward(t, t + horizon, start=start, end=5_001, block=block, embargo=embargo):
        assert (t[fold.train] + horizon + embargo <= fold.start).all()
        assert (t[fold.test] >= fold.start).all()
        assert (t[fold.test] < fold.end).all()


@given(ts=times, block=lengths, start=lengths)
def test_every_row_after_the_start_is_tested_exactly_once(
    ts: list[int], block: int, start: int
) -> None:
    t = np.array(ts, np.int64)
    folds = walk_forward(t, t + 1, start=start, end=5_001, block=block, embargo=0)
    tested = np.concatenate([np.empty(0, np.int64), *(fold.test for fold in folds)])
    assert tested.tolist() == np.flatnonzero(t >= start).tolist()
    assert [fold.number for fold in folds] == list(range(len(folds)))


@given(ts=times, horizon=lengths, window=lengths, start=lengths)
def test_a_rolling_window_forgets_and_keeps_all_that_is_left(
    ts: list[int], horizon: int, window: int, start: int
) -> None:
    t = np.array(ts, np.int64)
    for fold in walk_forward(
        t, t + horizon, start=start, end=5_001, block=700, embargo=0, window=window
    ):
        wanted = (t >= fold.start - window) & (t + horizon <= fold.start)
        assert fold.train.tolist() == np.flatnonzero(wanted).tolist()


@pytest.mark.parametrize(("n", "splits", "size", "horizon", "embargo"), [(100, 4, 10, 5, 3)])
def test_on_a_regular_grid_it_is_scikit_learns_time_series_split(
    n: int, splits: int, size: int, horizon: int, embargo: int
) -> None:
    ts = np.arange(n, dtype=np.int64)
    ours = walk_forward(
        ts, ts + horizon, start=n - splits * size, end=n, block=size, embargo=embargo
    )
    oracle = TimeSeriesSplit(splits, test_size=size, gap=horizon + embargo - 1).split(ts)
    for fold, (train, test) in zip(ours, oracle, strict=True):
        assert fold.train.tolist() == train.tolist()
        assert fold.test.tolist() == test.tolist()


def test_the_plan_cuts_one_calibration_block_and_the_asked_number_of_scored_ones(
    day: Dataset,
) -> None:
    folds = plan(day, folds=4, first_share=0.4)
    assert len(folds) == 5
    assert folds[-1].test[-1] == day.n - 1
    span = int(day.ts[-1] - day.ts[0])
    assert abs((folds[0].start - int(day.ts[0])) / span - 0.4) < 0.01


def test_the_embargo_is_the_longest_window_or_a_twentieth_of_a_short_history(
    day: Dataset,
) -> None:
    fold = plan(day)[0]
    pause = fold.start - int(day.label_end[fold.train].max())
    assert pause >= 3_600 * SECOND_NS
    short = day.take(np.flatnonzero(day.ts < day.ts[0] + 10 * 3_600 * SECOND_NS))
    fold = plan(short)[0]
    pause = fold.start - int(short.label_end[fold.train].max())
    assert 1_800 * SECOND_NS <= pause < 1_900 * SECOND_NS


def test_too_little_history_is_refused_and_says_what_is_needed(day: Dataset) -> None:
    short = day.take(np.flatnonzero(day.ts < day.ts[0] + 3_600 * SECOND_NS))
    with pytest.raises(ModelError, match=f"{MIN_TRAIN_ROWS} needed; .* span 1.0 h: record longer"):
        plan(short)


def test_no_decision_at_all_is_refused(day: Dataset) -> None:
    with pytest.raises(ModelError, match="no decision has both"):
        plan(day.take(np.empty(0, np.int64)))


def test_a_single_block_cannot_calibrate_and_score(day: Dataset) -> None:
    with pytest.raises(ModelError, match="2 needed"):
        check_folds(day, plan(day)[:1])


@pytest.mark.parametrize(("block", "embargo", "window"), [(0, 0, None), (1, -1, None), (1, 0, 0)])
def test_impossible_lengths_are_refused(block: int, embargo: int, window: int | None) -> None:
    ts = np.arange(3, dtype=np.int64)
    with pytest.raises(ValueError, match="lengths must be"):
        walk_forward(ts, ts, start=0, end=3, block=block, embargo=embargo, window=window)


@given(ts=times)
def test_the_tail_is_the_newest_share_and_never_splits_an_instant(ts: list[int]) -> None:
    t = np.array(ts, np.int64)
    rows = np.arange(len(t))
    late = tail(t, rows, 0.15)
    assert len(late) >= 1
    assert not set(t[late].tolist()) & set(np.delete(t, late).tolist())


@given(ts=times, horizon=lengths)
def test_the_purged_head_has_matured_before_the_tail_begins(ts: list[int], horizon: int) -> None:
    t = np.array(ts, np.int64)
    rows = np.arange(len(t))
    late = tail(t, rows)
    head = purged_head(t, t + horizon, rows, late)
    assert (t[head] + horizon <= t[late].min()).all()
