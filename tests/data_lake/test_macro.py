"""The SQL macros."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from data_lake.catalog import connect
from data_lake.clock import ManualClock
from data_lake.lake import Lake
from data_lake.macro import MACRO_DOCS, MACROS
from data_lake.tables import BARS_1S, FEATURES_1S, QUOTES, TRADES

HOUR = "2025-11-12-07:00"
MakeRows = Callable[..., Any]
Connection = duckdb.DuckDBPyConnection


@pytest.fixture
def sql(make_trades: MakeRows, make_quotes: MakeRows, make_bars: MakeRows) -> Iterator[Connection]:
    lake = Lake("memory:///")
    lake.replace(TRADES, HOUR, make_trades(HOUR), {})
    lake.replace(QUOTES, HOUR, make_quotes(HOUR), {})
    lake.replace(BARS_1S, HOUR, make_bars(HOUR, count=120), {})
    with connect(lake) as connection:
        yield connection


def test_every_macro_is_documented() -> None:
    for call in MACRO_DOCS:
        assert any(f"CREATE MACRO {call.split('(')[0]}(" in macro for macro in MACROS)
    assert len(MACRO_DOCS) == len(MACROS)


def test_rv_is_the_sum_of_squared_returns(sql: Connection) -> None:
    (found,) = sql.execute("SELECT rv(r) FROM silver.bars_1s").fetchall()
    assert found[0] == pytest.approx(119 * 0.001**2)


def test_resampled_bars_are_named_by_their_close(sql: Connection) -> None:
    query = "SELECT CAST(ts AS VARCHAR), mid_open, mid_close, mid_high, n_trades, bars, rv"
    found = sql.execute(f"{query} FROM resample(INTERVAL 1 MINUTE)").fetchall()
    assert [row[0] for row in found] == ["2025-11-12 07:01:00", "2025-11-12 07:02:00"]
    assert found[0][1:6] == (Decimal("10.005"), Decimal("10.3"), Decimal("10.32"), 60, 60)
    assert found[0][6] == pytest.approx(59 * 0.001**2)


def test_resampling_to_a_second_changes_nothing(sql: Connection) -> None:
    query = (
        "SELECT count(*) FROM resample(INTERVAL 1 SECOND) a JOIN silver.bars_1s b"
        " ON a.product = b.product AND a.ts = CAST(b.ts AS TIMESTAMP)"
        " AND a.mid_close = b.mid_close AND a.n_trades = b.n_trades"
    )
    assert sql.execute(query).fetchone() == (120,)


def test_a_trade_meets_the_quote_in_force_before_it(sql: Connection) -> None:
    """Quotes come on the second, trades 0.12 s later: the same ordinal."""
    query = "SELECT trade_id, bid, ask_size, CAST(ts_quote AS VARCHAR) FROM asof_quotes('BTC-USD')"
    found = sql.execute(query).fetchall()
    assert len(found) == 10
    assert found[3] == (4, Decimal("100.03"), None, "2025-11-12 07:00:03")


def test_a_quote_at_the_very_instant_of_a_trade_is_not_before_it(make_trades: MakeRows) -> None:
    lake = Lake("memory:///")
    trades = make_trades(HOUR, count=2)
    lake.replace(TRADES, HOUR, trades, {})
    times = trades.column("ts_event").to_pylist()
    quotes = pa.table(
        [["BTC-USD"] * 3, [1, 2, 3], [2, 3, 4], [1] * 3, [1] * 3, [0] * 3, [0] * 3,
         [times[0], times[0], times[1]], times[:1] * 3, [1, 2, 1], ["sim"] * 3,
         ["exchange"] * 3, [0] * 3],
        schema=QUOTES.schema,
    )  # fmt: skip
    lake.replace(QUOTES, HOUR, quotes, {})
    with connect(lake) as connection:
        found = connection.execute("SELECT bid FROM asof_quotes('BTC-USD')").fetchall()
    assert found == [(None,), (Decimal(2),)]


def test_the_seed_features_are_shown_and_unknown_ones_are_null(clock: ManualClock) -> None:
    """60 returns of mean m and sum of squares v have variance (v - 60 m^2) / 59; no rv, no std."""
    known = {"rv_60s": [60 * 0.002**2, None], "ret_mean_60s": [0.001, None]}
    columns = [
        {"product": ["BTC-USD"] * 2, "ts": [clock.ns + 1, clock.ns + 2], "source": ["sim"] * 2}
        .get(column.name, known.get(column.name, [0.0] * 2))
        for column in FEATURES_1S.columns
    ]  # fmt: skip
    lake = Lake("memory:///")
    lake.replace(FEATURES_1S, HOUR, pa.table(columns, schema=FEATURES_1S.schema), {})
    with connect(lake) as connection:
        query = "SELECT midprice_return_mean, midprice_return_std FROM gold.seed_features"
        found = connection.execute(query).fetchall()
    assert found[0] == (0.001, pytest.approx((60 * (0.002**2 - 0.001**2) / 59) ** 0.5))
    assert found[1] == (None, None)
