"""Coinbase Advanced Trade websocket: channels and their decoding.

`ticker` carries the top of book but neither trade id, side nor time of its own; `market_trades`
carries trades in batches, newest first, with the maker's side. `sequence_num` counts the frames
of a connection, over all channels. Integers may come as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from volatility.errors import MessageError
from volatility.exchange import Id
from volatility.wire import (
    DECODE_ERRORS,
    Decoded,
    Failure,
    Notes,
    Payload,
    QuoteText,
    TradeText,
    by_type,
    decode_all,
    note_failures,
    tag,
)


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

TRADE: Final = {"price": "price", "size": "size", "taker": "side"}
QUOTE: Final = {
    "bid": "best_bid",
    "ask": "best_ask",
    "bid_size": "best_bid_quantity",
    "ask_size": "best_ask_quantity",
}
_TAKER_OF_MAKER: Final = {"BUY": 0, "SELL": 1}

_DECODE: Final[Any] = msgspec.json.Decoder(AnyMessage, strict=False).decode
_ENVELOPE: Final[Any] = msgspec.json.Decoder(_Envelope).decode


class Unread(msgspec.Struct, frozen=True, gc=False):
    """A message without content for us; `note` says what is odd about it."""

    kind: str
    note: str = ""


def decode(payload: Payload) -> AnyMessage | Unread:
    """One message; an error frame and channels we need nothing from are `Unread`.

    Raises:
        MessageError: not an Advanced Trade message; the reason carries msgspec's path.
    """
    try:
        return _DECODE(payload)  # type: ignore[no-any-return]
    except DECODE_ERRORS as exc:
        message = _fallback(payload, str(exc))
        if isinstance(message, Failure):
            raise MessageError(message.reason) from exc
        return message


def _fallback(payload: Payload, reason: str) -> Failure | Unread:
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


def read(frames: Sequence[int], payloads: Sequence[Payload], notes: Notes) -> Decoded:
    """Rows, as text, of a batch of Advanced Trade payloads; `frames` are their indices."""
    out = Decoded()
    groups = by_type(decode_all(payloads, _DECODE, _fallback), frames)
    for cls, (messages, where) in groups.items():
        if cls is Failure:
            note_failures(zip(messages, where, strict=True), out, notes)
        elif cls is Unread:
            for message, frame in zip(messages, where, strict=True):
                out.kinds.setdefault(message.kind, []).append(frame)
                if message.note:
                    notes.say(frame, message.note)
        else:
            out.kinds.setdefault(KIND[cls], []).extend(where)
            if cls is Tickers or cls is TickerBatch:
                out.quotes.append(_quotes(messages, where))
            elif cls is MarketTrades:
                out.trades.append(_trades(messages, where))
            elif cls is Level2:
                for message, frame in zip(messages, where, strict=True):
                    ids = {event.product_id for event in message.events}
                    out.products.extend((frame, i) for i in ids if i is not None)
    return out


def _quotes(messages: Sequence[Tickers | TickerBatch], frames: Sequence[int]) -> QuoteText:
    out = QuoteText(names=QUOTE, path=[])
    for message, frame in zip(messages, frames, strict=True):
        for e, event in enumerate(message.events):
            for t, ticker in enumerate(event.tickers):
                _append_quote(out, message, frame, ticker, f"$.events[{e}].tickers[{t}]")
    return out


def _append_quote(
    out: QuoteText, message: Tickers | TickerBatch, frame: int, ticker: Ticker, path: str
) -> None:
    out.frame.append(frame)
    out.product.append(ticker.product_id)
    out.bid.append(ticker.best_bid)
    out.ask.append(ticker.best_ask)
    out.bid_size.append(ticker.best_bid_quantity)
    out.ask_size.append(ticker.best_ask_quantity)
    out.time.append(message.timestamp)
    out.sequence.append(message.sequence_num)
    out.path.append(path)  # type: ignore[union-attr]


def _trades(messages: Sequence[MarketTrades], frames: Sequence[int]) -> TradeText:
    out = TradeText(names=TRADE, path=[])
    for message, frame in zip(messages, frames, strict=True):
        for e, event in enumerate(message.events):
            for t, trade in enumerate(event.trades):
                _append_trade(out, frame, trade, f"$.events[{e}].trades[{t}]")
    return out


def _append_trade(out: TradeText, frame: int, trade: Trade, path: str) -> None:
    out.frame.append(frame)
    out.product.append(trade.product_id)
    out.trade_id.append(trade.trade_id)
    out.price.append(trade.price)
    out.size.append(trade.size)
    out.taker.append(_TAKER_OF_MAKER.get(trade.side.upper(), -1))
    out.time.append(trade.time)
    out.sequence.append(None)  # sequence_num counts frames, not the product's events
    out.path.append(path)  # type: ignore[union-attr]
