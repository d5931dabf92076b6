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
