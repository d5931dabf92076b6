"""The tables themselves."""

from __future__ import annotations

import pytest

from data_lake.tables import TABLES, Table

each_table = pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))


@each_table
def test_key_and_time_are_columns_that_are_never_null(table: Table) -> None:
    """But for gaps: those of a connection have no trade ids, and stay apart by time and kind."""
    columns = {column.name: column for column in table.columns}
    nullable = {name for name in (*table.key, table.time) if columns[name].nullable}
    assert nullable == ({"from_trade_id"} if table.path == "silver/gaps" else set())


@each_table
def test_column_names_are_unique_and_documented(table: Table) -> None:
    names = [column.name for column in table.columns]
    assert len(names) == len(set(names))
    assert all(column.doc for column in table.columns)


@each_table
def test_fixed_point_columns_travel_with_their_scale(table: Table) -> None:
    names = {column.name for column in table.columns}
    roles = {column.role for column in table.columns}
    assert ("price_scale" in names) == bool(roles & {"price", "mid2"})
    assert ("size_scale" in names) == ("size" in roles)


@each_table
def test_times_are_int64(table: Table) -> None:
    times = [column for column in table.columns if column.role == "time"]
    assert table.time in [column.name for column in times]
    assert all(str(column.type) == "int64" for column in times)


@each_table
def test_every_row_says_its_source(table: Table) -> None:
    """Gaps are about what was not received; everything else came from somewhere."""
    names = [column.name for column in table.columns]
    assert ("source" in names) == (table.name != "gaps")


@each_table
def test_hourly_tables_are_sorted_by_product_first(table: Table) -> None:
    assert table.layout == "chain" or table.key[0] == "product"


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("silver/trades", "product trade_id price size taker_side ts_event ts_recv source"),
        ("silver/quotes", "product bid ask bid_size ask_size ts_event ts_recv sequence source"),
        ("silver/gaps", "product kind from_trade_id to_trade_id from_ts to_ts detected_at"
         " repaired_at status"),
        ("silver/bars_1s", "product ts"),
        ("gold/features_1s", "product ts"),
        ("gold/labels_1s", "product ts horizon_s rv spike"),
        ("bronze/frames", "offset kafka_ts recv_ts source feed conn frame product payload"),
    ],
)  # fmt: skip
def test_columns_others_rely_on_are_there(path: str, names: str) -> None:
    assert set(names.split()) <= {column.name for column in TABLES[path].columns}
