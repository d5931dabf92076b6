"""What a table's contract consists of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

Zone = Literal["bronze", "silver", "gold"]
Layout = Literal["chain", "hour"]
Edge = Literal["opens", "closes"]
Role = Literal["plain", "time", "price", "size", "mid2"]


@dataclass(frozen=True)
class Column:
    """One column; `doc` gives unit and meaning.

    `role` says how SQL shows it: `time` (int64 ns) as a UTC timestamp, `price`, `size` and `mid2`
    (fixed point at the row's scale) as exact decimals in currency units.
    """

    name: str
    type: Any  # pyarrow ships no types: a pa.DataType
    doc: str
    nullable: bool = False
    role: Role = "plain"


@dataclass(frozen=True)
class Table:
    """One table's contract.

    `layout` is `hour` (one file per UTC hour, replaced atomically) or `chain` (append-only files
    named by first offset). Rows are sorted by `key` and unique in it. `time` is the column that
    decides the hour; with `edge` "opens" the hour H holds [H, H + 1 h), with "closes" it holds
    (H, H + 1 h], because a bar is named by its close. Raise `version` whenever a column is added,
    removed, retyped or redefined.
    """

    zone: Zone
    name: str
    doc: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    layout: Layout = "hour"
    version: int = 1
    time: str = "ts"
    edge: Edge = "closes"

    @property
    def path(self) -> str:
        """`zone/name`: the folder, the Dagster key and (with a dot) the SQL name."""
        return f"{self.zone}/{self.name}"

    @property
    def schema(self) -> Any:
        """The Arrow schema, a `pa.Schema`."""
        return pa.schema([pa.field(c.name, c.type, c.nullable) for c in self.columns])
