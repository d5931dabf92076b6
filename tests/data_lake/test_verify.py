"""A sound lake verifies; every way to break it is found and named."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from data_lake.bronze import BronzeWriter
from data_lake.chain import read_frames
from data_lake.finding import Report
from data_lake.lake import Lake
from data_lake.layout import STAGING, hour_bounds, hour_path
from data_lake.lineage import inputs
from data_lake.manifest import describe
from data_lake.parquet import encode
from data_lake.tables import BARS_1S, FRAMES, QUOTES, TRADES
from data_lake.verify import verify
from volatility.frame import Frame

HOUR, NEXT = "2025-11-12-07:00", "2025-11-12-08:00"
START = hour_bounds(HOUR)[0]
MakeRows = Callable[..., Any]
MakeFrame = Callable[..., Frame]
MakeWriter = Callable[..., BronzeWriter]


@pytest.fixture
def fill(
    make_frame: MakeFrame, make_writer: MakeWriter, make_trades: MakeRows, make_bars: MakeRows
) -> Callable[[Lake], Lake]:
    """Puts in four bronze files of three frames, two hours of trades, one of bars."""

    def put(lake: Lake) -> Lake:
        writer = make_writer(lake)
        for n in range(12):
            writer.append(make_frame(n, hour=HOUR if n < 9 else NEXT), n, START + n)
            if n % 3 == 2:
                writer.flush()
        for n, hour in enumerate((HOUR, NEXT)):
            rows = make_trades(hour, count=9, first_id=1 + 9 * n)
            lake.replace(TRADES, hour, rows, inputs(lake, [(FRAMES, hour)]))
        sources = inputs(lake, [(TRADES, HOUR), (QUOTES, HOUR)])
        lake.replace(BARS_1S, HOUR, make_bars(HOUR), sources)
        return lake

    return put


@pytest.fixture
def sound(folder_lake: Lake, fill: Callable[[Lake], Lake]) -> Lake:
    """A sound lake in a folder, for what is done to files behind our back."""
    return fill(folder_lake)


@pytest.fixture
def folder(sound: Lake) -> Path:
    """The sound lake's folder."""
    assert sound.storage.folder is not None
    return sound.storage.folder


def _bronze(folder: Path) -> list[Path]:
    return sorted((folder / "bronze").rglob("*.parquet"))


def _found(report: Report, severity: str) -> list[str]:
    return [f"{f.place}: {f.reason}" for f in report.findings if f.severity == severity]


def test_a_sound_lake_verifies(lake: Lake, fill: Callable[[Lake], Lake]) -> None:
    report = verify(fill(lake))
    assert report.findings == []
    assert report.ok
    assert report.sound
    assert (report.files, report.rows) == (7, 12 + 18 + 120)
    (last,) = report.lines()
    assert last.endswith("0 wrong, 0 stale, 0 note")


def test_an_empty_lake_verifies_and_says_that_it_is_none(lake: Lake) -> None:
    report = verify(lake)
    assert report.ok
    assert _found(report, "note") == [f"{lake.root}: no lake here: not one file was written yet"]


def test_every_flipped_bit_is_found(sound: Lake, folder: Path) -> None:
    """120 bits anywhere in any file; each found, and the file named."""
    chance = random.Random(20_251_112)
    paths = sorted(folder.rglob("*.parquet"))
    for _ in range(120):
        path = chance.choice(paths)
        whole = path.read_bytes()
        bit = chance.randrange(len(whole) * 8)
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        wrong = _found(verify(Lake(sound.root)), "wrong")
        assert any(line.startswith(str(path.relative_to(folder))) for line in wrong), (path, bit)
        path.write_bytes(whole)
    assert verify(Lake(sound.root)).ok


@pytest.mark.parametrize("keep", [0, 7, 0.3, 0.99])
def test_a_truncated_file_is_found(sound: Lake, folder: Path, keep: float) -> None:
    for path in (_bronze(folder)[1], folder / hour_path(TRADES, HOUR)):
        whole = path.read_bytes()
        path.write_bytes(whole[: int(keep * len(whole)) if keep < 1 else int(keep)])
        (line,) = _found(verify(sound), "wrong")[:1]
        assert str(path.relative_to(folder)) in line
        path.write_bytes(whole)


def test_a_missing_middle_bronze_file_is_a_hole(sound: Lake, folder: Path) -> None:
    _build_from_frames(sound)
    _bronze(folder)[1].unlink()
    report = verify(sound)
    wrong = _found(report, "wrong")
    assert any("offsets 3 to 5 are missing" in line for line in wrong)
    assert any("3 of its 9 rows come from frames that are lost" in line for line in wrong)
    assert not report.ok


