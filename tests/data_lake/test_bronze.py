"""The bronze writer: one file per flush, its creation the commit."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from data_lake.bronze import BronzeWriter
from data_lake.chain import chain, follow, read_frames
from data_lake.clock import ManualClock
from data_lake.lake import Lake
from data_lake.layout import hour_after, hour_bounds
from data_lake.tables import FRAMES
from volatility.errors import FencedError, LakeError
from volatility.frame import Frame

HOUR = "2025-11-12-07:00"
SECOND_NS = 1_000_000_000
START = hour_bounds(HOUR)[0]
MakeFrame = Callable[..., Frame]
MakeWriter = Callable[..., BronzeWriter]


@pytest.fixture
def direct(lake: Lake, clock: ManualClock) -> Iterator[BronzeWriter]:
    writer = BronzeWriter(lake, clock=clock, max_rows=3, max_bytes=100_000, max_seconds=60)
    yield writer
    writer.close()


def test_frames_come_back_as_they_went_in(
    lake: Lake, direct: BronzeWriter, make_frame: MakeFrame
) -> None:
    frames = [make_frame(0), make_frame(1, text="\x00 not json \xff")]
    for frame in frames:
        direct.append(frame)
    direct.flush()
    rows = read_frames(lake)
    assert rows.schema == FRAMES.schema
    assert rows.column("payload").to_pylist() == [frame.payload for frame in frames]
    assert rows.column("offset").to_pylist() == [0, 1]
    assert rows.column("kafka_ts").to_pylist() == [START, START + SECOND_NS]
    assert rows.column("conn").to_pylist() == ["c1", "c1"]


def test_a_frame_about_no_product_stays_so(
    lake: Lake, direct: BronzeWriter, make_frame: MakeFrame
) -> None:
    frame = make_frame(0)
    direct.append(
        Frame(recv_ns=frame.recv_ns, source="live", feed="ingestor", conn="c", frame=0,
              product=None, payload=b"{}")
    )  # fmt: skip
    direct.flush()
    assert read_frames(lake).column("product").to_pylist() == [None]


def test_nothing_buffered_makes_no_file(lake: Lake, direct: BronzeWriter) -> None:
    assert direct.flush() is None
    assert not direct.due()
    assert chain(lake) == []


def test_one_flush_is_one_file_named_by_its_first_offset(
    lake: Lake, direct: BronzeWriter, make_frame: MakeFrame
) -> None:
    for n in range(5):
        direct.append(make_frame(n))
        if n == 1:
            direct.flush()
    committed = direct.flush()
    assert committed is not None
    assert committed.path.endswith(
        "topic=direct/epoch=0/partition=0/date=2025-11-12/0000000000000000002.parquet"
    )
    assert (committed.first_offset, committed.last_offset, committed.rows) == (2, 4, 3)
    assert [file.first_offset for file in chain(lake)] == [0, 2]


def test_the_next_writer_goes_on_behind_the_last_file(
    lake: Lake, clock: ManualClock, make_frame: MakeFrame
) -> None:
    for expected in (0, 2, 4):
        writer = BronzeWriter(lake, clock=clock)
        assert writer.next_offset == expected
        for n in range(2):
            writer.append(make_frame(n))
        writer.flush()
        writer.close()
    assert read_frames(lake).column("offset").to_pylist() == list(range(6))


def test_a_flush_is_due_at_rows_bytes_or_seconds(
    direct: BronzeWriter, clock: ManualClock, make_frame: MakeFrame
) -> None:
    direct.append(make_frame(0))
    assert not direct.due()
    direct.append(make_frame(1))
    direct.append(make_frame(2))
    assert direct.due()
    direct.flush()
    direct.append(make_frame(3, text="x" * 100_000))
    assert direct.due()
    direct.flush()
    direct.append(make_frame(4))
    clock.ns += 59 * SECOND_NS
    assert not direct.due()
    clock.ns += SECOND_NS
    assert direct.due()


def test_waiting_counts_from_the_oldest_frame(
    direct: BronzeWriter, clock: ManualClock, make_frame: MakeFrame
) -> None:
    direct.append(make_frame(0))
    clock.ns += 40 * SECOND_NS
    direct.append(make_frame(1))
    clock.ns += 20 * SECOND_NS
    assert direct.due()
    direct.flush()
    direct.append(make_frame(2))
    assert not direct.due()


def test_the_footer_tells_the_event_hours(
    lake: Lake, direct: BronzeWriter, make_frame: MakeFrame
) -> None:
    """A late frame is found by the hour it is about; a mute one makes no row and touches none."""
    direct.append(make_frame(0, hour=hour_after(HOUR, -3)))
    direct.append(make_frame(1, hour=hour_after(HOUR, 2), text="?"))
    direct.append(make_frame(2))
    committed = direct.flush()
    expected = (hour_after(HOUR, -3), HOUR)
    assert committed is not None
    assert committed.hours == expected
    assert chain(lake)[0].hours == expected


def test_the_date_folder_comes_from_the_log_and_not_from_the_clock(
    lake: Lake, clock: ManualClock, make_frame: MakeFrame, make_writer: MakeWriter
) -> None:
    clock.ns += 10**18
    writer = make_writer(lake)
    writer.append(make_frame(0), 0, hour_bounds("2024-02-29-23:00")[0])
    committed = writer.flush()
    assert committed is not None
    assert "/date=2024-02-29/" in committed.path


def test_of_two_rivals_one_wins_and_the_other_goes_on_behind_it(
    lake: Lake, make_frame: MakeFrame, make_writer: MakeWriter
) -> None:
    winner, loser = make_writer(lake), make_writer(lake)
    for n in range(5):
        winner.append(make_frame(n), n, START)
    for n in range(3):
        loser.append(make_frame(n), n, START)
    winner.flush()
    with pytest.raises(FencedError, match="3 frames dropped, resume at 5"):
        loser.flush()
    assert (loser.next_offset, loser.buffered_rows) == (5, 0)
    loser.append(make_frame(5), 5, START)
    loser.flush()
    assert read_frames(lake).column("offset").to_pylist() == list(range(6))


def test_of_many_rival_threads_each_offset_has_one_winner(
    lake: Lake, make_frame: MakeFrame, make_writer: MakeWriter
) -> None:
    """Eight archivers read the same log of 200 frames, in batches of different sizes."""

    def archive(size: int) -> int:
        writer, fenced = make_writer(lake), 0
        while writer.next_offset < 200:
            first = writer.next_offset
            for offset in range(first, min(first + size, 200)):
                writer.append(make_frame(offset), offset, START + offset)
            try:
                writer.flush()
            except FencedError:
                fenced += 1
        return fenced

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(archive, range(3, 11)))
    rows = read_frames(lake)
    assert rows.column("offset").to_pylist() == list(range(200))
    assert rows.column("frame").to_pylist() == list(range(200))


def test_offsets_the_log_skips_are_not_a_hole(
    lake: Lake, make_frame: MakeFrame, make_writer: MakeWriter
) -> None:
    """Transaction markers and compaction leave gaps before and inside a batch."""
    writer = make_writer(lake)
    writer.append(make_frame(0), 3, START)
    writer.append(make_frame(1), 7, START)
    writer.flush()
    writer.append(make_frame(2), 12, START)
    writer.flush()
    assert make_writer(lake).next_offset == 13
    assert read_frames(lake).column("offset").to_pylist() == [3, 7, 12]
    spans = [(file.first_offset, file.last_offset, file.rows) for file in chain(lake)]
    assert spans == [(0, 7, 2), (8, 12, 1)]
    assert all(link.hole_from is None for link in follow(chain(lake)))


def test_an_accepted_hole_is_recorded(
    lake: Lake, make_frame: MakeFrame, make_writer: MakeWriter
) -> None:
    """Retention passed us: the operator accepts, the chain says so for ever."""
    writer = make_writer(lake)
    writer.append(make_frame(0), 0, START)
    writer.flush()
    writer.accept_hole(50)
    assert writer.next_offset == 50
    writer.append(make_frame(1), 50, START)
    writer.flush()
    (_, link) = follow(chain(lake))
    assert (link.hole_from, link.start, link.file.hole_from) == (1, 50, 1)


def test_a_hole_cannot_be_accepted_over_waiting_frames(
    lake: Lake, make_frame: MakeFrame, make_writer: MakeWriter
) -> None:
    writer = make_writer(lake)
    writer.append(make_frame(0), 0, START)
    with pytest.raises(ValueError, match="flush first"):
        writer.accept_hole(50)


def test_an_offset_behind_the_chain_is_refused(
    lake: Lake, make_frame: MakeFrame, make_writer: MakeWriter
) -> None:
    writer = make_writer(lake)
    writer.append(make_frame(0), 5, START)
    with pytest.raises(ValueError, match="expects 6"):
        writer.append(make_frame(0), 5, START)


def test_epochs_are_chains_of_their_own(
    lake: Lake, make_frame: MakeFrame, make_writer: MakeWriter
) -> None:
    """A recreated topic starts at 0 again and touches nothing of the old one."""
    for epoch in ("old", "new"):
        writer = make_writer(lake, epoch=epoch)
        assert writer.next_offset == 0
        writer.append(make_frame(0), 0, START)
        writer.flush()
    assert [(file.epoch, file.first_offset) for file in chain(lake)] == [("new", 0), ("old", 0)]


def test_a_malformed_topic_is_refused_before_anything_is_written(
    lake: Lake, make_writer: MakeWriter
) -> None:
    with pytest.raises(LakeError, match="not a topic name"):
        make_writer(lake, topic="../../etc")
    assert lake.storage.entries("") == []


def test_a_torn_newest_file_stops_the_writer(
    folder_lake: Lake, make_frame: MakeFrame, make_writer: MakeWriter
) -> None:
    writer = make_writer(folder_lake)
    writer.append(make_frame(0), 0, START)
    committed = writer.flush()
    assert committed is not None
    assert folder_lake.storage.folder is not None
    (folder_lake.storage.folder / committed.path).write_bytes(b"PAR1")
    with pytest.raises(LakeError, match="torn"):
        make_writer(folder_lake)


def test_a_second_direct_writer_is_told_who_is_there(folder_lake: Lake, clock: ManualClock) -> None:
    first = BronzeWriter(folder_lake, clock=clock)
    with pytest.raises(LakeError, match=r"process \d+ is already writing to this lake"):
        BronzeWriter(folder_lake, clock=clock)
    first.close()
    BronzeWriter(folder_lake, clock=clock).close()


def test_a_failed_flush_keeps_the_buffer_for_another_try(
    folder_lake: Lake, make_frame: MakeFrame, make_writer: MakeWriter
) -> None:
    """Something in the way of the folder: said, kept, and written once it is gone."""
    writer = make_writer(folder_lake)
    writer.append(make_frame(0), 0, START)
    folder = folder_lake.storage.folder
    assert folder is not None
    (folder / "bronze").write_text("in the way")
    with pytest.raises(LakeError, match="not written"):
        writer.flush()
    assert writer.buffered_rows == 1
    (folder / "bronze").unlink()
    writer.flush()
    assert read_frames(folder_lake).num_rows == 1


_ARCHIVE = """
import sys
from data_lake.bronze import BronzeWriter
from data_lake.clock import SystemClock
from data_lake.lake import Lake
from volatility.errors import FencedError
from volatility.frame import Frame
root, size, count, start = sys.argv[1], *map(int, sys.argv[2:])
writer = BronzeWriter(Lake(root), "ticks.raw", "e", 0, clock=SystemClock())
while writer.next_offset < count:
    first = writer.next_offset
    for n in range(first, min(first + size, count)):
        frame = Frame(recv_ns=start + n, source="sim", feed="exchange", conn="c", frame=n,
                      product=None, payload=b"%d" % n)
        writer.append(frame, n, start + n)
    try:
        writer.flush()
    except FencedError:
        pass
