"""Is anything arriving, in direct mode."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from data_lake.clock import ManualClock
from data_lake.lake import Lake
from ingest_service.check import CheckResult, run_check
from ingest_service.direct_sink import DirectSink
from ingest_service.transport import Transport
from volatility.errors import LakeError
from volatility.frame import Frame

MakeFrames = Callable[[int], list[Frame]]


def write(lake: Path, frames: list[Frame]) -> None:
    sink = DirectSink(Lake(str(lake)), ManualClock(0))
    for frame in frames:
        sink.put(frame)
    sink.close()


def test_the_line_has_exactly_two_figures() -> None:
    assert str(CheckResult(20, 3.3333)) == "messages_seen=20 seconds=3.3"


def test_frames_in_the_lake_count(tmp_path: Path, make_frames: MakeFrames) -> None:
    write(tmp_path, make_frames(30))
    result = run_check(Transport(str(tmp_path)), minimum=20)
    assert re.fullmatch(r"messages_seen=20 seconds=\d+\.\d", str(result))


def test_too_little_in_time_says_how_much_there_was(
    tmp_path: Path, make_frames: MakeFrames
) -> None:
    write(tmp_path, make_frames(3))
    with pytest.raises(LakeError, match=r"3 of 20 messages in 0\.3 s; is the ingestor running\?"):
        run_check(Transport(str(tmp_path)), minimum=20, timeout_s=0.3)


def test_a_fresh_check_counts_only_what_comes_from_now_on(
    tmp_path: Path, make_frames: MakeFrames
) -> None:
    write(tmp_path, make_frames(30))
    with pytest.raises(LakeError, match="0 of 5"):
        run_check(Transport(str(tmp_path)), minimum=5, timeout_s=0.3, fresh=True)


def test_frames_that_arrive_meanwhile_count(tmp_path: Path, make_frames: MakeFrames) -> None:
    later = threading.Timer(0.3, write, (tmp_path, make_frames(5)))
    later.start()
    result = run_check(Transport(str(tmp_path)), minimum=5, timeout_s=20)
    later.join()
    assert result.seconds >= 0.3
