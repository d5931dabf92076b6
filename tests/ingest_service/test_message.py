"""Frames as Kafka messages; messages of strangers as frames."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.message import from_record, to_headers, to_key
from volatility.frame import FEEDS, SOURCES, Frame

frames = st.builds(
    Frame,
    recv_ns=st.integers(0, 2**62),
    source=st.sampled_from(SOURCES),
    feed=st.sampled_from(FEEDS),
    conn=st.text(st.characters(codec="utf-8"), max_size=20),
    frame=st.integers(0, 2**40),
    product=st.none() | st.just("BTC-USD"),
    payload=st.binary(max_size=50),
)


def record(key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]) -> Any:
    return SimpleNamespace(key=key, value=value, headers=headers, timestamp=1_800_000_000_123)


@given(frames)
def test_a_frame_survives_the_log(frame: Frame) -> None:
    message = record(to_key(frame.product), frame.payload, to_headers(frame))
    assert from_record(message) == frame


def test_a_message_without_headers_was_received_when_the_log_took_it() -> None:
    frame = from_record(record(None, b"x", []))
    assert frame.recv_ns == 1_800_000_000_123_000_000
    assert (frame.source, frame.feed, frame.conn, frame.frame) == ("replay", "exchange", "", 0)


@pytest.mark.parametrize(
    "text", [b"", b"soon", b"1e9", b"9" * 30, b"9" * 19, b"\xff", "²".encode()]
)
def test_an_unreadable_time_is_replaced_by_the_logs(text: bytes) -> None:
    frame = from_record(record(None, b"x", [("recv_ns", text)]))
    assert frame.recv_ns == 1_800_000_000_123_000_000


@given(
    st.none() | st.binary(max_size=9),
    st.none() | st.binary(max_size=9),
    st.lists(st.tuples(st.sampled_from(["recv_ns", "feed", "conn", "x"]), st.binary(max_size=20))),
)
def test_any_message_is_some_frame(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]
) -> None:
    assert from_record(record(key, value, headers)).payload == (value or b"")
