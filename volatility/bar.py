"""1 s bars of an hour from its quotes and trades: the Arrow side of `volatility/bar_kernel.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from volatility.array import Ints
from volatility.bar_kernel import carry_in, fill
from volatility.tick import BAR, HOUR_NS, SECOND_NS, new_book
from volatility.tick_order import Rows, TickOrder
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
    order = TickOrder(quotes)
    earlier, quoted = order.between(start_ns - HOUR_NS, start_ns), order.between(start_ns, end_ns)
    order = TickOrder(trades)
    before, traded = order.between(start_ns - HOUR_NS, start_ns), order.between(start_ns, end_ns)
    products = sorted(set().union(*(rows.group for rows in (earlier, quoted, before, traded))))
    carried = _Group(quote_records, quotes, earlier.last())
    new_quotes, new_trades = (
        _Group(quote_records, quotes, quoted),
        _Group(trade_records, trades, traded),
    )
    seconds = (end_ns - start_ns) // SECOND_NS
    bars = np.zeros(len(products) * seconds, BAR)
    for i, product in enumerate(products):
        book, mine = new_book(), bars[i * seconds : (i + 1) * seconds]
        carry_in(book, carried.of(product))
        fill(book, new_quotes.of(product), new_trades.of(product), start_ns, mine)
    return bar_table(np.repeat(np.arange(len(products)), seconds), products, bars)


class _Group:
    """Records of some rows of a table, by product."""

    def __init__(self, read: Callable[[Any, Ints], Records], table: Any, rows: Rows) -> None:
        self._records, self._parts = read(table, rows.position), rows.group

    def of(self, product: str) -> Records:
        """The product's records; none where it has no rows."""
        return self._records[self._parts.get(product, slice(0, 0))]
