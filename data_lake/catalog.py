"""SQL over the lake: DuckDB in memory, one view per table, nothing else within reach.

DuckDB gets no file system at all: it sees the tables as registered Arrow datasets, and
`enable_external_access` is off with no directory allowed. So not even COPY into the lake works, and
that rests on the engine and not on a filter over query texts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import duckdb

from data_lake.contract import MAX_SCALE
from data_lake.lake import Lake
from data_lake.macro import MACROS, seed_features
from data_lake.scan import path_columns, scan
from data_lake.tables import TABLES, Column, Table

_LOCK: Final = {
    "TimeZone": "'UTC'",
    "temp_directory": "''",
    "python_enable_replacements": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "enable_external_access": "false",
    "lock_configuration": "true",
}
"""Set in this order; after the last nothing can be set again."""


def connect(lake: Lake) -> duckdb.DuckDBPyConnection:
    """Open the lake for SQL: schemas bronze, silver and gold, a view per table, a few macros.

    The views show the files that exist now; `refresh` shows them anew. A table that was never
    built is an empty view with the right columns.

    Raises:
        LakeError: the lake cannot be listed, or a bronze footer is torn or altered.
    """
    connection = duckdb.connect(":memory:")
    for name, choice in _LOCK.items():
        if name == "enable_external_access":
            _build(connection, lake)
        connection.execute(f"SET {name} = {choice}")
    return connection


def refresh(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """Make the views of an open connection show the files that exist now.

    Raises:
        LakeError: the lake cannot be listed, or a bronze footer is torn or altered.
    """
    for table in TABLES.values():
        connection.register(_scan_name(table), scan(lake, table))


def shown_columns(table: Table) -> list[tuple[str, str, str]]:
    """Name, SQL expression and meaning of every column of a table's view."""
    shown = [
        (_shown_name(column), _expression(column), _meaning(column))
        for column in table.columns
        if column.name not in ("price_scale", "size_scale")
    ]
    meaning = "from the file's path; a filter on it opens no other files"
    return shown + [(name, name, meaning) for name in path_columns(table)]


def _build(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    refresh(connection, lake)
    for zone in ("bronze", "silver", "gold"):
        connection.execute(f"CREATE SCHEMA {zone}")
    statements = [statement for table in TABLES.values() for statement in _view(table)]
    connection.execute(";".join([*statements, *MACROS, *seed_features()]))


def _view(table: Table) -> Iterator[str]:
    name, columns = _scan_name(table), shown_columns(table)
    listed = ", ".join(f'{expression} AS "{shown}"' for shown, expression, _ in columns)
    yield f'CREATE VIEW {name} AS SELECT {listed} FROM "{name}"'
    yield f"COMMENT ON VIEW {name} IS {_quoted(table.doc)}"
    for shown, _, meaning in columns:
        yield f'COMMENT ON COLUMN {name}."{shown}" IS {_quoted(meaning)}'


def _scan_name(table: Table) -> str:
    """One quoted word that reads like the view, because SHOW TABLES lists these names."""
    return f"{table.zone}.{table.name}"


def _shown_name(column: Column) -> str:
    return column.name.replace("mid2_", "mid_") if column.role == "mid2" else column.name


def _expression(column: Column) -> str:
    """Fixed point to exact decimal: a whole number times a decimal power of ten."""
    whole = f'CAST("{column.name}" AS DECIMAL(19, 0))'
    if column.role in ("price", "size"):
        return f"{whole} * {_power(f'{column.role}_scale', MAX_SCALE, '1')}"
    if column.role == "mid2":
        return f"{whole} * {_power('price_scale', MAX_SCALE + 1, '5')}"
    return f'"{column.name}"'


def _power(scale: str, digits: int, lead: str) -> str:
    """1 x 10^-scale, or for twice a mid 5 x 10^-(scale + 1), as DECIMAL(digits + 1, digits)."""
    shift = digits - MAX_SCALE
    cases = "".join(
        f" WHEN {n} THEN CAST('{_fraction(lead, n + shift)}' AS DECIMAL({digits + 1}, {digits}))"
        for n in range(MAX_SCALE + 1)
    )
    return f"CASE {scale}{cases} END"


def _fraction(lead: str, places: int) -> str:
    return f"0.{lead.rjust(places, '0')}" if places else lead


def _meaning(column: Column) -> str:
    if column.role == "plain":
        return column.doc
    if column.role == "time":
        return column.doc.replace("ns since epoch UTC", "UTC").replace("ns UTC", "UTC")
    doc = column.doc.replace("fixed point at price_scale", "exact")
    doc = doc.replace("fixed point at size_scale", "exact").replace("at size_scale", "exact")
    return doc.replace("bid+ask", "(bid+ask)/2").replace("at price_scale", "exact")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
