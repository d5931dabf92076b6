"""Frames straight to the lake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data_lake.chain import chain, read_frames
from data_lake.clock import ManualClock
from data_lake.lake import Lake
from ingest_service.direct_sink import DirectSink
from volatility.errors import LakeError
from volatility.frame import Frame

MakeFrames = Callable[[int], list[Frame]]


def payloads(lake: Lake) -> list[bytes]:
    stored: list[bytes] = read_frames(lake)["payload"].to_pylist()
    return stored


def test_frames_are_in_the_lake_after_close(tmp_path: Path, make_frames: MakeFrames) -> None:
    lake, frames = Lake(str(tmp_path)), make_frames(10)
    sink = DirectSink(lake, ManualClock(0), max_rows=4)
    for frame in frames:
        sink.put(frame)
    assert len(chain(lake)) == 2
    sink.close()
    assert payloads(lake) == [frame.payload for frame in frames]


def test_the_counter_goes_on_from_the_last_file(tmp_path: Path, make_frames: MakeFrames) -> None:
    lake, frames = Lake(str(tmp_path)), make_frames(6)
    for part in (frames[:2], frames[2:]):
        sink = DirectSink(lake, ManualClock(0))
        for frame in part:
            sink.put(frame)
        sink.close()
    assert read_frames(lake)["offset"].to_pylist() == list(range(6))


def test_a_tick_writes_out_what_has_waited(tmp_path: Path, make_frames: MakeFrames) -> None:
    lake, clock = Lake(str(tmp_path)), ManualClock(0)
    sink = DirectSink(lake, clock, max_seconds=10.0)
    sink.put(make_frames(1)[0])
    sink.tick()
    assert not chain(lake)
    clock.ns += 10_000_000_000
    sink.tick()
    assert len(chain(lake)) == 1
    sink.close()


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    sink = DirectSink(Lake(str(tmp_path)), ManualClock(0))
    with pytest.raises(LakeError, match="already writing to this lake"):
        DirectSink(Lake(str(tmp_path)), ManualClock(0))
    sink.close()
    DirectSink(Lake(str(tmp_path)), ManualClock(0)).close()


def block(lake: Path) -> Path:
    """Put a file where the chain's folder has to be: the lake cannot be written."""
    obstacle = lake / "bronze"
    obstacle.write_bytes(b"")
    return obstacle


def test_a_lake_that_cannot_be_written_is_tried_again(
    tmp_path: Path, make_frames: MakeFrames
) -> None:
    lake, clock, frames = Lake(str(tmp_path)), ManualClock(0), make_frames(5)
    sink = DirectSink(lake, clock, max_rows=4)
    obstacle = block(tmp_path)
    for frame in frames:
        sink.put(frame)
    assert sink.failed_flushes == 1
    obstacle.unlink()
    clock.ns += 1_000_000_000
    sink.tick()
    assert payloads(lake) == [frame.payload for frame in frames]
    sink.close()


def test_a_put_that_waits_for_a_broken_lake_ends_when_told_to_stop(
    tmp_path: Path, make_frames: MakeFrames, start_putting: Any
) -> None:
    sink = DirectSink(Lake(str(tmp_path)), ManualClock(0), max_rows=2)
    block(tmp_path)
    putting = start_putting(sink, make_frames(10))
    putting.thread.join(0.3)
    assert sink.overfull
    sink.stop()
    putting.thread.join(5)
    assert isinstance(putting.raised[0], LakeError)
    with pytest.raises(LakeError):
        sink.close()
