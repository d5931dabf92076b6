"""Clocks."""

from __future__ import annotations

from data_lake.clock import ManualClock, SystemClock


def test_the_system_clock_moves_forward() -> None:
    clock = SystemClock()
    assert 0 < clock.now_ns() <= clock.now_ns()


def test_a_manual_clock_stands_until_it_is_moved() -> None:
    clock = ManualClock(5)
    assert clock.now_ns() == clock.now_ns() == 5
    clock.ns += 2
    assert clock.now_ns() == 7
