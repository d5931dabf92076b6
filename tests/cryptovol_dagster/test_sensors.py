"""Arrivals become runs for exactly the hours they touch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import dagster as dg
import pytest
from msgspec import structs

from cryptovol_dagster.build import build_bars_1s
from cryptovol_dagster.defs.resources import LakeResource
from cryptovol_dagster.defs.schedules import hourly_schedule
from cryptovol_dagster.defs.sensors import bronze_arrivals
from cryptovol_dagster.run_tag import hours_of_tags, range_tags
from cryptovol_dagster.ticks import build_ticks
from data_lake.lake import Lake
from data_lake.layout import hour_bounds
from data_lake.settings import Settings
from volatility.frame import Frame

Hour = Callable[[int], str]
Market = Callable[..., list[Frame]]
Record = Callable[[Lake, Iterable[Frame]], None]


@pytest.fixture
def look(home: Settings) -> Callable[[str | None], dg.SensorResult]:
    """Evaluate the sensor over the lake of `home`, with a cursor."""
    store = LakeResource(root=home.lake_root)

    def evaluate(cursor: str | None) -> dg.SensorResult:
        context = dg.build_sensor_context(cursor=cursor, resources={"store": store})
        found = bronze_arrivals(context)
        assert isinstance(found, dg.SensorResult)
        return found

    return evaluate


def hours(found: dg.SensorResult) -> list[list[str]]:
    """The hours of each requested run."""
    return [hours_of_tags(request.tags) for request in found.run_requests or []]


def test_new_files_become_runs_for_the_hours_they_touch(
    home: Settings,
    look: Callable[[str | None], dg.SensorResult],
    hour: Hour,
    market: Market,
    record: Record,
) -> None:
    """Hours 0, 1 and 4: two runs, and bronze shows as materialised."""
    lake = Lake(home.lake_root)
    record(lake, market([0, 1, 4], every_s=60))
    found = look(None)
    assert hours(found) == [[hour(0), hour(1)], [hour(4)]]
    assert [event.asset_key.path for event in found.asset_events] == [["bronze", "frames"]]

    build_ticks(lake, [hour(0), hour(1), hour(4)])
    again = look(found.cursor)
    assert hours(again) == []
    assert not again.asset_events


def test_a_file_that_touches_no_hour_is_passed_over(
    home: Settings,
    look: Callable[[str | None], dg.SensorResult],
    hour: Hour,
    market: Market,
    record: Record,
) -> None:
    """Heartbeats alone make no rows of any hour."""
    lake = Lake(home.lake_root)
    control = b'{"type":"subscriptions","channels":[]}'
    record(lake, [structs.replace(market([0], every_s=600)[0], payload=control)])
    record(lake, market([0], every_s=60))
    assert hours(look(None)) == [[hour(0)]]


def test_a_late_frame_asks_for_its_hour_and_what_was_made_from_it(
    home: Settings,
    look: Callable[[str | None], dg.SensorResult],
    hour: Hour,
    market: Market,
    record: Record,
    frame: Callable[..., Frame],
) -> None:
    lake = Lake(home.lake_root)
    record(lake, market(range(8), every_s=60))
    build_ticks(lake, [hour(n) for n in range(8)])
    build_bars_1s(lake, [hour(n) for n in range(8)])
    quiet = look(None)
    assert hours(quiet) == []
    record(lake, [frame("BTC-USD", 9_999, hour_bounds(hour(2))[0] + 1_000_000_000, 60_000.0)])
    late = look(quiet.cursor)
    assert hours(late) == [[hour(2), hour(3), hour(4), hour(5)]]


def test_the_same_arrivals_are_the_same_run(
    home: Settings,
    look: Callable[[str | None], dg.SensorResult],
    market: Market,
    record: Record,
) -> None:
    """Asked twice before the run has finished: one key, so Dagster launches it once."""
    lake = Lake(home.lake_root)
    record(lake, market([0], every_s=60))
    first = look(None)
    second = look(first.cursor)
    keys = [[r.run_key for r in found.run_requests or []] for found in (first, second)]
    assert keys[0] == keys[1] != []
    record(lake, market([0], every_s=90))
    third = look(second.cursor)
    assert [r.run_key for r in third.run_requests or []] != keys[0]


def test_the_hourly_schedule_builds_the_hour_that_has_just_closed(
    home: Settings, hour: Hour, market: Market, record: Record
) -> None:
    """And skips an hour in which nothing was recorded."""
    record(Lake(home.lake_root), market([0], every_s=60))
    store = LakeResource(root=home.lake_root)

    def at(number: int) -> dg.RunRequest | dg.SkipReason:
        when = datetime.fromtimestamp(hour_bounds(hour(number))[0] / 1e9 + 180, UTC)
        context = dg.build_schedule_context(
            scheduled_execution_time=when, resources={"store": store}
        )
        found = hourly_schedule(context)
        assert isinstance(found, dg.RunRequest | dg.SkipReason)
        return found

    asked = at(1)
    assert isinstance(asked, dg.RunRequest)
    assert asked.partition_key == hour(0)
    assert isinstance(at(2), dg.SkipReason)


def test_tags_carry_hours_both_ways() -> None:
    start, end = "2026-03-01-22:00", "2026-03-02-01:00"
    assert len(hours_of_tags(range_tags(start, end))) == 4
    assert hours_of_tags({"dagster/partition": start}) == [start]
    assert hours_of_tags({"other": start}) == []
