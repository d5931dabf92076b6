"""Content digests: a sha256 of what the rows say, whatever file they are in.

A column's digest covers its type, its length, which rows are null, and the rows that are not:
little-endian fixed-width numbers, or byte lengths (int32) followed by the bytes. Null slots count
as zero or empty, so nothing but the logical rows matters: not the encoding, the compression, the
row groups, nor what lies in memory under a null. A table's digest is the sha256 of its columns'
names and digests, in order, so a reader of three columns can prove those three.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def column_digest(column: Any) -> str:
    """Hex sha256 of one column, a `pa.ChunkedArray` or `pa.Array`."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    sha = hashlib.sha256(f"{array.type} {len(array)} {array.null_count}\n".encode())
    if array.null_count:
        sha.update(_fixed_width(pc.cast(pc.is_valid(array), pa.uint8())))
        array = pc.fill_null(array, _zero(array.type))
    if pa.types.is_boolean(array.type):
        array = pc.cast(array, pa.uint8())
    if _is_variable(array.type):
        sha.update(_fixed_width(pc.binary_length(array)))
        sha.update(_variable_width(array))
    else:
        sha.update(_fixed_width(array))
    return sha.hexdigest()


def column_digests(rows: Any) -> dict[str, str]:
    """Digest of every column of a `pa.Table`, in column order."""
    return {name: column_digest(rows.column(name)) for name in rows.column_names}


def rows_digest(columns: Mapping[str, str]) -> str:
    """Hex sha256 of a whole table, from its columns' digests."""
    lines = "".join(f"{name} {digest}\n" for name, digest in columns.items())
    return hashlib.sha256(lines.encode()).hexdigest()


def _is_variable(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_binary(kind))


def _zero(kind: Any) -> Any:
    empty: object = 0
    if pa.types.is_boolean(kind):
        empty = False
    elif pa.types.is_string(kind):
        empty = ""
    elif pa.types.is_binary(kind):
        empty = b""
    return pa.scalar(empty, kind)


def _fixed_width(array: Any) -> memoryview:
    width = array.type.bit_width // 8
    values = array.buffers()[1]
    if values is None:
        return memoryview(b"")
    return memoryview(values)[array.offset * width : (array.offset + len(array)) * width]


def _variable_width(array: Any) -> memoryview:
    _, offsets, content = array.buffers()
    if content is None or not len(array):
        return memoryview(b"")
    ends = memoryview(offsets).cast("B").cast("i")
    return memoryview(content)[ends[array.offset] : ends[array.offset + len(array)]]
