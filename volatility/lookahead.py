"""Which feature columns know the future: rewrite it, and see what changes in the past."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from volatility.array import Flags, Ints
from volatility.column import floats, from_numbers, ints, known

KEYS = ("product", "ts")


def changed_columns(
    compute: Callable[[Any], Any], bars: Any, cut_ns: int, *, seed: int = 0
) -> list[str]:
    """Columns of `compute(bars)` whose rows at ts <= `cut_ns` depend on bars after it.

    The future is scrambled once and cut off once; any bit that differs, any null that comes or
    goes, tells. An empty list means that no look-ahead was found with this future.

    Args:
        compute: rows to feature rows; both have `product` and `ts`, known at ts (ns).
        bars: rows on both sides of the cut.
        cut_ns: ns since epoch UTC.
        seed: of the scrambling.
    """
    future = ints(bars["ts"]) > cut_ns
    whole = _past(compute(bars), cut_ns)
    rewritten = (
        scrambled(bars, future, seed),
        bars.take(_positions(np.flatnonzero(~future))),
    )
    others = [_past(compute(rows), cut_ns) for rows in rewritten]
    if any(other.num_rows != whole.num_rows for other in others):
        return list(whole.column_names)
    return [
        name
        for name in whole.column_names
        if not all(_identical(whole[name], other[name]) for other in others)
    ]


def scrambled(rows: Any, where: Flags, seed: int) -> Any:
    """`rows` with every column but the keys shuffled among `where`, floats also stretched.

    Each column is shuffled by itself, so that no row keeps its meaning.
    """
    generator = np.random.default_rng(seed)
    target = np.flatnonzero(where)
    columns = {}
    for name in rows.column_names:
        column = rows[name]
        if name not in KEYS:
            order = np.arange(rows.num_rows)
            order[target] = generator.permutation(target)
            column = column.take(_positions(order))
            if pa.types.is_floating(column.type):
                stretch = np.where(where, generator.lognormal(0.0, 1.0, len(where)), 1.0)
                column = from_numbers(floats(column) * stretch, pa.float64(), known(column))
        columns[name] = column
    return pa.table(columns)


def _positions(rows: Ints) -> Any:
    return from_numbers(rows, pa.int64())


def _past(features: Any, cut_ns: int) -> Any:
    return features.take(_positions(np.flatnonzero(ints(features["ts"]) <= cut_ns)))


def _identical(one: Any, other: Any) -> bool:
    """Whether two columns agree bit for bit, nulls too."""
    if not pa.types.is_floating(one.type):
        return bool(one.equals(other))
    same_nulls = np.array_equal(known(one), known(other))
    return same_nulls and floats(one)[known(one)].tobytes() == floats(other)[known(other)].tobytes()
