"""Simulated time."""

from __future__ import annotations

import math

import pytest

from data_lake.clock import ManualClock
from ingest_service.simulator.pace import MAX, Pace, parse_speed
from volatility.errors import SettingError


def test_simulated_time_runs_at_its_speed() -> None:
    clock = ManualClock(50)
    pace = Pace(clock, 1_000, 20.0)
    assert pace.now_ns() == 1_000
    clock.ns += 7
    assert pace.now_ns() == 1_140
    assert pace.real_seconds_until(1_140) == 0
    assert pace.real_seconds_until(1_140 + 40_000_000_000) == 2.0


def test_a_pause_is_left_out() -> None:
    clock = ManualClock(0)
    pace = Pace(clock, 0, 2.0)
    clock.ns = 10
    pace.pause(20)
    clock.ns = 1_000
    assert pace.now_ns() == 20
    pace.resume()
    clock.ns = 1_001
    assert pace.now_ns() == 22


def test_at_top_speed_everything_is_due() -> None:
    assert Pace(ManualClock(0), 0, MAX).now_ns() == math.inf


def test_speeds_are_max_or_a_number() -> None:
    assert parse_speed("max") == parse_speed(" MAX ") == MAX
    assert parse_speed("1") == 1
    assert parse_speed("2.5") == 2.5


@pytest.mark.parametrize("text", ["", "fast", "0", "-1", "nan"])
def test_other_speeds_are_refused(text: str) -> None:
    with pytest.raises(SettingError, match="max or a positive number"):
        parse_speed(text)
