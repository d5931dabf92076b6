"""Which hours newly arrived files touch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptovol_dagster.arrivals import Cursor, look
from data_lake.chain import BronzeFile
from data_lake.layout import hour_after
from volatility.errors import SettingError

FIRST = "2026-03-02-00:00"


def file(partition: int, first: int, *hours: int) -> BronzeFile:
    """A file of ten offsets."""
    keys = tuple(sorted(hour_after(FIRST, n) for n in hours))
    path = f"{partition}/{first}"
    return BronzeFile(
        topic="t",
        epoch="e",
        partition=partition,
        first_offset=first,
        last_offset=first + 9,
        path=path,
        rows=10,
        hours=keys,
        sha256=path,
        hole_from=None,
    )


def closed_until(number: int) -> object:
    """The clock: hours before `number` have closed."""
    return lambda hour: hour < hour_after(FIRST, number)


def see(
    files: list[BronzeFile], cursor: Cursor, until: int = 99, built: frozenset[str] = frozenset()
) -> tuple[list[str], Cursor]:
    """Look, with the hours `built` fresh."""
    return look(
        files,
        cursor,
        closed=closed_until(until),  # type: ignore[arg-type]
        stale=lambda hours: [hour for hour in hours if hour not in built],
    )


def test_a_new_file_asks_for_exactly_its_hours() -> None:
    first, cursor = see([file(0, 0, 3)], Cursor())
    assert first == [hour_after(FIRST, 3)]
    fresh = frozenset(first)
    second, _ = see([file(0, 0, 3), file(0, 10, 4, 9)], cursor, built=fresh)
    assert second == [hour_after(FIRST, 4), hour_after(FIRST, 9)]


def test_a_late_hour_is_asked_for_again() -> None:
    """The newest file touches an hour far before all others."""
    _, cursor = see([file(0, 0, 7)], Cursor())
    late, _ = see([file(0, 0, 7), file(0, 10, 1)], cursor, built=frozenset({hour_after(FIRST, 7)}))
    assert late == [hour_after(FIRST, 1)]


def test_partitions_have_watermarks_of_their_own() -> None:
    """A file of partition 1 with small offsets arrives after large ones of partition 0."""
    _, cursor = see([file(0, 500, 1)], Cursor())
    found, after = see([file(0, 500, 1), file(1, 0, 2)], cursor, built=frozenset())
    assert hour_after(FIRST, 2) in found
    assert after.seen == {"t/e/0": 510, "t/e/1": 10}


def test_an_open_hour_waits_until_it_closes() -> None:
    files = [file(0, 0, 5)]
    nothing, cursor = see(files, Cursor(), until=5)
    assert nothing == []
    assert cursor.waiting == (hour_after(FIRST, 5),)
    found, _ = see(files, Cursor.parse(cursor.text()), until=6)
    assert found == [hour_after(FIRST, 5)]


def test_an_hour_stays_until_it_is_built() -> None:
    """A run that failed does not lose the hour."""
    files = [file(0, 0, 5)]
    asked, cursor = see(files, Cursor())
    again, cursor = see(files, cursor)
    assert asked == again
    done, cursor = see(files, cursor, built=frozenset(asked))
    assert done == []
    assert cursor.waiting == ()


@given(
    order=st.permutations(range(8)),
    batches=st.lists(st.integers(1, 3), min_size=8, max_size=8),
)
def test_no_hour_is_ever_missed(order: list[int], batches: list[int]) -> None:
    """Files of four chains, seen in any interleaving that keeps each chain's order."""
    files = {n: file(n % 4, 10 * (n // 4), n) for n in range(8)}
    arriving = sorted(order, key=lambda n: (order.index(n % 4) if n < 4 else 8, n))
    cursor, asked, there = Cursor(), set[str](), list[BronzeFile]()
    while arriving:
        size = batches.pop()
        there += [files[n] for n in arriving[:size]]
        arriving = arriving[size:]
        hours, cursor = see(sorted(there), cursor, built=frozenset(asked))
        asked |= set(hours)
    assert asked == {hour for one in files.values() for hour in one.hours}


def test_a_cursor_set_by_hand_is_refused() -> None:
    with pytest.raises(SettingError, match="cursor"):
        Cursor.parse("2026-03-02")
    assert Cursor.parse(None) == Cursor.parse("") == Cursor()
