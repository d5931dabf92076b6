"""Forecasts as rows, and what came of them."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from data_lake.tables import FORECASTS, OUTCOMES
from volatility.baseline import Persistence
from volatility.calibration import Platt
from volatility.forecaster import Forecaster, feature_version
from volatility.interval import Offsets
from volatility.outcome import forecast_rows, outcome_rows

SECOND = 1_000_000_000
NAMES = ("rv_60s", "rv_300s")


@pytest.fixture
def forecaster() -> Forecaster:
    """Persistence over 300 s, trained until t = 10 s."""
    return Forecaster(
        model="persistence",
        fitted=Persistence(column=1, floor=1e-9),
        scale="1s",
        horizon_s=300,
        features=NAMES,
        essential=(1,),
        feature_version=feature_version(NAMES),
        platt=Platt(intercept=0.0, slope=2.0),
        offsets=Offsets(lo=-1.0, centre=0.0, hi=1.0),
        products=("BTC-USD",),
        sources=("sim",),
        n_rows=100,
        step_s=10,
        train_start=0,
        train_end=10 * SECOND,
    )


@pytest.fixture
def features() -> Any:
    """Five rows of two products; one rv is unknown."""
    return pa.table(
        {
            "product": ["BTC-USD"] * 3 + ["ETH-USD"] * 2,
            "ts": [9 * SECOND, 10 * SECOND, 11 * SECOND, 10 * SECOND, 11 * SECOND],
            "rv_60s": [1e-7] * 5,
            "rv_300s": [1e-6, 2e-6, None, 4e-6, 5e-6],
            "source": ["sim"] * 5,
        }
    )


def labels(rows: list[tuple[str, int, float | None, bool | None, float | None]]) -> Any:
    """Labels of 300 s: (product, ts in s, rv, spike, threshold)."""
    columns = list(zip(*rows, strict=True))
    return pa.table(
        {
            "product": pa.array(columns[0], pa.string()),
            "ts": pa.array([ts * SECOND for ts in columns[1]], pa.int64()),
            "horizon_s": pa.array([300] * len(rows), pa.int32()),
            "rv": pa.array(columns[2], pa.float64()),
            "spike": pa.array(columns[3], pa.bool_()),
            "threshold": pa.array(columns[4], pa.float64()),
        }
    )


KNOWN = labels(
    [
        ("BTC-USD", 10, None, None, 2e-6),
        ("ETH-USD", 10, None, None, None),
        ("ETH-USD", 11, None, None, 5e-6),
    ]
)


def test_forecasts_keep_the_contract_of_their_table(features: Any, forecaster: Forecaster) -> None:
    """And leave out the row that lacks an essential feature."""
    rows = forecast_rows(features, KNOWN, forecaster, "volatility_1s_300s/3")
    assert rows.schema.names == FORECASTS.schema.names
    assert [f.type for f in rows.schema] == [f.type for f in FORECASTS.schema]
    assert rows["product"].to_pylist() == ["BTC-USD", "BTC-USD", "ETH-USD", "ETH-USD"]
    assert rows["rv"].to_pylist() == [1e-6, 2e-6, 4e-6, 5e-6]
    assert set(rows["model_version"].to_pylist()) == {"volatility_1s_300s/3"}


def test_a_row_decided_before_training_ended_is_in_sample(
    features: Any, forecaster: Forecaster
) -> None:
    """At the very end the label starts where training data stopped: out of sample."""
    rows = forecast_rows(features, KNOWN, forecaster, "m/1")
    assert rows["in_sample"].to_pylist() == [True, False, False, False]


def test_spike_probabilities_need_a_threshold(features: Any, forecaster: Forecaster) -> None:
    """At the threshold itself this scaling says one half."""
    rows = forecast_rows(features, KNOWN, forecaster, "m/1")
    p = rows["p_spike"].to_pylist()
    assert p[0] is None
    assert p[1] == pytest.approx(0.5)
    assert p[2] is None
    assert p[3] == pytest.approx(0.5)


def test_an_uncalibrated_interval_is_null(features: Any, forecaster: Forecaster) -> None:
    bare = msgspec.structs.replace(forecaster, offsets=None)
    rows = forecast_rows(features, KNOWN, bare, "m/1")
    assert rows["lo"].null_count == rows.num_rows
    outcomes = outcome_rows(rows, labels([("BTC-USD", 10, 1e-6, False, 2e-6)]))
    assert outcomes["covered"].to_pylist() == [None]


def test_an_outcome_is_a_forecast_and_what_happened(features: Any, forecaster: Forecaster) -> None:
    rows = forecast_rows(features, KNOWN, forecaster, "m/1")
    happened = labels(
        [
            ("BTC-USD", 9, 1e-6, False, 2e-6),
            ("BTC-USD", 10, 2e-5, True, 2e-6),
            ("ETH-USD", 10, None, None, None),
            ("ETH-USD", 99, 1e-6, False, 2e-6),
        ]
    )
    outcomes = outcome_rows(rows, happened)
    assert outcomes.schema.names == OUTCOMES.schema.names
    assert [f.type for f in outcomes.schema] == [f.type for f in OUTCOMES.schema]
    assert outcomes["ts"].to_pylist() == [9 * SECOND, 10 * SECOND]
    assert outcomes["rv_realised"].to_pylist() == [1e-6, 2e-5]
    assert outcomes["spike"].to_pylist() == [False, True]
    assert outcomes["covered"].to_pylist() == [True, False]
    qlike = outcomes["qlike"].to_pylist()
    assert qlike[0] == pytest.approx(0.0, abs=1e-12)
    assert qlike[1] == pytest.approx(10 - np.log(10) - 1)


def test_a_realised_variance_of_zero_is_floored_in_the_score(
    features: Any, forecaster: Forecaster
) -> None:
    rows = forecast_rows(features, KNOWN, forecaster, "m/1")
    outcomes = outcome_rows(rows, labels([("BTC-USD", 10, 0.0, False, 2e-6)]))
    assert np.isfinite(outcomes["qlike"].to_pylist()[0])
    assert outcomes["rv_realised"].to_pylist() == [0.0]


def test_nothing_matched_is_an_empty_table(features: Any, forecaster: Forecaster) -> None:
    rows = forecast_rows(features, KNOWN, forecaster, "m/1")
    outcomes = outcome_rows(rows, labels([("SOL-USD", 10, 1e-6, False, 2e-6)]))
    assert outcomes.num_rows == 0
    assert outcomes.schema.names == OUTCOMES.schema.names
