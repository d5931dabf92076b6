"""Features of one product, one call per second: the stream's side of the kernel.

Ticks wait until their bar closes, are put in exchange order, and go through the very functions
that build the tables, so a row here and the row a partition job computes are the same bits. A tick
of a bar already closed is late: counted and left out; the hour's tables will have it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow.compute as pc

from volatility.array import Ints, Vector
from volatility.bar_kernel import carry_in, fill
from volatility.column import from_texts, ints, known
from volatility.compute import DECAY, WINDOWS, dense
from volatility.feature import FEATURES
from volatility.frame import Source
from volatility.kernel import run
from volatility.kernel_state import BLOCK, new_state
from volatility.source import RANKED, UNKNOWN
from volatility.tick import BAR, HOUR_NS, QUOTE, SECOND_NS, TRADE, new_book
from volatility.tick_order import TickOrder
from volatility.tick_table import Records, quote_records, trade_records

_NO_ROWS: Final = np.empty((len(FEATURES), 0))
_NO_RANKS: Final = np.empty(0, np.int64)


@dataclass(frozen=True)
class OnlineRow:
    """What is known of a product at `ts`."""

    product: str
    ts: int  # close of the bar, ns since epoch UTC
    bar: Any  # one record of dtype BAR, `volatility/tick.py`
    features: Vector  # [70], in the order of FEATURES; NaN is null
    source: Source | None  # most artificial within the last hour; None: nothing seen

    @property
    def mid(self) -> float | None:
        """Mid in force at the close, quote currency; None where unknown."""
        mid2 = int(self.bar["mid2_close"])
        return mid2 / 2 / 10 ** int(self.bar["price_scale"]) if mid2 else None

    @property
    def observed(self) -> bool:
        """Whether the bar has a return: a mid at both ends, no silence over 60 s."""
        return bool(self.bar["observed"])


@dataclass
class Tally:
    """Ticks that were taken, and those that were not."""

    quotes: int = 0
    trades: int = 0
    late: int = 0  # event time before a close already made
    duplicates: int = 0  # trade id, or quote instant and sequence, met before in the open bars


@dataclass
class _Pending:
    """Ticks of bars still open, in order of arrival."""

    quotes: list[tuple[Any, ...]] = field(default_factory=list)  # fields of QUOTE
    trades: list[tuple[Any, ...]] = field(default_factory=list)  # fields of TRADE
    unnumbered: dict[int, dict[tuple[Any, ...], int]] = field(default_factory=dict)

    def ordinal(self, ts_event: int, content: tuple[Any, ...]) -> int:
        """Ordinal of a quote's content among the distinct ones of its instant; NaN equals NaN."""
        seen = self.unnumbered.setdefault(ts_event, {})
        return seen.setdefault(tuple(None if x != x else x for x in content[:5]), len(seen))


