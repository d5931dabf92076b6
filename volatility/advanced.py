"""Coinbase Advanced Trade websocket: channels and their decoding.

`ticker` carries the top of book but neither trade id, side nor time of its own; `market_trades`
carries trades in batches, newest first, with the maker's side. `sequence_num` counts the frames
of a connection, over all channels. Integers may come as text.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from volatility.exchange import Id
from volatility.wire import DECODE_ERRORS, Failure, Payload, tag


class Message(msgspec.Struct, tag_field="channel", frozen=True, kw_only=True, gc=False):
    """Any Advanced Trade message; `channel` tells which."""

    timestamp: str | None = None  # RFC 3339, when the exchange sent it
    sequence_num: Id | None = None  # per connection, from 0


class Ticker(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Top of book of one product."""

    product_id: str
    best_bid: str | None = None  # quote currency
    best_bid_quantity: str | None = None  # base currency
    best_ask: str | None = None
    best_ask_quantity: str | None = None


class TickerEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Tickers that were sent together."""

    tickers: list[Ticker] = []


class Tickers(Message, tag="ticker", frozen=True, kw_only=True):
    """Channel `ticker`."""

    events: list[TickerEvent]


class TickerBatch(Message, tag="ticker_batch", frozen=True, kw_only=True):
    """Channel `ticker_batch`: every 5 s, without the book."""

    events: list[TickerEvent]


class Trade(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One execution."""

    product_id: str
    trade_id: Id
    price: str  # quote currency
    size: str  # base currency
    time: str | None = None  # RFC 3339
    side: str  # the maker's, BUY or SELL


class TradeEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Trades that were sent together, newest first."""

    trades: list[Trade] = []


class MarketTrades(Message, tag="market_trades", frozen=True, kw_only=True):
    """Channel `market_trades`; a snapshot of past trades follows every subscribe."""

    events: list[TradeEvent]


class HeartbeatEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The server's count; `current_time` is Go's `time.String()`, not RFC 3339."""

    current_time: str = ""
    heartbeat_counter: Id | None = None


class Heartbeats(Message, tag="heartbeats", frozen=True, kw_only=True):
    """Channel `heartbeats`, once a second."""

    events: list[HeartbeatEvent] = []


class SubscriptionEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Channel name to products, the full set."""

    subscriptions: dict[str, list[str]] = {}


class Subscriptions(Message, tag="subscriptions", frozen=True, kw_only=True):
    """Follows every subscribe and unsubscribe; counts in `sequence_num`."""

    events: list[SubscriptionEvent] = []


class LevelEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Changes of one product's book; recognised, not read."""

    product_id: str | None = None


class Level2(Message, tag="l2_data", frozen=True, kw_only=True):
    """Channel `level2`, named `l2_data` on the wire."""

    events: list[LevelEvent] = []


class _Envelope(msgspec.Struct):
    channel: str | None = None
    type: str | None = None
    message: str = ""
    reason: str = ""


AnyMessage = Tickers | TickerBatch | MarketTrades | Heartbeats | Subscriptions | Level2

KIND: Final[dict[type, str]] = {
    Tickers: "ticker",
    TickerBatch: "ticker_batch",
    MarketTrades: "market_trades",
    Heartbeats: "heartbeat",
    Subscriptions: "subscriptions",
    Level2: "level2",
}
UNREAD: Final = {"status": "status", "candles": "candles"}
"""Channels we know of and need nothing from."""

KIND_OF_CHANNEL: Final = {tag(cls): k for cls, k in KIND.items()} | UNREAD

DECODE: Final[Any] = msgspec.json.Decoder(AnyMessage, strict=False).decode
"""Decodes one payload to a message, or raises one of `DECODE_ERRORS`."""

_ENVELOPE: Final[Any] = msgspec.json.Decoder(_Envelope).decode


class Unread(msgspec.Struct, frozen=True, gc=False):
    """A message without content for us; `note` says what is odd about it."""

    kind: str
    note: str = ""


def fallback(payload: Payload, reason: str) -> Failure | Unread:
    """What a message is that is none of `AnyMessage`."""
    try:
        envelope: _Envelope = _ENVELOPE(payload)
    except DECODE_ERRORS:
        return Failure("unknown", reason)
    channel = envelope.channel
    if channel is None and envelope.type == "error":
        return Unread("error", f"{envelope.message} {envelope.reason}".strip())
    if channel is None and envelope.type in ("subscribe", "unsubscribe"):
        return Unread("subscribe")
    if channel is None:
        return Failure("unknown", reason)
    if channel in UNREAD:
        return Unread(UNREAD[channel])
    if channel in KIND_OF_CHANNEL:
        return Failure(KIND_OF_CHANNEL[channel], reason)
    return Unread("unknown", f"channel {channel!r} is not known")
