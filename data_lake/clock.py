"""The injected clock: the only way any code learns what time it is."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Anything that tells the time."""

    def now_ns(self) -> int:
        """Nanoseconds since epoch, UTC."""
        ...


class SystemClock:
    """The wall clock of this machine."""

    def now_ns(self) -> int:
        """Nanoseconds since epoch, UTC."""
        return time.time_ns()


class ManualClock:
    """A hand-driven clock for tests and simulations; `ns` is its present."""

    def __init__(self, ns: int) -> None:
        self.ns = ns

    def now_ns(self) -> int:
        """Nanoseconds since epoch, UTC."""
        return self.ns


class ScaledClock:
    """A clock that starts at `start_ns` and runs `speed` times as fast as `base`."""

    def __init__(self, base: Clock, start_ns: int, speed: float) -> None:
        self._base, self._origin = base, base.now_ns()
        self._start, self._speed = start_ns, speed

    def now_ns(self) -> int:
        """Nanoseconds since epoch, UTC, in the scaled time."""
        return self._start + int((self._base.now_ns() - self._origin) * self._speed)
