"""Kafka to bronze, exactly once, whatever dies."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from data_lake.chain import BronzeFile, chain, follow, read_frames
from data_lake.clock import SystemClock
from data_lake.lake import Lake
from ingest_service.archive import run_archive
from ingest_service.archiver import Archiver, FlushPolicy
from ingest_service.kafka_sink import KafkaSink
from ingest_service.topic import admin, describe, ensure_topics
from volatility.errors import BrokerError
from volatility.frame import Frame

pytestmark = pytest.mark.kafka
MakeFrames = Callable[[int], list[Frame]]
CLOCK = SystemClock()


def publish(servers: str, topic: str, frames: list[Frame]) -> None:
    sink = KafkaSink(servers, topic)
    for frame in frames:
        sink.put(frame)
    sink.close()


def archive(servers: str, lake: str, topic: str, **options: bool) -> list[BronzeFile]:
    """Everything the topic holds now, to the lake; the lake's files then."""
    policy = FlushPolicy(max_rows=100)
    run_archive(
        servers,
        lake,
        CLOCK,
        topic=topic,
        until_caught_up=True,
        policy=policy,
        stopping=lambda stop: None,
        **options,
    )
    return chain(Lake(lake))


def stored(lake: str) -> list[Frame]:
    """Frames of the lake in the order of their numbers."""
    rows = read_frames(Lake(lake)).to_pylist()
    fields = ("source", "feed", "conn", "frame", "product", "payload")
    frames = [Frame(recv_ns=row["recv_ts"], **{name: row[name] for name in fields}) for row in rows]
    return sorted(frames, key=lambda frame: frame.frame)


def stored_rows(lake: str) -> int:
    return sum(file.rows for file in chain(Lake(lake)))


def wait_until(holds: Callable[[], bool], tries: int = 100) -> None:
    """Look every 0.1 s, `tries` times at most."""
    waited = threading.Event()
    while tries > 0 and not holds():
        tries -= 1
        waited.wait(0.1)


def test_every_frame_arrives_once_and_unaltered(
    kafka: str, topic: str, tmp_path: Path, make_frames: MakeFrames
) -> None:
    lake, frames = str(tmp_path), make_frames(1000)
    publish(kafka, topic, frames)
    files = archive(kafka, lake, topic)
    assert stored(lake) == frames
    assert len({file.partition for file in files}) > 1
    assert all(link.hole_from is None for link in follow(files))


def test_the_lake_says_where_to_go_on(
    kafka: str, topic: str, tmp_path: Path, make_frames: MakeFrames
) -> None:
    lake, frames = str(tmp_path), make_frames(600)
    for part in (frames[:250], [], frames[250:]):
        publish(kafka, topic, part)
        archive(kafka, lake, topic)
    assert stored(lake) == frames


def test_frames_of_one_product_keep_their_order(
    kafka: str, topic: str, tmp_path: Path, make_frames: MakeFrames
) -> None:
    lake = str(tmp_path)
    publish(kafka, topic, make_frames(700))
    archive(kafka, lake, topic)
    rows = read_frames(Lake(lake)).to_pylist()
    for product in {row["product"] for row in rows} - {None}:
        numbers = [row["frame"] for row in rows if row["product"] == product]
        assert numbers == sorted(numbers)


def test_a_quiet_topic_is_flushed_by_the_timer(
    kafka: str, topic: str, tmp_path: Path, make_frames: MakeFrames
) -> None:
    lake, frames, stop = str(tmp_path), make_frames(5), threading.Event()
    archiver = Archiver(kafka, Lake(lake), CLOCK, topic=topic, policy=FlushPolicy(max_seconds=0.2))
    running = threading.Thread(target=archiver.run, args=(stop,))
    running.start()
    publish(kafka, topic, frames)
    wait_until(lambda: stored_rows(lake) == len(frames))
    rows_while_running = stored_rows(lake)
    stop.set()
    running.join(20)
    assert rows_while_running == len(frames)


def test_a_stop_flushes_what_is_buffered(
    kafka: str, topic: str, tmp_path: Path, make_frames: MakeFrames
) -> None:
    lake, frames, stop = str(tmp_path), make_frames(5), threading.Event()
    publish(kafka, topic, frames)
    archiver = Archiver(kafka, Lake(lake), CLOCK, topic=topic)
    running = threading.Thread(target=archiver.run, args=(stop,))
    running.start()
    wait_until(lambda: sum(w.buffered_rows for w in archiver._writers.values()) == len(frames))
    assert not chain(Lake(lake))
    stop.set()
    running.join(20)
    assert stored(lake) == frames


