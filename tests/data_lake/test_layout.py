"""Paths and hour keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_lake.layout import (
    HOUR_NS,
    bronze_path,
    hour_after,
    hour_bounds,
    hour_key,
    hour_of_path,
    hour_path,
    hours_between,
    input_name,
    parse_bronze_path,
    parse_input_name,
)
from data_lake.tables import BARS_1S, FRAMES, TABLES, TRADES, Table
from volatility.errors import LakeError

instants = st.integers(-(2**63), 2**63 - 1)
hours = instants.map(hour_key)
topics = st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,60}", fullmatch=True)
epochs = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
offsets = st.integers(0, 2**63 - 1)


@given(ns=instants)
def test_an_instant_lies_within_the_bounds_of_its_hour(ns: int) -> None:
    start, end = hour_bounds(hour_key(ns))
    assert start <= ns < end == start + HOUR_NS


@given(hour=hours)
def test_hours_sort_and_step_like_time(hour: str) -> None:
    start, _ = hour_bounds(hour)
    if -(2**62) < start < 2**62:
        assert hour_after(hour) == hour_key(start + HOUR_NS)
        assert hour_after(hour, -2) == hour_key(start - 2 * HOUR_NS)


@pytest.mark.parametrize(
    "key",
    ["", "2025-11-12", "2025-11-12-07:30", "2025-11-12-24:00", "2025-13-01-00:00", "../../etc",
     "2025-1-2-03:00", "2025-11-12-07:00 ", "2025-11-12-07:00\n"],
)  # fmt: skip
def test_a_malformed_hour_is_refused(key: str) -> None:
    with pytest.raises(LakeError, match="not an hour"):
        hour_bounds(key)


def test_hours_between_covers_every_hour_touched() -> None:
    start, end = hour_bounds("2025-11-12-07:00")
    assert hours_between(start, end) == ["2025-11-12-07:00"]
    assert hours_between(start, end + 1) == ["2025-11-12-07:00", "2025-11-12-08:00"]
    assert hours_between(end - 1, end) == ["2025-11-12-07:00"]
    assert hours_between(start, start) == []


def test_a_partition_path_is_the_documented_one() -> None:
    assert (
        hour_path(TRADES, "2025-11-12-07:00")
        == "silver/trades/date=2025-11-12/hour=07/data.parquet"
    )


@given(hour=hours)
def test_a_partition_path_reads_back_as_its_hour(hour: str) -> None:
    assert hour_of_path(BARS_1S, hour_path(BARS_1S, hour)) == hour


@pytest.mark.parametrize(
    "path",
    ["silver/trades/date=2025-11-12/hour=07/data.parquet#1", "silver/trades/data.parquet",
     "silver/quotes/date=2025-11-12/hour=07/data.parquet"],
)  # fmt: skip
def test_other_files_are_no_partition_of_a_table(path: str) -> None:
    assert hour_of_path(TRADES, path) is None


def test_a_chain_has_no_hour_files() -> None:
    with pytest.raises(LakeError, match="not partitioned by hour"):
        hour_path(FRAMES, "2025-11-12-07:00")


def test_a_bronze_path_is_the_documented_one() -> None:
    path = bronze_path(
        "ticks.raw", "XqmLYcrVTE-9yNhSJXcDCA", 3, 42, hour_bounds("2025-11-12-07:00")[0]
    )
    assert path == (
        "bronze/frames/topic=ticks.raw/epoch=XqmLYcrVTE-9yNhSJXcDCA/partition=3/"
        "date=2025-11-12/0000000000000000042.parquet"
    )


@given(topic=topics, epoch=epochs, partition=st.integers(0, 10_000), offset=offsets, ts=instants)
def test_a_bronze_path_reads_back_as_its_parts(
    topic: str, epoch: str, partition: int, offset: int, ts: int
) -> None:
    path = bronze_path(topic, epoch, partition, offset, ts)
    assert parse_bronze_path(path) == (topic, epoch, partition, offset)


@pytest.mark.parametrize(
    "topic", ["", ".", "..", "a/b", "a b", "a=b", "../x", "é", "a" * 250, "a\n"]
)
def test_a_hostile_topic_never_becomes_a_path(topic: str) -> None:
    with pytest.raises(LakeError):
        bronze_path(topic, "0", 0, 0, 0)


@pytest.mark.parametrize("epoch", ["", ".", "..", "a/b", "a.b", "a" * 65, "0\n"])
def test_a_hostile_epoch_never_becomes_a_path(epoch: str) -> None:
    with pytest.raises(LakeError):
        bronze_path("direct", epoch, 0, 0, 0)


@pytest.mark.parametrize(("partition", "offset"), [(-1, 0), (0, -1), (0, 10**19)])
def test_a_negative_place_in_the_log_is_refused(partition: int, offset: int) -> None:
    with pytest.raises(LakeError):
        bronze_path("direct", "0", partition, offset, 0)


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_an_input_name_reads_back_as_table_and_hour(table: Table) -> None:
    assert parse_input_name(input_name(table, "2025-11-12-07:00")) == (table, "2025-11-12-07:00")


@pytest.mark.parametrize("name", ["", "silver/trades", "silver/nope/2025-11-12-07:00", "x/y/z"])
def test_an_unknown_input_name_is_no_partition(name: str) -> None:
    assert parse_input_name(name) is None
