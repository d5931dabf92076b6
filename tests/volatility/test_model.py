"""The battery: what every model of the roster must do."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from volatility.array import Ints
from volatility.bundle import dump, load
from volatility.dataset import Dataset
from volatility.evaluate import Evaluation, evaluate
from volatility.forecaster import train
from volatility.model import BASELINES, CHALLENGER, CHAMPION_ZERO, REFERENCE, ROSTER, fit_model
from volatility.split import plan

every_model = pytest.mark.parametrize("model", list(ROSTER))


@pytest.fixture(scope="module")
def rows(day: Dataset) -> tuple[Ints, Ints]:
    fold = plan(day)[-1]
    return fold.train, fold.test


@pytest.fixture(scope="module")
def evaluation(day: Dataset) -> Evaluation:
    return evaluate(day, plan(day, folds=2))


@every_model
def test_forecasts_are_positive_and_finite(
    model: str, day: Dataset, rows: tuple[Ints, Ints]
) -> None:
    forecast = fit_model(model, day, rows[0]).forecast(day.x[rows[1]])
    assert forecast.shape == rows[1].shape
    assert (forecast >= day.floor).all()
    assert np.isfinite(forecast).all()


@every_model
def test_fitting_twice_gives_the_same_model(
    model: str, day: Dataset, rows: tuple[Ints, Ints]
) -> None:
    assert fit_model(model, day, rows[0]) == fit_model(model, day, rows[0])


@every_model
def test_a_row_is_forecast_alike_alone_shuffled_and_in_company(
    model: str, day: Dataset, rows: tuple[Ints, Ints]
) -> None:
    """Bit for bit: the scorer asks for one row, the batch job for an hour of them."""
    fitted, x = fit_model(model, day, rows[0]), day.x[rows[1]]
    together = fitted.forecast(x)
    alone = np.concatenate([fitted.forecast(x[i : i + 1]) for i in range(50)])
    order = np.random.default_rng(5).permutation(len(x))
    assert np.array_equal(alone, together[:50])
    assert np.array_equal(fitted.forecast(x[order]), together[order])
    assert np.array_equal(fitted.forecast(np.asfortranarray(x)), together)


@every_model
def test_labels_outside_the_training_rows_are_not_looked_at(
    model: str, day: Dataset, rows: tuple[Ints, Ints]
) -> None:
    outside = np.ones(day.n, np.bool_)
    outside[rows[0]] = False
    spoiled = replace(
        day,
        rv=np.where(outside, 1.0, day.rv),
        threshold=np.where(outside, np.nan, day.threshold),
        spike=day.spike & ~outside,
    )
    assert fit_model(model, spoiled, rows[0]) == fit_model(model, day, rows[0])


@every_model
def test_features_outside_the_training_rows_are_not_looked_at(
    model: str, day: Dataset, rows: tuple[Ints, Ints]
) -> None:
    x = day.x.copy()
    outside = np.setdiff1d(np.arange(day.n), rows[0])
    x[outside] = 1.0
    assert fit_model(model, replace(day, x=x), rows[0]) == fit_model(model, day, rows[0])


@every_model
def test_a_bundle_forecasts_bit_for_bit_like_the_model_it_was_made_from(
    model: str, day: Dataset, evaluation: Evaluation
) -> None:
    forecaster = train(model, day, evaluation)
    copy = load(dump(forecaster), day.names)
    assert copy == forecaster
    ours, theirs = (f.forecast(day.x, day.threshold) for f in (forecaster, copy))
    for name in ("rv", "lo", "hi", "p_spike"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name), equal_nan=True)


@every_model
def test_a_market_that_never_moves_is_forecast_at_the_floor(
    model: str, day: Dataset, rows: tuple[Ints, Ints]
) -> None:
    still = replace(day, x=np.zeros_like(day.x), rv=np.zeros(day.n))
    fitted = fit_model(model, still, rows[0])
    assert fitted.forecast(still.x[:5]) == pytest.approx(np.full(5, day.floor))


@every_model
def test_each_name_is_its_own_kind_of_model(model: str, day: Dataset) -> None:
    fitted = fit_model(model, day, np.arange(day.n))
    tag = "lightgbm" if model == "geometric_mean" else model
    assert fitted.__struct_config__.tag == tag


def test_the_roster_knows_its_baselines_champion_and_challenger() -> None:
    assert {*BASELINES, CHAMPION_ZERO, CHALLENGER, REFERENCE} <= set(ROSTER)
    assert CHALLENGER not in BASELINES


def test_an_unknown_model_is_refused_by_name(day: Dataset) -> None:
    with pytest.raises(ValueError, match="no model 'garch'; there are persistence, ewma"):
        fit_model("garch", day, np.arange(day.n))


def test_importing_the_models_imports_no_learning_library() -> None:
    code = (
        "import sys, volatility.bundle, volatility.gate, volatility.leak;"
        "print({'sklearn', 'lightgbm', 'pandas', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
