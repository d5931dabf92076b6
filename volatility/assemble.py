"""Parsed columns to Arrow tables: one scale per product and hour, books checked, in frame order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from volatility.array import Flags, Ints
from volatility.column import flat, from_numbers, int_column, numbers, text_column
from volatility.parse import NO_SEQUENCE, Columns
from volatility.record import OBSERVED_QUOTES, TRADES
from volatility.scale import MIN_SCALE, PRICE_LIMIT, SIZE_LIMIT, choose_scales, to_scale
from volatility.timestamp import SECOND_NS
from volatility.wire import Notes

HOUR_NS: Final = 3600 * SECOND_NS
SIDES: Final = ("sell", "buy")
"""Text of `taker` 0 and 1."""

_TRADE_VALUES: Final = {"price": PRICE_LIMIT, "size": SIZE_LIMIT}
_QUOTE_VALUES: Final = {
    "bid": PRICE_LIMIT,
    "ask": PRICE_LIMIT,
    "bid_size": SIZE_LIMIT,
    "ask_size": SIZE_LIMIT,
}
_KEYS: Final = ("frame", "product", "ts_event", "sequence")


def scaled(
    trades: Sequence[Columns], quotes: Sequence[Columns], notes: Notes
) -> tuple[Columns, Columns]:
    """All trades and all quotes, in frame order, one scale per product, UTC hour and unit.

    An hour's scale comes of its own values, so its rows do not depend on what is parsed beside it.
    Rows whose values the scale cannot hold, and quotes of a crossed book, are dropped with a note.
    """
    trade, quote = _joined(trades, _TRADE_VALUES), _joined(quotes, _QUOTE_VALUES)
    for limit, scale_name in ((PRICE_LIMIT, "price_scale"), (SIZE_LIMIT, "size_scale")):
        trade[scale_name], quote[scale_name] = _scales(trade, quote, limit)
    return (
        _at_scale(trade, _TRADE_VALUES, notes),
        _uncrossed(_at_scale(quote, _QUOTE_VALUES, notes), notes),
    )


def _scales(trade: Columns, quote: Columns, limit: int) -> tuple[Ints, Ints]:
    """The scale of every trade and of every quote, for values of one unit."""
    values = [
        (rows, name)
        for rows, names in ((trade, _TRADE_VALUES), (quote, _QUOTE_VALUES))
        for name in names
        if names[name] == limit
    ]
    trades, quotes = trade["frame"].size, quote["frame"].size
    if all(rows[f"{name}_digits"].max(initial=0) <= MIN_SCALE for rows, name in values):
        return np.full(trades, MIN_SCALE, np.int64), np.full(quotes, MIN_SCALE, np.int64)
    group = _groups(trade, quote)
    of_trade, of_quote = group[:trades], group[trades:]
    columns = [
        (of_trade if rows is trade else of_quote, rows[name], rows[f"{name}_digits"])
        for rows, name in values
    ]
    scale = choose_scales(int(group.max(initial=-1)) + 1, columns, limit)
    return scale[of_trade], scale[of_quote]


def _groups(trade: Columns, quote: Columns) -> Ints:
    """The code of (product, UTC hour) of every trade, then of every quote."""
    product = np.concatenate([trade["product"], quote["product"]])
    hour = np.concatenate([trade["ts_event"], quote["ts_event"]]) // HOUR_NS
    hours, hour = np.unique(hour, return_inverse=True)
    return np.unique(product * hours.size + hour, return_inverse=True)[1]


def _joined(blocks: Sequence[Columns], values: dict[str, int]) -> Columns:
    """Blocks end to end, sorted by frame; within a frame the wire's order stays."""
    if not blocks:
        names = [*_KEYS, "trade_id", "taker", *values, *(f"{name}_digits" for name in values)]
        empty: Columns = {name: np.empty(0, np.int64) for name in names}
        return empty | {f"{name}_known": np.empty(0, np.bool_) for name in values}
    if len(blocks) == 1:
        return dict(blocks[0])
    rows = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    frame = rows["frame"]
    if (frame[1:] < frame[:-1]).any():
        order = np.argsort(frame, kind="stable")
        rows = {name: column[order] for name, column in rows.items()}
    return rows


def _at_scale(rows: Columns, values: dict[str, int], notes: Notes) -> Columns:
    """Replace mantissas by integers at the row's scale; drop rows where one does not fit."""
    good = np.ones(rows["frame"].size, np.bool_)
    for name, limit in values.items():
        scale = rows["price_scale" if limit == PRICE_LIMIT else "size_scale"]
        rows[name], fits = to_scale(rows[name], rows[f"{name}_digits"], scale, limit)
        for row in np.flatnonzero(~fits).tolist():
            digits, kept = int(rows[f"{name}_digits"][row]), int(scale[row])
            why = f"{name} does not fit: {digits} fraction digits given, {kept} kept"
            notes.fault(int(rows["frame"][row]), why)
        good &= fits
    return _filtered(rows, good)


def _uncrossed(rows: Columns, notes: Notes) -> Columns:
    crossed = rows["bid"] > rows["ask"]
    for row in np.flatnonzero(crossed).tolist():
        notes.say(int(rows["frame"][row]), "no quote: book is crossed")
    return _filtered(rows, ~crossed)


def _filtered(rows: Columns, good: Flags) -> Columns:
    if good.all():
        return rows
    return {name: column[good] for name, column in rows.items()}


def trades_table(rows: Columns, frames: Any, products: Sequence[str]) -> Any:
    """`pa.Table` with schema `record.TRADES`; frame columns come from `frames`."""
    own = {
        "trade_id": _int64(rows["trade_id"]),
        "price": _int64(rows["price"]),
        "size": _int64(rows["size"]),
        "taker_side": text_column(rows["taker"], SIDES),
        "maker_side": text_column(1 - rows["taker"], SIDES),
    }
    return _table(own, rows, frames, products, TRADES)


def quotes_table(rows: Columns, frames: Any, products: Sequence[str]) -> Any:
    """`pa.Table` with schema `record.OBSERVED_QUOTES`; frame columns come from `frames`."""
    own = {name: _int64(rows[name]) for name in ("bid", "ask")}
    for name in ("bid_size", "ask_size"):
        own[name] = from_numbers(rows[name], pa.int64(), rows[f"{name}_known"])
    return _table(own, rows, frames, products, OBSERVED_QUOTES)


def _table(
    own: dict[str, Any], rows: Columns, frames: Any, products: Sequence[str], schema: Any
) -> Any:
    frame = rows["frame"]
    index = _int64(frame)
    columns = own | {
        "product": text_column(rows["product"], products),
        "price_scale": int_column(rows["price_scale"], pa.int8()),
        "size_scale": int_column(rows["size_scale"], pa.int8()),
        "ts_event": _int64(rows["ts_event"]),
        "ts_recv": _int64(numbers(frames["recv_ts"])[frame]),
        "sequence": from_numbers(rows["sequence"], pa.int64(), rows["sequence"] != NO_SEQUENCE),
        "source": flat(frames["source"]).take(index),
        "feed": flat(frames["feed"]).take(index),
        "offset": _int64(numbers(frames["offset"])[frame]),
    }
    return pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)


def _int64(values: Ints) -> Any:
    return from_numbers(values, pa.int64())
