"""Frames to a real broker."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from data_lake.clock import ManualClock
from ingest_service import broker
from ingest_service.dead_letter import DeadLetter
from ingest_service.kafka_sink import KafkaSink
from ingest_service.message import from_record
from ingest_service.topic import DEAD_LETTER, MAX_MESSAGE, admin, describe, ensure_topics
from ingest_service.transport import Transport
from volatility.errors import BrokerError
from volatility.frame import Frame

pytestmark = pytest.mark.kafka
MakeFrames = Callable[[int], list[Frame]]


def consume(servers: str, topic: str, count: int) -> list[Any]:
    """The first `count` records of a topic."""
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=servers, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(topic, p) for p in describe(servers, topic)[1]])
    consumer.seek_to_beginning()
    records: list[Any] = []
    for _ in range(100):
        records += [r for batch in consumer.poll(timeout_ms=100).values() for r in batch]
        if len(records) >= count:
            break
    consumer.close()
    return records


def test_a_frame_comes_back_as_it_was_put(kafka: str, topic: str, make_frames: MakeFrames) -> None:
    sink, frames = KafkaSink(kafka, topic), make_frames(300)
    for frame in frames:
        sink.put(frame)
    sink.flush()
    assert sink.outstanding == 0
    sink.close()
    records = consume(kafka, topic, len(frames))
    assert sorted(map(from_record, records), key=lambda f: f.frame) == frames


def test_the_log_is_stamped_by_the_broker_not_by_old_recordings(
    kafka: str, topic: str, make_frames: MakeFrames
) -> None:
    sink = KafkaSink(kafka, topic)
    sink.put(make_frames(1)[0])
    sink.close()
    (record,) = consume(kafka, topic, 1)
    assert record.timestamp_type == 1
    assert record.timestamp * 1_000_000 > make_frames(1)[0].recv_ns


def test_a_sixteen_megabyte_frame_passes(kafka: str, topic: str) -> None:
    payload = os.urandom(16 << 20)
    frame = Frame(
        recv_ns=1, source="sim", feed="advanced", conn="c", frame=0, product=None, payload=payload
    )
    sink = KafkaSink(kafka, topic)
    sink.put(frame)
    sink.close()
    (record,) = consume(kafka, topic, 1)
    assert record.value == payload


def test_a_frame_over_the_limit_is_an_error_not_a_loss(kafka: str, topic: str) -> None:
    frame = Frame(
        recv_ns=1,
        source="sim",
        feed="exchange",
        conn="c",
        frame=0,
        product=None,
        payload=b"0" * (MAX_MESSAGE + 1),
    )
    sink = KafkaSink(kafka, topic)
    with pytest.raises(BrokerError, match="larger than"):
        sink.put(frame)
    sink.close()


def test_a_missing_topic_is_refused_at_once(kafka: str) -> None:
    with pytest.raises(BrokerError, match=r"no topic ticks\.nowhere"):
        KafkaSink(kafka, "ticks.nowhere")


def test_dead_letters_carry_reason_and_origin(kafka: str, make_frames: MakeFrames) -> None:
    letters = Transport("", kafka).open_dead_letters(ManualClock(0))
    letters.put(DeadLetter(make_frames(2)[1], "not JSON", "wss://x"))
    letters.close()
    found = [r for r in consume(kafka, DEAD_LETTER, 1) if dict(r.headers)["conn"] == b"c"]
    headers = dict(found[-1].headers)
    assert (headers["reason"], headers["origin"]) == (b"not JSON", b"wss://x")
    assert (found[-1].key, found[-1].value) == (b"P1-USD", b'{"type":"ticker","n":1}')


@pytest.fixture(scope="module")
def own_broker(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A broker that tests of this module may freeze."""
    folder = tmp_path_factory.mktemp("own")
    found = broker.start(folder)
    try:
        yield found
    finally:
        broker.stop(folder)


@pytest.fixture
def frozen_broker(own_broker: broker.BrokerStatus) -> Any:
    """The same; awake again after the test."""
    yield own_broker
    os.kill(own_broker.pid, signal.SIGCONT)


def test_a_stalled_broker_is_waited_for_within_bounds_and_order_is_kept(
    frozen_broker: broker.BrokerStatus, make_frames: MakeFrames, start_putting: Any
) -> None:
    """Memory is capped while the broker stalls; once it wakes everything arrives, in order."""
    servers, frames = frozen_broker.servers, make_frames(3000)
    topic = "ticks.stalled"
    ensure_topics(servers, [topic])
    sink = KafkaSink(servers, topic, max_outstanding=20_000)
    sink.put(frames[0])
    sink.flush()
    os.kill(frozen_broker.pid, signal.SIGSTOP)
    putting = start_putting(sink, frames[1:])
    putting.thread.join(1.5)
    assert putting.thread.is_alive()
    assert sink.blocked > 0
    assert sink.outstanding < 20_000 + 100
    os.kill(frozen_broker.pid, signal.SIGCONT)
    putting.thread.join(60)
    sink.close()
    records = consume(servers, topic, len(frames))
    assert sorted(f.frame for f in map(from_record, records)) == list(range(3000))
    for product in {f.product for f in frames} - {None}:
        numbers = [f.frame for f in map(from_record, records) if f.product == product]
        assert numbers == sorted(numbers)


def test_stopping_ends_a_put_that_waits_for_a_stalled_broker(
    frozen_broker: broker.BrokerStatus, make_frames: MakeFrames, start_putting: Any
) -> None:
    sink = KafkaSink(frozen_broker.servers, max_outstanding=1000)
    os.kill(frozen_broker.pid, signal.SIGSTOP)
    putting = start_putting(sink, make_frames(3000))
    putting.thread.join(0.5)
    sink.stop()
    putting.thread.join(10)
    assert not putting.thread.is_alive()
    assert "stopped while waiting" in str(putting.raised[0])
    began = time.monotonic()
    with pytest.raises(BrokerError, match=r"\d+ bytes not acknowledged"):
        sink.close()
    assert time.monotonic() - began < 8


def test_an_unreachable_broker_is_named() -> None:
    with (
        pytest.raises(BrokerError, match=r"kafka at 127\.0\.0\.1:9"),
        admin("127.0.0.1:9", timeout_ms=300),
    ):
        pass
