"""The lake: hours of silver and gold tables, read whole and replaced whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, cast

import msgspec
import pyarrow as pa

from data_lake.contract import conform
from data_lake.layout import hour_of_path, hour_path
from data_lake.manifest import Manifest, describe
from data_lake.parquet import R, Record, encode, read_record, read_rows, select
from data_lake.storage import Entry, Storage
from data_lake.tables import Table
from volatility.errors import LakeError


class Lake:
    """Tables below one root, a folder or an object-store url; see `layout` for the paths.

    Nothing is read that is not exactly what was written: a torn or altered file is a LakeError.
    """

    def __init__(self, root: str) -> None:
        """Open the lake at `root`, creating the folder when it is local.

        Raises:
            LakeError: the root cannot be opened.
        """
        self.root = root
        self.storage = Storage(root)
        self._records: dict[str, tuple[Entry, Record]] = {}

    def read(self, table: Table, hour: str, columns: Sequence[str] | None = None) -> Any:
        """Rows of one hour, a `pa.Table` sorted by key, with `columns` or all of them.

        Raises:
            LakeError: the hour was never built, or its file is torn, altered or outdated.
        """
        return self.load(table, hour, columns)[0]

    def load(
        self, table: Table, hour: str, columns: Sequence[str] | None = None
    ) -> tuple[Any, Manifest]:
        """Rows of one hour and the manifest of the very file they came from.

        Raises:
            LakeError: the hour was never built, or its file is torn, altered or outdated.
        """
        found = read_rows(self.storage, hour_path(table, hour), table, Manifest, columns)
        _check_place(table, hour, found[1])
        return found

    def read_hours(
        self,
        table: Table,
        hours: Iterable[str],
        columns: Sequence[str] | None = None,
        missing: Literal["skip", "fail"] = "fail",
    ) -> Any:
        """Rows of several hours in the order given, one `pa.Table`; empty when there are none.

        `missing` says what an hour that was never built does: it is skipped, or fails.

        Raises:
            LakeError: an hour is missing (unless skipped), torn, altered or outdated.
        """
        wanted = pa.schema([table.schema.field(name) for name in select(table, columns)])
        parts = []
        for hour in hours:
            absent = missing == "skip" and self.storage.find(hour_path(table, hour)) is None
            if not absent:
                parts.append(self.read(table, hour, columns))
        return pa.concat_tables(parts) if parts else wanted.empty_table()

    def replace(self, table: Table, hour: str, rows: Any, inputs: Mapping[str, str]) -> Manifest:
        """Make `rows` (a `pa.Table`, sorted by key) the whole content of one hour, atomically.

        `inputs` are the fingerprints of what the rows were computed from, see `inputs()`. Writing
        the same rows again leaves the file alone; only a manifest that would differ (other
        inputs or code) is written anew. The answer's `changed` says whether the rows differ from
        those that were there.

        Raises:
            ContractError: the rows break the table's contract; nothing was touched.
            LakeError: the file could not be written; the old one is untouched.
        """
        rows = conform(table, hour, rows)
        manifest = describe(table, hour, rows, inputs)
        before = self._sound_manifest(table, hour)
        if manifest == before:
            return before
        self.storage.replace(hour_path(table, hour), encode(rows, manifest))
        changed = before is None or before.sha256 != manifest.sha256
        return msgspec.structs.replace(manifest, changed=changed)

    def hours(self, table: Table) -> list[str]:
        """Keys of every hour of `table` that was built, oldest first."""
        found = (hour_of_path(table, entry.path) for entry in self.storage.entries(table.path))
        return sorted(hour for hour in found if hour is not None)

    def manifest(self, table: Table, hour: str) -> Manifest | None:
        """What the hour's file says about itself; None when it was never built.

        Raises:
            LakeError: the file is torn or altered.
        """
        entry = self.storage.find(hour_path(table, hour))
        if entry is None:
            return None
        manifest = self.record(entry, Manifest)
        _check_place(table, hour, manifest)
        return manifest

    def record(self, entry: Entry, kind: type[R]) -> R:
        """The footer record of a file, remembered for as long as the file is the same.

        Raises:
            LakeError: the file is torn or altered, or holds no such record.
        """
        known = self._records.get(entry.path)
        if known is None or known[0] != entry or not isinstance(known[1], kind):
            known = (entry, read_record(self.storage, entry.path, kind))
            self._records[entry.path] = known
        return cast(R, known[1])

    def _sound_manifest(self, table: Table, hour: str) -> Manifest | None:
        """The manifest when the file behind it is whole; a broken file counts as absent."""
        try:
            manifest = self.manifest(table, hour)
            if manifest is not None:
                self.read(table, hour)
        except LakeError:
            return None
        return manifest


def _check_place(table: Table, hour: str, manifest: Manifest) -> None:
    if (manifest.table, manifest.hour) != (table.path, hour):
        written = f"{manifest.table} {manifest.hour}"
        raise LakeError(hour_path(table, hour), f"swapped: this file was written as {written}")
