"""Telling recording formats apart."""

from __future__ import annotations

import contextlib
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.shape import Content, Note, explain, feed_of
from volatility.errors import MessageError

TICKER = (
    b'{"type":"ticker","product_id":"BTC-USD","price":"1","time":"2025-11-12T07:20:11.615272Z"}'
)
ADVANCED = b'{"channel":"ticker","timestamp":"2026-04-05T22:35:13.92532762Z","events":[]}'


def content(line: bytes) -> Content:
    said = explain(line)
    assert isinstance(said, Content)
    return said


def own(raw: str, ts: str = "1762932013.5493498", more: str = "") -> bytes:
    return f'{{"ts":{ts},"pair":"BTC-USD","raw":{json.dumps(raw)}{more}}}'.encode()


def test_an_own_line_keeps_time_and_bytes_exactly() -> None:
    said = content(own(TICKER.decode()))
    assert said == Content(
        payload=TICKER, recv_ns=1762932013549349800, product="BTC-USD", feed="exchange"
    )


def test_a_binary_float_would_not_hold_nine_digits() -> None:
    assert content(own("{}", ts="1762932013.123456789")).recv_ns == 1762932013123456789


def test_an_own_line_may_say_feed_connection_and_ordinal() -> None:
    said = content(own("x", more=',"feed":"advanced","conn":"c1","frame":7,"source":"live"'))
    assert (said.feed, said.conn, said.frame, said.source) == ("advanced", "c1", 7, "replay")


def test_simulated_frames_stay_simulated() -> None:
    assert content(own("x", more=',"source":"sim"')).source == "sim"


def test_an_envelope_keeps_the_payload_byte_for_byte() -> None:
    inner = b'{"channel": "ticker",  "events": [ ], "x": 1.50}'
    line = (
        b'{"ingest_time": "2026-04-05T22:35:13.865365+00:00", "product_id": "BTC-USD", "payload": '
    )
    said = content(line + inner + b"}")
    assert said.payload == inner
    assert (said.recv_ns, said.feed) == (1775428513865365000, "advanced")


@pytest.mark.parametrize(
    ("times", "recv_ns"),
    [
        ('"timestamp":"2025-12-05T20:33:01.669201"', 1764966781669201000),
        ('"timestamp":"2026-04-04T22:54:57.175677226Z"', 1775343297175677226),
        ('"ts":1775343297.5', 1775343297500000000),
        (
            '"ws_timestamp":"2026-04-04T03:19:18.7Z","received_at":"2026-04-04T03:19:18.8+00:00"',
            1775272758800000000,
        ),
    ],
)
def test_a_flat_row_is_its_own_payload(times: str, recv_ns: int) -> None:
    line = f'{{"product_id":"BTC-USD","price":"1","best_bid":"1","best_ask":"2",{times}}}'.encode()
    said = content(line)
    assert said == Content(payload=line, recv_ns=recv_ns, product="BTC-USD", feed="flat")


def test_an_exchange_ticker_is_not_a_flat_row() -> None:
    line = TICKER.replace(b'"price"', b'"best_bid":"1","best_ask":"2","price"')
    assert content(line).feed == "exchange"


@pytest.mark.parametrize(("line", "feed"), [(TICKER, "exchange"), (ADVANCED, "advanced")])
def test_a_bare_frame_was_received_when_it_happened(line: bytes, feed: str) -> None:
    said = content(line)
    assert (said.payload, said.feed) == (line, feed)
    assert said.recv_ns in (1762932011615272000, 1775428513925327620)


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00.000000Z", "1970-01-01T00:00:00Z", "soon"])
def test_a_zero_time_is_no_time(time: str) -> None:
    assert content(f'{{"type":"snapshot","time":"{time}"}}'.encode()).recv_ns is None


def test_recorder_lines() -> None:
    url = b"wss://ws-feed.pro.coinbase.com"
    frame = content(b"1618677817.0208309: " + TICKER)
    assert (frame.payload, frame.recv_ns) == (TICKER, 1618677817020830900)
    assert content(url + b" <- 1618677817.020616: " + TICKER).payload == TICKER
    assert explain(url + b" <-> 1618677816.8434298") == Note("connection opened", True)
    assert explain(url + b' <- 1618677817.1: {"type":"subscribe"}') == Note("sent by the client")
    assert explain(b"https://x/products -> 1618677816.8: [{}]") == Note("REST answer")
    assert explain(b'configuration: {"ticker":[]}') == Note("the recorder's configuration")


@pytest.mark.parametrize(
    "line",
    [
        b"hello",
        b"[1,2]",
        b"1234",
        b"1234: hello",
        b"time,price,size",
        b'{"foo":1}',
        b'{"ts":"yesterday","pair":"BTC-USD","raw":"{}"}',
        b'{"ts":1e99,"pair":"BTC-USD","raw":"{}"}',
        b'{"ts":-1,"pair":"BTC-USD","raw":"{}"}',
        b'{"ts":1,"pair":"BTC-USD","raw":"\xff"}',
        b'{"ts":1,"pair":"BTC-USD","raw":"{}"',
        b'{"payload":{}',
        b'{"a":' * 5000,
    ],
)
def test_what_no_format_explains_is_refused_with_a_reason(line: bytes) -> None:
    with pytest.raises(MessageError, match=r"."):
        explain(line)


def test_a_product_outside_the_allow_list_is_not_believed() -> None:
    line = own("{}").replace(b"BTC-USD", b"../../etc")
    assert content(line).product is None


@given(st.text(), st.integers(0, 2**62))
def test_any_text_survives_an_own_line(text: str, ns: int) -> None:
    """Unescaping gives back the very bytes, the time its very nanoseconds."""
    clean = text.encode(errors="ignore").decode()
    ts = f"{ns // 10**9}.{ns % 10**9:09d}"
    line = b'{"ts":%s,"pair":null,"raw":%s}' % (ts.encode(), msgspec.json.encode(clean))
    said = content(line)
    assert said.payload == clean.encode()
    assert said.recv_ns == ns


@given(st.binary(max_size=200))
def test_any_bytes_are_explained_or_refused(line: bytes) -> None:
    with contextlib.suppress(MessageError):
        assert isinstance(explain(line), Content | Note)


@given(st.binary(max_size=200))
def test_the_feed_of_any_bytes_can_be_asked_for(payload: bytes) -> None:
    assert feed_of(payload) in (None, "exchange", "advanced", "flat", "ingestor")
