"""Tables as Arrow datasets: lazily scanned, pruned by date and product, every page checksummed.

Times are Arrow timestamps here (the files hold int64 ns). What the path says comes as columns of
its own: a filter on `date` or `hour` never opens the other files.
"""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import Any, Final

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs as pafs

from data_lake.chain import Link, chain, follow, read_link
from data_lake.lake import Lake
from data_lake.layout import hive_parts, hour_path
from data_lake.storage import Storage
from data_lake.tables import Table
from volatility.errors import LakeError

_PATH_TYPES: Final = {
    "topic": pa.string(),
    "epoch": pa.string(),
    "partition": pa.int32(),
    "date": pa.date32(),
    "hour": pa.int8(),
}

_FORMAT: Final = ds.ParquetFileFormat(
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(page_checksum_verification=True)
)


def path_columns(table: Table) -> tuple[str, ...]:
    """The columns a table's paths add to its rows."""
    return ("topic", "epoch", "partition", "date") if table.layout == "chain" else ("date", "hour")


def scan_schema(table: Table) -> Any:
    """The `pa.Schema` of a scan: times as timestamps in ns (UTC), then the path's columns."""
    fields = [(c.name, pa.timestamp("ns") if c.role == "time" else c.type) for c in table.columns]
    return pa.schema(fields + [(name, _PATH_TYPES[name]) for name in path_columns(table)])


def scan(lake: Lake, table: Table) -> Any:
    """All of a table as it is now: a `pa.dataset.Dataset` of the files that exist.

    Raises:
        LakeError: the lake cannot be listed, or a bronze footer is torn or altered.
    """
    if table.layout == "chain":
        return _scan_chain(lake, table)
    return _dataset(lake, table, [hour_path(table, hour) for hour in lake.hours(table)])


def _scan_chain(lake: Lake, table: Table) -> Any:
    links = list(follow(chain(lake)))
    whole = _dataset(lake, table, [link.file.path for link in links if not link.overlaps])
    trimmed = [_trimmed(lake, table, link) for link in links if link.overlaps]
    return ds.dataset([whole, ds.dataset(pa.concat_tables(trimmed))]) if trimmed else whole


def _trimmed(lake: Lake, table: Table, link: Link) -> Any:
    """Only the new rows of a file that overlaps an earlier one, in memory: this is rare."""
    rows = read_link(lake, link, [c.name for c in table.columns])
    for name, told in _told(link.file.path).items():
        rows = rows.append_column(name, pa.repeat(told, rows.num_rows))
    return rows.cast(scan_schema(table))


def _told(path: str) -> dict[str, Any]:
    """What a path says, as `pa.Scalar`s."""
    parts = hive_parts(path)
    return {name: pa.scalar(text).cast(_PATH_TYPES[name]) for name, text in parts.items()}


def _dataset(lake: Lake, table: Table, paths: list[str]) -> Any:
    filesystem = _filesystem(lake.storage)
    fragments = [_FORMAT.make_fragment(path, filesystem, _guarantee(path)) for path in paths]
    return ds.FileSystemDataset(fragments, scan_schema(table), _FORMAT, filesystem)


def _guarantee(path: str) -> Any:
    told = [ds.field(name) == scalar for name, scalar in _told(path).items()]
    return reduce(and_, told)


def _filesystem(storage: Storage) -> Any:
    if storage.folder is not None:
        return pafs.SubTreeFileSystem(str(storage.folder), pafs.LocalFileSystem())
    return pafs.PyFileSystem(_ObjectStore(storage))


class _ObjectStore(pafs.FileSystemHandler):  # type: ignore[misc] # pyarrow ships no types
    """The part of Arrow's file system a scan needs, over any object store; read-only."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ObjectStore) and other._storage is self._storage

    def __hash__(self) -> int:
        return hash(id(self._storage))

    def get_type_name(self) -> str:
        return "cryptovol"

    def normalize_path(self, path: str) -> str:
        return path

    def get_file_info(self, paths: list[str]) -> list[Any]:
        found = [(path, self._storage.find(path)) for path in paths]
        return [
            pafs.FileInfo(path, pafs.FileType.File, size=entry.size)
            if entry
            else pafs.FileInfo(path, pafs.FileType.NotFound)
            for path, entry in found
        ]

    def open_input_file(self, path: str) -> Any:
        return self._storage.open(path)

    def open_input_stream(self, path: str) -> Any:
        return self._storage.open(path)

    def _refuse(self, path: object, *_: object) -> Any:
        raise LakeError(str(path), "a scan only reads")

    get_file_info_selector = create_dir = delete_dir = delete_dir_contents = _refuse
    delete_root_dir_contents = delete_file = move = copy_file = _refuse
    open_output_stream = open_append_stream = _refuse
