"""The compiled ticks-to-bars loop: one call for many seconds, or one call a second."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from volatility.bar_kernel import carry_in, fill
from volatility.tick import BAR, BOOK, SECOND_NS, new_book
from volatility.tick_order import TickOrder
from volatility.tick_table import quote_records, trade_records


def records(tape: Any) -> tuple[Any, Any]:
    quotes, trades = tape.quotes(), tape.trades()
    return (
        quote_records(quotes, TickOrder(quotes).between(0, 2**62).position),
        trade_records(trades, TickOrder(trades).between(0, 2**62).position),
    )


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32), stride=st.integers(1, 400))
def test_calls_of_any_length_give_the_bits_of_one_call(
    make_tape: Any, seed: int, stride: int
) -> None:
    tape = make_tape(seed, 1.0, 500, ("BTC-USD",))
    quotes, trades = records(tape)
    whole, parts, book = np.zeros(3600, BAR), np.zeros(3600, BAR), new_book()
    fill(new_book(), quotes, trades, tape.START_NS, whole)
    for first in range(0, 3600, stride):
        since = tape.START_NS + first * SECOND_NS
        until = since + stride * SECOND_NS
        some = [t[(t["ts"] >= since) & (t["ts"] < until)] for t in (quotes, trades)]
        fill(book, *some, since, parts[first : first + stride])
    assert parts.tobytes() == whole.tobytes()


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_last_quote_carries_all_that_the_next_hour_needs(make_tape: Any, seed: int) -> None:
    """A book carried in from one quote equals the book of whoever saw the whole hour."""
    tape = make_tape(seed, 2.0, 500, ("BTC-USD",))
    quotes, trades = records(tape)
    noon = tape.START_NS + 3600 * SECOND_NS
    quoted, traded = ([t[t["ts"] < noon], t[t["ts"] >= noon]] for t in (quotes, trades))
    lived, cold = new_book(), new_book()
    fill(lived, quoted[0], traded[0], tape.START_NS, np.zeros(3600, BAR))
    carry_in(cold, quoted[0])
    bars = [np.zeros(3600, BAR), np.zeros(3600, BAR)]
    for book, filled in zip((lived, cold), bars, strict=True):
        fill(book, quoted[1], traded[1], noon, filled)
    assert bars[0].tobytes() == bars[1].tobytes()


def test_a_new_book_knows_no_price() -> None:
    book = new_book()
    assert book.dtype == BOOK
    assert (book["bid"], book["ask"], book["rank"]) == (0, 0, -1)
    assert np.isnan(book["bid_size"]).all()
