"""1 s features of an hour from its bars: the Arrow side of `volatility/kernel.py`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from volatility.array import Ints, Matrix
from volatility.column import codes, float_column, int_column, ints, text_column
from volatility.feature import FEATURES, HALF_LIVES_S, WINDOWS_S
from volatility.kernel import run
from volatility.kernel_state import BLOCK, decay_table, new_state
from volatility.source import source_column
from volatility.tick import HOUR_NS, SECOND_NS
from volatility.tick_table import Records, blank_bars, put_bars

WINDOWS: Final[Ints] = np.array(WINDOWS_S, np.int64)
DECAY: Final[Matrix] = decay_table(HALF_LIVES_S)


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
    products, grid = dense(bars, start_ns, end_ns, start_ns)
    seconds = (end_ns - start_ns) // SECOND_NS
    rows = np.empty((len(FEATURES), len(products) * seconds))
    rank = np.empty(len(products) * seconds, np.int64)
    for i in range(len(products)):
        span = slice(i * seconds, (i + 1) * seconds)
        run(new_state(BLOCK - 1), grid[i], WINDOWS, DECAY, rows[:, span], rank[span])
    ts = start_ns + SECOND_NS * np.arange(1, seconds + 1)
    columns = {
        "product": text_column(np.repeat(np.arange(len(products)), seconds), products),
        "ts": int_column(np.tile(ts, len(products)), pa.int64()),
        **{name: float_column(row) for name, row in zip(FEATURES, rows, strict=True)},
        "source": source_column(rank),
    }
    return pa.table(columns)


def dense(bars: Any, start_ns: int, end_ns: int, since_ns: int) -> tuple[list[str], Records]:
    """Bars at every second of [start - 1 h, end], as the kernel wants them.

    Args:
        bars: silver/bars_1s rows, in any order.
        start_ns: on an hour.
        end_ns: on a second.
        since_ns: only products with a bar in (since, end] are wanted.

    Returns:
        Those products, sorted, and BAR records of shape (products, 3601 + seconds); a missing bar
        is not observed.
    """
    code, words = codes(bars["product"])
    ts, first_ns = ints(bars["ts"]), start_ns - BLOCK * SECOND_NS
    present = np.unique(code[(ts > since_ns) & (ts <= end_ns)]).tolist()
    products = sorted(words[c] for c in present)
    place = np.full(len(words), -1)
    for c in present:
        place[c] = products.index(words[c])
    seconds = (end_ns - first_ns) // SECOND_NS + 1
    grid = blank_bars(len(products) * seconds)
    grid["ts"] = np.tile(first_ns + SECOND_NS * np.arange(seconds), len(products))
    rows = np.flatnonzero((ts >= first_ns) & (ts <= end_ns) & (place[code] >= 0))
    put_bars(bars, rows, grid, place[code[rows]] * seconds + (ts[rows] - first_ns) // SECOND_NS)
    return products, grid.reshape(len(products), seconds)
