"""What a trained forecaster says, and what it admits not to know."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from volatility.dataset import Dataset
from volatility.errors import ModelError
from volatility.evaluate import Evaluation, evaluate
from volatility.feature import FEATURES
from volatility.forecaster import Forecaster, feature_version, train
from volatility.model import ROSTER
from volatility.split import plan


@pytest.fixture(scope="module")
def evaluation(day: Dataset) -> Evaluation:
    return evaluate(day, plan(day, folds=2), roster={"gamma_har": ROSTER["gamma_har"]})


@pytest.fixture(scope="module")
def forecaster(day: Dataset, evaluation: Evaluation) -> Forecaster:
    return train("gamma_har", day, evaluation)


def test_intervals_hold_the_forecast_and_probabilities_are_probabilities(
    day: Dataset, forecaster: Forecaster
) -> None:
    said = forecaster.forecast(day.x, day.threshold)
    known = day.has_threshold
    assert ((said.lo < said.rv) & (said.rv < said.hi)).all()
    assert ((said.p_spike[known] > 0.0) & (said.p_spike[known] < 1.0)).all()
    assert np.isnan(said.p_spike[~known]).all()


def test_without_a_threshold_there_is_no_probability(day: Dataset, forecaster: Forecaster) -> None:
    assert np.isnan(forecaster.forecast(day.x).p_spike).all()


def test_a_row_that_lacks_an_rv_window_has_no_forecast(
    day: Dataset, forecaster: Forecaster
) -> None:
    x = day.x[:3].copy()
    x[1, day.names.index("rv_3600s")] = np.nan
    said = forecaster.forecast(x, day.threshold[:3])
    for column in (said.rv, said.lo, said.hi, said.p_spike):
        assert np.isnan(column[1])
    assert np.isfinite(said.rv[[0, 2]]).all()


def test_a_matrix_of_another_width_is_refused(day: Dataset, forecaster: Forecaster) -> None:
    with pytest.raises(ModelError, match=rf"wants \[n, {day.x.shape[1]}\] features, got"):
        forecaster.forecast(day.x[:5, :-1])


def test_an_uncalibrated_forecaster_gives_the_forecast_alone(
    day: Dataset, forecaster: Forecaster
) -> None:
    bare = msgspec.structs.replace(forecaster, platt=None, offsets=None)
    said = bare.forecast(day.x[:2], day.threshold[:2])
    assert np.isfinite(said.rv).all()
    for column in (said.lo, said.hi, said.p_spike):
        assert np.isnan(column).all()


def test_it_remembers_what_it_was_trained_on(day: Dataset, forecaster: Forecaster) -> None:
    assert forecaster.train_start == day.ts.min()
    assert forecaster.train_end == day.label_end.max()
    assert (forecaster.n_rows, forecaster.products) == (day.n, day.products)
    assert forecaster.sources == ("sim",)


def test_a_model_that_was_not_evaluated_is_not_trained(
    day: Dataset, evaluation: Evaluation
) -> None:
    with pytest.raises(ModelError, match="lightgbm: was not evaluated; gamma_har were"):
        train("lightgbm", day, evaluation)


def test_a_calm_day_without_spikes_calibrates_nothing(day: Dataset) -> None:
    calm = replace(day, spike=np.zeros(day.n, np.bool_))
    seen = evaluate(calm, plan(calm, folds=2), roster={"gamma_har": ROSTER["gamma_har"]})
    assert train("gamma_har", calm, seen).platt is None


def test_the_feature_version_follows_names_and_order() -> None:
    names = tuple(FEATURES)
    assert feature_version(names) == feature_version(list(names))
    assert feature_version(names) != feature_version(names[::-1])
    assert feature_version(names) != feature_version(names[1:])
