"""Stochastic volatility."""

from __future__ import annotations

import numpy as np

from ingest_service.simulator.weather import STEPS, Weather, blend, season
from volatility.array import Vector


def hours(seed: int, count: int) -> tuple[Vector, Vector]:
    weather = Weather(np.random.Generator(np.random.PCG64(seed)))
    minutes = [weather.minute() for _ in range(60 * count)]
    return np.concatenate([m[0] for m in minutes]), np.concatenate([m[1] for m in minutes])


def autocorrelation(path: Vector, lag: int) -> float:
    return float(np.corrcoef(path[lag:], path[:-lag])[0, 1])


def test_log_variance_is_continuous_over_the_minute() -> None:
    path, _ = hours(1, 24)
    borders = np.abs(np.diff(path)[STEPS - 1 :: STEPS])
    inside = np.abs(np.diff(path))
    assert np.median(borders) < 1.5 * np.median(inside)


def test_log_variance_remembers_minutes_and_hours() -> None:
    path, _ = hours(2, 24 * 10)
    assert autocorrelation(path, 60) > 0.85
    assert 0.3 < autocorrelation(path, 3600) < 0.8


def test_shocks_are_fat_tailed_and_have_unit_scale() -> None:
    _, shocks = hours(3, 24 * 10)
    assert 0.9 < np.median(np.abs(shocks)) / 0.6745 < 1.1
    assert np.mean(shocks**4) / np.mean(shocks**2) ** 2 > 3.3  # a normal has 3


def test_the_season_peaks_in_the_afternoon_and_averages_zero() -> None:
    profile = season(np.arange(86_400))
    assert abs(profile.mean()) < 1e-9
    assert 13 <= profile.argmax() / 3600 <= 17
    assert profile.max() - profile.min() > 0.8


def test_blending_keeps_the_variance() -> None:
    rng = np.random.default_rng(4)
    mixed = blend(rng.standard_normal(200_000), rng.standard_normal(200_000))
    assert abs(mixed.var() - 1) < 0.02
