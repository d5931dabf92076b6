"""Advanced Trade messages to trades and quotes, still as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from volatility.advanced import (
    DECODE,
    KIND,
    Level2,
    MarketTrades,
    Ticker,
    TickerBatch,
    Tickers,
    Trade,
    Unread,
    fallback,
)
from volatility.wire import (
    QUOTE_KEYS,
    TRADE_KEYS,
    Decoded,
    Failure,
    Notes,
    Payload,
    QuoteText,
    TradeText,
    by_type,
    decode_all,
    note_failures,
)

_QUOTE: Final = QUOTE_KEYS | {"bid_size": "best_bid_quantity", "ask_size": "best_ask_quantity"}
_TAKER_OF_MAKER: Final = {"BUY": 0, "SELL": 1}


def read(frames: list[int], payloads: Sequence[Payload], notes: Notes) -> Decoded:
    """Rows, as text, of a batch of Advanced Trade payloads; `frames` are their indices."""
    out = Decoded()
    groups = by_type(decode_all(payloads, DECODE, fallback), frames)
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
    out = QuoteText(names=_QUOTE, path=[])
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
    out = TradeText(names=TRADE_KEYS, path=[])
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
