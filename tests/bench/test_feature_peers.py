"""Two general engines, told the formulas in their own words, agree with the kernel."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

from volatility.bar import bars_1s
from volatility.column import floats
from volatility.compute import features_1s
from volatility.tick import HOUR_NS, SECOND_NS

BENCH = Path(__file__).resolve().parents[2] / "bench"


def load(name: str) -> ModuleType:
    """A module of the benchmarks, which are scripts and no package."""
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


market, peers = load("market"), load("feature_peers")


@pytest.fixture(scope="module")
def tape() -> Any:
    return market.tape(6000, 2, ("BTC-USD", "ETH-USD"))


@pytest.fixture(scope="module")
def features(tape: Any) -> Any:
    start, end = market.START_NS, market.START_NS + 2 * HOUR_NS
    quotes, trades = tape
    return features_1s(bars_1s(quotes, trades, start, end), start, end)


def by_polars(quotes: Any, trades: Any, start_s: int, end_s: int) -> Any:
    frames = (pl.DataFrame(pl.from_arrow(table)).lazy() for table in (quotes, trades))
    return peers.polars_features(*frames, start_s, end_s)


def by_duckdb(quotes: Any, trades: Any, start_s: int, end_s: int) -> Any:
    with duckdb.connect() as connection:
        connection.register("quotes", quotes)
        connection.register("trades", trades)
        return peers.duckdb_features(connection, start_s, end_s)


@pytest.mark.parametrize("engine", [by_polars, by_duckdb])
def test_a_general_engine_finds_the_same_window_features(
    tape: Any, features: Any, engine: Any
) -> None:
    """To 1e-9 of each column's largest magnitude: DuckDB has no log1p, and its sums drift."""
    start_s = market.START_NS // SECOND_NS
    theirs = engine(*tape, start_s, start_s + 7200)
    assert theirs.num_rows == features.num_rows == 2 * 7200
    assert len(theirs.column_names) == 2 + 65
    for name in theirs.column_names[2:]:
        ours, other = floats(features[name]), floats(theirs[name])
        known = ~np.isnan(ours)
        assert known.sum() >= 2 * 3590, name
        np.testing.assert_allclose(
            other[known], ours[known], rtol=0.0, atol=1e-9 * np.abs(ours[known]).max(), err_msg=name
        )
