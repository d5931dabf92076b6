"""What a table's contract lets in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_lake.contract import conform
from data_lake.layout import HOUR_NS, hour_bounds
from data_lake.tables import BARS_1S, TRADES, Column, Table
from volatility.errors import ContractError

HOUR = "2025-11-12-07:00"
START, END = hour_bounds(HOUR)
MakeRows = Callable[..., Any]
PAIRS = Table(
    "gold",
    "pairs",
    "A small table.",
    ("product", "ts"),
    (Column("product", pa.string(), "pair"), Column("ts", pa.int64(), "instant")),
)


def _with(rows: Any, name: str, cells: Sequence[object]) -> Any:
    index = rows.column_names.index(name)
    return rows.set_column(index, name, [pa.array(cells, rows.schema.field(name).type)])


def test_sound_rows_come_back_in_the_table_schema(make_trades: MakeRows) -> None:
    rows = make_trades(HOUR)
    loose = pa.table({name: rows.column(name) for name in rows.column_names})
    assert loose.schema != TRADES.schema
    assert conform(TRADES, HOUR, loose).schema == TRADES.schema


def test_no_rows_are_sound() -> None:
    assert conform(TRADES, HOUR, TRADES.schema.empty_table()).num_rows == 0


@pytest.mark.parametrize(
    ("name", "cells", "rule"),
    [
        ("product", ["btc-usd"] * 3, "BASE-QUOTE"),
        ("product", ["../../x"] * 3, "BASE-QUOTE"),
        ("taker_side", ["buy", "BUY", "sell"], "one of buy, sell"),
        ("source", ["sim", "live", "dream"], "one of live"),
        ("price_scale", [8, 8, 13], "scale <= 12"),
        ("size_scale", [-1, 8, 8], "0 <= scale"),
        ("price", [1, None, 3], "not null"),
        ("trade_id", [1, 1, 2], "unique"),
        ("trade_id", [2, 1, 3], "sorted"),
        ("ts_event", [START - 1, START, START], "<= ts_event <"),
        ("ts_event", [START, START, END], "<= ts_event <"),
    ],
)
def test_a_broken_rule_is_named_with_its_column_and_rows(
    make_trades: MakeRows, name: str, cells: list[object], rule: str
) -> None:
    with pytest.raises(ContractError, match=rule) as caught:
        conform(TRADES, HOUR, _with(make_trades(HOUR, count=3), name, cells))
    assert name in caught.value.column
    assert caught.value.bad_rows in (1, 3)
    assert caught.value.table == "silver/trades"


def test_a_wrong_type_is_named(make_trades: MakeRows) -> None:
    rows = make_trades(HOUR, count=2)
    index = rows.column_names.index("price")
    floats = rows.set_column(index, "price", [pa.array([1.0, 2.0])])
    with pytest.raises(
        ContractError, match=r"silver/trades\.price: 2 rows break `type is int64, not double"
    ):
        conform(TRADES, HOUR, floats)


def test_a_source_may_be_null_only_where_the_table_says_so(
    make_bars: MakeRows, make_trades: MakeRows
) -> None:
    """A bar before the first event rests on no source yet; a trade always has one."""
    bars = _with(make_bars(HOUR, count=2), "source", [None, "sim"])
    assert conform(BARS_1S, HOUR, bars).num_rows == 2
    with pytest.raises(ContractError, match="not null"):
        conform(TRADES, HOUR, _with(make_trades(HOUR, count=2), "source", [None, "sim"]))


def test_a_missing_column_is_named(make_trades: MakeRows) -> None:
    with pytest.raises(ContractError, match=r"silver/trades\.feed"):
        conform(TRADES, HOUR, make_trades(HOUR).drop(["feed"]))


def test_columns_out_of_order_are_refused(make_trades: MakeRows) -> None:
    rows = make_trades(HOUR)
    with pytest.raises(ContractError, match="their order"):
        conform(TRADES, HOUR, rows.select(rows.column_names[::-1]))


def test_a_bar_belongs_to_the_hour_it_opens_in(make_bars: MakeRows) -> None:
    rows = make_bars(HOUR, count=2)
    assert conform(BARS_1S, HOUR, _with(rows, "ts", [START + 1, START + HOUR_NS])).num_rows == 2
    for ts in (START, START + HOUR_NS + 1):
        with pytest.raises(ContractError, match=r"< ts <="):
            conform(BARS_1S, HOUR, _with(rows, "ts", sorted([START + 5, ts])))


keys = st.tuples(st.sampled_from(["A-B", "A-C", "B-A"]), st.integers(START + 1, START + 4))


@given(rows=st.lists(keys))
def test_rows_pass_exactly_when_sorted_and_unique(rows: list[tuple[str, int]]) -> None:
    columns = [[product for product, _ in rows], [ts for _, ts in rows]]
    table = pa.table(columns, schema=PAIRS.schema)
    try:
        conform(PAIRS, HOUR, table)
    except ContractError:
        assert rows != sorted(set(rows))
    else:
        assert rows == sorted(set(rows))
