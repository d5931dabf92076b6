"""Tables of quotes, trades and bars as the kernel's flat records, and bars back as a table."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from volatility.array import Ints, Vector
from volatility.column import (
    flag_column,
    flags,
    float_column,
    floats,
    from_texts,
    int_column,
    ints,
    text_column,
)
from volatility.source import ranks, source_column
from volatility.tick import BAR, QUOTE, TRADE

Records = NDArray[np.void]
"""Structured arrays of the dtypes in `volatility/tick.py`."""

MID2: Final = ("mid2_open", "mid2_high", "mid2_low", "mid2_close")
_COUNTS: Final = ("n_quotes", "n_trades")
_MEASURES: Final = ("volume", "signed_volume", "spread_bps", "imbalance", "ofi")
_BUY: Final = from_texts(["buy"])[0]
_POWERS: Final = np.array([float(10**digits) for digits in range(23)])


def quote_records(quotes: Any, rows: Ints) -> Records:
    """Some rows of a silver/quotes table as QUOTE records; `rows` are positions, shape (n,)."""
    records = np.empty(len(rows), QUOTE)
    unit = _POWERS[ints(quotes["size_scale"])[rows]]
    for field, name in (("ts", "ts_event"), ("scale", "price_scale")):
        records[field] = ints(quotes[name])[rows]
    for name in ("sequence", "bid", "ask"):
        records[name] = ints(quotes[name])[rows]
    for name in ("bid_size", "ask_size"):
        records[name] = floats(quotes[name])[rows] / unit
    records["rank"] = ranks(quotes["source"])[rows]
    return records


def trade_records(trades: Any, rows: Ints) -> Records:
    """Some rows of a silver/trades table as TRADE records; `rows` are positions, shape (n,)."""
    records = np.empty(len(rows), TRADE)
    records["ts"] = ints(trades["ts_event"])[rows]
    records["trade_id"] = ints(trades["trade_id"])[rows]
    size: Vector = ints(trades["size"])[rows] / _POWERS[ints(trades["size_scale"])[rows]]
    buys = flags(pc.equal(trades["taker_side"], _BUY))[rows]
    records["size"], records["signed"] = size, np.where(buys, size, -size)
    records["rank"] = ranks(trades["source"])[rows]
    return records


def bar_table(product: Ints, products: list[str], bars: Records) -> Any:
    """BAR records as silver/bars_1s rows; `product` indexes `products`, shape (rows,)."""
    columns = {"product": text_column(product, products), "ts": int_column(bars["ts"], pa.int64())}
    for name in MID2:
        columns[name] = int_column(bars[name], pa.int64(), bars[name] > 0)
    columns["price_scale"] = int_column(bars["price_scale"], pa.int8())
    columns["r"] = float_column(bars["r"])
    for name in _COUNTS:
        columns[name] = int_column(bars[name], pa.int32())
    for name in _MEASURES:
        columns[name] = float_column(bars[name])
    columns["age_ns"] = int_column(bars["age_ns"], pa.int64(), bars["age_ns"] >= 0)
    columns["observed"] = flag_column(bars["observed"] == 1)
    columns["source"] = source_column(bars["rank"])
    return pa.table(columns)


def put_bars(bars: Any, rows: Ints, grid: Records, slots: Ints) -> None:
    """Write some rows of a silver/bars_1s table to `slots` of `grid`, BAR records.

    Args:
        bars: the table.
        rows: positions in it, shape (n,).
        grid: dtype BAR, written.
        slots: where each row goes, shape (n,).
    """
    for name in ("ts", *MID2, "price_scale", *_COUNTS):
        grid[name][slots] = ints(bars[name])[rows]
    for name in ("r", *_MEASURES):
        grid[name][slots] = floats(bars[name])[rows]
    grid["age_ns"][slots] = ints(bars["age_ns"], null=-1)[rows]
    grid["observed"][slots] = flags(bars["observed"])[rows]
    grid["rank"][slots] = ranks(bars["source"])[rows]


def blank_bars(rows: int) -> Records:
    """BAR records of seconds nothing is known about; ts is for the caller to set."""
    bars = np.zeros(rows, BAR)
    for name in ("r", "spread_bps", "imbalance", "ofi"):
        bars[name] = np.nan
    bars["age_ns"] = bars["rank"] = -1
    return bars