"""


def test_rivals_killed_at_random_lose_and_double_nothing(tmp_path: Path) -> None:
    """12 kill -9 at random instants over two archivers that always run; then one finishes."""
    root, chance = str(tmp_path), random.Random(20_251_112)

    def start(size: int, count: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", _ARCHIVE, root, str(size), str(count), str(START)]
        return subprocess.Popen(command)

    endless = 10**9
    rivals = [start(3, endless), start(5, endless)]
    for kill in range(12):
        deadline = time.monotonic() + chance.uniform(0.05, 0.25) + (0.6 if kill == 0 else 0)
        while time.monotonic() < deadline:
            rivals[kill % 2].poll()
        rivals[kill % 2].send_signal(signal.SIGKILL)
        rivals[kill % 2].wait()
        rivals[kill % 2] = start(chance.randrange(1, 9), endless)
    for rival in rivals:
        rival.kill()
        rival.wait()
    reached = max((file.last_offset + 1 for file in chain(Lake(root))), default=0)
    assert start(7, reached + 20).wait() == 0
    rows = read_frames(Lake(root))
    assert rows.column("offset").to_pylist() == list(range(reached + 20))
    assert rows.column("payload").to_pylist() == [b"%d" % n for n in range(reached + 20)]
    assert len(list(follow(chain(Lake(root))))) == len(chain(Lake(root)))
