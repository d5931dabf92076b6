"""Columns with nulls as plain numbers and back: NaN, -1 or a mask inside, null in tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from volatility.array import Flags, Ints, Vector
from volatility.column import encode, flat, from_numbers, from_texts, known, numbers


def ints(column: Any, *, null: int = 0) -> Ints:
    """An integer column as int64 [n], nulls as `null`; may share the column's memory."""
    array = flat(column).cast(pa.int64())
    return numbers(array) if array.null_count == 0 else np.where(known(array), numbers(array), null)


def floats(column: Any) -> Vector:
    """A number column as float64 [n], nulls as NaN; may share the column's memory."""
    array = flat(column).cast(pa.float64(), safe=False)
    if array.null_count == 0:
        return numbers(array)
    return np.where(known(array), numbers(array), np.nan)


def flags(column: Any) -> Flags:
    """A boolean column as bool [n], nulls as False."""
    return np.asarray(ints(flat(column).cast(pa.int8())) == 1)


def codes(column: Any) -> tuple[Ints, list[str]]:
    """A text column as int64 [n] positions in its distinct words, -1 for null, and the words.

    Runs of one word are coded once: sorted columns cost a comparison a row.
    """
    runs = pc.run_end_encode(flat(column))
    position, words = encode(runs.values)
    position = np.where(known(runs.values), position, -1)
    return np.repeat(position, np.diff(numbers(runs.run_ends), prepend=0)), words


def float_column(values: Vector) -> Any:
    """A float64 Arrow array, NaN as null."""
    return from_numbers(values, pa.float64(), ~np.isnan(values))


def int_column(values: NDArray[Any], arrow_type: Any, valid: Flags | None = None) -> Any:
    """An Arrow array of integer type `arrow_type`, null where not `valid`."""
    return from_numbers(values.astype(f"i{arrow_type.bit_width // 8}"), arrow_type, valid)


def flag_column(values: Flags, valid: Flags | None = None) -> Any:
    """A boolean Arrow array, null where not `valid`."""
    return int_column(values, pa.int8(), valid).cast(pa.bool_())


def text_column(positions: NDArray[Any], words: Sequence[str]) -> Any:
    """A string Arrow array of `words[position]`, null where a position is negative."""
    keys = int_column(positions, pa.int32(), positions >= 0)
    return pa.DictionaryArray.from_arrays(keys, from_texts(words)).cast(pa.string())