def test_two_rivals_share_the_work_and_never_double_a_frame(
    kafka: str, topic: str, tmp_path: Path, make_frames: MakeFrames
) -> None:
    lake, frames, stop = str(tmp_path), make_frames(3000), threading.Event()
    policy = FlushPolicy(max_rows=50, max_seconds=0.05)
    rivals = [Archiver(kafka, Lake(lake), CLOCK, topic=topic, policy=policy) for _ in range(2)]
    running = [threading.Thread(target=rival.run, args=(stop,)) for rival in rivals]
    for thread in running:
        thread.start()
    publish(kafka, topic, frames)
    wait_until(lambda: stored_rows(lake) == len(frames), tries=200)
    stop.set()
    for thread in running:
        thread.join(20)
    assert stored(lake) == frames
    assert sum(rival.report.rows for rival in rivals) == len(frames)
    assert sum(rival.report.fenced for rival in rivals) > 0


def test_retention_that_passed_us_stops_with_the_offsets(
    kafka: str, topic: str, tmp_path: Path, make_frames: MakeFrames
) -> None:
    lake, frames = str(tmp_path), make_frames(400)
    publish(kafka, topic, frames[:200])
    archive(kafka, lake, topic)
    publish(kafka, topic, frames[200:])
    delete_all_but_last(kafka, topic)
    with pytest.raises(BrokerError, match=r"\[\d\]: offsets \d+ to \d+ are no longer in the log"):
        archive(kafka, lake, topic)


def test_an_accepted_hole_is_recorded_in_the_chain(
    kafka: str, topic: str, tmp_path: Path, make_frames: MakeFrames
) -> None:
    lake, frames = str(tmp_path), [f for f in make_frames(400) if f.product]
    publish(kafka, topic, frames[:200])
    archive(kafka, lake, topic)
    publish(kafka, topic, frames[200:])
    delete_all_but_last(kafka, topic)
    files = archive(kafka, lake, topic, accept_gap=True)
    holes = [link for link in follow(files) if link.hole_from is not None]
    assert holes
    assert all(link.file.hole_from == link.hole_from for link in holes)
    lost = sum(link.start - (link.hole_from or 0) for link in holes)
    assert len(stored(lake)) + lost == len(frames)


def test_a_recreated_topic_starts_a_new_epoch(
    kafka: str, topic: str, tmp_path: Path, make_frames: MakeFrames
) -> None:
    lake, frames = str(tmp_path), make_frames(100)
    publish(kafka, topic, frames)
    before, _ = describe(kafka, topic)
    archive(kafka, lake, topic)
    with admin(kafka) as client:
        client.delete_topics([topic])
    ensure_topics(kafka, [topic])
    publish(kafka, topic, frames[:40])
    after, _ = describe(kafka, topic)
    archive(kafka, lake, topic)
    rows = dict.fromkeys((before, after), 0)
    for file in chain(Lake(lake)):
        rows[file.epoch] += file.rows
    assert rows == {before: 100, after: 40}


def test_a_topic_recreated_under_a_running_archiver_is_noticed(
    kafka: str, topic: str, tmp_path: Path, make_frames: MakeFrames
) -> None:
    lake, frames, stop = str(tmp_path), make_frames(140), threading.Event()
    publish(kafka, topic, frames[:100])
    archiver = Archiver(kafka, Lake(lake), CLOCK, topic=topic, policy=FlushPolicy(max_seconds=0.2))
    running = threading.Thread(target=archiver.run, args=(stop,))
    running.start()
    waited = threading.Event()
    for goal, act in ((100, True), (140, False)):
        for _ in range(300):
            if sum(file.rows for file in chain(Lake(lake))) == goal:
                break
            waited.wait(0.1)
        if act:
            with admin(kafka) as client:
                client.delete_topics([topic])
            ensure_topics(kafka, [topic])
            publish(kafka, topic, frames[100:])
    stop.set()
    running.join(20)
    assert stored(lake) == frames
    assert len({file.epoch for file in chain(Lake(lake))}) == 2


def test_a_missing_topic_is_named(kafka: str, tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match=r"no topic ticks\.nowhere"):
        Archiver(kafka, Lake(str(tmp_path)), CLOCK, topic="ticks.nowhere")


def delete_all_but_last(servers: str, topic: str) -> None:
    """Make the log forget, as retention does, all but one record of every partition."""
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=servers)
    parts = [TopicPartition(topic, p) for p in describe(servers, topic)[1]]
    ends = consumer.end_offsets(parts)
    consumer.close()
    with admin(servers) as client:
        client.delete_records({part: ends[part] - 1 for part in parts if ends[part]})
