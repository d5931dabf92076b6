"""Quotes, trades, bars and the open bar's state as flat records in memory, for the kernel.

Quotes and trades come from silver tables or from the stream; bars are written by
`volatility/bar_kernel.py` and read by `volatility/kernel.py`. NaN or 0 stand for what tables hold
as null; each field says which.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

SECOND_NS: Final = 1_000_000_000
HOUR_NS: Final = 3600 * SECOND_NS
DAY_NS: Final = 24 * HOUR_NS
DEFAULT_SCALE: Final = 8
"""Decimal digits of a price before the first quote says otherwise."""
NEVER: Final = -(2**62)
"""An instant before all others, ns."""

QUOTE: Final = np.dtype(
    [
        ("ts", np.int64),  # exchange clock, ns since epoch UTC
        ("sequence", np.int64),
        ("bid", np.int64),  # at scale
        ("ask", np.int64),
        ("bid_size", np.float64),  # base units, NaN where not sent
        ("ask_size", np.float64),
        ("scale", np.int64),
        ("rank", np.int64),  # volatility/source.py
    ]
)
TRADE: Final = np.dtype(
    [
        ("ts", np.int64),  # exchange clock, ns since epoch UTC
        ("trade_id", np.int64),
        ("size", np.float64),  # base units
        ("signed", np.float64),  # the size, negative where the taker sold
        ("rank", np.int64),
    ]
)
BAR: Final = np.dtype(
    [
        ("ts", np.int64),  # close, ns since epoch UTC
        ("mid2_open", np.int64),  # 0: unknown, here and in the next three
        ("mid2_high", np.int64),
        ("mid2_low", np.int64),
        ("mid2_close", np.int64),
        ("price_scale", np.int64),
        ("r", np.float64),  # NaN: unknown
        ("n_quotes", np.int64),
        ("n_trades", np.int64),
        ("volume", np.float64),
        ("signed_volume", np.float64),
        ("spread_bps", np.float64),
        ("imbalance", np.float64),
        ("ofi", np.float64),
        ("age_ns", np.int64),  # -1: no quote yet
        ("observed", np.int64),
        ("rank", np.int64),
    ]
)
"""A bar in memory; silver/bars_1s is the same with nulls."""

BOOK: Final = np.dtype(
    [
        ("bid", np.int64),
        ("ask", np.int64),
        ("bid_size", np.float64),
        ("ask_size", np.float64),
        ("scale", np.int64),
        ("rank", np.int64),
        ("quote_ns", np.int64),  # last quote
        ("before_ns", np.int64),  # last quote before the open bar
        ("first_ns", np.int64),  # first quote in the open bar
        ("prev_mid2", np.int64),  # at the previous close
        ("prev_scale", np.int64),
    ]
)
"""The book in force and what the open bar must remember of the past."""


def new_book() -> Any:
    """A state that has seen nothing; shape (1,), dtype BOOK."""
    book = np.zeros(1, BOOK)
    book["bid_size"] = book["ask_size"] = np.nan
    book["scale"] = book["prev_scale"] = DEFAULT_SCALE
    book["rank"] = -1
    book["quote_ns"] = book["before_ns"] = book["first_ns"] = NEVER
    return book
