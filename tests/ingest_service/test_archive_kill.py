"""Two rival archivers, killed at random instants, over a real broker: 0 lost, 0 doubled."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from data_lake.chain import chain, follow, read_frames
from data_lake.clock import SystemClock
from data_lake.lake import Lake
from ingest_service.archive import run_archive
from ingest_service.archiver import FlushPolicy
from ingest_service.kafka_sink import KafkaSink
from ingest_service.topic import describe
from volatility.frame import Frame

pytestmark = pytest.mark.kafka
KILLS = 20
FRAMES = 24_000
RECOVERY_S = 30.0

ARCHIVER = """
import sys
from data_lake.clock import SystemClock
from ingest_service.archive import run_archive
from ingest_service.archiver import FlushPolicy
servers, lake, topic = sys.argv[1:]
policy = FlushPolicy(max_rows=150, max_seconds=0.1)
run_archive(servers, lake, SystemClock(), topic=topic, policy=policy)
"""


class Rivals:
    """Two archiver processes on the same partitions; whoever dies is replaced."""

    def __init__(self, servers: str, lake: str, topic: str, log: Path) -> None:
        self._arguments, self._log = (servers, lake, topic), log.open("wb")
        self.running = [self._spawn(), self._spawn()]

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", ARCHIVER, *self._arguments]
        return subprocess.Popen(command, stdout=self._log, stderr=self._log)

    def kill(self, which: int) -> None:
        """SIGKILL one, and put another in its place."""
        victim = self.running[which]
        assert victim.poll() is None, f"an archiver ended by itself with {victim.returncode}"
        victim.kill()
        victim.wait()
        self.running[which] = self._spawn()

    def end(self) -> list[int]:
        """SIGTERM; the exit codes."""
        for process in self.running:
            process.terminate()
        codes = [process.wait(20) for process in self.running]
        self._log.close()
        return codes


def publish_slowly(sink: KafkaSink, frames: list[Frame], done: threading.Event) -> None:
    """Frames in small bursts for as long as the killing goes on, then the rest."""
    for at in range(0, len(frames), 50):
        for frame in frames[at : at + 50]:
            sink.put(frame)
        done.wait(0.05)
    sink.flush()


def stored_rows(lake: str) -> int:
    return sum(file.rows for file in chain(Lake(lake)))


def test_twenty_kills_lose_and_double_nothing(
    kafka: str, topic: str, tmp_path: Path, make_frames: Callable[[int], list[Frame]]
) -> None:
    """Every frame the broker acknowledged is in the lake exactly once, at its own offset."""
    seed = int.from_bytes(os.urandom(4))
    sys.stdout.write(f"seed {seed}\n")
    random, lake, frames = Random(seed), str(tmp_path / "lake"), make_frames(FRAMES)
    sink, killed = KafkaSink(kafka, topic), threading.Event()
    publisher = threading.Thread(target=publish_slowly, args=(sink, frames, killed))
    rivals = Rivals(kafka, lake, topic, tmp_path / "archivers.log")
    publisher.start()
    waited = threading.Event()
    for _ in range(KILLS):
        waited.wait(random.uniform(0.05, 2.2))
        rivals.kill(random.randrange(2))
    at_last_kill = stored_rows(lake)
    killed.set()
    publisher.join()
    sink.close()
    recovered = wait_until_stored(lake, FRAMES)
    sys.stdout.write(f"{at_last_kill} frames stored among the kills, all after {recovered:.1f} s\n")
    assert rivals.end() == [0, 0]
    assert_exactly_once(kafka, topic, lake, frames)
    assert at_last_kill > 0


def wait_until_stored(lake: str, rows: int) -> float:
    """Seconds until the lake holds so many rows, at most `RECOVERY_S`."""
    began, waited = time.monotonic(), threading.Event()
    while stored_rows(lake) < rows and time.monotonic() - began < RECOVERY_S:
        waited.wait(0.2)
    return time.monotonic() - began


def assert_exactly_once(servers: str, topic: str, lake: str, frames: list[Frame]) -> None:
    """Against the broker: the same offsets, contiguous, none twice; against us: the same frames."""
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=servers)
    ends = consumer.end_offsets([TopicPartition(topic, p) for p in describe(servers, topic)[1]])
    consumer.close()
    files = chain(Lake(lake))
    links = list(follow(files))
    assert [link.hole_from for link in links] == [None] * len(links)
    assert not any(link.overlaps for link in links)
    assert sum(file.rows for file in files) == sum(ends.values()) == len(frames)
    for part, end in ends.items():
        rows = read_frames(Lake(lake), files=[f for f in files if f.partition == part.partition])
        assert rows["offset"].to_pylist() == list(range(end))
    rows = read_frames(Lake(lake))
    stored = sorted(zip(rows["frame"].to_pylist(), rows["payload"].to_pylist(), strict=True))
    assert stored == [(frame.frame, frame.payload) for frame in frames]


def test_a_lake_behind_catches_up_in_one_go(
    kafka: str, topic: str, tmp_path: Path, make_frames: Callable[[int], list[Frame]]
) -> None:
    """What an archiver missed while nobody ran is read from the log."""
    sink, frames = KafkaSink(kafka, topic), make_frames(5000)
    for frame in frames:
        sink.put(frame)
    sink.close()
    lake = str(tmp_path)
    run_archive(
        kafka,
        lake,
        SystemClock(),
        topic=topic,
        until_caught_up=True,
        policy=FlushPolicy(),
        stopping=lambda stop: None,
    )
    assert_exactly_once(kafka, topic, lake, frames)
