"""Questions and answers in every style, and the shell."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, get_args

import pyarrow.parquet as pq
import pytest

from data_lake.lake import Lake
from data_lake.sql import SHOWN_ROWS, Style, run, shell
from data_lake.tables import TRADES
from volatility.errors import LakeError, QueryError

HOUR = "2025-11-12-07:00"
MakeRows = Callable[..., Any]


@pytest.fixture
def filled(lake: Lake, make_trades: MakeRows) -> Lake:
    lake.replace(TRADES, HOUR, make_trades(HOUR, count=3), {})
    return lake


def _answer(lake: Lake, query: str, style: Style = "table") -> bytes:
    sink = io.BytesIO()
    run(lake, query, style, sink)
    return sink.getvalue()


def test_a_table_is_aligned_and_counted(filled: Lake) -> None:
    text = _answer(filled, "SELECT product, trade_id, price FROM silver.trades").decode()
    assert text.splitlines() == [
        "product  trade_id            price",
        "-------  --------  ---------------",
        "BTC-USD         1        103472.28",
        "BTC-USD         2  103472.28000001",
        "BTC-USD         3  103472.28000002",
        "(3 rows)",
    ]


def test_csv_is_exact_and_quoted(filled: Lake) -> None:
    query = "SELECT price, ts_event, sequence, 'a,\"b' AS odd FROM silver.trades LIMIT 1"
    rows = list(csv.reader(io.StringIO(_answer(filled, query, "csv").decode())))
    assert rows == [
        ["price", "ts_event", "sequence", "odd"],
        ["103472.28", "2025-11-12 07:00:00.123456789", "", 'a,"b'],
    ]


def test_json_is_an_array_of_objects(filled: Lake) -> None:
    query = (
        "SELECT price, sequence, 'nan'::DOUBLE AS odd FROM silver.trades ORDER BY trade_id LIMIT 2"
    )
    rows = json.loads(_answer(filled, query, "json"), parse_float=Decimal)
    assert rows == [
        {"price": Decimal("103472.28"), "sequence": None, "odd": None},
        {"price": Decimal("103472.28000001"), "sequence": 1, "odd": None},
    ]


def test_parquet_keeps_types(filled: Lake) -> None:
    answer = pq.read_table(io.BytesIO(_answer(filled, "FROM silver.trades", "parquet")))
    assert answer.num_rows == 3
    assert str(answer.schema.field("price").type) == "decimal128(32, 12)"
    assert str(answer.schema.field("ts_event").type) == "timestamp[ns]"


@pytest.mark.parametrize("style", get_args(Style))
def test_no_rows_are_an_answer_in_every_style(filled: Lake, style: Style) -> None:
    answer = _answer(filled, "SELECT product FROM silver.trades WHERE false", style)
    expected = {"table": b"product\n-------\n(0 rows)\n", "csv": b"product\n", "json": b"[]\n"}
    assert answer.startswith(expected.get(style, b"PAR1"))


@pytest.mark.parametrize("style", ["csv", "json"])
def test_many_rows_come_whole(lake: Lake, style: Style) -> None:
    answer = _answer(lake, "SELECT range AS n FROM range(25_000)", style).decode()
    rows = answer.split()[1:] if style == "csv" else [row["n"] for row in json.loads(answer)]
    assert [int(n) for n in rows] == list(range(25_000))


def test_a_long_table_is_cut_and_says_so(lake: Lake) -> None:
    lines = _answer(lake, "SELECT range AS n FROM range(1_000)").decode().splitlines()
    assert len(lines) == SHOWN_ROWS + 3
    assert lines[-1] == f"(the first {SHOWN_ROWS} rows)"


def test_the_last_of_several_statements_answers(lake: Lake) -> None:
    query = "SELECT 1; FROM range(25_000); SELECT 7 AS a"
    assert _answer(lake, query, "csv") == b"a\n7\n"


@pytest.mark.parametrize("query", ["DESCRIBE silver.gaps", "SHOW TABLES", "EXPLAIN SELECT 1",
                                   "SUMMARIZE silver.trades", "FROM silver.trades"])  # fmt: skip
def test_looking_around_works(filled: Lake, query: str) -> None:
    assert _answer(filled, query)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", "no statement"),
        (";", "no statement"),
        ("selct 1", "syntax error"),
        ("SELECT nope FROM silver.trades", "nope"),
        ("SELECT * FROM silver.nope", "does not exist"),
        ("SELECT * FROM 'x.parquet'", "file system operations are disabled"),
        ("SELECT CAST('x' AS INTEGER)", "Could not convert"),
    ],
)
def test_a_bad_query_is_one_clear_line(lake: Lake, query: str, reason: str) -> None:
    with pytest.raises(QueryError, match=reason) as caught:
        _answer(lake, query)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("query refused: ")


@pytest.mark.parametrize(
    "query",
    [
        "CREATE TABLE t (a INTEGER)",
        "CREATE TABLE t AS PIVOT (SELECT 1 AS a) ON a",
        "CREATE MACRO f() AS 1",
        "CREATE OR REPLACE VIEW silver.trades AS SELECT 1",
        "DROP VIEW silver.trades",
        "ALTER VIEW silver.trades RENAME TO x",
        "INSERT INTO silver.trades SELECT 1",
        "DELETE FROM silver.trades",
        "COPY (SELECT 1) TO 'x.csv'",
        "BEGIN",
        "CHECKPOINT",
        "VACUUM",
        "SET threads = 1",
        "USE silver",
        "ATTACH ':memory:' AS x",
        "PRAGMA version",
        "EXPLAIN ANALYZE CREATE TABLE t (a INTEGER)",
        "EXPLAIN (ANALYZE) CREATE TABLE t (a INTEGER)",
        "SELECT 1; DROP VIEW silver.trades; SELECT 1",
    ],
)
def test_only_questions_are_answered(lake: Lake, query: str) -> None:
    with pytest.raises(QueryError, match="the lake is read-only") as caught:
        _answer(lake, query)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("query", ["EXPLAIN ANALYZE SELECT 1", "EXPLAIN (FORMAT json) SELECT 1",
                                   "PIVOT (SELECT 1 AS a) ON a", "SHOW ALL TABLES", "VALUES (1)",
                                   "WITH t AS (VALUES (1)) FROM t", "/**/ SELECT 1"])  # fmt: skip
def test_every_kind_of_question_is_answered(lake: Lake, query: str) -> None:
    assert _answer(lake, query)


def _lines(*typed: str) -> Callable[[str], str]:
    rest = iter(typed)

    def ask(prompt: str) -> str:
        assert prompt == ""
        try:
            return next(rest)
        except StopIteration:
            raise EOFError from None

    return ask


def test_several_statements_on_a_line_are_answered_one_by_one(lake: Lake) -> None:
    said: list[str] = []
    shell(lake, _lines("select 1 as a; select 2 as b;"), said.append, interactive=False)
    assert said == ["a\n-\n1\n(1 row)\n", "b\n-\n2\n(1 row)\n"]


def test_piped_statements_are_answered_without_a_word_more(lake: Lake) -> None:
    said: list[str] = []
    shell(lake, _lines("", "select 1 as a;", "select 2", "as b"), said.append, interactive=False)
    assert said == ["a\n-\n1\n(1 row)\n", "b\n-\n2\n(1 row)\n"]


def test_a_piped_statement_that_fails_ends_it(lake: Lake) -> None:
    said: list[str] = []
    with pytest.raises(QueryError, match="oops"):
        shell(lake, _lines("select 1 as a;", "oops;", "select 2;"), said.append, interactive=False)
    assert len(said) == 1


def test_the_shell_answers_line_by_line_and_survives_errors(filled: Lake) -> None:
    typed: Iterator[str] = iter(
        ["select count(*) as n", "from silver.trades;", "", "oops;", ".tables", "select 2 as b;"]
    )
    said: list[str] = []
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        try:
            return next(typed)
        except StopIteration:
            raise EOFError from None

    shell(filled, ask, said.append)
    assert "silver.trades" in said[3]
    assert (said[1], said[4]) == ("n\n-\n3\n(1 row)\n", "b\n-\n2\n(1 row)\n")
    assert said[2].startswith("query refused:")
    assert prompts[:2] == ["sql> ", "...> "]


def test_the_shell_sees_what_is_built_meanwhile(lake: Lake, make_trades: MakeRows) -> None:
    said: list[str] = []

    def ask(_: str) -> str:
        if len(said) == 2:
            lake.replace(TRADES, HOUR, make_trades(HOUR), {})
        return "select count(*) n from silver.trades;" if len(said) < 3 else ".quit"

    shell(lake, ask, said.append)
    assert [text.splitlines()[2].strip() for text in said[1:]] == ["0", "10"]


def test_a_lake_that_cannot_be_read_is_said_before_any_answer(
    folder_lake: Lake, make_trades: MakeRows
) -> None:
    folder_lake.storage.replace(
        "bronze/frames/topic=t/epoch=e/partition=0/date=2025-11-12/0000000000000000000.parquet",
        b"torn",
    )
    with pytest.raises(LakeError, match="torn"):
        _answer(folder_lake, "SELECT 1")
