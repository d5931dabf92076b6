"""Exchange messages to trades and quotes, still as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from volatility.exchange import (
    DECODE,
    KIND,
    Error,
    LastMatch,
    Match,
    Status,
    Subscriptions,
    Ticker,
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

_TICKER_TRADE: Final = TRADE_KEYS | {"size": "last_size"}
_TAKER_OF_TICKER: Final = {"buy": 1, "sell": 0, None: -1}
_TAKER_OF_MATCH: Final = {"buy": 0, "sell": 1}


def read(frames: list[int], payloads: Sequence[Payload], notes: Notes) -> Decoded:
    """Rows, as text, of a batch of Exchange payloads; `frames` are their indices."""
    out = Decoded()
    groups = by_type(decode_all(payloads, DECODE, fallback), frames)
    for cls, (messages, where) in groups.items():
        if cls is Failure:
            note_failures(zip(messages, where, strict=True), out, notes)
            continue
        if cls is str:
            _note_unread(messages, where, out, notes)
            continue
        out.kinds.setdefault(KIND[cls], []).extend(where)
        if cls is Ticker:
            _read_tickers(messages, where, out)
        elif cls is Match or cls is LastMatch:
            out.trades.append(_match_trades(messages, where))
        elif cls is Error:
            for message, frame in zip(messages, where, strict=True):
                notes.say(frame, f"{message.message}: {message.reason}")
        elif cls is not Subscriptions and cls is not Status:
            out.products.extend((f, m.product_id) for m, f in zip(messages, where, strict=True))
    return out


def _note_unread(names: Sequence[str], frames: Sequence[int], out: Decoded, notes: Notes) -> None:
    for name, frame in zip(names, frames, strict=True):
        if name.startswith("?"):
            notes.say(frame, f"type {name[1:]!r} is not known")
            name = "unknown"
        out.kinds.setdefault(name, []).append(frame)


def _read_tickers(tickers: list[Ticker], frames: list[int], out: Decoded) -> None:
    quotes = _ticker_quotes(tickers, frames)
    out.quotes.append(quotes)
    traded = [i for i, m in enumerate(tickers) if m.trade_id is not None]
    if len(traded) == len(tickers):
        out.trades.append(_ticker_trades(tickers, quotes))
    elif traded:
        some = [tickers[i] for i in traded]
        out.trades.append(_ticker_trades(some, _ticker_quotes(some, [frames[i] for i in traded])))


def _ticker_trades(tickers: list[Ticker], quotes: QuoteText) -> TradeText:
    """The trades of `tickers`; columns shared with `quotes` are the same lists, parsed once."""
    return TradeText(
        names=_TICKER_TRADE,
        frame=quotes.frame,
        product=quotes.product,
        trade_id=[m.trade_id for m in tickers],
        price=[m.price for m in tickers],
        size=[m.last_size for m in tickers],
        taker=[_TAKER_OF_TICKER[m.side] for m in tickers],
        time=quotes.time,
        sequence=quotes.sequence,
    )


def _match_trades(matches: list[Match], frames: list[int]) -> TradeText:
    return TradeText(
        names=TRADE_KEYS,
        frame=frames,
        product=[m.product_id for m in matches],
        trade_id=[m.trade_id for m in matches],
        price=[m.price for m in matches],
        size=[m.size for m in matches],
        taker=[_TAKER_OF_MATCH[m.side] for m in matches],
        time=[m.time for m in matches],
        sequence=[m.sequence for m in matches],
    )


def _ticker_quotes(tickers: list[Ticker], frames: list[int]) -> QuoteText:
    return QuoteText(
        names=QUOTE_KEYS,
        frame=frames,
        product=[m.product_id for m in tickers],
        bid=[m.best_bid for m in tickers],
        ask=[m.best_ask for m in tickers],
        bid_size=[m.best_bid_size for m in tickers],
        ask_size=[m.best_ask_size for m in tickers],
        time=[m.time for m in tickers],
        sequence=[m.sequence for m in tickers],
    )
