"""Stochastic volatility: the log variance and the return shocks of every simulated second.

    log variance = season(time of day) + slow + middle + fast + shots
    slow, middle, fast: Ornstein-Uhlenbeck, half-lives 6 h, 30 min, 3 min
    shots: rare news; each lifts the log variance, decays with half-life 4 min, and moves the price

A sum of OU processes over separate scales is the textbook stand-in for long memory (Corsi 2009),
so past variance at 1 min, 30 min and hours each say something about the next minutes. A product's
weather blends one source shared by the whole market with one of its own.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from volatility.array import Ints, Vector

STEPS: Final = 60
"""Seconds of one block."""

_HALF_LIFE_S: Final = np.array([6 * 3600.0, 1800.0, 180.0, 240.0])  # slow, middle, fast, shots
_SD: Final = np.array([0.60, 0.60, 0.40])  # stationary sd of log variance per OU component
_SHOTS_PER_S: Final = 1.5 / 3600
_SHOT_MEAN: Final = 1.2  # mean lift of log variance
_JUMP_SD: Final = 6.0  # price move of a shot, in standard deviations of one second

_RATE: Final = np.log(2) / _HALF_LIFE_S
_DECAY: Final[Vector] = np.exp(-_RATE[:, None] * np.arange(1, STEPS + 1))  # (4, STEPS)
_STEP_SD: Final[Vector] = _SD * np.sqrt(1 - np.exp(-2 * _RATE[:3]))

OWN_SHARE: Final = 0.4
"""Share of a product's variance of weather and returns that is not the market's."""


class Weather:
    """One source of log variance and shocks, advancing a minute at a time.

    `rng` is drawn from in the same order whatever happens, so one seed gives one path.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._level: Vector = np.append(_SD * rng.standard_normal(3), 0.0)

    def minute(self) -> tuple[Vector, Vector]:
        """The next minute: log variance around 0, and standardised shocks; each `(STEPS,)`."""
        rng = self._rng
        noise = _STEP_SD[:, None] * rng.standard_normal((3, STEPS))
        struck = rng.random(STEPS) < _SHOTS_PER_S
        lift = struck * rng.exponential(_SHOT_MEAN, STEPS)
        path = _DECAY * (self._level[:, None] + np.cumsum(np.vstack((noise, lift)) / _DECAY, 1))
        self._level = path[:, -1]
        jumps = struck * rng.normal(0.0, _JUMP_SD, STEPS)
        return path.sum(axis=0), rng.standard_normal(STEPS) + jumps


def season(second_of_day: Vector | Ints) -> Vector:
    """Intraday profile of log variance, mean 0: highest around 15:00 UTC, lowest at night."""
    hour: Vector = second_of_day / 3600
    daily = 0.45 * np.cos(2 * np.pi * (hour - 15.0) / 24)
    half_daily: Vector = 0.20 * np.cos(4 * np.pi * (hour - 14.5) / 24)
    return daily + half_daily


def blend(market: Vector, own: Vector) -> Vector:
    """Mix the market's path with a product's own, keeping the variance."""
    return math.sqrt(1 - OWN_SHARE) * market + math.sqrt(OWN_SHARE) * own
