"""Which rows of a tick table belong to a span of time, in the order the kernel wants them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from volatility.array import Flags, Ints
from volatility.column import codes, ints
from volatility.tick import SECOND_NS


def in_order(*keys: Ints) -> Flags:
    """Whether each row comes strictly after the one before by `keys`, most significant first."""
    after, same = np.zeros(max(len(keys[0]) - 1, 0), np.bool_), True
    for key in keys:
        after = after | (same & (key[1:] > key[:-1]))
        same = same & (key[1:] == key[:-1])
    return after


@dataclass(frozen=True)
class Rows:
    """Rows of a table, grouped by product."""

    position: Ints  # in the table, shape (rows,)
    group: dict[str, slice]  # product -> its part of `position`

    def last(self) -> Rows:
        """The last row of each product."""
        ends = [part.stop - 1 for part in self.group.values()]
        parts = {product: slice(i, i + 1) for i, product in enumerate(self.group)}
        return Rows(self.position[np.array(ends, np.int64)], parts)


class TickOrder:
    """The kernel's order of a table of quotes or trades, whatever order its rows are in.

    Quotes go by (ts_event, sequence); trades by (second, trade_id), because within a second only
    the order their sizes add in matters.
    """

    def __init__(self, ticks: Any) -> None:
        """Take a silver/quotes or a silver/trades table."""
        code, self._words = codes(ticks["product"])
        self._ts = ints(ticks["ts_event"])
        if "trade_id" in ticks.column_names:
            self._keys = code, self._ts // SECOND_NS, ints(ticks["trade_id"])
        else:
            self._keys = code, self._ts, ints(ticks["sequence"])

    def between(self, since_ns: int, until_ns: int) -> Rows:
        """Rows with `since_ns` <= ts_event < `until_ns`."""
        position = np.flatnonzero((self._ts >= since_ns) & (self._ts < until_ns))
        keys = [key[position] for key in self._keys]
        if not in_order(*keys).all():
            order = np.lexsort(keys[::-1])
            position, keys[0] = position[order], keys[0][order]
        bounds = np.searchsorted(keys[0], np.arange(len(self._words) + 1)).tolist()
        parts = zip(self._words, bounds, bounds[1:], strict=False)
        return Rows(position, {word: slice(a, b) for word, a, b in parts if b > a})
