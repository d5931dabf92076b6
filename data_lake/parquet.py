"""Parquet as this lake writes it: zstd-1, checked pages, a signed footer, pruned by product.

The footer carries one JSON record (a manifest or a bronze footer), the record's sha256, and the
sha256 of the whole file with that very value blanked, because page checksums cover neither the
footer nor page headers. Whoever reads all columns proves the whole file; whoever reads some proves
the record and, for each column decoded, its pages' checksums and the digest the record promises.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_lake.digest import column_digest, column_digests, rows_digest
from data_lake.storage import Storage
from data_lake.tables import Table
from volatility.errors import LakeError

_RECORD: Final = b"cryptovol"
_RECORD_SHA: Final = b"cryptovol.sha256"
_FILE_SHA: Final = b"cryptovol.file"
_BLANK: Final = b"0" * 64
_GROUP_MAX_ROWS: Final = 131_072
_GROUP_MIN_ROWS: Final = 4_096
_BROKEN = (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError)


class Record(Protocol):
    """What every footer record has."""

    @property
    def sha256(self) -> str:
        """Digest of the rows."""

    @property
    def rows(self) -> int:
        """Number of rows."""

    @property
    def schema_version(self) -> int:
        """Version of the table's schema."""

    @property
    def columns(self) -> Mapping[str, str]:
        """Digest of each column."""


R = TypeVar("R", bound=Record)


def encode(rows: Any, record: msgspec.Struct) -> bytes:
    """A `pa.Table`, already in its table's schema, as the bytes of one Parquet file."""
    text = msgspec.json.encode(record)
    sink = pa.BufferOutputStream()
    writer = pq.ParquetWriter(
        sink,
        rows.schema,
        compression="zstd",
        compression_level=1,
        use_dictionary=[f.name for f in rows.schema if pa.types.is_string(f.type)],
        column_encoding={
            f.name: "DELTA_BINARY_PACKED" for f in rows.schema if pa.types.is_integer(f.type)
        },
        write_page_checksum=True,
    )
    with writer:
        for start, stop in _groups(rows):
            writer.write_table(rows.slice(start, stop - start), row_group_size=stop - start)
        digest = hashlib.sha256(text).hexdigest()
        writer.add_key_value_metadata({_RECORD: text, _RECORD_SHA: digest, _FILE_SHA: _BLANK})
    blob = bytearray(sink.getvalue())
    seal = hashlib.sha256(blob).hexdigest().encode()
    at = blob.rindex(_BLANK)
    blob[at : at + len(seal)] = seal
    return bytes(blob)


def read_record(storage: Storage, path: str, kind: type[R]) -> R:
    """The footer record of a file, proven to be the one written.

    Raises:
        LakeError: the file is missing, torn or altered, or holds no such record.
    """
    with storage.open(path) as source:
        return _open(source, path, kind)[1]


def read_rows(
    storage: Storage, path: str, table: Table, kind: type[R], columns: Sequence[str] | None = None
) -> tuple[Any, R]:
    """Rows of a file, a `pa.Table` of `columns` (all when None), and its record, both proven.

    Raises:
        LakeError: the file is missing, torn, altered, or of another schema version.
        ValueError: the table has no such column.
    """
    names = select(table, columns)
    if columns is None:
        with pa.BufferReader(_proven(storage, path)) as source:
            return _decode(source, path, table, kind, names)
    with storage.open(path) as source:
        rows, record = _decode(source, path, table, kind, names)
    check_columns(path, rows, record)
    return rows, record


def check_columns(path: str, rows: Any, record: Record) -> None:
    """Prove that every column of `rows` is the one the record was made of.

    Raises:
        LakeError: a column has another digest.
    """
    for name in rows.column_names:
        if column_digest(rows.column(name)) != record.columns[name]:
            raise LakeError(path, f"altered: column {name} is not what was written")


def select(table: Table, columns: Sequence[str] | None) -> list[str]:
    """The columns asked for, all of the table's when None.

    Raises:
        ValueError: the table has no such column.
    """
    known = [c.name for c in table.columns]
    if columns is None:
        return known
    if unknown := [name for name in columns if name not in known]:
        raise ValueError(f"{table.path} has no column {', '.join(unknown)}")
    return list(columns)


def sealed(rows: Any) -> tuple[str, dict[str, str]]:
    """Digest of a `pa.Table` and of each of its columns."""
    columns = column_digests(rows)
    return rows_digest(columns), columns


def _proven(storage: Storage, path: str) -> bytes:
    """All bytes of a file, when they are the ones that were written."""
    blob = storage.read(path)
    try:
        pairs = pq.read_metadata(pa.BufferReader(blob)).metadata or {}
    except _BROKEN as exc:
        raise LakeError(path, f"torn or altered: {exc}") from exc
    seal = pairs.get(_FILE_SHA, b"")
    head, found, tail = blob.rpartition(seal) if seal else (b"", b"", blob)
    if hashlib.sha256(head + _BLANK + tail).hexdigest().encode() != found:
        raise LakeError(path, "torn or altered: its bytes are not the ones that were written")
    return blob


def _decode(
    source: Any, path: str, table: Table, kind: type[R], names: Sequence[str]
) -> tuple[Any, R]:
    parquet, record = _open(source, path, kind)
    _check_schema(parquet, record, table, path)
    try:
        return parquet.read(columns=names).select(names), record
    except _BROKEN as exc:
        raise LakeError(path, f"torn or altered: {exc}") from exc


def _open(source: Any, path: str, kind: type[R]) -> tuple[Any, R]:
    try:
        parquet = pq.ParquetFile(source, page_checksum_verification=True)
        pairs = parquet.metadata.metadata or {}
    except _BROKEN as exc:
        raise LakeError(path, f"torn or altered: {exc}") from exc
    text = pairs.get(_RECORD, b"")
    if hashlib.sha256(text).hexdigest().encode() != pairs.get(_RECORD_SHA):
        raise LakeError(path, "torn or altered: the footer is not the one that was written")
    try:
        record = msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError as exc:
        raise LakeError(path, f"not a file of this table: {exc}") from exc
    if rows_digest(record.columns) != record.sha256:
        raise LakeError(path, "altered: the footer contradicts itself")
    return parquet, record


def _check_schema(parquet: Any, record: Record, table: Table, path: str) -> None:
    if record.schema_version != table.version:
        written = f"written with schema version {record.schema_version}"
        raise LakeError(path, f"{written}, this program reads {table.version}: build it again")
    if list(record.columns) != [c.name for c in table.columns]:
        raise LakeError(path, "its columns are not the table's")
    try:
        found = parquet.schema_arrow
    except _BROKEN as exc:
        raise LakeError(path, f"torn or altered: {exc}") from exc
    if not found.equals(table.schema) or parquet.metadata.num_rows != record.rows:
        raise LakeError(path, "altered: its schema or length is not what was written")


def _groups(rows: Any) -> Iterator[tuple[int, int]]:
    """Row ranges that end where a product ends, unless that makes them very small or large."""
    start = 0
    for stop in [*_product_ends(rows), rows.num_rows]:
        while stop - start > _GROUP_MAX_ROWS:
            yield start, start + _GROUP_MAX_ROWS
            start += _GROUP_MAX_ROWS
        if stop - start >= _GROUP_MIN_ROWS or (stop == rows.num_rows and stop > start):
            yield start, stop
            start = stop


def _product_ends(rows: Any) -> list[int]:
    if "product" not in rows.column_names or rows.num_rows == 0:
        return []
    runs = pc.run_end_encode(rows.column("product").combine_chunks())
    return [int(end) for end in runs.run_ends.to_pylist()]
