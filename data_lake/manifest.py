"""What a silver or gold file says about itself, in its own footer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import Any

import msgspec
import pyarrow.compute as pc

from data_lake.parquet import sealed
from data_lake.tables import Table


class Span(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One product's share of a file."""

    rows: int
    first_ts: int  # earliest value of the table's time column, ns since epoch UTC
    last_ts: int  # latest value of the table's time column, ns since epoch UTC
    first_trade_id: int | None = None  # trades only: lowest id
    last_trade_id: int | None = None  # trades only: highest id
    last_trade_ts: int | None = None  # trades only: ts_event of the highest id


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Footer of one partition file.

    `inputs` maps the name of every hour the rows were computed from (`silver/trades/<hour key>`,
    see `layout.input_name`) to its fingerprint then, empty text where it did not exist.
    """

    table: str  # zone/name
    hour: str  # partition key, YYYY-MM-DD-HH:MM UTC
    sha256: str  # of the rows, see data_lake/digest.py
    rows: int
    schema_version: int
    code_version: str
    inputs: dict[str, str]
    spans: dict[str, Span]  # by product
    columns: dict[str, str]  # sha256 of each column
    changed: bool = False  # on the answer of `Lake.replace`: the rows differ from what was there


def describe(table: Table, hour: str, rows: Any, inputs: Mapping[str, str]) -> Manifest:
    """The manifest of `rows`, a `pa.Table` in the table's schema and key order."""
    digest, columns = sealed(rows)
    return Manifest(
        table=table.path,
        hour=hour,
        sha256=digest,
        rows=rows.num_rows,
        schema_version=table.version,
        code_version=code_version(),
        inputs=dict(sorted(inputs.items())),
        spans=_spans(table, rows),
        columns=columns,
    )


@lru_cache(maxsize=1)
def code_version() -> str:
    """Package version and a digest of the core's sources: what the numbers were made with."""
    sha = hashlib.sha256()
    for source in sorted(files("volatility").iterdir(), key=lambda entry: entry.name):
        if source.name.endswith(".py"):
            sha.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    try:
        release = version("cryptovol")
    except PackageNotFoundError:
        release = "0"
    return f"{release}+{sha.hexdigest()[:12]}"


def _spans(table: Table, rows: Any) -> dict[str, Span]:
    if rows.num_rows == 0:
        return {}
    runs = pc.run_end_encode(rows.column("product").combine_chunks())
    spans, start = {}, 0
    for product, stop in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
        spans[product] = _span(table, rows.slice(start, stop - start))
        start = stop
    return spans


def _span(table: Table, rows: Any) -> Span:
    ends = pc.min_max(rows.column(table.time))
    first, last = ends["min"].as_py(), ends["max"].as_py()
    if table.name != "trades":
        return Span(rows=rows.num_rows, first_ts=first, last_ts=last)
    ids = rows.column("trade_id")
    return Span(
        rows=rows.num_rows,
        first_ts=first,
        last_ts=last,
        first_trade_id=ids[0].as_py(),
        last_trade_id=ids[-1].as_py(),
        last_trade_ts=rows.column("ts_event")[-1].as_py(),
    )
