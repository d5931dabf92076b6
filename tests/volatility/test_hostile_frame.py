"""Nothing on the wire raises out of `normalise` or `peek`: it is rejected, in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volatility.frame import FEEDS, Feed
from volatility.normalise import normalise
from volatility.peek import peek
from volatility.product import PRODUCT_PATTERN
from volatility.wire import KINDS, REASON_LENGTH

FrameTable = Callable[..., Any]

SEEDS: list[tuple[Feed, dict[str, Any]]] = [
    (
        "exchange",
        {
            "type": "ticker",
            "sequence": 1,
            "product_id": "BTC-USD",
            "price": "1.5",
            "best_bid": "1",
            "best_bid_size": "2",
            "best_ask": "2",
            "best_ask_size": "3",
            "side": "buy",
            "time": "2025-11-12T07:20:11.615272Z",
            "trade_id": 9,
            "last_size": "1",
        },
    ),
    (
        "exchange",
        {
            "type": "match",
            "trade_id": 1,
            "side": "sell",
            "size": "1",
            "price": "1",
            "product_id": "BTC-USD",
            "time": "2026-08-25T03:35:57Z",
        },
    ),
    (
        "advanced",
        {
            "channel": "market_trades",
            "timestamp": "2025-12-31T06:00:13Z",
            "sequence_num": 1,
            "events": [
                {
                    "trades": [
                        {
                            "product_id": "BTC-USD",
                            "trade_id": "1",
                            "price": "1",
                            "size": "1",
                            "time": "2025-12-31T06:00:13Z",
                            "side": "BUY",
                        }
                    ]
                }
            ],
        },
    ),
    (
        "advanced",
        {
            "channel": "ticker",
            "timestamp": "2025-12-31T06:00:13Z",
            "sequence_num": 1,
            "events": [{"tickers": [{"product_id": "BTC-USD", "best_bid": "1", "best_ask": "2"}]}],
        },
    ),
    (
        "flat",
        {
            "product_id": "BTC-USD",
            "best_bid": "1",
            "best_ask": "2",
            "raw": {"best_bid_quantity": "1"},
            "ts": 1762932011.5,
            "timestamp": "2025-12-05T20:33:01.669201",
        },
    ),
]
NASTY: list[Any] = [
    None,
    True,
    -1,
    0,
    2**63 - 1,
    2**63,
    2**64,
    10**400,
    1.5,
    1e308,
    "",
    "NaN",
    "1e999",
    "-1",
    "0.-10000",
    "9" * 30,
    "0." + "0" * 30 + "1",
    "x" * 5000,
    "\x00",
    "a\nb",
    "é\U0001f600",
    "BTC-USD'; drop table trades;--",
    "../../etc/passwd",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2025-11-12T07:20:11.1234567891Z",
    "2023-10-23 14:43:13.362521689 +0000 UTC m=+425760.164580852",
    [],
    {},
    [[]],
    {"a": []},
]
RAW = [
    b"",
    b" ",
    b"{",
    b"null",
    b"[]",
    b'"ticker"',
    b"\xff\xfe",
    b"\xef\xbb\xbf{}",
    b'{"type":"ticker","product_id":"\xff\xfe"}',
    b'{"type":"ticker","product_id":"\\ud800"}',
    b'{"type":"ticker","price":NaN}',
    b'{"type":"ticker","product_id":"BTC-USD","trade_id":1e999}',
    b'{"type":"ticker","product_id":"BTC-USD","trade_id":-0}',
    b'{"type":"ticker","product_id":"BTC-USD","x":Infinity}',
    b'{"type":"ticker","type":"match"}',
    b'{"type":"ticker","product_id":"BTC-USD"}{"type":"ticker"}',
    b'{"product_id":"BTC-USD","best_bid":1e999999999999,"best_ask":1e-999999999999,"ts":1e9}',
    b'{"product_id":"BTC-USD","best_bid":' + b"9" * 5000 + b',"ts":1}',
    b"[" * 100_000,
    b'{"type":"ticker","x":' + b"[" * 100_000,
    b'{"channel":"ticker","events":' + b'[{"tickers":' * 50_000,
    b'{"raw":' * 100_000,
]

paths = st.lists(st.integers(0, 30), min_size=1, max_size=6)
json_values = st.recursive(
    st.sampled_from(NASTY) | st.text(max_size=6) | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=5,
)


def mutate(value: Any, path: list[int], new: Any) -> Any:
    """`value` with whatever `path` leads to replaced by `new`."""
    if not path or not value or not isinstance(value, dict | list):
        return new
    keys = list(value) if isinstance(value, dict) else range(len(value))
    key = keys[path[0] % len(keys)]
    changed = mutate(value[key], path[1:], new)
    if isinstance(value, dict):
        return value | {key: changed}
    return [*value[:key], changed, *value[key + 1 :]]


def assert_explained(frame_table: FrameTable, payload: bytes, feed: Feed) -> None:
    """One verdict, one line, rows only with allow-listed products and positive values."""
    found = normalise(frame_table([payload, payload], feed))
    rows = found.trades.num_rows + found.quotes.num_rows
    (verdict, again), (reason, _) = found.verdict.to_pylist(), found.reason.to_pylist()
    assert verdict == again
    assert (verdict == "rows") == (rows > 0)
    assert verdict != "rejected" or reason
    assert reason is None or ("\n" not in reason and len(reason) <= REASON_LENGTH)
    assert found.kind[0].as_py() in KINDS
    for table in (found.trades, found.quotes):
        for row in table.to_pylist():
            assert PRODUCT_PATTERN.fullmatch(row["product"])
            assert all(row[name] > 0 for name in ("price", "size", "bid", "ask") if name in row)
            assert row["ts_event"] > 0
    glance = peek(payload, feed)
    assert glance.kind in KINDS
    assert glance.product is None or PRODUCT_PATTERN.fullmatch(glance.product)


@settings(max_examples=400)
@given(seed=st.sampled_from(SEEDS), path=paths, new=json_values)
def test_a_frame_with_one_wrong_value(
    frame_table: FrameTable, seed: tuple[Feed, dict[str, Any]], path: list[int], new: Any
) -> None:
    feed, frame = seed
    assert_explained(frame_table, json.dumps(mutate(frame, path, new)).encode(), feed)


@settings(max_examples=300)
@given(
    seed=st.sampled_from(SEEDS),
    at=st.integers(0, 500),
    cut=st.integers(0, 4),
    junk=st.binary(max_size=4),
)
def test_a_frame_with_bytes_changed(
    frame_table: FrameTable, seed: tuple[Feed, dict[str, Any]], at: int, cut: int, junk: bytes
) -> None:
    feed, frame = seed
    raw = json.dumps(frame).encode()
    at %= len(raw)
    assert_explained(frame_table, raw[:at] + junk + raw[at + cut :], feed)


@given(payload=st.binary(max_size=64), feed=st.sampled_from(FEEDS))
def test_any_bytes_at_all(frame_table: FrameTable, payload: bytes, feed: Feed) -> None:
    assert_explained(frame_table, payload, feed)


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("payload", RAW, ids=lambda raw: repr(raw[:40]))
def test_known_horrors(frame_table: FrameTable, payload: bytes, feed: Feed) -> None:
    assert_explained(frame_table, payload, feed)


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: next(iter(seed[1].values())))
def test_the_unharmed_frame_makes_rows(
    frame_table: FrameTable, seed: tuple[Feed, dict[str, Any]]
) -> None:
    """Else the tests above would prove nothing."""
    feed, frame = seed
    assert normalise(frame_table([frame], feed)).verdict.to_pylist() == ["rows"]


def test_a_hostile_frame_harms_no_neighbour(frame_table: FrameTable) -> None:
    _, good = SEEDS[0]
    payloads: list[object] = []
    for raw in RAW:
        payloads += [good, raw]
    found = normalise(frame_table(payloads))
    assert found.trades.num_rows == len(RAW)
    assert found.verdict.to_pylist()[::2] == ["rows"] * len(RAW)
