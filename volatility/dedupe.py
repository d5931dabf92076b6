"""Distinct trades and quotes: reconnects, replays and overlapping recorders leave no double.

Among sightings of the same thing the one received first stays, by (ts_recv, offset).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from volatility.array import Flags, Ints
from volatility.column import encode, from_numbers, known, numbers
from volatility.record import QUOTES


def distinct_trades(trades: Any) -> Any:
    """One row per (product, trade_id), sorted by it.

    `trades` is a `pa.Table` with schema `record.TRADES`, in any order.
    """
    return trades.take(from_numbers(distinct_trade_rows(trades), pa.int64()))


def distinct_trade_rows(trades: Any) -> Ints:
    """Indices of the rows `distinct_trades` keeps, in its order."""
    product, trade_id = _product_rank(trades), numbers(trades["trade_id"])
    order = _order(numbers(trades["offset"]), numbers(trades["ts_recv"]), trade_id, product)
    return order[_first(product[order], trade_id[order])]


def distinct_quotes(quotes: Any) -> Any:
    """One row per (product, ts_event, sequence), sorted by it.

    Where the wire has no sequence, identical quotes of one product and instant collapse and the
    ordinal among those left, in order of receipt, becomes the sequence; it counts on from the
    wire's own sequences where the instant has some.

    `quotes` is a `pa.Table` with schema `record.OBSERVED_QUOTES`, in any order.
    """
    rows, sequence = _distinct_quotes(quotes)
    kept = quotes.take(from_numbers(rows, pa.int64()))
    columns = [
        from_numbers(sequence, pa.int64()) if name == "sequence" else kept[name]
        for name in QUOTES.names
    ]
    return pa.Table.from_arrays(columns, schema=QUOTES)


def distinct_quote_rows(quotes: Any) -> Ints:
    """Indices of the rows `distinct_quotes` keeps, in its order."""
    return _distinct_quotes(quotes)[0]


def _distinct_quotes(quotes: Any) -> tuple[Ints, Ints]:
    """Rows kept, sorted by key, and their sequences."""
    product, ts_event = _product_rank(quotes), numbers(quotes["ts_event"])
    numbered = known(quotes["sequence"])
    sequence = np.where(numbered, numbers(quotes["sequence"]), -1)
    received = (numbers(quotes["offset"]), numbers(quotes["ts_recv"]))
    own = np.flatnonzero(numbered)
    order = own[_order(*(c[own] for c in (*received, sequence, ts_event, product)))]
    own = order[_first(product[order], ts_event[order], sequence[order])]
    bare = _collapse(quotes, np.flatnonzero(~numbered), product, ts_event, received)
    if bare.size == 0:
        return own, sequence[own]
    sequence[bare] = _ordinals(bare, own, product, ts_event, sequence)
    rows = np.concatenate([own, bare])
    rows = rows[_order(sequence[rows], ts_event[rows], product[rows])]
    return rows, sequence[rows]


def _collapse(quotes: Any, rows: Ints, product: Ints, ts_event: Ints, received: Any) -> Ints:
    """Of `rows` the first of each identical quote, in order of (product, ts_event, receipt)."""
    if rows.size == 0:
        return rows
    content = [numbers(quotes[name]) for name in ("bid", "ask", "price_scale", "size_scale")]
    for name in ("bid_size", "ask_size"):
        valid = known(quotes[name])
        content += [np.where(valid, numbers(quotes[name]), -1)]
    keys = [product, ts_event, *content]
    order = rows[_order(*(c[rows] for c in (*received, *reversed(keys))))]
    kept = order[_first(*(key[order] for key in keys))]
    return kept[_order(*(c[kept] for c in (*received, ts_event, product)))]


def _ordinals(bare: Ints, own: Ints, product: Ints, ts_event: Ints, sequence: Ints) -> Ints:
    """Ordinals of `bare` rows in their instant, after the largest sequence `own` has there."""
    fresh = _first(product[bare], ts_event[bare])
    start = np.flatnonzero(fresh)
    ordinal = np.arange(bare.size) - np.repeat(start, np.diff(np.append(start, bare.size)))
    if own.size == 0:
        return ordinal
    last = np.append(np.flatnonzero(_first(product[own], ts_event[own]))[1:], own.size) - 1
    largest = {
        (int(product[i]), int(ts_event[i])): int(sequence[i]) + 1 for i in own[last].tolist()
    }
    if not largest:
        return ordinal
    base = [largest.get((int(product[i]), int(ts_event[i])), 0) for i in bare.tolist()]
    return ordinal + np.array(base, np.int64)


def _product_rank(table: Any) -> Ints:
    """Product codes that sort as the products' names do."""
    code, names = encode(table["product"])
    rank = np.empty(len(names), np.int64)
    rank[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    return rank[code]


def _order(*keys: Ints) -> Ints:
    """Stable order by the last key, then the one before it, and so on, as `np.lexsort`."""
    return np.lexsort(keys)


def _first(*keys: Ints) -> Flags:
    """True where a sorted row differs from the one before it in any key."""
    fresh = np.ones(keys[0].size, np.bool_)
    fresh[1:] = False
    for key in keys:
        fresh[1:] |= key[1:] != key[:-1]
    return fresh
