"""What is taken for a question."""

from __future__ import annotations

import duckdb
import pytest

from data_lake.question import questions
from volatility.errors import QueryError


def test_statements_are_told_apart() -> None:
    with duckdb.connect() as connection:
        assert questions(connection, "SELECT 1;FROM t") == ["SELECT 1;", "FROM t"]
        assert questions(connection, " -- nothing") == []


@pytest.mark.parametrize(
    "query", ["EXPLAIN /* */ ANALYZE DROP VIEW v", "EXPLAIN ANALYZE DELETE FROM t"]
)
def test_what_explain_would_run_is_judged_too(query: str) -> None:
    with duckdb.connect() as connection, pytest.raises((QueryError, duckdb.Error)):
        questions(connection, query)
