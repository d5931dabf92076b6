"""The list of features, and the names this project began with."""

from __future__ import annotations

import math
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from volatility.bar import bars_1s
from volatility.compute import features_1s
from volatility.feature import FAMILIES, FEATURES, HORIZONS_S, SEED_FEATURES, WINDOWS_S
from volatility.tick import HOUR_NS


def test_there_are_seventy_features_family_by_family() -> None:
    assert len(FEATURES) == 13 * 5 + 3 + 2 == 70
    assert list(FEATURES)[:65] == [f"{f}_{w}s" for f in FAMILIES for w in WINDOWS_S]


def test_every_horizon_is_a_window_too() -> None:
    assert set(HORIZONS_S) <= set(WINDOWS_S)


def test_the_first_five_features_follow_from_the_seventy(new_tape: Any) -> None:
    """Recomputed from the bars of one minute with the textbook formulas."""
    tape = new_tape()
    for second in range(-10, 70):
        tape.quote(second + 0.5, 99.0 + second % 3, 101.0 + second % 5, 3.0, 1.0)
        tape.trade(second + 0.6, 0.25)
    start = tape.START_NS
    bars = bars_1s(tape.quotes(), tape.trades(), start, start + 60 * 10**9)
    rows = features_1s(bars, start, start + HOUR_NS).slice(59, 1)
    listed = ", ".join(f"{sql} AS {name}" for name, sql in SEED_FEATURES.items())
    with duckdb.connect() as connection:
        connection.register("features", pa.table(rows))
        found = connection.sql(f"SELECT {listed} FROM features").to_arrow_table().to_pylist()[0]
    r = bars["r"].to_pylist()
    mean = math.fsum(r) / 60
    spread = math.fsum(bars["spread_bps"].to_pylist()) / 60
    assert found["midprice_return_mean"] == pytest.approx(mean, rel=1e-12)
    deviation = math.sqrt(math.fsum((x - mean) ** 2 for x in r) / 59)
    assert found["midprice_return_std"] == pytest.approx(deviation, rel=1e-12)
    assert found["bid_ask_spread"] == pytest.approx(spread, rel=1e-12)
    assert found["order_book_imbalance"] == pytest.approx(spread / 1e4, rel=1e-12)
    assert found["trade_intensity"] == 1.0
    assert found["top_of_book_imbalance"] == 0.5
