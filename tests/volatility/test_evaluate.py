"""Walk-forward: every model on the same rows, none of which it had seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from volatility.dataset import Dataset
from volatility.errors import ModelError
from volatility.evaluate import FORECASTS_SCHEMA, Evaluation, evaluate
from volatility.model import ROSTER
from volatility.split import plan

LINEAR = {name: ROSTER[name] for name in ("persistence", "log_har", "gamma_har")}


@pytest.fixture(scope="module")
def evaluation(day: Dataset) -> Evaluation:
    return evaluate(day, plan(day), roster=LINEAR)


def test_every_model_forecasts_the_same_rows(day: Dataset, evaluation: Evaluation) -> None:
    table = evaluation.table()
    scored = sum(len(fold.test) for fold in plan(day)[1:])
    assert table.schema == FORECASTS_SCHEMA
    assert table.num_rows == scored * len(LINEAR)
    keys = {
        name: [(r["product"], r["ts"]) for r in table.to_pylist() if r["model"] == name]
        for name in LINEAR
    }
    assert keys["persistence"] == keys["log_har"] == keys["gamma_har"]
    assert len(set(keys["log_har"])) == scored


def test_the_calibration_fold_is_not_scored(day: Dataset, evaluation: Evaluation) -> None:
    folds = plan(day)
    table = evaluation.table()
    assert min(table["ts"].to_pylist()) == int(day.ts[folds[1].test[0]])
    assert set(table["fold"].to_pylist()) == {1, 2, 3, 4}


def test_every_scored_row_has_interval_probability_and_outcome(evaluation: Evaluation) -> None:
    table = evaluation.table()
    assert [table[name].null_count for name in table.column_names] == [0] * len(table.column_names)
    lo, rv, hi = (np.array(table[name]) for name in ("lo", "rv", "hi"))
    assert ((lo < rv) & (rv < hi)).all()
    p = np.array(table["p_spike"])
    assert ((p > 0.0) & (p < 1.0)).all()


def test_the_future_changes_no_forecast_probability_or_interval(
    day: Dataset, evaluation: Evaluation
) -> None:
    """Spoil every label from the last fold on: what was said up to its start stays, bit for bit."""
    last = plan(day)[-1]
    future = day.label_end > last.start
    spoiled = replace(
        day,
        rv=np.where(future, day.rv * 1e3, day.rv),
        spike=np.where(future, ~day.spike, day.spike),
    )
    other = evaluate(spoiled, plan(day), roster=LINEAR)
    past = other.rows.ts <= last.start
    for name, track in evaluation.tracks.items():
        theirs = other.tracks[name]
        assert np.array_equal(theirs.rv, track.rv)
        assert np.array_equal(theirs.p_spike, track.p_spike, equal_nan=True)
        assert np.array_equal(theirs.offsets[past], track.offsets[past], equal_nan=True)


def test_a_row_without_a_threshold_is_neither_spike_nor_probability(day: Dataset) -> None:
    blind = np.arange(day.n) % 7 == 0
    gappy = replace(
        day,
        threshold=np.where(blind, np.nan, day.threshold),
        spike=day.spike & ~blind,
    )
    table = evaluate(gappy, plan(gappy), roster={"log_har": ROSTER["log_har"]}).table()
    assert table["spike"].null_count > 0
    assert table["spike"].null_count == table["p_spike"].null_count == table["onset"].null_count


def test_persistence_loses_to_heterogeneous_windows(evaluation: Evaluation) -> None:
    """The simulated market has slow and fast variance, so one window cannot be enough."""
    rows, scored = evaluation.rows, evaluation.fold > 0
    loss = {
        name: float((rows.target / t.rv - np.log(rows.target / t.rv) - 1.0)[scored].mean())
        for name, t in evaluation.tracks.items()
    }
    assert loss["log_har"] < 0.9 * loss["persistence"]
    assert loss["gamma_har"] < 0.9 * loss["persistence"]


def test_progress_is_told_after_every_fit(day: Dataset) -> None:
    told: list[tuple[str, int, int]] = []
    evaluate(
        day,
        plan(day, folds=2),
        roster={"ewma": ROSTER["ewma"]},
        progress=lambda model, fold, folds: told.append((model, fold, folds)),
    )
    assert told == [("ewma", 0, 3), ("ewma", 1, 3), ("ewma", 2, 3)]


def test_too_few_folds_are_refused(day: Dataset) -> None:
    with pytest.raises(ModelError, match="calibrate, then score"):
        evaluate(day, plan(day)[:1])
