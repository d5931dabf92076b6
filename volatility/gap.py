"""Holes in the record of trades: missing trade ids, which the exchange numbers without gaps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from volatility.column import encode, from_numbers, from_texts, numbers
from volatility.record import GAPS

Hole = tuple[str, int, int, int, int, int]
"""(product, first missing id, last missing id, from_ts, to_ts, detected_at)."""


def find_gaps(trades: Any, last_before: Mapping[str, tuple[int, int]]) -> Any:
    """Every run of trade ids missing between consecutive trades of a product.

    Args:
        trades: `pa.Table` with schema `record.TRADES`, distinct, in any order.
        last_before: product to (trade id, ts_event) of the newest earlier trade, where known; a
            hole between it and the first of `trades` counts, one below it is not looked for.

    Returns:
        `pa.Table` with schema `record.GAPS`, kind `trade_id`, status `open`, sorted by product,
        from_ts and id; several holes may share a from_ts, as trades share times. A hole belongs
        to the trade that ends it: `detected_at` is when that was received.
    """
    code, names = encode(trades["product"])
    columns = [numbers(trades[name]) for name in ("trade_id", "ts_event", "ts_recv")]
    holes: list[Hole] = []
    for i in sorted(range(len(names)), key=names.__getitem__):
        trade_id, ts_event, ts_recv = (column[code == i] for column in columns)
        if names[i] in last_before:
            last_id, last_ts = last_before[names[i]]
            trade_id = np.append(trade_id, last_id)
            ts_event, ts_recv = np.append(ts_event, last_ts), np.append(ts_recv, -1)
        order = np.argsort(trade_id, kind="stable")
        trade_id, ts_event, ts_recv = trade_id[order], ts_event[order], ts_recv[order]
        for at in np.flatnonzero((np.diff(trade_id) > 1) & (ts_recv[1:] >= 0)).tolist():
            ids = int(trade_id[at]) + 1, int(trade_id[at + 1]) - 1
            times = int(ts_event[at]), int(ts_event[at + 1]), int(ts_recv[at + 1])
            holes.append((names[i], *ids, *times))
    return _table(sorted(holes, key=lambda hole: (hole[0], hole[3], hole[1])))


def _table(holes: list[Hole]) -> Any:
    ids = np.array([hole[1:] for hole in holes], np.int64).reshape(len(holes), 5)
    columns = {
        "product": from_texts([hole[0] for hole in holes]),
        "kind": from_texts(["trade_id"] * len(holes)),
        "missing": from_numbers(ids[:, 1] - ids[:, 0] + 1, pa.int64()),
        "repaired_at": from_numbers(ids[:, 0], pa.int64(), np.zeros(len(holes), np.bool_)),
        "status": from_texts(["open"] * len(holes)),
    }
    for at, name in enumerate(("from_trade_id", "to_trade_id", "from_ts", "to_ts", "detected_at")):
        columns[name] = from_numbers(ids[:, at], pa.int64())
    return pa.Table.from_arrays([columns[name] for name in GAPS.names], schema=GAPS)
