"""Leak tests go red on a leak, and only then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from volatility.dataset import SECOND_NS, Dataset
from volatility.evaluate import evaluate
from volatility.leak import is_purged, shuffle_labels, shuffles_to_base
from volatility.model import ROSTER
from volatility.ranking import average_precision
from volatility.split import plan


def test_folds_of_the_plan_are_purged(day: Dataset) -> None:
    assert is_purged(day, plan(day))


def test_a_training_row_one_second_too_late_is_seen(day: Dataset) -> None:
    folds = plan(day)
    late = np.flatnonzero(day.label_end > folds[1].start)[:1]
    assert day.ts[late[0]] < folds[1].start + SECOND_NS
    broken = replace(folds[1], train=np.append(folds[1].train, late))
    assert not is_purged(day, [folds[0], broken])


def test_shuffled_labels_rank_no_better_than_their_base_rate(day: Dataset) -> None:
    for seed in range(3):
        assert shuffles_to_base(day, plan(day), seed=seed)


def test_every_model_falls_to_the_base_rate_on_shuffled_labels(day: Dataset) -> None:
    seen = evaluate(shuffle_labels(day, 1), plan(day), roster=ROSTER)
    scored = seen.fold > 0
    hit = seen.rows.spike[scored]
    for name, track in seen.tracks.items():
        found = average_precision(hit, track.p_spike[scored])
        assert abs(found - hit.mean()) < 0.08, name


def test_true_labels_rank_far_above_it(day: Dataset) -> None:
    seen = evaluate(day, plan(day), roster={"gamma_har": ROSTER["gamma_har"]})
    scored = seen.fold > 0
    hit = seen.rows.spike[scored]
    found = average_precision(hit, seen.tracks["gamma_har"].p_spike[scored])
    assert found > hit.mean() + 0.2


def test_a_feature_that_is_the_label_turns_the_shuffle_test_red(day: Dataset) -> None:
    """A window that looks ahead moves with the label, however that is shuffled."""
    shuffled = shuffle_labels(day, 3)
    x = shuffled.x.copy()
    for name in (*day.scale.rv.values(), *day.scale.ewma.values()):
        x[:, day.names.index(name)] = shuffled.rv
    seen = evaluate(replace(shuffled, x=x), plan(day), roster={"gamma_har": ROSTER["gamma_har"]})
    scored = seen.fold > 0
    hit = seen.rows.spike[scored]
    assert average_precision(hit, seen.tracks["gamma_har"].p_spike[scored]) > hit.mean() + 0.3


def test_shuffling_keeps_each_products_outcomes(day: Dataset) -> None:
    shuffled = shuffle_labels(day, 0)
    for code in range(len(day.products)):
        mine = day.product == code
        assert sorted(shuffled.rv[mine]) == sorted(day.rv[mine])
        assert shuffled.spike[mine].sum() == day.spike[mine].sum()
    assert not np.array_equal(shuffled.rv, day.rv)
