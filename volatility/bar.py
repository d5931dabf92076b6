"""1 s bars of an hour from its quotes and trades: the Arrow side of `volatility/bar_kernel.py`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from volatility.array import Ints, Vector
from volatility.bar_kernel import carry_in, fill
from volatility.nullable import (
    codes,
    flag_column,
    flags,
    float_column,
    floats,
    int_column,
    ints,
    text_column,
)
from volatility.source import ranks, source_column
from volatility.tick import BAR, HOUR_NS, QUOTE, SECOND_NS, TRADE, new_book

MID2: Final = ("mid2_open", "mid2_high", "mid2_low", "mid2_close")
Records = NDArray[np.void]
"""Structured arrays of the dtypes in `volatility/tick.py`."""


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
    quotes_of = _by_product(quotes, quote_records(quotes), start_ns - HOUR_NS, end_ns)
    trades_of = _by_product(trades, trade_records(trades), start_ns - HOUR_NS, end_ns)
    products = sorted(quotes_of.keys() | trades_of.keys())
    seconds = (end_ns - start_ns) // SECOND_NS
    bars = np.zeros(len(products) * seconds, BAR)
    for i, product in enumerate(products):
        _fill_product(
            in_order(quotes_of.get(product, np.zeros(0, QUOTE))),
            by_second(trades_of.get(product, np.zeros(0, TRADE))),
            start_ns,
            bars[i * seconds : (i + 1) * seconds],
        )
    return bar_table(np.repeat(np.arange(len(products)), seconds), products, bars)


def quote_records(quotes: Any) -> Records:
    """silver/quotes rows as QUOTE records, in the table's order."""
    records = np.empty(quotes.num_rows, QUOTE)
    records["ts"], records["sequence"] = ints(quotes["ts_event"]), ints(quotes["sequence"])
    records["bid"], records["ask"] = ints(quotes["bid"]), ints(quotes["ask"])
    unit = _units(quotes["size_scale"])
    records["bid_size"] = floats(quotes["bid_size"]) / unit
    records["ask_size"] = floats(quotes["ask_size"]) / unit
    records["scale"], records["rank"] = ints(quotes["price_scale"]), ranks(quotes["source"])
    return records


def trade_records(trades: Any) -> Records:
    """silver/trades rows as TRADE records, in the table's order."""
    records = np.empty(trades.num_rows, TRADE)
    records["ts"], records["trade_id"] = ints(trades["ts_event"]), ints(trades["trade_id"])
    size = ints(trades["size"]) / _units(trades["size_scale"])
    sides, words = codes(trades["taker_side"])
    sign = np.array([1.0 if word == "buy" else -1.0 for word in words] or [0.0])
    records["size"], records["signed"] = size, size * sign[sides]
    records["rank"] = ranks(trades["source"])
    return records


def _units(scale: Any) -> Vector:
    """10^scale per row; exact."""
    return np.array([float(10**d) for d in range(23)])[ints(scale)]


def _by_product(table: Any, records: Records, since_ns: int, until_ns: int) -> dict[str, Records]:
    """Records of each product with `since_ns` <= ts < `until_ns`, in the table's order."""
    product, words = codes(table["product"])
    inside = (records["ts"] >= since_ns) & (records["ts"] < until_ns)
    if not inside.all():
        product, records = product[inside], records[inside]
    if (np.diff(product) < 0).any():
        order = np.argsort(product, kind="stable")
        product, records = product[order], records[order]
    bounds = np.searchsorted(product, np.arange(len(words) + 1))
    groups = {w: records[bounds[i] : bounds[i + 1]] for i, w in enumerate(words)}
    return {word: group for word, group in groups.items() if len(group)}


def in_order(quotes: Records) -> Records:
    """`quotes` by (ts, sequence); as they are when they are already."""
    ts, sequence = quotes["ts"], quotes["sequence"]
    later, same = ts[1:] > ts[:-1], ts[1:] == ts[:-1]
    if (later | (same & (sequence[1:] > sequence[:-1]))).all():
        return quotes
    return quotes[np.lexsort((sequence, ts))]


def by_second(trades: Records) -> Records:
    """`trades` by second, then trade id: the order their sizes are added in."""
    second, trade_id = trades["ts"] // SECOND_NS, trades["trade_id"]
    if (np.diff(second) >= 0).all() and (np.diff(trade_id) > 0).all():
        return trades
    return trades[np.lexsort((trade_id, second))]


def _fill_product(quotes: Records, trades: Records, start_ns: int, bars: Records) -> None:
    """Fill the bars of one product; ticks before `start_ns` only set the book carried in."""
    book = new_book()
    first = int(np.searchsorted(quotes["ts"], start_ns))
    carry_in(book, quotes[:first])
    fill(book, quotes[first:], trades[trades["ts"] >= start_ns], start_ns, bars)


def carried(quotes: Any, product: str, since_ns: int, until_ns: int) -> Records:
    """QUOTE records of silver/quotes rows of `product` in [since, until), by (ts, sequence)."""
    groups = _by_product(quotes, quote_records(quotes), since_ns, until_ns)
    return in_order(groups.get(product, np.zeros(0, QUOTE)))


def bar_table(product: Ints, products: list[str], bars: Records) -> Any:
    """BAR records as silver/bars_1s rows; `product` indexes `products`, shape (rows,)."""
    columns = {"product": text_column(product, products), "ts": int_column(bars["ts"], pa.int64())}
    for name in MID2:
        columns[name] = int_column(bars[name], pa.int64(), bars[name] > 0)
    columns["price_scale"] = int_column(bars["price_scale"], pa.int8())
    columns["r"] = float_column(bars["r"])
    for name in ("n_quotes", "n_trades"):
        columns[name] = int_column(bars[name], pa.int32())
    for name in ("volume", "signed_volume", "spread_bps", "imbalance", "ofi"):
        columns[name] = float_column(bars[name])
    columns["age_ns"] = int_column(bars["age_ns"], pa.int64(), bars["age_ns"] >= 0)
    columns["observed"] = flag_column(bars["observed"] == 1)
    columns["source"] = source_column(bars["rank"])
    return pa.table(columns)


def bar_records(bars: Any) -> Records:
    """silver/bars_1s rows as BAR records, in the table's order."""
    records = np.empty(bars.num_rows, BAR)
    for name in ("ts", *MID2, "price_scale", "n_quotes", "n_trades"):
        records[name] = ints(bars[name])
    for name in ("r", "volume", "signed_volume", "spread_bps", "imbalance", "ofi"):
        records[name] = floats(bars[name])
    records["age_ns"] = ints(bars["age_ns"], null=-1)
    records["observed"] = flags(bars["observed"])
    records["rank"] = ranks(bars["source"])
    return records
