"""The footer of a partition file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from data_lake.manifest import code_version, describe
from data_lake.tables import BARS_1S, TRADES

HOUR = "2025-11-12-07:00"
MakeRows = Callable[..., Any]


def test_the_code_version_names_release_and_sources() -> None:
    release, _, digest = code_version().partition("+")
    assert release[0].isdigit()
    assert len(digest) == 12


def test_equal_rows_have_equal_manifests(make_trades: MakeRows) -> None:
    one = describe(TRADES, HOUR, make_trades(HOUR), {"b": "2", "a": "1"})
    other = describe(TRADES, HOUR, make_trades(HOUR).slice(0), {"a": "1", "b": "2"})
    assert one == other


def test_no_rows_have_no_spans() -> None:
    assert describe(TRADES, HOUR, TRADES.schema.empty_table(), {}).spans == {}


def test_only_trades_span_trade_ids(make_bars: MakeRows) -> None:
    span = describe(BARS_1S, HOUR, make_bars(HOUR, count=5), {}).spans["BTC-USD"]
    assert (span.rows, span.first_trade_id, span.last_trade_id) == (5, None, None)


def test_the_newest_trade_is_the_one_with_the_highest_id(make_trades: MakeRows) -> None:
    """Trade ids order trades; their times may not."""
    rows = make_trades(HOUR, count=3)
    times = rows.column("ts_event").to_pylist()
    index = rows.column_names.index("ts_event")
    field = TRADES.schema.field("ts_event")
    rows = rows.set_column(index, field, [[times[0], times[2], times[1]]])
    span = describe(TRADES, HOUR, rows, {}).spans["BTC-USD"]
    assert (span.last_ts, span.last_trade_ts) == (times[2], times[1])
