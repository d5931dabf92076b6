"""What may be asked of the lake in SQL: questions, and nothing that would change anything."""

from __future__ import annotations

import re
from typing import Final

import duckdb

from volatility.errors import QueryError

_EXPLAIN: Final = re.compile(r"\s*EXPLAIN\s+(ANALYZE\s+)?(\([^)]*\)\s*)?", re.IGNORECASE)
_READS: Final = re.compile(r"[\s(]*(SELECT|FROM|WITH|PIVOT|UNPIVOT|VALUES)\b", re.IGNORECASE)


def questions(connection: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    """The statements in `query`, each one that only reads; none where there is none.

    DESCRIBE, SHOW, SUMMARIZE, FROM and VALUES are SELECT statements to the engine.

    Raises:
        QueryError: a statement would do more than read.
        duckdb.Error: the text is no SQL.
    """
    statements = connection.extract_statements(query)
    for statement in statements:
        if not _reads(connection, statement):
            kind = statement.type.name.lower()
            reason = f"the lake is read-only, and this is no question ({kind}); ask with SELECT"
            raise QueryError(query, f"{reason}, FROM, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN")
    return [statement.query for statement in statements]


def _reads(connection: duckdb.DuckDBPyConnection, statement: duckdb.Statement) -> bool:
    if statement.type == duckdb.StatementType.SELECT:
        return True
    inner = _EXPLAIN.match(statement.query)
    if inner:  # EXPLAIN ANALYZE does what it explains
        explained = connection.extract_statements(statement.query[inner.end() :])
        return all(_reads(connection, one) for one in explained)
    # PIVOT, which the engine takes for several statements; so it does CREATE TABLE AS PIVOT.
    several = statement.type == duckdb.StatementType.MULTI
    return several and bool(_READS.match(statement.query))
