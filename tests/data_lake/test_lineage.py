"""What an hour was made from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from data_lake.bronze import BronzeWriter
from data_lake.lake import Lake
from data_lake.layout import hour_bounds
from data_lake.lineage import inputs, moved
from data_lake.tables import BARS_1S, FRAMES, TRADES, Table
from volatility.frame import Frame

HOUR, BEFORE = "2025-11-12-07:00", "2025-11-12-06:00"
START = hour_bounds(HOUR)[0]
MakeRows = Callable[..., Any]


@pytest.fixture
def built(
    lake: Lake,
    make_frame: Callable[..., Frame],
    make_writer: Callable[..., BronzeWriter],
    make_trades: MakeRows,
    make_bars: MakeRows,
) -> Lake:
    """Frames, trades made from them, bars made from trades of two hours, one of them missing."""
    writer = make_writer(lake)
    writer.append(make_frame(0), 0, START)
    writer.flush()
    lake.replace(TRADES, HOUR, make_trades(HOUR), inputs(lake, [(FRAMES, HOUR)]))
    sources = inputs(lake, [(TRADES, BEFORE), (TRADES, HOUR)])
    lake.replace(BARS_1S, HOUR, make_bars(HOUR), sources)
    return lake


def is_stale(lake: Lake, table: Table) -> bool:
    """Whether an input of the hour is no longer what it was made from."""
    manifest = lake.manifest(table, HOUR)
    assert manifest is not None
    return bool(moved(lake, manifest))


def test_inputs_are_fingerprints_by_table_and_hour(built: Lake) -> None:
    found = inputs(built, [(FRAMES, HOUR), (TRADES, HOUR), (TRADES, BEFORE)])
    manifest = built.manifest(TRADES, HOUR)
    assert manifest is not None
    assert list(found) == [
        f"bronze/frames/{HOUR}",
        f"silver/trades/{HOUR}",
        f"silver/trades/{BEFORE}",
    ]
    assert found[f"silver/trades/{HOUR}"] == manifest.sha256
    assert found[f"silver/trades/{BEFORE}"] == ""
    assert len(found[f"bronze/frames/{HOUR}"]) == 64


def test_what_was_just_built_is_not_stale(built: Lake) -> None:
    assert not is_stale(built, TRADES)
    assert not is_stale(built, BARS_1S)


def test_a_late_frame_makes_its_hour_stale(
    built: Lake, make_frame: Callable[..., Frame], make_writer: Callable[..., BronzeWriter]
) -> None:
    writer = make_writer(built)
    writer.append(make_frame(1), 1, START)
    writer.flush()
    assert is_stale(built, TRADES)
    assert not is_stale(built, BARS_1S)


def test_other_input_rows_make_an_hour_stale(built: Lake, make_trades: MakeRows) -> None:
    built.replace(TRADES, HOUR, make_trades(HOUR, count=3), inputs(built, [(FRAMES, HOUR)]))
    manifest = built.manifest(BARS_1S, HOUR)
    assert manifest is not None
    assert moved(built, manifest) == [f"silver/trades/{HOUR}"]
    assert is_stale(built, BARS_1S)


def test_an_input_that_appears_later_makes_an_hour_stale(
    built: Lake, make_trades: MakeRows
) -> None:
    built.replace(TRADES, BEFORE, make_trades(BEFORE), {})
    assert is_stale(built, BARS_1S)


def test_other_code_makes_an_hour_stale(built: Lake) -> None:
    manifest = built.manifest(TRADES, HOUR)
    assert manifest is not None
    older = msgspec.structs.replace(manifest, code_version="0+000000000000")
    assert moved(built, older) == []
    assert older.code_version != manifest.code_version


def test_an_input_that_is_no_hour_is_the_builders_business(
    built: Lake, make_trades: MakeRows
) -> None:
    manifest = built.replace(TRADES, HOUR, make_trades(HOUR), {"silver/trades/month": "x"})
    assert moved(built, manifest) == []
