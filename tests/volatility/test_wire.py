"""Frames without rows: what they are called, and why they are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from volatility.normalise import Normalised, normalise

FrameTable = Callable[..., Any]


TICKER = {"type": "ticker", "product_id": "BTC-USD"}
MATCH: dict[str, Any] = {
    "type": "match",
    "trade_id": 1081862675,
    "side": "sell",
    "size": "0.00000001",
    "price": "80691.53",
    "product_id": "BTC-USD",
    "sequence": 134905860111,
    "time": "2026-08-25T03:35:57.198335Z",
}


GO_TIME = "2023-10-23 14:43:13.362521689 +0000 UTC m=+425760.164580852"
"""What Go's `time.String()` makes: heartbeats carry it."""


def market_trades(*trades: dict[str, Any], **envelope: Any) -> dict[str, Any]:
    """An Advanced Trade frame of trades."""
    head = {"channel": "market_trades", "timestamp": "2025-12-31T06:00:13.715382929Z"}
    return head | {"sequence_num": 7, "events": [{"type": "update", "trades": trades}]} | envelope


def trade(trade_id: object = "929248663", **other: Any) -> dict[str, Any]:
    """A trade of `market_trades`."""
    own = {"product_id": "BTC-USD", "trade_id": trade_id, "price": "88355.58", "side": "BUY"}
    return own | {"size": "0.00003338", "time": "2025-12-31T06:00:13.65457Z"} | other


def tickers(*rows: dict[str, Any], channel: str = "ticker") -> dict[str, Any]:
    """An Advanced Trade frame of tickers."""
    head = {"channel": channel, "timestamp": "2023-02-09T20:30:37.167359596Z", "sequence_num": 3}
    return head | {"events": [{"type": "snapshot", "tickers": rows}]}


BOOK = {
    "product_id": "BTC-USD",
    "best_bid": "21931.98",
    "best_bid_quantity": "8000.21",
    "best_ask": "21933.98",
    "best_ask_quantity": "8038.07770938",
}


def told(found: Normalised) -> list[tuple[str, str, str | None]]:
    """(kind, verdict, reason) of every frame."""
    columns = (found.kind, found.verdict, found.reason)
    return list(zip(*(column.to_pylist() for column in columns), strict=True))


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
    frame_table: FrameTable, feed: str, payload: object, kind: str
) -> None:
    assert told(normalise(frame_table([payload], feed))) == [(kind, "control", None)]


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
    frame_table: FrameTable, feed: str, payload: object, kind: str, reason: str
) -> None:
    assert told(normalise(frame_table([payload], feed))) == [(kind, "control", reason)]


@pytest.mark.parametrize(
    ("feed", "payload", "kind", "reason"),
    [
        ("exchange", b"", "unknown", "Input data was truncated"),
        ("exchange", b"[]", "unknown", "Expected `object`, got `array`"),
        ("exchange", {"price": "1"}, "unknown", "Object missing required field `type`"),
        (
            "exchange",
            TICKER | {"price": 103472.28},
            "ticker",
            "Expected `str | null`, got `float` - at `$.price`",
        ),
        (
            "exchange",
            TICKER | {"trade_id": 2**63},
            "ticker",
            "Expected `int` <= 9223372036854775807 - at `$.trade_id`",
        ),
        (
            "exchange",
            TICKER | {"side": "both"},
            "ticker",
            "Invalid enum value 'both' - at `$.side`",
        ),
        (
            "exchange",
            {"type": "match", "product_id": "BTC-USD"},
            "match",
            "Object missing required field `trade_id`",
        ),
        (
            "exchange",
            MATCH | {"price": "1e5"},
            "match",
            "'1e5' is not a plain decimal - at `$.price`",
        ),
        ("exchange", MATCH | {"size": "0"}, "match", "'0' is zero - at `$.size`"),
        (
            "exchange",
            MATCH | {"time": "yesterday"},
            "match",
            "'yesterday' is not an RFC 3339 time - at `$.time`",
        ),
        (
            "exchange",
            MATCH | {"product_id": "../../etc"},
            "match",
            "'../../etc' is not a product id - at `$.product_id`",
        ),
        (
            "exchange",
            {"type": "snapshot", "product_id": "btc-usd"},
            "level2",
            "'btc-usd' is not a product id - at `$.product_id`",
        ),
        (
            "advanced",
            market_trades(trade(), trade(price=5)),
            "market_trades",
            "Expected `str`, got `int` - at `$.events[0].trades[1].price`",
        ),
        (
            "advanced",
            market_trades(trade(side="UNKNOWN_ORDER_SIDE")),
            "market_trades",
            "is missing or neither buy nor sell - at `$.events[0].trades[0].side`",
        ),
        (
            "advanced",
            tickers(BOOK | {"best_bid": "a"}),
            "ticker",
            "'a' is not a plain decimal - at `$.events[0].tickers[0].best_bid`",
        ),
        ("advanced", {"foo": 1}, "unknown", "Object missing required field `channel`"),
        ("flat", {"price": "1"}, "unknown", "Object missing required field `product_id`"),
        ("carrier-pigeon", {}, "unknown", "feed 'carrier-pigeon' is not known"),
    ],
)
def test_what_cannot_be_understood_is_rejected_with_its_path(
    frame_table: FrameTable, feed: str, payload: object, kind: str, reason: str
) -> None:
    assert told(normalise(frame_table([payload], feed))) == [(kind, "rejected", reason)]
