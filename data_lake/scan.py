"""Tables as Arrow datasets: lazily scanned, pruned by hour and product, every page checksummed.

Times are Arrow timestamps here (the files hold int64 ns), and every file carries the bounds its
contract guarantees, so a filter on time never opens the other hours.
"""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs as pafs

from data_lake.chain import Link, chain, follow, read_link
from data_lake.lake import Lake
from data_lake.layout import hour_bounds, hour_path
from data_lake.storage import Storage
from data_lake.tables import FRAMES, Table
from volatility.errors import LakeError

CHAIN_COLUMNS: Final = (
    ("topic", pa.string()),
    ("epoch", pa.string()),
    ("partition", pa.int32()),
)
"""What the path of a bronze file adds to its rows."""

_FORMAT: Final = ds.ParquetFileFormat(
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(page_checksum_verification=True)
)


def scan_schema(table: Table) -> Any:
    """The `pa.Schema` of a scan: the table's, with times as timestamps in ns (UTC)."""
    fields = [
        pa.field(c.name, pa.timestamp("ns") if c.role == "time" else c.type) for c in table.columns
    ]
    added = CHAIN_COLUMNS if table.layout == "chain" else ()
    return pa.schema([*(pa.field(name, kind) for name, kind in added), *fields])


def scan(lake: Lake, table: Table) -> Any:
    """All of a table as it is now: a `pa.dataset.Dataset` of the files that exist.

    Raises:
        LakeError: the lake cannot be listed, or a bronze footer is torn or altered.
    """
    if table.layout == "chain":
        return _scan_chain(lake, table)
    return _dataset(lake, table, [_hour(lake, table, hour) for hour in lake.hours(table)])


def _scan_chain(lake: Lake, table: Table) -> Any:
    whole, trimmed = [], []
    for link in follow(chain(lake)):
        if link.overlaps:
            trimmed.append(_trimmed(lake, link))
        else:
            whole.append(_fragment(lake, link.file.path, _place(link)))
    files = _dataset(lake, table, whole)
    if not trimmed:
        return files
    return ds.dataset([files, ds.dataset(pa.concat_tables(trimmed))])


def _trimmed(lake: Lake, link: Link) -> Any:
    """Only the new rows of a file that overlaps an earlier one, in memory: this is rare."""
    rows = read_link(lake, link, [c.name for c in FRAMES.columns])
    for name, kind in reversed(CHAIN_COLUMNS):
        place = pa.repeat(pa.scalar(getattr(link.file, name), kind), rows.num_rows)
        rows = rows.add_column(0, name, place)
    return rows.cast(scan_schema(FRAMES))


def _place(link: Link) -> Any:
    place = ds.scalar(True)
    for name, kind in CHAIN_COLUMNS:
        place = place & (ds.field(name) == pa.scalar(getattr(link.file, name), kind))
    return place


def _hour(lake: Lake, table: Table, hour: str) -> Any:
    """One hour's file with what its contract guarantees about the table's time."""
    start, end = (pa.scalar(ns, pa.timestamp("ns")) for ns in hour_bounds(hour))
    time = ds.field(table.time)
    if table.edge == "opens":
        bounds = (time >= start) & (time < end)
    else:
        bounds = (time > start) & (time <= end)
    return _fragment(lake, hour_path(table, hour), bounds)


def _fragment(lake: Lake, path: str, guarantee: Any) -> Any:
    return _FORMAT.make_fragment(path, _filesystem(lake.storage), guarantee)


def _dataset(lake: Lake, table: Table, fragments: list[Any]) -> Any:
    schema = scan_schema(table)
    return ds.FileSystemDataset(fragments, schema, _FORMAT, _filesystem(lake.storage))


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
