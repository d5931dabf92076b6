"""Ticks to 1 s bars, compiled: a quote or trade updates the open bar, closing it writes a row.

One set of functions serves batch (`fill` over an hour) and stream (`fill` over one second), so the
two cannot differ. The rules:

- A bar is `[close - 1 s, close)`; an event at exactly `close` belongs to the next bar.
- Prices stay integers. `mid2` is bid + ask at the quote's own decimal scale; 0 stands for unknown.
  A quote whose bid or ask is not positive is no book: mid is unknown until the next one.
- `r = log1p((m - p) / p)` with m, p the mid2 at this and the previous close, brought to one scale
  and, above 2^53, to lowest terms: exactly 0 for equal mids, whatever the scales.
- `age_ns` is close minus the last *quote*. A trade does not renew the mid: after a reconnect trades
  are repaired over REST, quotes never are.
- A bar is observed when a mid is known at both its ends and no silence over 60 s touches it: not
  older than 60 s at the close, and not the bar whose first quote ends such a silence. Exactly the
  observed bars have an r.
- At each UTC hour a book without a quote in the hour before is forgotten, so a bar depends on
  nothing before the previous hour's start.
- Order-flow imbalance sums, over consecutive quotes n (Cont, Kukanov, Stoikov 2014, eq. 4),
  `[b_n >= b_p] B_n - [b_n <= b_p] B_p - [a_n <= a_p] A_n + [a_n >= a_p] A_p`, p = n - 1,
  with b, a prices and B, A sizes; NaN (null) when a size was not sent.
- Volumes add in trade-id order, order flow in quote order: float sums have one order everywhere.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import from_dtype, njit, types

from volatility.tick import BAR, BOOK, HOUR_NS, NEVER, QUOTE, SECOND_NS, TRADE

GAP_NS: Final = 60 * SECOND_NS
"""Longest silence that counts as observed, in ns."""

_MAX: Final = 2**63 - 1
_EXACT: Final = 2**53


@njit  # type: ignore[untyped-decorator]
def _lift(number: int, digits: int) -> int:
    """Multiply by 10^digits; 0, that is unknown, where it does not fit."""
    for _ in range(digits):
        if number > _MAX // 10:
            return 0
        number *= 10
    return number


@njit  # type: ignore[untyped-decorator]
def _mid2(book: Any) -> int:
    return book.bid + book.ask if book.bid > 0 and book.ask > 0 else 0


@njit  # type: ignore[untyped-decorator]
def _log_return(now: int, now_scale: int, then: int, then_scale: int) -> float:
    """ln(now/then) of two positive fixed-point numbers; NaN where they do not fit one scale."""
    scale = max(now_scale, then_scale)
    now, then = _lift(now, scale - now_scale), _lift(then, scale - then_scale)
    if now == 0 or then == 0:
        return np.nan
    if now > _EXACT or then > _EXACT:
        a, b = now, then
        while b:
            a, b = b, a % b
        now, then = now // a, then // a
    return np.log1p((now - then) / then)  # type: ignore[no-any-return]


@njit  # type: ignore[untyped-decorator]
def _flow(book: Any, quote: Any) -> float:
    """Order flow between the book in force and the quote that replaces it, base units."""
    if _mid2(book) == 0 or quote.bid <= 0 or quote.ask <= 0:
        return 0.0
    scale = max(book.scale, quote.scale)
    was, now = scale - book.scale, scale - quote.scale
    bid, bid_was = _lift(quote.bid, now), _lift(book.bid, was)
    ask, ask_was = _lift(quote.ask, now), _lift(book.ask, was)
    flow = 0.0 * (quote.bid_size + quote.ask_size + book.bid_size + book.ask_size)
    if bid >= bid_was:
        flow += quote.bid_size
    if bid <= bid_was:
        flow -= book.bid_size
    if ask <= ask_was:
        flow -= quote.ask_size
    if ask >= ask_was:
        flow += book.ask_size
    return flow  # type: ignore[no-any-return]


@njit  # type: ignore[untyped-decorator]
def _extend(bar: Any, mid2: int, scale: int) -> None:
    """Let a mid in force widen the open bar."""
    if bar.mid2_open == 0:
        bar.mid2_open = bar.mid2_high = bar.mid2_low = mid2
        bar.price_scale = scale
        return
    if scale > bar.price_scale:
        more = scale - bar.price_scale
        bar.mid2_open = _lift(bar.mid2_open, more)
        bar.mid2_high = _lift(bar.mid2_high, more)
        bar.mid2_low = _lift(bar.mid2_low, more)
        bar.price_scale = scale
    mid2 = _lift(mid2, bar.price_scale - scale)
    bar.mid2_high = max(bar.mid2_high, mid2)
    bar.mid2_low = min(bar.mid2_low, mid2)


@njit  # type: ignore[untyped-decorator]
def _open_bar(book: Any, bar: Any, open_ns: int) -> None:
    """Start the bar at `open_ns` with the book carried into it."""
    if open_ns % HOUR_NS == 0 and book.quote_ns < open_ns - HOUR_NS:
        book.bid = book.ask = book.prev_mid2 = 0
        book.quote_ns, book.rank = NEVER, -1
    book.before_ns, book.first_ns = book.quote_ns, NEVER
    bar.ts = open_ns + SECOND_NS
    bar.mid2_open = bar.mid2_high = bar.mid2_low = 0
    bar.price_scale = book.scale
    bar.n_quotes = bar.n_trades = 0
    bar.volume = bar.signed_volume = bar.ofi = 0.0
    bar.rank = -1
    if _mid2(book) > 0:
        _extend(bar, _mid2(book), book.scale)


@njit  # type: ignore[untyped-decorator]
def _on_quote(book: Any, bar: Any, quote: Any) -> None:
    """A quote updates the open bar and becomes the book in force."""
    bar.ofi += _flow(book, quote)
    bar.n_quotes += 1
    bar.rank = max(bar.rank, quote.rank)
    if book.first_ns == NEVER:
        book.first_ns = quote.ts
    book.bid, book.ask, book.scale = quote.bid, quote.ask, quote.scale
    book.bid_size, book.ask_size = quote.bid_size, quote.ask_size
    book.quote_ns, book.rank = quote.ts, quote.rank
    if _mid2(book) > 0:
        _extend(bar, _mid2(book), book.scale)


@njit  # type: ignore[untyped-decorator]
def _on_trade(bar: Any, trade: Any) -> None:
    """A trade updates the open bar."""
    bar.n_trades += 1
    bar.volume += trade.size
    bar.signed_volume += trade.signed
    bar.rank = max(bar.rank, trade.rank)


@njit  # type: ignore[untyped-decorator]
def _silent(book: Any, close_ns: int) -> bool:
    """Whether a silence over 60 s touches the bar closing at `close_ns`."""
    if book.first_ns != NEVER:
        return book.first_ns - book.before_ns > GAP_NS  # type: ignore[no-any-return]
    return close_ns - book.quote_ns > GAP_NS  # type: ignore[no-any-return]


@njit  # type: ignore[untyped-decorator]
def _close_bar(book: Any, bar: Any) -> None:
    """Fix what is known only at the close, and remember it for the next bar."""
    mid2 = _mid2(book)
    bar.mid2_close = _lift(mid2, bar.price_scale - book.scale)
    bar.age_ns = bar.ts - book.quote_ns if book.quote_ns != NEVER else -1
    bar.r = bar.spread_bps = bar.imbalance = np.nan
    if mid2 > 0:
        bar.spread_bps = 2e4 * ((book.ask - book.bid) / mid2)
        if book.bid_size + book.ask_size > 0:
            top = book.bid_size - book.ask_size
            bar.imbalance = top / (book.bid_size + book.ask_size)
        if book.prev_mid2 > 0 and not _silent(book, bar.ts):
            bar.r = _log_return(mid2, book.scale, book.prev_mid2, book.prev_scale)
    bar.observed = 0 if np.isnan(bar.r) else 1
    bar.rank = max(bar.rank, book.rank)
    book.prev_mid2, book.prev_scale = mid2, book.scale


_BOOK, _BAR = from_dtype(BOOK), from_dtype(BAR)
_QUOTE, _TRADE = from_dtype(QUOTE), from_dtype(TRADE)


@njit(  # type: ignore[untyped-decorator]
    types.void(_BOOK[::1], _QUOTE[::1], _TRADE[::1], types.int64, _BAR[::1]), cache=True
)
def fill(books: Any, quotes: Any, trades: Any, start_ns: int, bars: Any) -> None:
    """Fill `bars`, one per second from `start_ns`, with the ticks inside them.

    Args:
        books: shape (1,), dtype BOOK; carried from call to call.
        quotes: dtype QUOTE, ordered by (ts, sequence), none before `start_ns`.
        trades: dtype TRADE, ordered by second, then trade id, none before `start_ns`.
        start_ns: open of the first bar, a whole second.
        bars: dtype BAR, written.
    """
    book, q, t = books[0], 0, 0
    for i in range(len(bars)):
        bar, open_ns = bars[i], start_ns + i * SECOND_NS
        _open_bar(book, bar, open_ns)
        while q < len(quotes) and quotes[q].ts < bar.ts:
            _on_quote(book, bar, quotes[q])
            q += 1
        while t < len(trades) and trades[t].ts < bar.ts:
            _on_trade(bar, trades[t])
            t += 1
        _close_bar(book, bar)


@njit(types.void(_BOOK[::1], _QUOTE[::1]), cache=True)  # type: ignore[untyped-decorator]
def carry_in(books: Any, quotes: Any) -> None:
    """Put the last of `quotes` (dtype QUOTE) in force, as if every bar before had been closed."""
    if len(quotes) == 0:
        return
    book, quote = books[0], quotes[len(quotes) - 1]
    book.bid, book.ask, book.scale = quote.bid, quote.ask, quote.scale
    book.bid_size, book.ask_size = quote.bid_size, quote.ask_size
    book.quote_ns, book.rank = quote.ts, quote.rank
    book.prev_mid2, book.prev_scale = _mid2(book), quote.scale
