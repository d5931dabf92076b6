"""1 s features of an hour from its bars: the Arrow side of `volatility/kernel.py`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from volatility.array import Ints, Matrix
from volatility.bar import Records, bar_records
from volatility.feature import FEATURES, HALF_LIVES_S, WINDOWS_S
from volatility.kernel import run
from volatility.kernel_state import decay_table, new_state
from volatility.nullable import codes, float_column, int_column, text_column
from volatility.source import source_column
from volatility.tick import BAR, HOUR_NS, SECOND_NS

WINDOWS: Final[Ints] = np.array(WINDOWS_S, np.int64)
DECAY: Final[Matrix] = decay_table(HALF_LIVES_S)
WARM_UP_S: Final = 3601
"""Bars the kernel wants before the first row: the previous block and one more."""


def features_1s(bars: Any, start_ns: int, end_ns: int) -> Any:
    """Features at every second in (`start_ns`, `end_ns`], from bars known by then.

    The result depends on bars closing in [start - 1 h, end] alone, that is on the tables of the
    two previous hours and of this one; any others are ignored. A missing bar counts as not
    observed. Rows may come in any order.

    Args:
        bars: silver/bars_1s rows; distinct in (product, ts).
        start_ns: ns since epoch UTC; on an hour.
        end_ns: ns since epoch UTC; on a second.

    Returns:
        gold/features_1s rows of every product with a bar in (start, end], sorted by key.

    Raises:
        ValueError: the bounds are no grid, or a source is unknown.
    """
    if start_ns % HOUR_NS or end_ns % SECOND_NS or end_ns < start_ns:
        raise ValueError(f"features want start on an hour, end on a second: {start_ns}, {end_ns}")
    code, words = codes(bars["product"])
    records = bar_records(bars)
    present = set(code[(records["ts"] > start_ns) & (records["ts"] <= end_ns)].tolist())
    products = sorted((words[c], c) for c in present)
    seconds = (end_ns - start_ns) // SECOND_NS
    rows = np.empty((len(FEATURES), len(products) * seconds))
    rank = np.empty(len(products) * seconds, np.int64)
    for i, (_, c) in enumerate(products):
        span = slice(i * seconds, (i + 1) * seconds)
        grid = dense(records[code == c], start_ns, end_ns)
        run(new_state(HOUR_NS // SECOND_NS - 1), grid, WINDOWS, DECAY, rows[:, span], rank[span])
    columns = {
        "product": text_column(
            np.repeat(np.arange(len(products)), seconds), [p for p, _ in products]
        ),
        "ts": int_column(np.tile(_closes(start_ns, seconds), len(products)), pa.int64()),
        **{name: float_column(row) for name, row in zip(FEATURES, rows, strict=True)},
        "source": source_column(rank),
    }
    return pa.table(columns)


def _closes(start_ns: int, seconds: int) -> Ints:
    return start_ns + SECOND_NS * np.arange(1, seconds + 1, dtype=np.int64)


def dense(bars: Records, start_ns: int, end_ns: int) -> Records:
    """BAR records at every second in [start - 1 h, end]; a missing one is not observed.

    Args:
        bars: BAR records of one product, in any order.
        start_ns: on an hour.
        end_ns: on a second.
    """
    seconds = (end_ns - start_ns) // SECOND_NS
    first_ns = start_ns - (WARM_UP_S - 1) * SECOND_NS
    grid = np.zeros(WARM_UP_S + seconds, BAR)
    grid["ts"] = _closes(first_ns - SECOND_NS, len(grid))
    for name in ("r", "spread_bps", "imbalance", "ofi"):
        grid[name] = np.nan
    grid["rank"] = -1
    inside = bars[(bars["ts"] >= first_ns) & (bars["ts"] <= end_ns)]
    grid[(inside["ts"] - first_ns) // SECOND_NS] = inside
    return grid


def product_bars(bars: Any, product: str) -> Records:
    """BAR records of the silver/bars_1s rows of `product`, in the table's order."""
    code, words = codes(bars["product"])
    return bar_records(bars)[code == words.index(product) if product in words else code < 0]
