"""Hours of tables: read whole, replaced whole."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_lake.lake import Lake
from data_lake.layout import hour_path
from data_lake.tables import BARS_1S, QUOTES, TRADES
from volatility.errors import ContractError, LakeError

HOUR, NEXT = "2025-11-12-07:00", "2025-11-12-08:00"
MakeRows = Callable[..., Any]


def test_what_is_replaced_is_what_is_read(lake: Lake, make_trades: MakeRows) -> None:
    rows = make_trades(HOUR)
    lake.replace(TRADES, HOUR, rows, {})
    assert lake.read(TRADES, HOUR).equals(rows)
    assert lake.read(TRADES, HOUR, ["size", "price"]).equals(rows.select(["size", "price"]))


def test_an_hour_never_built_is_named(lake: Lake) -> None:
    with pytest.raises(LakeError, match="silver/trades/date=2025-11-12/hour=07") as caught:
        lake.read(TRADES, HOUR)
    assert "does not exist" in str(caught.value)
    assert lake.manifest(TRADES, HOUR) is None


def test_replacing_leaves_nothing_of_the_old_rows(lake: Lake, make_trades: MakeRows) -> None:
    lake.replace(TRADES, HOUR, make_trades(HOUR, count=10), {})
    lake.replace(TRADES, HOUR, make_trades(HOUR, count=4), {})
    assert lake.read(TRADES, HOUR).num_rows == 4


def test_the_same_rows_twice_leave_the_file_alone(lake: Lake, make_trades: MakeRows) -> None:
    first = lake.replace(TRADES, HOUR, make_trades(HOUR), {"silver/x": "1"})
    entry = lake.storage.find(hour_path(TRADES, HOUR))
    second = lake.replace(TRADES, HOUR, make_trades(HOUR), {"silver/x": "1"})
    assert (first.changed, second.changed) == (True, False)
    assert first.sha256 == second.sha256
    assert lake.storage.find(hour_path(TRADES, HOUR)) == entry


def test_other_inputs_are_recorded_though_the_rows_are_the_same(
    lake: Lake, make_trades: MakeRows
) -> None:
    lake.replace(TRADES, HOUR, make_trades(HOUR), {"silver/x": "1"})
    again = lake.replace(TRADES, HOUR, make_trades(HOUR), {"silver/x": "2"})
    assert not again.changed
    manifest = lake.manifest(TRADES, HOUR)
    assert manifest is not None
    assert manifest.inputs == {"silver/x": "2"}


def test_other_rows_are_a_change(lake: Lake, make_trades: MakeRows) -> None:
    lake.replace(TRADES, HOUR, make_trades(HOUR, count=3), {})
    assert lake.replace(TRADES, HOUR, make_trades(HOUR, count=4), {}).changed


def test_rows_that_break_the_contract_touch_nothing(lake: Lake, make_trades: MakeRows) -> None:
    lake.replace(TRADES, HOUR, make_trades(HOUR), {})
    entry = lake.storage.find(hour_path(TRADES, HOUR))
    with pytest.raises(ContractError):
        lake.replace(TRADES, HOUR, make_trades(NEXT), {})
    assert lake.storage.find(hour_path(TRADES, HOUR)) == entry


def test_an_empty_hour_is_an_hour(lake: Lake) -> None:
    lake.replace(TRADES, HOUR, TRADES.schema.empty_table(), {})
    assert lake.read(TRADES, HOUR).num_rows == 0
    assert lake.hours(TRADES) == [HOUR]


def test_hours_are_listed_oldest_first_and_per_table(lake: Lake, make_trades: MakeRows) -> None:
    for hour in (NEXT, "2024-01-01-23:00", HOUR):
        lake.replace(TRADES, hour, make_trades(hour), {})
    assert lake.hours(TRADES) == ["2024-01-01-23:00", HOUR, NEXT]
    assert lake.hours(QUOTES) == []


def test_several_hours_come_in_the_order_asked(lake: Lake, make_trades: MakeRows) -> None:
    for hour in (HOUR, NEXT):
        lake.replace(TRADES, hour, make_trades(hour, count=2), {})
    rows = lake.read_hours(TRADES, [NEXT, HOUR])
    expected = pa.concat_tables([make_trades(NEXT, count=2), make_trades(HOUR, count=2)])
    assert rows.equals(expected)


def test_missing_hours_are_skipped_or_fail_as_asked(lake: Lake, make_trades: MakeRows) -> None:
    lake.replace(TRADES, HOUR, make_trades(HOUR, count=2), {})
    assert lake.read_hours(TRADES, [HOUR, NEXT], ["price"], missing="skip").num_rows == 2
    nothing = lake.read_hours(TRADES, [NEXT], ["price"], missing="skip")
    assert (nothing.num_rows, nothing.column_names) == (0, ["price"])
    with pytest.raises(LakeError, match="does not exist"):
        lake.read_hours(TRADES, [HOUR, NEXT])


def test_a_manifest_tells_what_is_inside(lake: Lake, make_trades: MakeRows) -> None:
    rows = pa.concat_tables([make_trades(HOUR, 3, 100), make_trades(HOUR, 2, 7, product="ETH-USD")])
    lake.replace(TRADES, HOUR, rows, {"bronze/frames/2025-11-12-07:00": "ab"})
    manifest = lake.manifest(TRADES, HOUR)
    assert manifest is not None
    assert (manifest.table, manifest.hour, manifest.rows) == ("silver/trades", HOUR, 5)
    assert manifest.inputs == {"bronze/frames/2025-11-12-07:00": "ab"}
    btc = manifest.spans["BTC-USD"]
    assert (btc.rows, btc.first_trade_id, btc.last_trade_id) == (3, 100, 102)
    assert (btc.first_ts, btc.last_ts) == tuple(rows.column("ts_event").to_pylist()[0:3:2])
    assert btc.last_trade_ts == btc.last_ts
    assert list(manifest.spans) == ["BTC-USD", "ETH-USD"]


def test_two_lakes_over_one_root_see_each_other(folder_lake: Lake, make_trades: MakeRows) -> None:
    other = Lake(folder_lake.root)
    other.replace(TRADES, HOUR, make_trades(HOUR, count=2), {})
    first = folder_lake.manifest(TRADES, HOUR)
    other.replace(TRADES, HOUR, make_trades(HOUR, count=3), {})
    second = folder_lake.manifest(TRADES, HOUR)
    assert first is not None
    assert second is not None
    assert (first.rows, second.rows) == (2, 3)


def test_a_file_moved_to_another_hour_is_refused(folder_lake: Lake, make_trades: MakeRows) -> None:
    folder_lake.replace(TRADES, HOUR, make_trades(HOUR), {})
    folder_lake.replace(TRADES, NEXT, make_trades(NEXT), {})
    folder = folder_lake.storage.folder
    assert folder is not None
    (folder / hour_path(TRADES, HOUR)).rename(folder / hour_path(TRADES, NEXT))
    with pytest.raises(LakeError, match="swapped"):
        folder_lake.read(TRADES, NEXT)


def test_a_torn_file_is_healed_by_building_it_again(
    folder_lake: Lake, make_trades: MakeRows
) -> None:
    """Same rows, same inputs, but the file on disk is not sound: it is not left alone."""
    folder_lake.replace(TRADES, HOUR, make_trades(HOUR), {})
    folder = folder_lake.storage.folder
    assert folder is not None
    path = folder / hour_path(TRADES, HOUR)
    torn = bytearray(path.read_bytes())
    torn[len(torn) // 8] ^= 255
    path.write_bytes(torn)
    assert folder_lake.replace(TRADES, HOUR, make_trades(HOUR), {}).changed
    assert folder_lake.read(TRADES, HOUR).equals(make_trades(HOUR))


_REPLACE_OFTEN = """
import sys
import pyarrow.parquet as pq
from data_lake.lake import Lake
from data_lake.tables import BARS_1S
root, hour, *files = sys.argv[1:]
lake = Lake(root)
for _ in range(10):
    for file in files:
        lake.replace(BARS_1S, hour, pq.ParquetFile(file).read(), {})
"""


def test_rival_writers_leave_one_whole_result(
    folder_lake: Lake, make_bars: MakeRows, tmp_path: Path
) -> None:
    """Two processes replace one hour 20 times each while we read: always one of the two."""
    files = [tmp_path / f"{count}.parquet" for count in (100, 200)]
    for file, count in zip(files, (100, 200), strict=True):
        pq.write_table(make_bars(HOUR, count), file)
    folder_lake.replace(BARS_1S, HOUR, make_bars(HOUR, 100), {})
    command = [sys.executable, "-c", _REPLACE_OFTEN, folder_lake.root, HOUR]
    rivals = [subprocess.Popen([*command, *order]) for order in (files, files[::-1])]
    seen = set()
    while any(rival.poll() is None for rival in rivals):
        seen.add(folder_lake.read(BARS_1S, HOUR).num_rows)
    assert [rival.returncode for rival in rivals] == [0, 0]
    assert seen == {100, 200}
    assert folder_lake.storage.staged() == []
