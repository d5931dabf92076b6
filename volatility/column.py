"""Arrow columns to numpy arrays and back, without a copy and without pandas.

`pa.array(...)` and `.to_numpy()` import pandas (over a CPU second); buffers do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


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


def known(column: Any) -> NDArray[np.bool_]:
    """True where `column` is not null."""
    array = flat(column)
    if array.null_count == 0:
        return np.ones(len(array), np.bool_)
    bits = np.frombuffer(array.buffers()[0], np.uint8)
    unpacked = np.unpackbits(bits, bitorder="little")
    return unpacked[array.offset : array.offset + len(array)].astype(np.bool_)


def from_numbers(
    values: NDArray[Any], arrow_type: Any, valid: NDArray[np.bool_] | None = None
) -> Any:
    """A `pa.Array` of a fixed-width type over `values`; null where `valid` is False."""
    data = np.ascontiguousarray(values)
    bitmap = None
    if valid is not None and not valid.all():
        bitmap = pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(arrow_type, len(data), [bitmap, pa.py_buffer(data)])


def from_texts(texts: Sequence[str | None]) -> Any:
    """A `pa.Array` of strings."""
    parts = [(text or "").encode() for text in texts]
    ends = np.zeros(len(parts) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, parts), np.int32, len(parts)), out=ends[1:])
    valid = np.fromiter((text is not None for text in texts), np.bool_, len(parts))
    bitmap = None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
    buffers = [bitmap, pa.py_buffer(ends), pa.py_buffer(b"".join(parts))]
    return pa.Array.from_buffers(pa.string(), len(parts), buffers)


def pick(texts: Iterable[str], codes: NDArray[Any]) -> Any:
    """A `pa.Array` of strings: `texts[code]` for every code."""
    words = from_texts(list(texts))
    return words.take(from_numbers(codes.astype(np.int32, copy=False), pa.int32()))


def encode(column: Any) -> tuple[NDArray[np.int32], list[str]]:
    """Codes and distinct texts of a string column, in order of first appearance."""
    encoded = flat(column).dictionary_encode()
    return numbers(encoded.indices).astype(np.int32, copy=False), encoded.dictionary.to_pylist()


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
