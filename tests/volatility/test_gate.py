"""The gate promotes who has earned it, keeps the linear champion otherwise, and says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from volatility.dataset import Dataset, dataset
from volatility.decision import Criterion, Decision, Limits
from volatility.evaluate import evaluate
from volatility.gate import decide
from volatility.leak import leak_tests
from volatility.split import plan

Market = Callable[..., tuple[Any, Any]]
GREEN = {"purge": True}


def outcomes(decision: Decision) -> dict[str, str]:
    return {c.name: c.outcome for c in decision.criteria}


def criterion(decision: Decision, name: str) -> Criterion:
    return next(c for c in decision.criteria if c.name.startswith(name))


def rescaled(table: Any, model: str, column: str, factor: float) -> Any:
    """The table with one column of one model multiplied."""
    factors = np.where(np.array(pc.equal(table["model"], model)), factor, 1.0)
    place = table.column_names.index(column)
    field = table.schema.field(column)
    return table.set_column(place, field, pc.multiply(table[column], pa.array(factors)))


@pytest.fixture(scope="module")
def hours(day: Dataset) -> Any:
    """Forecasts from a day of recordings: too little to judge."""
    return evaluate(day, plan(day)).table()


@pytest.fixture(scope="module")
def weeks(market: Market) -> Any:
    """Forecasts from two weeks in which trees can see what a linear model cannot."""
    d = dataset(*market(14 * 24.0, hidden=True), 300, 60)
    return evaluate(d, plan(d)).table()


def test_hours_of_recordings_keep_the_linear_champion_and_say_why(hours: Any) -> None:
    decision = decide(hours, "geometric_mean", leak_tests=GREEN)
    assert (decision.verdict, decision.winner) == ("keep", "gamma_har")
    assert decision.reason.startswith(
        f"keep gamma_har: independent 300 s windows {decision.n_independent}, >= 500 needed"
    )
    assert outcomes(decision)["PR-AUC lost to the champion"] == "not testable"
    assert "500 needed" in criterion(decision, "PR-AUC").note


def test_enough_weeks_promote_a_model_that_sees_more(weeks: Any) -> None:
    decision = decide(weeks, "lightgbm", leak_tests=GREEN)
    assert (decision.verdict, decision.winner) == ("promote", "lightgbm")
    assert set(outcomes(decision).values()) == {"passed"}
    assert decision.reason.startswith("promote lightgbm: QLIKE gain against gamma_har 0.")


def test_a_worse_model_is_kept_out_however_long_the_record(weeks: Any) -> None:
    decision = decide(weeks, "ewma", leak_tests=GREEN)
    assert decision.verdict == "keep"
    assert outcomes(decision)["QLIKE gain against gamma_har"] == "failed"
    assert outcomes(decision)["independent 300 s windows"] == "passed"


def test_a_champion_that_is_no_baseline_does_not_excuse_from_the_best_one(weeks: Any) -> None:
    decision = decide(weeks, "lightgbm", "geometric_mean", leak_tests=GREEN)
    names = outcomes(decision)
    assert decision.best_baseline == "gamma_har"
    assert {"QLIKE gain against geometric_mean", "QLIKE gain against gamma_har"} <= set(names)
    assert [f.model for f in decision.figures] == ["lightgbm", "geometric_mean", "gamma_har"]


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        (lambda t: rescaled(t, "lightgbm", "p_spike", 0.3), "calibration error"),
        (lambda t: rescaled(t, "lightgbm", "lo", 2.0), "coverage"),
        (lambda t: rescaled(t, "lightgbm", "rv", 2.5), "QLIKE gain"),
    ],
)
def test_one_failed_criterion_is_enough_to_keep(
    weeks: Any, spoil: Callable[[Any], Any], name: str
) -> None:
    decision = decide(spoil(weeks), "lightgbm", leak_tests=GREEN)
    assert decision.verdict == "keep"
    assert criterion(decision, name).outcome == "failed"


def test_a_pr_auc_below_the_champions_fails(weeks: Any) -> None:
    p = np.array(weeks["p_spike"])
    mine = np.array(pc.equal(weeks["model"], "lightgbm"))
    p[mine] = np.random.default_rng(0).permutation(p[mine])
    place = weeks.column_names.index("p_spike")
    decision = decide(weeks.set_column(place, "p_spike", pa.array(p)), "lightgbm", leak_tests=GREEN)
    assert criterion(decision, "PR-AUC").outcome == "failed"


def test_a_period_far_worse_fails_whatever_the_mean(weeks: Any) -> None:
    late = np.array(weeks["ts"]) > np.quantile(np.array(weeks["ts"]), 0.76)
    mine = np.array(pc.equal(weeks["model"], "lightgbm"))
    rv = np.array(weeks["rv"]) * np.where(late & mine, 2.0, 1.0)
    place = weeks.column_names.index("rv")
    spoiled = weeks.set_column(place, weeks.schema.field("rv"), pa.array(rv))
    worst = criterion(decide(spoiled, "lightgbm", leak_tests=GREEN), "worst quarter")
    assert (worst.outcome, worst.note) == ("failed", "part 4 of 4")


@pytest.mark.parametrize(
    ("tests", "outcome"), [({}, "not testable"), ({"purge": False, "shuffle": True}, "failed")]
)
def test_no_leak_test_or_a_red_one_promotes_nothing(
    weeks: Any, tests: dict[str, bool], outcome: str
) -> None:
    decision = decide(weeks, "lightgbm", leak_tests=tests)
    assert decision.verdict == "keep"
    assert criterion(decision, "leak test").outcome == outcome


def test_a_planted_leak_raises_the_alarm(day: Dataset) -> None:
    """A feature that is the label, as `shift(-1)` would make it, scores too well to be true."""
    planted = replace(
        day,
        names=(*day.names, "shifted"),
        x=np.column_stack([day.x, day.target]),
    )
    table = evaluate(planted, plan(planted)).table()
    alarm = criterion(decide(table, "lightgbm", leak_tests=GREEN), "leak alarm")
    assert (alarm.outcome, alarm.note) == ("failed", "R^2 of lightgbm")
    assert alarm.figure is not None
    assert alarm.figure > 0.9


def test_honest_forecasts_raise_no_alarm(hours: Any, weeks: Any) -> None:
    for table in (hours, weeks):
        assert criterion(decide(table, "lightgbm", leak_tests=GREEN), "leak alarm").outcome == (
            "passed"
        )


def test_the_leak_tests_of_honest_folds_are_green(day: Dataset) -> None:
    assert set(leak_tests(day, plan(day)).values()) == {True}


def test_the_same_rows_give_the_same_decision(hours: Any) -> None:
    shuffled = hours.take(pa.array(np.random.default_rng(0).permutation(hours.num_rows)))
    assert decide(shuffled, "lightgbm", leak_tests=GREEN) == decide(
        hours, "lightgbm", leak_tests=GREEN
    )


def test_limits_are_the_callers_to_set(weeks: Any) -> None:
    strict = Limits(gain=0.99)
    decision = decide(weeks, "lightgbm", leak_tests=GREEN, limits=strict)
    assert criterion(decision, "QLIKE gain").outcome == "failed"


@pytest.mark.parametrize("names", [("garch", "gamma_har"), ("lightgbm", "garch")])
def test_a_model_without_forecasts_is_named(hours: Any, names: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="no forecasts of garch; there are ewma, gamma_har"):
        decide(hours, *names, leak_tests=GREEN)


def test_a_decision_survives_json(hours: Any) -> None:
    decision = decide(hours, "lightgbm", leak_tests=GREEN)
    assert msgspec.json.decode(decision.to_json(), type=Decision) == decision


def test_the_markdown_has_a_row_for_every_criterion(hours: Any) -> None:
    decision = decide(hours, "lightgbm", leak_tests=GREEN)
    text = decision.to_markdown()
    assert text.startswith("**keep**: keep gamma_har:")
    for c in decision.criteria:
        assert f"| {c.name} | " in text
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == len(decision.criteria) + 2
    assert {line.count("|") for line in table} == {6}