def test_an_accepted_hole_is_a_note(
    lake: Lake, make_frame: MakeFrame, make_writer: MakeWriter
) -> None:
    writer = make_writer(lake)
    writer.append(make_frame(0), 0, START)
    writer.flush()
    writer.accept_hole(50)
    writer.append(make_frame(1), 50, START)
    writer.flush()
    report = verify(lake)
    assert report.ok
    assert any("that was accepted" in line for line in _found(report, "note"))


def test_swapped_bronze_files_are_found(sound: Lake, folder: Path) -> None:
    one, other = _bronze(folder)[:2]
    content = one.read_bytes(), other.read_bytes()
    one.write_bytes(content[1])
    other.write_bytes(content[0])
    assert sum("swapped" in line for line in _found(verify(sound), "wrong")) == 2


def test_swapped_partitions_are_found(sound: Lake, folder: Path) -> None:
    one, other = (folder / hour_path(TRADES, hour) for hour in (HOUR, NEXT))
    content = one.read_bytes(), other.read_bytes()
    one.write_bytes(content[1])
    other.write_bytes(content[0])
    assert sum("swapped" in line for line in _found(verify(sound), "wrong")) == 2


def test_a_bronze_file_in_another_date_folder_is_found(sound: Lake, folder: Path) -> None:
    path = _bronze(folder)[3]
    moved = path.parent.parent / "date=2025-11-13" / path.name
    moved.parent.mkdir()
    path.rename(moved)
    assert any("folder of another date" in line for line in _found(verify(sound), "wrong"))


@pytest.mark.parametrize(
    "path", ["bronze/frames/x.parquet", "silver/trades/x.parquet", "gold/features_1s/date=2025/x"]
)
def test_a_foreign_file_is_found(sound: Lake, folder: Path, path: str) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text("hello")
    (line,) = _found(verify(sound), "wrong")
    assert line.startswith(path)


def test_a_copy_of_frames_at_the_same_offsets_is_a_note(
    sound: Lake, folder: Path, make_frame: MakeFrame, make_writer: MakeWriter
) -> None:
    """As a compaction leaves it that died before deleting the parts."""
    for hour in (HOUR, NEXT):
        _build_from_frames(sound, hour)
    second, third = _bronze(folder)[1:3]
    kept = [path.read_bytes() for path in (second, third)]
    for path in _bronze(folder)[1:]:
        path.unlink()
    writer = make_writer(sound)
    for n in range(3, 12):
        writer.append(make_frame(n, hour=HOUR if n < 9 else NEXT), n, START + n)
    writer.flush()
    third.write_bytes(kept[1])
    report = verify(sound)
    assert report.sound
    assert any("repeats frames" in line for line in _found(report, "note"))


def test_other_frames_at_the_same_offsets_are_wrong(
    sound: Lake, folder: Path, make_frame: MakeFrame, make_writer: MakeWriter
) -> None:
    """Two writers invented the same offset: one frame of the two would vanish from every read."""
    last = _bronze(folder)[3]
    kept = last.read_bytes()
    last.unlink()
    writer = make_writer(sound)
    writer.append(make_frame(77), 9, hour_bounds("2025-11-13-00:00")[0])
    writer.flush()
    last.write_bytes(kept)
    assert any("other frames" in line for line in _found(verify(sound), "wrong"))


def test_a_trade_in_two_hours_is_found(sound: Lake, make_trades: MakeRows) -> None:
    sound.replace(TRADES, NEXT, make_trades(NEXT, count=9, first_id=8), {})
    (line,) = _found(verify(sound), "wrong")
    assert line == f"silver/trades BTC-USD: 2 trades in both {HOUR} and {NEXT}"


def test_trades_out_of_order_across_hours_are_not_doubled(
    sound: Lake, make_trades: MakeRows
) -> None:
    """Ranges of ids may interleave as long as no id is in both."""
    rows = make_trades(NEXT, count=9, first_id=1)
    ids = [-5, *range(101, 109)]
    index = rows.column_names.index("trade_id")
    field = TRADES.schema.field("trade_id")
    sound.replace(TRADES, NEXT, rows.set_column(index, field, [ids]), {})
    assert _found(verify(sound), "wrong") == []


def test_other_content_of_an_input_is_stale(sound: Lake, make_trades: MakeRows) -> None:
    sound.replace(TRADES, HOUR, make_trades(HOUR, count=8), inputs(sound, [(FRAMES, HOUR)]))
    report = verify(sound)
    assert report.sound
    assert not report.ok
    (line,) = _found(report, "stale")
    assert hour_path(BARS_1S, HOUR) in line
    assert f"silver/trades/{HOUR}" in line


