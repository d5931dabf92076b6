"""Frames without rows: what they are called, and why they are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from volatility.normalise import normalise

FrameTable = Callable[..., Any]


GO_TIME = "2023-10-23 14:43:13.362521689 +0000 UTC m=+425760.164580852"
"""What Go's `time.String()` makes: heartbeats carry it."""


@pytest.mark.parametrize(
    ("feed", "payload", "kind"),
    [
        ("exchange", {"type": "subscriptions", "channels": [{"name": "ticker"}]}, "subscriptions"),
        (
            "exchange",
            {"type": "heartbeat", "last_trade_id": 0, "product_id": "BTC-USD", "sequence": 90},
            "heartbeat",
        ),
        ("exchange", {"type": "snapshot", "product_id": "BTC-USD", "asks": [["1", "2"]]}, "level2"),
        (
            "exchange",
            {"type": "l2update", "product_id": "BTC-USD", "changes": [["buy", "1", "0.-10000"]]},
            "level2",
        ),
        ("exchange", {"type": "status", "products": [], "currencies": []}, "status"),
        ("exchange", {"type": "subscribe", "channels": ["level2"]}, "subscribe"),
        ("exchange", {"type": "received", "product_id": "BTC-USD"}, "full"),
        ("exchange", {"type": "auction", "timestamp": "x"}, "auction"),
        ("exchange", {"type": "rfq_match", "trade_id": 1}, "rfq_match"),
        (
            "advanced",
            {"channel": "subscriptions", "events": [{"subscriptions": {"level2": ["BTC-USD"]}}]},
            "subscriptions",
        ),
        (
            "advanced",
            {
                "channel": "heartbeats",
                "client_id": "",
                "timestamp": "2023-10-23T14:43:13.362842145Z",
                "sequence_num": 150,
                "events": [
                    {
                        "current_time": GO_TIME,
                        "heartbeat_counter": 14191,
                    }
                ],
            },
            "heartbeat",
        ),
        (
            "advanced",
            {"channel": "heartbeats", "events": [{"heartbeat_counter": "14191"}]},
            "heartbeat",
        ),
        (
            "advanced",
            {
                "channel": "l2_data",
                "events": [
                    {
                        "type": "snapshot",
                        "product_id": "BTC-USD",
                        "updates": [
                            {
                                "side": "offer",
                                "event_time": "1970-01-01T00:00:00Z",
                                "price_level": "1",
                            }
                        ],
                    }
                ],
            },
            "level2",
        ),
        ("advanced", {"channel": "status", "events": [{"products": []}]}, "status"),
        ("advanced", {"channel": "candles", "events": []}, "candles"),
        ("ingestor", {"event": "connected"}, "ingestor"),
    ],
)
def test_control_frames_are_named_and_silent(
    frame_table: FrameTable, wire: Any, feed: str, payload: object, kind: str
) -> None:
    assert wire.told(normalise(frame_table([payload], feed))) == [(kind, "control", None)]


@pytest.mark.parametrize(
    ("feed", "payload", "kind", "reason"),
    [
        (
            "exchange",
            {"type": "error", "message": "Failed to subscribe", "reason": "level2 requires auth"},
            "error",
            "Failed to subscribe: level2 requires auth",
        ),
        (
            "advanced",
            {"type": "error", "message": "authentication failure"},
            "error",
            "authentication failure",
        ),
        ("exchange", {"type": "tocker"}, "unknown", "type 'tocker' is not known"),
        ("advanced", {"channel": "l3", "events": 5}, "unknown", "channel 'l3' is not known"),
    ],
)
def test_errors_and_unknown_types_are_control_and_quoted(
    frame_table: FrameTable, wire: Any, feed: str, payload: object, kind: str, reason: str
) -> None:
    assert wire.told(normalise(frame_table([payload], feed))) == [(kind, "control", reason)]


@pytest.mark.parametrize(
    ("feed", "payload", "kind", "reason"),
    [
        ("exchange", b"", "unknown", "Input data was truncated"),
        ("exchange", b"[]", "unknown", "Expected `object`, got `array`"),
        ("exchange", {"price": "1"}, "unknown", "Object missing required field `type`"),
        (
            "exchange",
            {"type": "match", "product_id": "BTC-USD"},
            "match",
            "Object missing required field `trade_id`",
        ),
        (
            "exchange",
            {"type": "snapshot", "product_id": "btc-usd"},
            "level2",
            "'btc-usd' is not a product id - at `$.product_id`",
        ),
        ("advanced", {"foo": 1}, "unknown", "Object missing required field `channel`"),
        ("flat", {"price": "1"}, "unknown", "Object missing required field `product_id`"),
        ("carrier-pigeon", {}, "unknown", "feed 'carrier-pigeon' is not known"),
    ],
)
def test_what_cannot_be_understood_is_rejected(
    frame_table: FrameTable, wire: Any, feed: str, payload: object, kind: str, reason: str
) -> None:
    assert wire.told(normalise(frame_table([payload], feed))) == [(kind, "rejected", reason)]


@pytest.mark.parametrize(
    ("kind", "broken", "reason"),
    [
        ("ticker", {"price": 103472.28}, "Expected `str | null`, got `float` - at `$.price`"),
        (
            "ticker",
            {"trade_id": 2**63},
            "Expected `int` <= 9223372036854775807 - at `$.trade_id`",
        ),
        ("ticker", {"side": "both"}, "Invalid enum value 'both' - at `$.side`"),
        ("match", {"price": "1e5"}, "'1e5' is not a plain decimal - at `$.price`"),
        ("match", {"size": "0"}, "'0' is zero - at `$.size`"),
        ("match", {"time": "yesterday"}, "'yesterday' is not an RFC 3339 time - at `$.time`"),
        (
            "match",
            {"product_id": "../../etc"},
            "'../../etc' is not a product id - at `$.product_id`",
        ),
    ],
)
def test_a_broken_field_is_rejected_with_its_path(
    frame_table: FrameTable, wire: Any, kind: str, broken: dict[str, object], reason: str
) -> None:
    whole = {"ticker": wire.TICKER, "match": wire.MATCH}[kind]
    assert wire.told(normalise(frame_table([whole | broken]))) == [(kind, "rejected", reason)]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"price": 5}, "Expected `str`, got `int` - at `$.events[0].trades[1].price`"),
        (
            {"side": "UNKNOWN_ORDER_SIDE"},
            "is missing or neither buy nor sell - at `$.events[0].trades[1].side`",
        ),
    ],
)
def test_a_broken_trade_is_told_with_its_place_in_the_batch(
    frame_table: FrameTable, wire: Any, broken: dict[str, object], reason: str
) -> None:
    found = normalise(
        frame_table([wire.market_trades(wire.trade(), wire.trade(**broken))], "advanced")
    )
    assert wire.told(found)[0][2] == reason


def test_a_broken_ticker_is_rejected_with_its_place_in_the_batch(
    frame_table: FrameTable, wire: Any
) -> None:
    found = normalise(frame_table([wire.tickers(wire.BOOK | {"best_bid": "a"})], "advanced"))
    reason = "'a' is not a plain decimal - at `$.events[0].tickers[0].best_bid`"
    assert wire.told(found) == [("ticker", "rejected", reason)]
