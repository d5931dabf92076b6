"""Text rows to integer columns: the vectorised half of normalising.

Rows that cannot be understood leave a note against their frame and are dropped here; what is
left has a checked product, exact decimals as (mantissa, digits), and times in ns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from volatility.array import Flags, Ints
from volatility.product import PRODUCT_PATTERN
from volatility.text_kernel import (
    BAD,
    MISSING,
    OK,
    RANGE,
    UNSET,
    Decimals,
    Times,
    parse_decimals,
    parse_times,
)
from volatility.wire import Notes, QuoteText, TradeText

Columns = dict[str, NDArray[Any]]
"""Arrays of equal length by name."""

NO_SEQUENCE: Final = -1
_DECIMAL_FAULT: Final = {
    MISSING: "is missing",
    BAD: "is not a plain decimal",
    RANGE: "does not fit 64 bits",
    OK: "is zero",
}
_TIME_FAULT: Final = {BAD: "is not an RFC 3339 time", RANGE: "is after the year 2262"}


@dataclass
class Products:
    """Product ids seen so far and their codes; -1 for ids outside the allow-list."""

    names: list[str] = field(default_factory=list)
    code: dict[str, int] = field(default_factory=dict)

    def codes(self, products: Sequence[str]) -> Ints:
        """The code of every product, new ones numbered in order of appearance."""
        distinct = dict.fromkeys(products)
        for name in distinct:
            if name not in self.code:
                allowed = PRODUCT_PATTERN.fullmatch(name) is not None
                self.code[name] = len(self.names) if allowed else -1
                if allowed:
                    self.names.append(name)
        if len(distinct) == 1:
            return np.full(len(products), self.code[products[0]], np.int64)
        return np.fromiter(map(self.code.__getitem__, products), np.int64, len(products))


@dataclass
class Parser:
    """Parses the blocks of one batch; columns that blocks share are parsed once."""

    products: Products
    notes: Notes
    recv_ns: Ints  # of every frame of the table
    _parsed: dict[int, Any] = field(default_factory=dict)  # by id of the list

    def trades(self, block: TradeText) -> Columns:
        """Trades with columns frame, product, trade_id, price, size, taker, ts_event, sequence."""
        frame, code, times, sequence = self._shared(block)
        price, size = parse_decimals(block.price), parse_decimals(block.size)
        taker = np.array(block.taker, np.int64)
        good = (code >= 0) & (price.mantissa > 0) & (size.mantissa > 0) & (taker >= 0)
        good &= (times.status != BAD) & (times.status != RANGE)
        if not good.all():
            for row in np.flatnonzero(~good).tolist():
                self._fault(block, row, self._trade_fault(block, row, price, size, times))
        columns = {
            "frame": frame,
            "product": code,
            "trade_id": _integers(block.trade_id),
            "price": price.mantissa,
            "price_digits": price.digits,
            "size": size.mantissa,
            "size_digits": size.digits,
            "taker": taker,
            "ts_event": self._event_ns(block, frame, times),
            "sequence": sequence,
        }
        return _keep(columns, good)

    def quotes(self, block: QuoteText) -> Columns:
        """Quotes with columns frame, product, bid, ask, bid_size, ask_size, ts_event, sequence."""
        frame, code, times, sequence = self._shared(block)
        sides = {name: parse_decimals(getattr(block, name)) for name in ("bid", "ask")}
        sizes = {name: parse_decimals(getattr(block, name)) for name in ("bid_size", "ask_size")}
        clean = (code >= 0) & (times.status != BAD) & (times.status != RANGE)
        for decimals in (*sides.values(), *sizes.values()):
            clean &= decimals.status <= MISSING
        two_sided = (sides["bid"].mantissa > 0) & (sides["ask"].mantissa > 0)
        if not clean.all():
            for row in np.flatnonzero(~clean).tolist():
                self._fault(block, row, self._quote_fault(block, row, sides | sizes, times))
        if not two_sided.all():
            self._note_thin_books(frame, clean & ~two_sided, sides)
        columns = {
            "frame": frame,
            "product": code,
            "ts_event": self._event_ns(block, frame, times),
            "sequence": sequence,
        }
        for name, decimals in (sides | sizes).items():
            columns |= {name: decimals.mantissa, f"{name}_digits": decimals.digits}
            columns[f"{name}_known"] = decimals.status == OK
        return _keep(columns, clean & two_sided)

    def check_products(self, named: Sequence[tuple[int, str]]) -> None:
        """Fault frames without rows that name a product outside the allow-list."""
        codes = self.products.codes([name for _, name in named])
        for at in np.flatnonzero(codes < 0).tolist():
            frame, name = named[at]
            self.notes.fault(frame, f"{name[:40]!r} is not a product id - at `$.product_id`")

    def _once(self, values: Sequence[Any], parse: Callable[[Any], Any]) -> Any:
        """`parse(values)`, remembered: trades and quotes of a ticker share some columns."""
        key = id(values)
        if key not in self._parsed:
            self._parsed[key] = parse(values)
        return self._parsed[key]

    def _shared(self, block: TradeText | QuoteText) -> tuple[Ints, Ints, Times, Ints]:
        """Frame, product code, time and sequence of every row."""
        return (
            self._once(block.frame, _integers),
            self._once(block.product, self.products.codes),
            self._once(block.time, parse_times),
            self._once(block.sequence, _integers),
        )

    def _event_ns(self, block: TradeText | QuoteText, frame: Ints, times: Times) -> Ints:
        """Exchange time; the receive time where the exchange gave none, or one of its zeros."""
        known = times.status == OK
        if known.all():
            return times.ns
        for row in np.flatnonzero(times.status == UNSET).tolist():
            text = block.time[row]
            self.notes.say(int(frame[row]), f"{text!r} is a zero time, receive time taken")
        return np.where(known, times.ns, self.recv_ns[frame])

    def _note_thin_books(self, frame: Ints, rows: Any, sides: dict[str, Decimals]) -> None:
        for row in np.flatnonzero(rows).tolist():
            empty = not sides["bid"].mantissa[row] and not sides["ask"].mantissa[row]
            self.notes.say(
                int(frame[row]), f"no quote: book is {'empty' if empty else 'one-sided'}"
            )

    def _fault(self, block: TradeText | QuoteText, row: int, what: tuple[str, str, object]) -> None:
        key, fault, text = what
        path = block.path[row] if block.path is not None else "$"
        shown = "" if text is None else f"{str(text)[:40]!r} "
        self.notes.fault(block.frame[row], f"{shown}{fault} - at `{path}.{key}`")

    def _trade_fault(
        self, block: TradeText, row: int, price: Decimals, size: Decimals, times: Times
    ) -> tuple[str, str, object]:
        """The first thing wrong with a trade: key on the wire, fault, text."""
        if self.products.code[block.product[row]] < 0:
            return "product_id", "is not a product id", block.product[row]
        for name, decimals in (("price", price), ("size", size)):
            if decimals.mantissa[row] <= 0:
                fault = _DECIMAL_FAULT[int(decimals.status[row])]
                return block.names[name], fault, getattr(block, name)[row]
        if block.taker[row] < 0:
            return block.names["taker"], "is missing or neither buy nor sell", None
        return "time", _TIME_FAULT[int(times.status[row])], block.time[row]

    def _quote_fault(
        self, block: QuoteText, row: int, decimals: dict[str, Decimals], times: Times
    ) -> tuple[str, str, object]:
        """The first thing wrong with a quote: key on the wire, fault, text."""
        if self.products.code[block.product[row]] < 0:
            return "product_id", "is not a product id", block.product[row]
        for name, column in decimals.items():
            if column.status[row] > MISSING:
                fault = _DECIMAL_FAULT[int(column.status[row])]
                return block.names[name], fault, getattr(block, name)[row]
        return "time", _TIME_FAULT[int(times.status[row])], block.time[row]


def _integers(column: Sequence[int | None]) -> Ints:
    """Int64s; NO_SEQUENCE where None."""
    try:
        return np.array(column, np.int64)
    except TypeError:
        return np.array([NO_SEQUENCE if v is None else v for v in column], np.int64)


def _keep(columns: Columns, good: Flags) -> Columns:
    if good.all():
        return columns
    return {name: values[good] for name, values in columns.items()}
