"""Shapes of the models' arrays as type aliases, and table columns in those shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from volatility import column

Vector = npt.NDArray[np.float64]
"""float64 [n]"""
Matrix = npt.NDArray[np.float64]
"""float64 [n, k], one row per decision, one column per feature."""
Ints = npt.NDArray[np.int64]
"""int64 [n]: nanoseconds, codes or row numbers."""
Flags = npt.NDArray[np.bool_]
"""bool [n]"""


def floats(table: Any, name: str) -> Vector:
    """Column `name` as float64 [n]; null becomes NaN."""
    values = table[name].cast(pa.float64())
    return np.where(column.known(values), column.numbers(values), np.nan)


def ints(table: Any, name: str) -> Ints:
    """Column `name` as int64 [n].

    Raises:
        ValueError: the column holds nulls.
    """
    values = table[name].cast(pa.int64())
    if values.null_count:
        raise ValueError(f"column {name} has {values.null_count} nulls where a number is needed")
    return column.numbers(values).astype(np.int64)


def flags(table: Any, name: str) -> Flags:
    """Column `name` as bool [n]; null becomes False."""
    values = table[name].cast(pa.int8())
    return column.numbers(values).astype(np.bool_) & column.known(values)


def codes(table: Any, name: str, vocabulary: tuple[str, ...]) -> Ints:
    """Column `name` as positions in `vocabulary`, int64 [n]; -1 for a word that is not there."""
    found, words = column.encode(table[name])
    place = [vocabulary.index(word) if word in vocabulary else -1 for word in words]
    return np.array([*place, -1], np.int64)[found]
