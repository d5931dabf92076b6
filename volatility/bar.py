"""1 s bars of an hour from its quotes and trades: the Arrow side of `volatility/bar_kernel.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from volatility.array import Ints
from volatility.bar_kernel import carry_in, fill
from volatility.nullable import codes, ints
from volatility.tick import BAR, HOUR_NS, SECOND_NS, new_book
from volatility.tick_table import Records, bar_table, quote_records, trade_records


def bars_1s(quotes: Any, trades: Any, start_ns: int, end_ns: int) -> Any:
    """Bars closing in (`start_ns`, `end_ns`], one per second and product, events or not.

    The result depends on ticks in [start - 1 h, end) alone; any others are ignored, so the tables
    of the previous hour and of this one, concatenated, are exactly what is needed. Rows may come in
    any order and price or size scales may differ between them.

    Args:
        quotes: silver/quotes rows; distinct in (product, ts_event, sequence).
        trades: silver/trades rows; distinct in (product, trade_id).
        start_ns: open of the first bar, ns since epoch UTC; on an hour.
        end_ns: close of the last bar, ns since epoch UTC; on a second.

    Returns:
        silver/bars_1s rows of every product with a tick in [start - 1 h, end), sorted by key.

    Raises:
        ValueError: the bounds are no grid, or a source is unknown.
    """
    if start_ns % HOUR_NS or end_ns % SECOND_NS or end_ns < start_ns:
        raise ValueError(f"bars want start on an hour and end on a second: {start_ns}, {end_ns}")
    quoted = _keys(quotes, "sequence", start_ns - HOUR_NS, end_ns)
    traded = _keys(trades, "trade_id", start_ns - HOUR_NS, end_ns)
    products = sorted(quoted.products() | traded.products())
    carried = quote_records(quotes, quoted.last_before(start_ns))
    carried_of = quoted.bounds(quoted.last_before(start_ns), products)
    fresh, dealt = quoted.since(start_ns), traded.since(start_ns)
    fresh_of, dealt_of = quoted.bounds(fresh, products), traded.bounds(dealt, products)
    new_quotes, new_trades = quote_records(quotes, fresh), trade_records(trades, dealt)
    seconds = (end_ns - start_ns) // SECOND_NS
    bars = np.zeros(len(products) * seconds, BAR)
    for i in range(len(products)):
        book = new_book()
        carry_in(book, carried[carried_of[i]])
        mine = bars[i * seconds : (i + 1) * seconds]
        fill(book, new_quotes[fresh_of[i]], new_trades[dealt_of[i]], start_ns, mine)
    return bar_table(np.repeat(np.arange(len(products)), seconds), products, bars)