class OnlineFeatures:
    """One product's bars and features as time passes.

    Feed ticks in any order, then `close_bar` once the watermark has passed a second. Seconds that
    were skipped are closed on the way.
    """

    def __init__(self, product: str, start_ns: int) -> None:
        """Know nothing; the first bar opens at `start_ns`, a whole second since epoch UTC.

        Raises:
            ValueError: `start_ns` is not a whole second.
        """
        if start_ns % SECOND_NS:
            raise ValueError(f"a bar opens on a whole second, not at {start_ns}")
        self.product, self.closed_ns = product, start_ns
        self.tally = Tally()
        self._pending = _Pending()
        self._book = new_book()
        self._state = new_state(start_ns % HOUR_NS // SECOND_NS)

    @classmethod
    def resume(cls, product: str, at_ns: int, bars: Any, quotes: Any) -> OnlineFeatures:
        """Continue at `at_ns` as if running since yesterday, from tables.

        Args:
            product: the product; other products' rows are ignored.
            at_ns: open of the next bar, a whole second since epoch UTC.
            bars: silver/bars_1s rows of this UTC hour up to `at_ns` and of the two hours before.
            quotes: silver/quotes rows of this hour before `at_ns` and of the hour before.
        """
        online, block_ns = cls(product, at_ns), at_ns - at_ns % HOUR_NS
        quotes = quotes.filter(pc.equal(quotes["product"], from_texts([product])[0]))
        last = TickOrder(quotes).between(block_ns - HOUR_NS, at_ns).last()
        carry_in(online._book, quote_records(quotes, last.position))
        bars = bars.filter(pc.equal(bars["product"], from_texts([product])[0]))
        online._state = new_state(BLOCK - 1)
        for grid in dense(bars, block_ns, at_ns, block_ns - HOUR_NS)[1]:
            run(online._state, grid, WINDOWS, DECAY, _NO_ROWS, _NO_RANKS)
        return online

    def on_quote(
        self,
        *,
        ts_event: int,
        sequence: int | None,
        bid: int,
        ask: int,
        bid_size: int | None,
        ask_size: int | None,
        price_scale: int,
        size_scale: int,
        source: Source,
    ) -> None:
        """Take a quote; units as in silver/quotes.

        `sequence` None means the wire has none: distinct quotes of an instant count in order of
        arrival, and a repeated one is a duplicate.
        """
        content = (
            bid,
            ask,
            np.nan if bid_size is None else bid_size / 10**size_scale,
            np.nan if ask_size is None else ask_size / 10**size_scale,
            price_scale,
            RANKED.index(source),
        )
        if self._is_late(ts_event):
            return
        number = self._pending.ordinal(ts_event, content) if sequence is None else sequence
        self._pending.quotes.append((ts_event, number, *content))

    def on_trade(
        self,
        *,
        ts_event: int,
        trade_id: int,
        size: int,
        size_scale: int,
        taker_side: str,
        source: Source,
    ) -> None:
        """Take a trade; units as in silver/trades."""
        if self._is_late(ts_event):
            return
        units = size / 10**size_scale
        signed = units if taker_side == "buy" else -units
        self._pending.trades.append((ts_event, trade_id, units, signed, RANKED.index(source)))

    def take(self, quotes: Any, trades: Any) -> None:
        """Take rows of silver/quotes and silver/trades, of this product, in order of arrival.

        A null sequence means the wire has none, as in `on_quote`.
        """
        fresh = self._fresh(quotes)
        numbered = known(quotes["sequence"])[fresh].tolist()
        for is_numbered, record in zip(
            numbered, quote_records(quotes, fresh).tolist(), strict=True
        ):
            ts, number, *content = record
            if not is_numbered:
                number = self._pending.ordinal(ts, tuple(content))
            self._pending.quotes.append((ts, number, *content))
        self._pending.trades.extend(trade_records(trades, self._fresh(trades)).tolist())

    def close_bar(self, ts: int) -> OnlineRow:
        """Close the bar that ends at `ts`, ns since epoch UTC, and every one before it.

        Raises:
            ValueError: `ts` is not a whole second, or its bar is closed already.
        """
        if ts % SECOND_NS or ts <= self.closed_ns:
            raise ValueError(f"cannot close {ts}: bars are closed up to {self.closed_ns}")
        bars = np.zeros((ts - self.closed_ns) // SECOND_NS, BAR)
        quotes, trades = self._due(ts)
        fill(self._book, quotes, trades, self.closed_ns, bars)
        rows, ranks = np.empty((len(FEATURES), 1)), np.empty(1, np.int64)
        run(self._state, bars, WINDOWS, DECAY, rows, ranks)
        self.closed_ns = ts
        rank = int(ranks[0])
        source = None if rank == UNKNOWN else RANKED[rank]
        return OnlineRow(self.product, ts, bars[-1], rows[:, 0], source)

    def _fresh(self, ticks: Any) -> Ints:
        """Positions of the rows whose bar is still open; the others are late."""
        fresh = np.flatnonzero(ints(ticks["ts_event"]) >= self.closed_ns)
        self.tally.late += ticks.num_rows - len(fresh)
        return fresh

    def _is_late(self, ts_event: int) -> bool:
        late = ts_event < self.closed_ns
        self.tally.late += late
        return late

    def _due(self, ts: int) -> tuple[Records, Records]:
        """Ticks before `ts` in kernel order, each once; they leave the waiting room."""
        quotes = np.array(_pop(self._pending.quotes, ts), QUOTE)
        trades = np.array(_pop(self._pending.trades, ts), TRADE)
        for instant in [i for i in self._pending.unnumbered if i < ts]:
            del self._pending.unnumbered[instant]
        due = len(quotes) + len(trades)
        quotes = _first(quotes, "ts", "sequence")
        trades = _first(trades, "trade_id")
        self.tally.quotes += len(quotes)
        self.tally.trades += len(trades)
        self.tally.duplicates += due - len(quotes) - len(trades)
        return quotes, trades[np.lexsort((trades["trade_id"], trades["ts"] // SECOND_NS))]


def _pop(ticks: list[tuple[Any, ...]], ts: int) -> list[tuple[Any, ...]]:
    """Take those before `ts` out of `ticks`."""
    due = [tick for tick in ticks if tick[0] < ts]
    ticks[:] = [tick for tick in ticks if tick[0] >= ts] if len(due) < len(ticks) else []
    return due


def _first(records: Records, *key: str) -> Records:
    """The first arrival of each key, ordered by it."""
    if len(records) < 2:
        return records
    return records[np.unique(records[list(key)], return_index=True)[1]]
