"""Questions in SQL, answers as a table, CSV, JSON or Parquet; one at a time or in a shell."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from data_lake.catalog import connect, refresh
from data_lake.lake import Lake
from data_lake.question import questions
from data_lake.tables import TABLES
from volatility.errors import CryptovolError, QueryError

Style = Literal["table", "csv", "json", "parquet"]

SHOWN_ROWS: Final = 200
"""Most rows a printed table has; the other styles give all."""

_BATCH: Final = 10_000
_HELP: Final = "end a statement with ;   .tables lists the tables   .quit leaves"


def run(lake: Lake, query: str, style: Style, sink: BinaryIO) -> None:
    """Answer one or more statements; the last one's rows go to `sink`.

    CSV and tables write decimals without trailing zeros; JSON is an array of objects.

    Raises:
        QueryError: the SQL is wrong, asks for something outside the lake, or gives no rows.
        LakeError: the lake cannot be read.
    """
    with connect(lake) as connection:
        _answer(connection, query, style, sink)


def shell(
    lake: Lake, ask: Callable[[str], str], say: Callable[[str], None], *, interactive: bool = True
) -> None:
    """Answer statements until the input ends; an error is said and the next one awaited.

    `ask(prompt)` returns a line or raises EOFError, `say(text)` prints. Input that is not
    `interactive` (piped) is answered without greeting and prompts, its last statement also where
    it lacks a `;`, and the first error ends it.

    Raises:
        LakeError: the lake cannot be opened.
        QueryError: not interactive, and a statement failed.
    """
    with connect(lake) as connection:
        if interactive:
            say(_HELP)
        for text in _statements(ask, interactive=interactive):
            try:
                refresh(connection, lake)
                _say_answers(connection, text, say)
            except CryptovolError as exc:
                if not interactive:
                    raise
                say(str(exc))


def _say_answers(
    connection: duckdb.DuckDBPyConnection, text: str, say: Callable[[str], None]
) -> None:
    """Answer one command, or every statement of `text`."""
    if text == ".tables":
        say("\n".join(f"{f'{t.zone}.{t.name}':<18} {t.doc}" for t in TABLES.values()))
        return
    try:
        statements = questions(connection, text)
    except duckdb.Error as exc:
        raise _query_error(text, exc) from exc
    for statement in statements:
        sink = io.BytesIO()
        _answer(connection, statement, "table", sink)
        say(sink.getvalue().decode())


def _statements(ask: Callable[[str], str], *, interactive: bool) -> Iterator[str]:
    lines: list[str] = []
    while True:
        try:
            line = ask(("...> " if lines else "sql> ") if interactive else "").strip()
        except EOFError:
            if lines and not interactive:
                yield "\n".join(lines)
            return
        except KeyboardInterrupt:
            if not interactive:
                raise
            lines = []
            continue
        if not lines and line in (".quit", ".exit", "quit;", "exit;"):
            return
        lines.append(line)
        if line.endswith(";") or lines == [".tables"]:
            yield "\n".join(lines)
            lines = []
        elif lines == [""]:
            lines = []


def _answer(
    connection: duckdb.DuckDBPyConnection, query: str, style: Style, sink: BinaryIO
) -> None:
    try:
        statements = questions(connection, query)
        if not statements:
            raise QueryError(query, "there is no statement in it")
        for statement in statements[:-1]:
            _finish(connection.execute(statement))
        relation = connection.sql(statements[-1])
        if relation is None:
            raise QueryError(query, "it returns no rows; ask with SELECT, FROM, DESCRIBE or SHOW")
        _WRITERS[style](relation, sink)
    except (duckdb.Error, pa.ArrowException) as exc:
        raise _query_error(query, exc) from exc


def _finish(result: duckdb.DuckDBPyConnection) -> None:
    """Read an answer to its end: the connection takes no other question before."""
    while result.fetchmany(_BATCH):
        pass


def _query_error(query: str, exc: Exception) -> QueryError:
    return QueryError(query, " ".join(str(exc).split("\n\nLINE")[0].split()))


def _texts(relation: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """The same rows with every column as text, NULL staying NULL."""
    shown = []
    for name, kind in zip(relation.columns, relation.types, strict=True):
        text = f"CAST({_quoted(name)} AS VARCHAR)"
        if kind.id == "decimal" and dict(kind.children)["scale"]:
            text = f"rtrim(rtrim({text}, '0'), '.')"
        shown.append(f"{text} AS {_quoted(name)}")
    return relation.project(", ".join(shown))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _finite(name: str) -> str:
    """JSON knows no NaN or infinity; they become null."""
    return f"CASE WHEN isfinite({_quoted(name)}) THEN {_quoted(name)} END"


def _write_table(relation: duckdb.DuckDBPyRelation, sink: BinaryIO) -> None:
    rows = _texts(relation).limit(SHOWN_ROWS + 1).fetchall()
    if relation.columns == ["explain_key", "explain_value"]:
        sink.write("\n".join(str(row[1]) for row in rows).encode() + b"\n")
        return
    shown = [
        ["" if cell is None else cell.replace("\n", "\\n") for cell in row]
        for row in rows[:SHOWN_ROWS]
    ]
    numeric = [kind.id in _NUMBERS for kind in relation.types]
    widths = [
        max(len(name), *(len(row[i]) for row in shown)) if shown else len(name)
        for i, name in enumerate(relation.columns)
    ]

    def line(cells: list[str]) -> str:
        aligned = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(cells, widths, numeric, strict=True)
        )
        return "  ".join(aligned).rstrip()

    lines = [line(relation.columns), "  ".join("-" * width for width in widths)]
    lines += [line(row) for row in shown]
    more = len(rows) > SHOWN_ROWS
    lines.append(f"(the first {SHOWN_ROWS} rows)" if more else f"({_count(len(rows))})")
    sink.write("\n".join(lines).encode() + b"\n")


def _count(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows} rows"


def _write_csv(relation: duckdb.DuckDBPyRelation, sink: BinaryIO) -> None:
    text = io.TextIOWrapper(sink, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(relation.columns)
    writer.writerows(_rows(_texts(relation)))
    text.detach()


def _write_json(relation: duckdb.DuckDBPyRelation, sink: BinaryIO) -> None:
    fields = ", ".join(
        f"{_literal(name)}: {_finite(name) if kind.id in ('double', 'float') else _quoted(name)}"
        for name, kind in zip(relation.columns, relation.types, strict=True)
    )
    opening = b"[\n"
    for (text,) in _rows(relation.project(f"CAST(to_json({{{fields}}}) AS VARCHAR) AS line")):
        sink.write(opening + text.encode())
        opening = b",\n"
    sink.write(b"[]\n" if opening == b"[\n" else b"\n]\n")


def _rows(relation: duckdb.DuckDBPyRelation) -> Iterator[tuple[str, ...]]:
    """Rows of a relation of texts, in batches: an answer may be larger than memory."""
    reader: Any = relation.to_arrow_reader(_BATCH)
    for batch in reader:
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _write_parquet(relation: duckdb.DuckDBPyRelation, sink: BinaryIO) -> None:
    reader: Any = relation.to_arrow_reader(_BATCH)
    with pq.ParquetWriter(sink, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)


_NUMBERS: Final = frozenset(
    ("tinyint", "smallint", "integer", "bigint", "hugeint", "float", "double", "decimal")
)
_WRITERS: Final[dict[Style, Callable[[duckdb.DuckDBPyRelation, BinaryIO], None]]] = {
    "table": _write_table,
    "csv": _write_csv,
    "json": _write_json,
    "parquet": _write_parquet,
}
