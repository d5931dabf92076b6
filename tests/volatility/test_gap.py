"""Holes in trade ids are found exactly: no false one, none missed."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from data_lake.tables import GAPS
from volatility.gap import find_gaps
from volatility.record import TRADES

ids = st.sets(st.integers(1, 60), max_size=40)


def trades(found: dict[str, set[int] | list[int]]) -> Any:
    """Trades by product and id; trade n happened at 1000 n and was received 7 later."""
    return pa.Table.from_pylist(
        [
            {"product": product, "trade_id": n, "ts_event": 1000 * n, "ts_recv": 1000 * n + 7}
            | {"price": 1, "size": 1, "price_scale": 8, "size_scale": 8, "offset": n}
            | {"taker_side": "buy", "maker_side": "sell", "source": "live", "feed": "exchange"}
            for product, numbers in found.items()
            for n in numbers
        ],
        schema=TRADES,
    )


def test_a_hole_is_one_row() -> None:
    assert find_gaps(trades({"BTC-USD": [4, 5, 9]}), {}).to_pylist() == [
        {
            "product": "BTC-USD",
            "kind": "trade_id",
            "from_trade_id": 6,
            "to_trade_id": 8,
            "missing": 3,
            "from_ts": 5000,
            "to_ts": 9000,
            "detected_at": 9007,
            "repaired_at": None,
            "status": "open",
        }
    ]


def test_the_columns_are_the_lakes() -> None:
    for table in (trades({}), trades({"A-B": [1, 3]})):
        assert find_gaps(table, {}).schema.equals(GAPS.schema.remove_metadata())


@given(ids, ids)
def test_every_missing_id_is_in_exactly_one_hole(one: set[int], other: set[int]) -> None:
    found = find_gaps(trades({"ETH-USD": one, "BTC-USD": other}), {}).to_pylist()
    for product, have in (("ETH-USD", one), ("BTC-USD", other)):
        lost = [
            missing
            for row in found
            if row["product"] == product
            for missing in range(row["from_trade_id"], row["to_trade_id"] + 1)
        ]
        everything = set(range(min(have, default=0), max(have, default=-1) + 1))
        assert sorted(lost) == sorted(everything - have)
    assert [row["product"] for row in found] == sorted(row["product"] for row in found)


@given(ids, st.integers(1, 60))
def test_splitting_the_record_finds_the_same_holes(have: set[int], cut: int) -> None:
    """Hour by hour, each told the newest trade before it, is as good as all at once."""
    before, after = {n for n in have if n < cut}, {n for n in have if n >= cut}
    last = {"A-B": (max(before), 1000 * max(before))} if before else {}
    parts = [find_gaps(trades({"A-B": before}), {}), find_gaps(trades({"A-B": after}), last)]
    assert pa.concat_tables(parts).equals(find_gaps(trades({"A-B": have}), {}))


def test_a_trade_of_the_hour_before_that_comes_second_is_no_hole() -> None:
    """Ids 100 and 102 in this hour, 101 in the one before: nothing is missing."""
    assert find_gaps(trades({"A-B": [100, 102]}), {"A-B": (101, 101_000)}).num_rows == 0


def test_a_product_that_did_not_trade_has_no_hole_yet() -> None:
    assert find_gaps(trades({"A-B": []}), {"A-B": (101, 5), "C-D": (7, 5)}).num_rows == 0


def test_holes_between_trades_of_one_instant_are_told_apart_by_id() -> None:
    """Half of all trades share their time with the one before."""
    same = trades({"A-B": [1, 3, 5]}).to_pydict() | {"ts_event": [7, 7, 7]}
    found = find_gaps(pa.table(same, schema=TRADES), {})
    assert found["from_ts"].to_pylist() == [7, 7]
    assert found["from_trade_id"].to_pylist() == [2, 4]
