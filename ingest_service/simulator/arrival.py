"""When orders arrive: a self-exciting (Hawkes) process, generated exactly by its cluster form.

Immigrants arrive as a Poisson process whose rate follows the weather; each order then has
Poisson(`BRANCHING`) children after a random delay, those have children, and so on (Hawkes and
Oakes 1974). Half the children come within milliseconds, half within seconds.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ingest_service.simulator.weather import STEPS
from volatility.array import Vector

BRANCHING: Final = 0.4
"""Mean number of orders that one order provokes directly."""

_FAST_S: Final = 0.02  # mean delay of the quick half
_SLOW_S: Final = 4.0  # mean delay of the other half
_FLOOR: Final = 0.6  # share of the immigrants that never follow the weather
_LINK: Final = 0.6  # elasticity of the rest to the variance
_MEAN_LINK: Final = 1.25  # long-run mean of exp(_LINK * log variance), so rates come out right
_CEILING: Final = 12.0  # no weather multiplies the pace by more


class Arrivals:
    """Order times of one product; children that fall into later minutes are remembered."""

    def __init__(self, rng: np.random.Generator, orders_per_s: float) -> None:
        self._rng = rng
        self._immigrants_per_s = orders_per_s * (1 - BRANCHING)
        self._pending: Vector = np.empty(0)

    def minute(self, log_variance: Vector) -> Vector:
        """Sorted arrival times of the next minute, seconds in [0, STEPS).

        `log_variance` has one value a second, season included.
        """
        linked = np.minimum(np.exp(_LINK * log_variance) / _MEAN_LINK, _CEILING)
        rate = self._immigrants_per_s * (_FLOOR + (1 - _FLOOR) * linked)
        second = np.repeat(np.arange(STEPS), self._rng.poisson(rate))
        wave: Vector = second + self._rng.random(len(second))
        waves = [self._pending]
        while len(wave):
            waves.append(wave)
            wave = self._children(wave)
        times = np.concatenate(waves)
        late = times >= STEPS
        self._pending = times[late] - STEPS
        return np.sort(times[~late])

    def _children(self, parents: Vector) -> Vector:
        rng = self._rng
        born = np.repeat(parents, rng.poisson(BRANCHING, len(parents)))
        mean_delay = np.where(rng.random(len(born)) < 0.5, _FAST_S, _SLOW_S)
        return born + mean_delay * rng.standard_exponential(len(born))