def test_a_deleted_input_is_stale(sound: Lake, folder: Path) -> None:
    (folder / hour_path(TRADES, HOUR)).unlink()
    report = verify(sound)
    assert any(hour_path(BARS_1S, HOUR) in line for line in _found(report, "stale"))
    assert any("never built" in line for line in _found(report, "note"))


def test_a_late_frame_leaves_its_hour_stale(
    sound: Lake, make_frame: MakeFrame, make_writer: MakeWriter
) -> None:
    _build_from_frames(sound)
    writer = make_writer(sound)
    writer.append(make_frame(1), 12, START)
    writer.flush()
    assert _found(verify(sound), "wrong") == []
    line = _found(verify(sound), "stale")[0]
    assert hour_path(TRADES, HOUR) in line


def _build_from_frames(lake: Lake, hour: str = HOUR) -> None:
    """Trades of an hour as the frames say: one each, received when the frame was."""
    frames = read_frames(lake, [hour])
    rows = lake.read(TRADES, hour).slice(0, frames.num_rows)
    for name, source in (("ts_recv", "recv_ts"), ("offset", "offset")):
        cells = frames[source].combine_chunks().cast(rows.schema.field(name).type)
        rows = rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), cells)
    lake.replace(TRADES, hour, rows, inputs(lake, [(FRAMES, hour)]))


def test_frames_lost_at_the_end_of_the_chain_are_wrong(sound: Lake, folder: Path) -> None:
    """No hole shows it, but silver remembers them."""
    for path in _bronze(folder)[3:]:
        path.unlink()
    (folder / hour_path(TRADES, NEXT)).unlink()
    _build_from_frames(sound)
    (folder / hour_path(BARS_1S, HOUR)).unlink()
    assert verify(sound).sound
    _bronze(folder)[2].unlink()
    (line,) = _found(verify(sound), "wrong")
    assert line == f"{hour_path(TRADES, HOUR)}: 3 of its 9 rows come from frames that are lost"


def test_when_every_frame_of_an_hour_is_lost_that_is_wrong(sound: Lake, folder: Path) -> None:
    for path in _bronze(folder):
        path.unlink()
    wrong = _found(verify(sound), "wrong")
    for hour in (HOUR, NEXT):
        place = hour_path(TRADES, hour)
        assert f"{place}: every frame it was made from is lost" in wrong
        assert not any(place in line for line in _found(verify(sound), "stale"))


def test_a_late_frame_loses_nothing(
    sound: Lake, make_frame: MakeFrame, make_writer: MakeWriter
) -> None:
    _build_from_frames(sound)
    writer = make_writer(sound)
    writer.append(make_frame(1), 12, START)
    writer.flush()
    assert verify(sound).sound


def test_another_schema_version_is_stale(sound: Lake, make_trades: MakeRows) -> None:
    rows = make_trades(HOUR, count=9)
    manifest = describe(TRADES, HOUR, rows, {})
    older = msgspec.structs.replace(manifest, schema_version=0)
    sound.storage.replace(hour_path(TRADES, HOUR), encode(rows, older))
    assert any("schema version 0" in line for line in _found(verify(sound), "stale"))


def test_other_code_is_a_note(sound: Lake, make_trades: MakeRows) -> None:
    rows = make_trades(HOUR, count=9)
    manifest = describe(TRADES, HOUR, rows, inputs(sound, [(FRAMES, HOUR)]))
    older = msgspec.structs.replace(manifest, code_version="0+000000000000")
    sound.storage.replace(hour_path(TRADES, HOUR), encode(rows, older))
    report = verify(sound)
    assert report.ok
    assert _found(report, "note") == ["silver/trades: 1 hours were made by other code than this"]


def test_rows_that_break_the_contract_are_found(sound: Lake, make_trades: MakeRows) -> None:
    """Even when file and manifest agree with each other."""
    rows = make_trades(HOUR, count=9).take([1, 0, 2, 3, 4, 5, 6, 7, 8])
    manifest = describe(TRADES, HOUR, rows, inputs(sound, [(FRAMES, HOUR)]))
    sound.storage.replace(hour_path(TRADES, HOUR), encode(rows, manifest))
    assert any("sorted by key" in line for line in _found(verify(sound), "wrong"))


def test_what_a_crash_left_in_staging_is_a_note(sound: Lake, folder: Path) -> None:
    (folder / STAGING / "0123").write_text("half")
    report = verify(sound)
    assert report.ok
    (line,) = _found(report, "note")
    assert line.startswith(f"{STAGING}/0123: left half-written")


def test_torn_bronze_does_not_hide_the_rest(sound: Lake, folder: Path) -> None:
    _bronze(folder)[0].write_bytes(b"PAR1")
    _bronze(folder)[2].write_bytes(b"")
    wrong = _found(verify(sound), "wrong")
    assert sum("torn" in line for line in wrong) == 2
