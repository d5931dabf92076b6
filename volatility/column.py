"""Arrow columns to numpy arrays and back: nulls told apart, without pandas.

Inside a computation a null is NaN, a number that cannot occur, or a mask; in tables it is null.
`pa.array(...)` and `.to_numpy()` import pandas (over a CPU second); buffers do not. Arrays may
share memory with the column they came from, and columns with the arrays they are made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from volatility.array import Flags, Ints, Vector


def flat(column: Any) -> Any:
    """One `pa.Array` out of an array or a chunked array."""
    if isinstance(column, pa.ChunkedArray):
        return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return column


def numbers(column: Any) -> NDArray[Any]:
    """The values of a fixed-width column, zero-copy; what stands under a null is undefined."""
    array = flat(column)
    name = str(array.type)
    dtype = np.dtype({"double": "float64", "float": "float32"}.get(name, name))
    if len(array) == 0:
        return np.empty(0, dtype)
    return np.frombuffer(array.buffers()[1], dtype)[array.offset : array.offset + len(array)]


def known(column: Any) -> Flags:
    """True where `column` is not null."""
    array = flat(column)
    if array.null_count == 0:
        return np.ones(len(array), np.bool_)
    bits = np.frombuffer(array.buffers()[0], np.uint8)
    unpacked = np.unpackbits(bits, bitorder="little")
    return unpacked[array.offset : array.offset + len(array)].astype(np.bool_)


def ints(column: Any, *, null: int = 0) -> Ints:
    """An integer column as int64 [n], nulls as `null`."""
    array = flat(column).cast(pa.int64())
    return numbers(array) if array.null_count == 0 else np.where(known(array), numbers(array), null)


def floats(column: Any) -> Vector:
    """A number column as float64 [n], nulls as NaN."""
    array = flat(column).cast(pa.float64(), safe=False)
    if array.null_count == 0:
        return numbers(array)
    return np.where(known(array), numbers(array), np.nan)


def flags(column: Any) -> Flags:
    """A boolean column as bool [n], nulls as False."""
    return np.asarray(ints(flat(column).cast(pa.int8())) == 1)


def named_ints(table: Any, name: str) -> Ints:
    """Column `name` as int64 [n], memory of its own.

    Raises:
        ValueError: the column holds nulls.
    """
    if nulls := table[name].null_count:
        raise ValueError(f"column {name} has {nulls} nulls where a number is needed")
    return ints(table[name]).copy()


def named_floats(table: Any, name: str) -> Vector:
    """Column `name` as float64 [n], nulls as NaN, memory of its own."""
    return floats(table[name]).copy()


def encode(column: Any) -> tuple[NDArray[np.int32], list[str]]:
    """Codes and distinct texts of a string column without nulls, in order of first appearance."""
    encoded = flat(column).dictionary_encode()
    return numbers(encoded.indices).astype(np.int32, copy=False), encoded.dictionary.to_pylist()


def codes(column: Any) -> tuple[Ints, list[str]]:
    """A text column as int64 [n] positions in its distinct words, -1 for null, and the words.

    Runs of one word are coded once: sorted columns cost a comparison a row. Where words alternate
    `encode` takes half the time.
    """
    runs = pc.run_end_encode(flat(column))
    position, words = encode(runs.values)
    position = np.where(known(runs.values), position, -1)
    return np.repeat(position, np.diff(numbers(runs.run_ends), prepend=0)), words


def codes_in(column: Any, vocabulary: Sequence[str]) -> Ints:
    """A text column as int64 [n] positions in `vocabulary`; -1 for null and for strangers."""
    found, words = codes(column)
    place = [vocabulary.index(word) if word in vocabulary else -1 for word in words]
    return np.array([*place, -1], np.int64)[found]


def binaries(array: Any) -> list[bytes]:
    """The bytes of every value of a binary or string `pa.Array`; null is empty.

    Copies: many small views would each be an object for the garbage collector to visit.
    """
    if len(array) == 0:
        return []
    wide = pa.types.is_large_binary(array.type) or pa.types.is_large_string(array.type)
    dtype = np.dtype(np.int64 if wide else np.int32)
    _, offsets, body = array.buffers()
    bounds = np.frombuffer(offsets, dtype)[array.offset : array.offset + len(array) + 1]
    first, last = int(bounds[0]), int(bounds[-1])
    copied = memoryview(body)[first:last].tobytes() if last > first else b""
    return [copied[start:end] for start, end in pairwise((bounds - first).tolist())]


def from_numbers(values: NDArray[Any], arrow_type: Any, valid: Flags | None = None) -> Any:
    """A `pa.Array` over `values`, which have the width of `arrow_type`; null where not `valid`."""
    data = np.ascontiguousarray(values)
    return pa.Array.from_buffers(arrow_type, len(data), [_bitmap(valid), pa.py_buffer(data)])


def from_texts(texts: Iterable[str | None]) -> Any:
    """A `pa.Array` of strings."""
    parts = [None if text is None else text.encode() for text in texts]
    ends = np.zeros(len(parts) + 1, np.int32)
    np.cumsum(np.fromiter((len(part or b"") for part in parts), np.int32, len(parts)), out=ends[1:])
    valid = np.fromiter((part is not None for part in parts), np.bool_, len(parts))
    body = b"".join(part or b"" for part in parts)
    buffers = [_bitmap(valid), pa.py_buffer(ends), pa.py_buffer(body)]
    return pa.Array.from_buffers(pa.string(), len(parts), buffers)


def int_column(values: NDArray[Any], arrow_type: Any, valid: Flags | None = None) -> Any:
    """A `pa.Array` of integer type `arrow_type` of values that fit it, null where not `valid`."""
    dtype = f"i{arrow_type.bit_width // 8}"
    return from_numbers(values.astype(dtype, copy=False), arrow_type, valid)


def float_column(values: Vector) -> Any:
    """A float64 `pa.Array`, NaN as null."""
    return from_numbers(values, pa.float64(), ~np.isnan(values))


def flag_column(values: Flags, valid: Flags | None = None) -> Any:
    """A boolean `pa.Array`, null where not `valid`."""
    return int_column(values, pa.int8(), valid).cast(pa.bool_())


def text_column(positions: NDArray[Any], words: Iterable[str | None]) -> Any:
    """A string `pa.Array` of `words[position]`, null where a position is negative."""
    return from_texts(words).take(int_column(positions, pa.int32(), positions >= 0))


def _bitmap(valid: Flags | None) -> Any:
    """Arrow's validity buffer; None where everything is valid."""
    if valid is None or valid.all():
        return None
    return pa.py_buffer(np.packbits(valid, bitorder="little"))
