"""How simulated time follows the injected clock."""

from __future__ import annotations

import math
from typing import Final

from data_lake.clock import Clock
from volatility.errors import SettingError

MAX: Final = math.inf
"""The speed that is as fast as the slowest subscriber reads."""


def parse_speed(text: str) -> float:
    """`max`, or how many simulated seconds pass in a real one.

    Raises:
        SettingError: neither `max` nor a positive number.
    """
    try:
        speed = MAX if text.strip().lower() == "max" else float(text)
    except ValueError:
        speed = math.nan
    return check_speed(speed, text)


def check_speed(speed: float, shown: object = None) -> float:
    """Return a positive `speed` unchanged.

    Raises:
        SettingError: not a positive number; it shows `shown`, or the speed.
    """
    if not speed > 0:
        raise SettingError("speed", speed if shown is None else shown, "max or a positive number")
    return speed


class Pace:
    """Simulated now: `start_ns` plus `speed` times what the clock ran, pauses left out."""

    def __init__(self, clock: Clock, start_ns: int, speed: float) -> None:
        self._clock, self._speed = clock, check_speed(speed)
        self._sim_ns, self._real_ns = start_ns, clock.now_ns()
        self._running = True

    def now_ns(self) -> float:
        """The simulated instant, ns since epoch; infinity at speed `MAX`."""
        if not self._running:
            return self._sim_ns
        if self._speed == MAX:
            return math.inf
        return self._sim_ns + round((self._clock.now_ns() - self._real_ns) * self._speed)

    def pause(self, sim_ns: int) -> None:
        """Stand still at `sim_ns`."""
        self._sim_ns, self._running = sim_ns, False

    def resume(self) -> None:
        """Go on from where it paused."""
        self._real_ns, self._running = self._clock.now_ns(), True

    def real_seconds_until(self, sim_ns: int) -> float:
        """How long to wait for a simulated instant; 0 when it has passed."""
        now = self.now_ns()
        return max(0.0, (sim_ns - now) / self._speed / 1e9) if now < sim_ns else 0.0
