"""The leak test catches a leak, and finds none in our features."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from volatility.bar import bars_1s
from volatility.column import floats
from volatility.compute import features_1s
from volatility.label import INPUTS, labels_1s
from volatility.lookahead import changed_columns, scrambled
from volatility.tick import HOUR_NS, SECOND_NS


@pytest.fixture(scope="module")
def bars(make_tape: Any) -> Any:
    tape = make_tape(11, 3.0, 6000, ("BTC-USD", "ETH-USD"))
    return bars_1s(tape.quotes(), tape.trades(), tape.START_NS, tape.START_NS + 3 * HOUR_NS)


@pytest.fixture(scope="module")
def start(new_tape: Any) -> int:
    return int(new_tape.START_NS)


@pytest.mark.parametrize("second", [1, 3599, 3600, 3601, 7777, 10_000])
def test_no_feature_looks_ahead(bars: Any, start: int, second: int) -> None:
    """Whatever happens after T, every feature at T and before keeps its bits."""

    def compute(rows: Any) -> Any:
        return features_1s(rows, start, start + 3 * HOUR_NS)

    assert changed_columns(compute, bars, start + second * SECOND_NS) == []


def test_a_planted_shift_is_caught_by_name(bars: Any, start: int) -> None:
    """`shift(-1)`: the feature of the next row, the seed project's label in disguise."""

    def compute(rows: Any) -> Any:
        features = features_1s(rows, start, start + 3 * HOUR_NS)
        shifted = pa.concat_tables([features.slice(1), features.slice(0, 1)])["rv_60s"]
        return features.append_column("rv_60s_next", shifted)

    assert changed_columns(compute, bars, start + 7000 * SECOND_NS) == ["rv_60s_next"]


def test_a_mean_over_the_whole_sample_is_caught(bars: Any, start: int) -> None:
    def compute(rows: Any) -> Any:
        features = features_1s(rows, start, start + 3 * HOUR_NS)
        rv = floats(features["rv_60s"])
        return features.append_column("z", pa.array(rv - np.nanmean(rv)))

    assert changed_columns(compute, bars, start + 7000 * SECOND_NS) == ["z"]


def test_a_label_looks_ahead_and_its_threshold_does_not(bars: Any, start: int) -> None:
    cut = start + 7000 * SECOND_NS

    def compute(rows: Any) -> Any:
        features = features_1s(rows, start, start + 3 * HOUR_NS)
        labels = labels_1s(features.select(INPUTS), start, start + 3 * HOUR_NS)
        return labels.select(["product", "ts", "rv", "threshold", "warm_up"])

    assert changed_columns(compute, bars, cut) == ["rv"]


def test_scrambling_touches_the_future_only(bars: Any) -> None:
    future = np.arange(bars.num_rows) >= 100
    after = scrambled(bars, future, 0)
    assert after.slice(0, 100).equals(bars.slice(0, 100))
    assert after.select(["product", "ts"]).equals(bars.select(["product", "ts"]))
    assert not after["r"].equals(bars["r"])
    assert not after["n_trades"].equals(bars["n_trades"])
    assert after.schema.types == bars.schema.types


def test_a_computation_whose_rows_depend_on_the_future_is_caught(bars: Any, start: int) -> None:
    def compute(rows: Any) -> Any:
        return rows.select(["product", "ts", "r"]).slice(rows.num_rows // 3)

    assert changed_columns(compute, bars, start + 7000 * SECOND_NS) == ["product", "ts", "r"]
