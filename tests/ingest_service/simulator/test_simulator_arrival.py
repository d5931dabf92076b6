"""Self-exciting order arrivals."""

from __future__ import annotations

import numpy as np
import pytest

from ingest_service.simulator.arrival import Arrivals
from ingest_service.simulator.weather import STEPS
from volatility.array import Vector


def flow(seed: int, minutes: int, log_variance: float = 0.0) -> Vector:
    arrivals = Arrivals(np.random.Generator(np.random.PCG64(seed)), orders_per_s=1.0)
    level = np.full(STEPS, log_variance)
    return np.concatenate([arrivals.minute(level) + STEPS * m for m in range(minutes)])


def test_times_are_sorted_and_inside_their_minute() -> None:
    times = flow(1, 200)
    assert (np.diff(times) >= 0).all()
    assert times[0] >= 0
    assert times[-1] < 200 * STEPS


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_arrivals_are_clustered(seed: int) -> None:
    """Counts vary more than a Poisson process's: the Fano factor is well above 1."""
    counts = np.histogram(flow(seed, 600), np.arange(0, 600 * STEPS + 1, 10))[0]
    assert counts.var() / counts.mean() > 1.2


def test_turbulent_weather_brings_more_orders() -> None:
    assert len(flow(5, 300, 2.0)) > 1.5 * len(flow(5, 300, -2.0))


def test_children_born_late_arrive_in_the_next_minute() -> None:
    """The mean rate is right only when clusters are not cut at the minute."""
    calm = len(flow(6, 2000)) / (2000 * STEPS)
    assert 0.88 < calm < 0.97  # floor 0.6 + 0.4 / 1.25 = 0.92 of one order per second
