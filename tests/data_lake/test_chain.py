"""Following offsets through files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_lake.bronze import BronzeWriter
from data_lake.chain import BronzeFile, chain, fingerprint, follow, read_frames
from data_lake.lake import Lake
from data_lake.layout import hour_after, hour_bounds
from volatility.errors import LakeError
from volatility.frame import Frame

HOUR = "2025-11-12-07:00"
START = hour_bounds(HOUR)[0]
MakeFrame = Callable[..., Frame]
MakeWriter = Callable[..., BronzeWriter]


def _file(first: int, last: int, topic: str = "t", name: str = "") -> BronzeFile:
    return BronzeFile(topic, "e", 0, first, last, name, last - first + 1, (HOUR,), "sha", None)


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=12)


@given(spans=spans)
def test_following_yields_every_stored_offset_once(spans: list[tuple[int, int]]) -> None:
    """Whatever files there are, overlapping or not: their union, in order, nothing twice."""
    files = sorted(_file(first, first + more, name=str(n)) for n, (first, more) in enumerate(spans))
    stored = {offset for f in files for offset in range(f.first_offset, f.last_offset + 1)}
    walked = [n for link in follow(files) for n in range(link.start, link.file.last_offset + 1)]
    assert walked == sorted(stored)
    missing = set(range(min(stored, default=0), max(stored, default=-1) + 1)) - stored
    holes = [
        range(link.hole_from, link.start) for link in follow(files) if link.hole_from is not None
    ]
    assert {offset for hole in holes for offset in hole} == missing


def test_files_follow_offsets_though_dates_go_back(
    lake: Lake, make_frame: MakeFrame, make_writer: MakeWriter
) -> None:
    """An old recording replayed after a new one lies in an older date folder."""
    writer = make_writer(lake)
    for offset, hour in enumerate(["2025-11-12-07:00", "2021-04-17-00:00", "2026-04-05-00:00"]):
        writer.append(make_frame(offset, hour=hour), offset, hour_bounds(hour)[0])
        writer.flush()
    assert make_writer(lake).next_offset == 3
    assert read_frames(lake).column("offset").to_pylist() == [0, 1, 2]
    assert [link.hole_from for link in follow(chain(lake))] == [None, None, None]


def test_chains_do_not_mix() -> None:
    files = sorted([_file(0, 4, "a"), _file(0, 9, "b"), _file(10, 11, "b")])
    assert [(link.file.topic, link.start) for link in follow(files)] == [
        ("a", 0),
        ("b", 0),
        ("b", 10),
    ]


@pytest.fixture
def two_hours(folder_lake: Lake, make_frame: MakeFrame, make_writer: MakeWriter) -> Lake:
    """Four files of three frames; the third is about the next hour."""
    writer = make_writer(folder_lake)
    for n in range(12):
        hour = hour_after(HOUR) if 6 <= n < 9 else HOUR
        writer.append(make_frame(n, hour=hour), n, START + n)
        if n % 3 == 2:
            writer.flush()
    return folder_lake


def test_only_files_that_touch_the_hours_are_read(two_hours: Lake) -> None:
    assert read_frames(two_hours, [hour_after(HOUR)]).column("offset").to_pylist() == [6, 7, 8]
    assert read_frames(two_hours, [HOUR]).num_rows == 9
    assert read_frames(two_hours, [hour_after(HOUR, 9)]).num_rows == 0
    assert read_frames(two_hours).num_rows == 12


def test_some_columns_can_be_asked_for(two_hours: Lake) -> None:
    assert read_frames(two_hours, columns=["frame"]).column_names == ["frame"]


def _path(lake: Lake, first: int) -> Path:
    assert lake.storage.folder is not None
    return lake.storage.folder / next(f.path for f in chain(lake) if f.first_offset == first)


def test_a_merged_file_beside_its_parts_doubles_nothing(
    two_hours: Lake, make_frame: MakeFrame, make_writer: MakeWriter
) -> None:
    """A compaction died after writing the merged file and before deleting the parts."""
    before = read_frames(two_hours)
    parts = [_path(two_hours, first) for first in (3, 6)]
    kept = [part.read_bytes() for part in parts]
    for first in (3, 6, 9):
        _path(two_hours, first).unlink()
    writer = make_writer(two_hours)
    for n in range(3, 11):
        hour = hour_after(HOUR) if 6 <= n < 9 else HOUR
        writer.append(make_frame(n, hour=hour), n, START + n)
    writer.flush()
    writer.append(make_frame(11), 11, START + 11)
    writer.flush()
    parts[1].write_bytes(kept[1])
    assert len(chain(two_hours)) == 4
    assert read_frames(two_hours).equals(before)


def test_an_overlapping_file_gives_only_its_new_rows(
    two_hours: Lake, make_frame: MakeFrame, make_writer: MakeWriter
) -> None:
    before = read_frames(two_hours)
    path = _path(two_hours, 9)
    path.unlink()
    _path(two_hours, 6).rename(two_hours.root + "/aside")
    writer = make_writer(two_hours)
    for n in range(6, 12):
        hour = hour_after(HOUR) if 6 <= n < 9 else HOUR
        writer.append(make_frame(n, hour=hour), n, START + n)
        if n == 7:
            writer.flush()
    writer.flush()
    overlapping = _path(two_hours, 6)
    overlapping.unlink()
    Path(two_hours.root + "/aside").rename(overlapping)
    assert [(link.start, link.overlaps) for link in follow(chain(two_hours))][-1] == (9, True)
    assert read_frames(two_hours).equals(before)
    assert read_frames(two_hours, columns=["offset"]).equals(before.select(["offset"]))


def test_a_file_under_another_files_name_is_refused(two_hours: Lake) -> None:
    _path(two_hours, 3).rename(_path(two_hours, 3).with_name("0000000000000000100.parquet"))
    with pytest.raises(LakeError, match="swapped"):
        chain(two_hours)


def test_a_foreign_file_is_no_part_of_the_chain(two_hours: Lake) -> None:
    _path(two_hours, 0).with_name("notes.txt").write_text("hello")
    assert len(chain(two_hours)) == 4


def test_an_hours_fingerprint_changes_with_its_frames_only(
    two_hours: Lake, make_frame: MakeFrame, make_writer: MakeWriter
) -> None:
    hours = [HOUR, hour_after(HOUR)]
    before = [fingerprint(chain(two_hours), hour) for hour in hours]
    writer = make_writer(two_hours)
    writer.append(make_frame(12), 12, START)
    writer.flush()
    after = [fingerprint(chain(two_hours), hour) for hour in hours]
    assert after[0] != before[0]
    assert after[1] == before[1]
    assert fingerprint(chain(two_hours), hour_after(HOUR, 5)) == ""
