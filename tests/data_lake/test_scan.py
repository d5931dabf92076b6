"""Arrow datasets over the lake."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from data_lake.lake import Lake
from data_lake.layout import hour_path
from data_lake.scan import path_columns, scan, scan_schema
from data_lake.tables import FRAMES, TABLES, TRADES, Table

HOUR, NEXT = "2025-11-12-07:00", "2025-11-12-08:00"
MakeRows = Callable[..., Any]


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_a_table_never_built_scans_as_no_rows(lake: Lake, table: Table) -> None:
    found = scan(lake, table)
    assert found.schema.equals(scan_schema(table))
    assert found.count_rows() == 0


def test_rows_carry_what_their_path_says(lake: Lake, make_trades: MakeRows) -> None:
    for hour in (HOUR, NEXT):
        lake.replace(TRADES, hour, make_trades(hour, count=1), {})
    rows = scan(lake, TRADES).to_table(columns=["date", "hour"]).to_pylist()
    day = datetime.date(2025, 11, 12)
    assert rows == [{"date": day, "hour": 7}, {"date": day, "hour": 8}]


def test_times_are_timestamps_of_the_same_instant(lake: Lake, make_trades: MakeRows) -> None:
    rows = make_trades(HOUR)
    lake.replace(TRADES, HOUR, rows, {})
    times = scan(lake, TRADES).to_table(columns=["ts_event"]).column("ts_event")
    assert times.type == pa.timestamp("ns")
    assert times.cast(pa.int64()).to_pylist() == rows.column("ts_event").to_pylist()


def test_a_filter_on_the_hour_leaves_other_files_closed(lake: Lake, make_trades: MakeRows) -> None:
    lake.replace(TRADES, HOUR, make_trades(HOUR), {})
    lake.replace(TRADES, NEXT, make_trades(NEXT), {})
    lake.storage.replace(hour_path(TRADES, NEXT), b"torn")
    assert scan(lake, TRADES).count_rows(filter=ds.field("hour") == 7) == 10


def test_chains_and_hours_add_their_own_columns() -> None:
    assert path_columns(FRAMES) == ("topic", "epoch", "partition", "date")
    assert path_columns(TRADES) == ("date", "hour")
