"""A glance tells product, kind and hours, and agrees with the full reading."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from volatility.frame import Feed
from volatility.normalise import normalise
from volatility.peek import Peek, peek
from volatility.timestamp import parse_time

FrameTable = Callable[..., Any]
TIME = "2025-12-31T06:00:13.654578Z"
TIME_NS = 1_767_160_813_654_578_000


def batch(*trades: tuple[str, str]) -> dict[str, Any]:
    """A `market_trades` frame of (product, time)."""
    rows = [
        {
            "product_id": product,
            "trade_id": "1",
            "price": "1",
            "size": "1",
            "time": t,
            "side": "BUY",
        }
        for product, t in trades
    ]
    return {"channel": "market_trades", "timestamp": TIME, "events": [{"trades": rows}]}


@pytest.mark.parametrize(
    ("feed", "frame", "expected"),
    [
        (
            "exchange",
            {"type": "ticker", "product_id": "BTC-USD", "time": TIME},
            Peek(kind="ticker", product="BTC-USD", events_ns=(TIME_NS,)),
        ),
        (
            "exchange",
            {"type": "heartbeat", "product_id": "BTC-USD", "time": TIME},
            Peek(kind="heartbeat", product="BTC-USD", events_ns=(TIME_NS,)),
        ),
        ("exchange", {"type": "subscriptions", "channels": []}, Peek(kind="subscriptions")),
        ("exchange", {"type": "tomorrow"}, Peek()),
        (
            "exchange",
            {"type": "ticker", "product_id": "../etc", "time": "1970-01-01T00:00:00Z"},
            Peek(kind="ticker", at_receipt=True),
        ),
        (
            "advanced",
            {
                "channel": "ticker",
                "timestamp": TIME,
                "events": [{"tickers": [{"product_id": "A-B"}]}],
            },
            Peek(kind="ticker", product="A-B", events_ns=(TIME_NS,)),
        ),
        (
            "advanced",
            {"channel": "l2_data", "timestamp": TIME, "events": [{"product_id": "A-B"}]},
            Peek(kind="level2", product="A-B", events_ns=(TIME_NS,)),
        ),
        ("advanced", {"type": "error", "message": "no"}, Peek(kind="error")),
        ("advanced", {"channel": "tomorrow"}, Peek()),
        (
            "flat",
            {"product_id": "BTC-USD", "ts": 1762932011.5},
            Peek(
                kind="ticker",
                product="BTC-USD",
                events_ns=(1_762_932_011_500_000_000,),
                at_receipt=True,
            ),
        ),
        (
            "flat",
            {"product_id": "BTC-USD"},
            Peek(kind="ticker", product="BTC-USD", at_receipt=True),
        ),
        ("flat", {"product_id": "BTC-USD", "ts": "noon"}, Peek()),
        ("ingestor", {"event": "connected"}, Peek(kind="ingestor")),
    ],
)
def test_a_glance(feed: Feed, frame: object, expected: Peek) -> None:
    assert peek(json.dumps(frame).encode(), feed) == expected


def test_a_batch_tells_the_time_of_every_trade() -> None:
    """A batch over the full hour touches two partitions."""
    frame = batch(("A-B", "2025-12-31T07:00:00Z"), ("A-B", "2025-12-31T06:59:59.9Z"))
    glance = peek(json.dumps(frame).encode(), "advanced")
    assert glance.events_ns == (1_767_164_400_000_000_000, 1_767_164_399_900_000_000)
    assert glance.event_ns == 1_767_164_400_000_000_000
    assert glance.product == "A-B"


def test_a_frame_of_several_products_is_nobodys() -> None:
    frame = batch(("A-B", TIME), ("C-D", TIME))
    assert peek(json.dumps(frame).encode(), "advanced").product is None


def test_a_frame_without_a_time_has_no_event() -> None:
    assert Peek().event_ns is None


@pytest.mark.parametrize("time", [TIME, "1970-01-01T00:00:00Z", "2025-12-31T06:00:13+01:00"])
def test_a_glance_and_the_full_reading_agree_on_the_instant(
    frame_table: FrameTable, time: str
) -> None:
    """Bronze footers are made by one, partitions by the other."""
    frame = batch(("BTC-USD", time))
    (row,) = normalise(frame_table([frame], "advanced")).trades.to_pylist()
    glance = peek(json.dumps(frame).encode(), "advanced")
    assert (glance.event_ns or row["ts_recv"]) == row["ts_event"]
    assert glance.event_ns == parse_time(time)


@given(
    times=st.lists(st.sampled_from([TIME, "", "1970-01-01T00:00:00Z", "2025-12-31T07:00:00Z"])),
    data=st.data(),
)
def test_no_row_is_made_at_an_instant_the_glance_did_not_tell(
    frame_table: FrameTable, times: list[str], data: st.DataObject
) -> None:
    """Else an hour could hold frames that nobody knows to read."""
    ticker = {"type": "ticker", "product_id": "A-B", "best_bid": "1", "best_ask": "2"}
    envelope = {"channel": "ticker", "events": [{"tickers": [ticker]}]}
    time = data.draw(st.sampled_from([TIME, "", "0001-01-01T00:00:00Z"]))
    cases: list[tuple[Feed, dict[str, Any]]] = [
        ("exchange", ticker | ({"time": time} if time else {})),
        ("advanced", envelope | ({"timestamp": time} if time else {})),
        ("advanced", batch(*(("A-B", t) for t in times))),
        ("flat", ticker | {"ws_timestamp": time}),
        ("flat", ticker | {"timestamp": time.removesuffix("Z")}),
    ]
    for feed, frame in cases:
        found = normalise(frame_table([frame], feed))
        recv_ns = int(frame_table([frame], feed)["recv_ts"][0].as_py())
        told = set(peek(json.dumps(frame).encode(), feed).instants_ns(recv_ns))
        for rows in (found.trades, found.quotes):
            assert set(rows["ts_event"].to_pylist()) <= told
