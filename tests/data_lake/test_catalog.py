"""SQL sees the tables, exactly, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_lake.bronze import BronzeWriter
from data_lake.catalog import connect, refresh
from data_lake.lake import Lake
from data_lake.layout import hour_bounds, hour_path
from data_lake.tables import BARS_1S, QUOTES, TABLES, TRADES
from volatility.frame import Frame

HOUR, NEXT = "2025-11-12-07:00", "2025-11-12-08:00"
START = hour_bounds(HOUR)[0]
MakeRows = Callable[..., Any]
Connection = duckdb.DuckDBPyConnection


@pytest.fixture
def filled(lake: Lake, make_trades: MakeRows, make_quotes: MakeRows, make_bars: MakeRows) -> Lake:
    for n, hour in enumerate((HOUR, NEXT)):
        lake.replace(TRADES, hour, make_trades(hour, first_id=1 + 10 * n), {})
    lake.replace(QUOTES, HOUR, make_quotes(HOUR), {})
    lake.replace(BARS_1S, HOUR, make_bars(HOUR), {})
    return lake


@pytest.fixture
def sql(filled: Lake) -> Iterator[Connection]:
    with connect(filled) as connection:
        yield connection


def _one(connection: Connection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0] if len(row) == 1 else row


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_a_table_never_built_is_an_empty_view(lake: Lake, table: Any) -> None:
    with connect(lake) as connection:
        name = f"{table.zone}.{table.name}"
        assert _one(connection, f"SELECT count(*) FROM {name}") == 0
        shown = [row[0] for row in connection.execute(f"DESCRIBE {name}").fetchall()]
        assert {"product"} <= set(shown)


def test_prices_are_exact_decimals_in_currency_units(sql: Connection) -> None:
    price, kind = _one(sql, "SELECT price, typeof(price) FROM silver.trades WHERE trade_id = 1")
    assert (price, kind) == (Decimal("103472.28"), "DECIMAL(32,12)")


def test_mids_are_exact_decimals_in_currency_units(sql: Connection) -> None:
    """Stored as bid + ask = 2001 at scale 2: a mid of 10.005."""
    assert _one(sql, "SELECT min(mid_close) FROM silver.bars_1s") == Decimal("10.005")


def test_times_keep_their_nanoseconds(sql: Connection) -> None:
    ns, kind = _one(sql, "SELECT epoch_ns(min(ts_event)), typeof(min(ts_event)) FROM silver.trades")
    assert (ns, kind) == (START + 123_456_789, "TIMESTAMP_NS")


def test_the_time_zone_is_utc(sql: Connection) -> None:
    assert _one(sql, "SELECT current_setting('TimeZone')") == "UTC"


def test_a_value_times_a_value_stays_exact(sql: Connection) -> None:
    volume = _one(sql, "SELECT price * size FROM silver.trades WHERE trade_id = 1")
    assert volume == Decimal("103472.28") * Decimal("0.00068754")


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rows=st.lists(
        st.tuples(st.integers(-(2**63), 2**63 - 1), st.integers(0, 12)), min_size=1, max_size=30
    )
)
def test_every_int64_at_every_scale_is_exact(
    make_trades: MakeRows, rows: list[tuple[int, int]]
) -> None:
    lake = Lake("memory:///")
    trades = make_trades(HOUR, count=len(rows))
    for name, cells in (("price", [p for p, _ in rows]), ("price_scale", [s for _, s in rows])):
        field = TRADES.schema.field(name)
        index = trades.column_names.index(name)
        trades = trades.set_column(index, field, pa.array(cells, field.type))
    lake.replace(TRADES, HOUR, trades, {})
    with connect(lake) as connection:
        found = connection.execute("SELECT price FROM silver.trades ORDER BY trade_id").fetchall()
    assert [price for (price,) in found] == [Decimal(p).scaleb(-s) for p, s in rows]


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ("ts_event < '2025-11-12 08:00'", 10),
        ("ts_event >= '2025-11-12 08:00:05'", 5),
        ("ts_event BETWEEN '2025-11-12 07:00:09' AND '2025-11-12 08:00:01'", 2),
        ("ts_event > ago(INTERVAL 1 HOUR)", 0),
        ("ts_event > '2030-01-01'", 0),
        ("product = 'BTC-USD' AND trade_id = 11", 1),
        ("date = '2025-11-12'", 20),
        ("date > '2025-11-12'", 0),
        ("date BETWEEN '2025-11-01' AND '2025-11-30' AND hour = 8", 10),
    ],
)
def test_filters_find_the_rows(sql: Connection, where: str, count: int) -> None:
    assert _one(sql, f"SELECT count(*) FROM silver.trades WHERE {where}") == count


def test_the_last_bar_of_an_hour_is_found_by_its_close(lake: Lake, make_bars: MakeRows) -> None:
    lake.replace(BARS_1S, HOUR, make_bars(HOUR, count=3_600), {})
    with connect(lake) as connection:
        query = "SELECT count(*) FROM silver.bars_1s WHERE ts >= '2025-11-12 08:00'"
        assert _one(connection, query) == 1


def test_a_filter_on_the_path_opens_no_other_file(folder_lake: Lake, make_trades: MakeRows) -> None:
    for hour in (HOUR, NEXT):
        folder_lake.replace(TRADES, hour, make_trades(hour), {})
    folder_lake.storage.replace(hour_path(TRADES, NEXT), b"not a Parquet file")
    with connect(folder_lake) as connection:
        query = "SELECT count(*) FROM silver.trades WHERE date = '2025-11-12' AND hour = 7"
        assert _one(connection, query) == 10
        with pytest.raises((duckdb.Error, OSError, pa.ArrowException)):
            connection.execute("SELECT count(*) FROM silver.trades").fetchall()


def test_a_flipped_bit_in_a_page_fails_the_query(folder_lake: Lake, make_trades: MakeRows) -> None:
    folder_lake.replace(TRADES, HOUR, make_trades(HOUR, count=3_000), {})
    blob = bytearray(folder_lake.storage.read(hour_path(TRADES, HOUR)))
    with connect(folder_lake) as connection:
        assert _one(connection, "SELECT sum(size) FROM silver.trades") > 0
    place = pq.read_metadata(pa.BufferReader(bytes(blob))).row_group(0).column(3)
    blob[place.data_page_offset + place.total_compressed_size - 2] ^= 1
    folder_lake.storage.replace(hour_path(TRADES, HOUR), bytes(blob))
    with connect(folder_lake) as connection, pytest.raises(duckdb.Error):
        connection.execute("SELECT sum(size) FROM silver.trades").fetchall()


def test_bronze_frames_know_their_chain(
    lake: Lake, make_frame: Callable[..., Frame], make_writer: Callable[..., BronzeWriter]
) -> None:
    writer = make_writer(lake, partition=3)
    writer.append(make_frame(0), 0, START)
    writer.flush()
    with connect(lake) as connection:
        query = 'SELECT topic, epoch, partition, "offset", decode(payload) FROM bronze.frames'
        found = _one(connection, query)
    assert found[:4] == ("ticks.raw", "XqmLYcrVTE-9yNhSJXcDCA", 3, 0)
    assert '"product_id":"BTC-USD"' in found[4]


def test_overlapping_bronze_files_double_no_row(
    folder_lake: Lake, make_frame: Callable[..., Frame], make_writer: Callable[..., BronzeWriter]
) -> None:
    folder = folder_lake.storage.folder
    assert folder is not None
    first = make_writer(folder_lake)
    for n in range(4):
        first.append(make_frame(n), n, START)
    one = first.flush()
    assert one is not None
    (folder / one.path).rename(folder / "aside")
    second = make_writer(folder_lake)
    for n in range(6):
        second.append(make_frame(n), n, START)
        if n == 1:
            second.flush()
    second.flush()
    kept = (folder / one.path).with_name("0000000000000000000.parquet")
    kept.unlink()
    (folder / "aside").rename(kept)
    with connect(folder_lake) as connection:
        found = connection.execute('SELECT "offset" FROM bronze.frames ORDER BY 1').fetchall()
    assert [offset for (offset,) in found] == list(range(6))


def test_refresh_shows_what_was_built_since(filled: Lake, make_trades: MakeRows) -> None:
    with connect(filled) as connection:
        filled.replace(TRADES, HOUR, make_trades(HOUR, count=1), {})
        filled.replace(TRADES, "2025-11-12-09:00", make_trades("2025-11-12-09:00", 5, 100), {})
        refresh(connection, filled)
        assert _one(connection, "SELECT count(*) FROM silver.trades") == 1 + 10 + 5


def test_columns_carry_their_meaning(sql: Connection) -> None:
    comment = _one(
        sql,
        "SELECT comment FROM duckdb_columns() WHERE schema_name = 'silver'"
        " AND table_name = 'trades' AND column_name = 'ts_event'",
    )
    assert comment == "exchange clock, UTC"


ATTACKS = {
    "copy out": "COPY (SELECT 1) TO '{lake}/x.parquet'",
    "copy into a partition": "COPY (SELECT 1) TO '{partition}'",
    "copy to the outside": "COPY (SELECT 1) TO '{outside}/x.csv'",
    "copy hive": "COPY (SELECT 1 AS a) TO '{lake}' (FORMAT parquet, PARTITION_BY a)",
    "copy in": "COPY t FROM '{outside}/secret.csv'",
    "explain analyze copy": "EXPLAIN ANALYZE COPY (SELECT 1) TO '{lake}/x.csv'",
    "prepared copy": "PREPARE p AS COPY (SELECT 1) TO '{lake}/x.csv'; EXECUTE p",
    "export": "EXPORT DATABASE '{lake}/dump'",
    "import": "IMPORT DATABASE '{outside}'",
    "attach": "ATTACH '{lake}/x.db' AS x",
    "attach sqlite": "ATTACH '{outside}/x.sqlite' AS x (TYPE sqlite)",
    "read csv": "SELECT * FROM read_csv('{outside}/secret.csv')",
    "read text": "SELECT * FROM read_text('{outside}/secret.csv')",
    "read blob": "SELECT * FROM read_blob('/etc/hostname')",
    "read parquet of the lake": "SELECT * FROM read_parquet('{lake}/**/*.parquet')",
    "read json": "SELECT * FROM read_json('{outside}/secret.csv')",
    "path as table": "FROM '{outside}/secret.csv'",
    "relative path": "FROM 'pyproject.toml'",
    "http": "FROM 'https://example.org/x.parquet'",
    "s3": "FROM 's3://bucket/x.parquet'",
    "glob": "SELECT * FROM glob('{outside}/*')",
    "install": "INSTALL httpfs",
    "force install": "FORCE INSTALL spatial FROM community",
    "load": "LOAD httpfs",
    "load path": "LOAD '{outside}/evil.duckdb_extension'",
    "secret": "CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "unlock": "SET enable_external_access = true",
    "unlock globally": "SET GLOBAL lock_configuration = false",
    "reset": "RESET enable_external_access",
    "allow a directory": "SET allowed_directories = ['/']",
    "allow a path": "SET allowed_paths = ['/etc/passwd']",
    "pragma": "PRAGMA enable_external_access",
    "temp directory": "SET temp_directory = '{lake}'",
    "log to a file": "CALL enable_logging(storage = 'file', storage_path = '{lake}/log')",
    "profile to a file": "PRAGMA profiling_output = '{lake}/profile.json'",
    "profile setting": "SET profiling_output = '{lake}/profile.json'",
    "python variable": "SELECT * FROM rows_of_the_caller",
    "sniff": "FROM sniff_csv('{outside}/secret.csv')",
    "parquet metadata": "FROM parquet_metadata('{lake}/**/*.parquet')",
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=list(ATTACKS))
def test_an_attack_is_refused_and_leaves_no_trace(
    folder_lake: Lake, make_trades: MakeRows, tmp_path: Path, attack: str
) -> None:
    folder_lake.replace(TRADES, HOUR, make_trades(HOUR), {})
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.csv").write_text("a\n1\n")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    rows_of_the_caller = make_trades(HOUR)
    partition = f"{folder_lake.root}/{hour_path(TRADES, HOUR)}"
    query = attack.format(lake=folder_lake.root, outside=outside, partition=partition)
    with connect(folder_lake) as connection:
        connection.execute("CREATE TABLE t (a INTEGER)")
        with pytest.raises(duckdb.Error):
            connection.execute(query).fetchall()
        assert _one(connection, "SELECT count(*) FROM silver.trades") == 10
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    assert rows_of_the_caller.num_rows == 10
