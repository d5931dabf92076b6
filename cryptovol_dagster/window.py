"""Reading around an hour: neighbours are read once and kept while the next hour needs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from cryptovol_dagster.recipe import READS, Ledger, Read, history
from data_lake.lake import Lake
from data_lake.layout import hour_path
from data_lake.tables import FEATURES_1S, Table
from volatility.column import numbers
from volatility.errors import LakeError
from volatility.label import INPUTS

_MINUTE_NS: Final = 60_000_000_000


class Window:
    """The hours around an hour, as one `Read` says."""

    def __init__(self, lake: Lake, read: Read, columns: Sequence[str] | None = None) -> None:
        """Read from `lake`, all columns when `columns` is None."""
        self._lake, self._read, self._columns = lake, read, columns
        self._kept: dict[str, Any] = {}

    def around(self, hour: str) -> Any:
        """Rows of every hour read for `hour` that exists, oldest first, a `pa.Table`."""
        table, columns = self._read.table, self._columns
        self._kept = {
            each: self._kept[each]
            if each in self._kept
            else self._lake.read_hours(table, [each], columns, missing="skip")
            for each in self._read.hours(hour)
        }
        return pa.concat_tables(list(self._kept.values()))


class Past:
    """Thirty days of features on the minute: all that a spike threshold looks at."""

    def __init__(self, ledger: Ledger) -> None:
        """Read from the ledger's lake."""
        self._ledger = ledger
        self._kept: dict[str, Any] = {}

    def before(self, hour: str) -> Any:
        """Rows on the minute of the hours within 30 days before `hour`, a `pa.Table`."""
        lake, wanted = self._ledger.lake, history(self._ledger, hour)
        for old in self._kept.keys() - set(wanted):
            del self._kept[old]
        for each in wanted:
            if each not in self._kept:
                rows = lake.read(FEATURES_1S, each, INPUTS)
                on_minute = numbers(rows.column("ts")) % _MINUTE_NS == 0
                self._kept[each] = rows.filter(pa.array(on_minute))
        empty = lake.read_hours(FEATURES_1S, [], INPUTS)
        return pa.concat_tables([empty, *(self._kept[each] for each in wanted)])


def require(ledger: Ledger, table: Table, hour: str) -> None:
    """Refuse to build an hour whose inputs should exist and do not.

    The hour itself must exist in every table read. A neighbour must exist when what it is made of
    does: its own upstream was built, so leaving it out would silently compute from less.

    Raises:
        LakeError: names the missing hours.
    """
    missing = [
        f"{read.table.path} {each}"
        for read in READS[table.path]
        for each in read.hours(hour)
        if ledger.manifest(read.table, each) is None
        and (each == hour or _could_exist(ledger, read.table, each))
    ]
    if missing:
        raise LakeError(hour_path(table, hour), f"build first: {', '.join(missing)}")


def _could_exist(ledger: Ledger, table: Table, hour: str) -> bool:
    reads = READS.get(table.path, ())
    return bool(reads) and all(ledger.manifest(read.table, hour) for read in reads)
