"""One table of forecasts, one row of figures per model, all on the same rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, mean_gamma_deviance

from volatility.array import Vector
from volatility.dataset import SECOND_NS
from volatility.evaluate import FORECASTS_SCHEMA
from volatility.scorecard import Figures, read_scored, summary

Spoil = Callable[[Any], Any]


def forecasts(model: str, error: float, n: int = 2_000, seed: int = 0) -> Any:
    """A market whose log rv is noise; a model that knows it up to `error`."""
    outcome, own = np.random.default_rng(seed), np.random.default_rng(len(model))
    label = np.exp(outcome.standard_normal(n) - 14.0)
    rv: Vector = label * np.exp(error * own.standard_normal(n) - error**2 / 2.0)
    threshold = np.quantile(label, 0.9)
    rows = {
        "product": ["BTC-USD", "ETH-USD"] * (n // 2),
        "ts": np.repeat(np.arange(n // 2), 2) * 300 * SECOND_NS,
        "horizon_s": np.full(n, 300, np.int32),
        "model": [model] * n,
        "fold": np.ones(n, np.int32),
        "rv": rv,
        "log_rv": np.log(rv),
        "lo": rv * np.exp(-1.645 * max(error, 0.05)),
        "hi": rv * np.exp(1.645 * max(error, 0.05)),
        "p_spike": np.clip(0.5 + 0.3 * np.log(rv / threshold), 0.01, 0.99),
        "label": label,
        "spike": label > threshold,
        "onset": np.arange(n) % 2 == 0,
    }
    return pa.table(rows, schema=FORECASTS_SCHEMA)


@pytest.fixture(scope="module")
def three() -> Any:
    parts = [forecasts("log_har", 0.5), forecasts("good", 0.3), forecasts("poor", 0.9)]
    return pa.concat_tables(parts)


def sooner(table: Any) -> Any:
    """The same rows, said to look a minute ahead."""
    minute = pa.array(np.full(table.num_rows, 60, np.int32))
    return table.set_column(2, table.schema.field("horizon_s"), minute)


def by_model(table: Any) -> dict[str, Figures]:
    return {f.model: f for f in summary(table)}


def test_models_are_listed_best_first(three: Any) -> None:
    assert [f.model for f in summary(three)] == ["good", "log_har", "poor"]


def test_figures_agree_with_scikit_learn(three: Any) -> None:
    good = by_model(three)["good"]
    rows = forecasts("good", 0.3)
    label, rv, p = (np.array(rows[name]) for name in ("label", "rv", "p_spike"))
    spike = label > np.quantile(label, 0.9)
    assert 2.0 * good.qlike == pytest.approx(mean_gamma_deviance(label, rv))
    assert good.pr_auc == pytest.approx(average_precision_score(spike, p))
    assert good.brier == pytest.approx(brier_score_loss(spike, p))
    assert (good.n, good.n_independent) == (2_000, 1_000)
    assert good.base_rate == pytest.approx(0.1)


def test_gains_are_against_log_har_and_it_has_none_itself(three: Any) -> None:
    found = by_model(three)
    good, poor, reference = found["good"], found["poor"], found["log_har"]
    assert good.gain == pytest.approx(1.0 - good.qlike / reference.qlike)
    assert good.gain_lo is not None
    assert good.gain_lo < (good.gain or 0.0) < (good.gain_hi or 0.0)
    assert (good.dm_t or 0.0) < -1.65 < 1.65 < (poor.dm_t or 0.0)
    assert (reference.gain, reference.dm_t) == (None, None)


def test_coverage_of_a_true_interval_is_nine_in_ten(three: Any) -> None:
    assert by_model(three)["log_har"].coverage == pytest.approx(0.9, abs=0.1)


def test_a_small_sample_states_no_pr_auc_but_why(three: Any) -> None:
    few = pa.concat_tables([forecasts(m, 0.5, n=200) for m in ("log_har", "good")])
    for figures in summary(few):
        assert (figures.pr_auc, figures.onset_pr_auc) == (None, None)
        assert figures.refusal is not None
        assert figures.refusal.startswith("100 independent 300 s windows, 500 needed")


def test_probabilities_are_scored_where_every_model_has_one(three: Any) -> None:
    place = three.column_names.index("p_spike")
    hole = np.array(three["p_spike"])
    hole[:100] = np.nan
    rows = three.set_column(place, "p_spike", pa.array(hole, mask=np.isnan(hole)))
    expected = by_model(rows)
    assert expected["good"].n == 2_000
    spikes = np.array(forecasts("good", 0.3)["spike"])[100:]
    assert expected["good"].base_rate == expected["poor"].base_rate == pytest.approx(spikes.mean())


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda t: t.slice(0, 0), "no scored forecasts"),
        (lambda t: t.slice(1), "not scored on the same rows"),
        (lambda t: pa.concat_tables([t, t]), "a decision twice"),
        (lambda t: pa.concat_tables([t, sooner(t)]), r"several horizons: \[60, 300\]"),
    ],
)
def test_rows_that_cannot_be_compared_are_refused(three: Any, spoil: Spoil, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_scored(spoil(three))


def test_the_order_of_the_rows_changes_no_figure(three: Any) -> None:
    order = np.random.default_rng(1).permutation(three.num_rows)
    assert summary(three.take(pa.array(order))) == summary(three)
