"""How long to wait before connecting again: exponential, full jitter, capped, for ever."""

from __future__ import annotations

from random import Random


class Backoff:
    """Delays drawn uniformly from [0, min(cap, base · 2ⁿ)], n counting failures in a row.

    Full jitter, after Brooker, "Exponential Backoff and Jitter" (2015): clients that lost the
    same server do not come back in step. `reset` belongs to sustained data, not to a successful
    connect: a server that accepts and drops us at once must see us less and less often.
    """

    def __init__(self, rng: Random, *, base_s: float = 0.5, cap_s: float = 30.0) -> None:
        self._rng, self._base_s, self._cap_s = rng, base_s, cap_s
        self.failures = 0

    @property
    def ceiling_s(self) -> float:
        """Longest delay the next draw can give, in seconds."""
        doublings = min(self.failures, 32)
        return float(min(self._cap_s, self._base_s * 2**doublings))

    def next_delay_s(self) -> float:
        """Draw a delay in seconds and count one more failure."""
        delay = self._rng.uniform(0.0, self.ceiling_s)
        self.failures += 1
        return delay

    def reset(self) -> None:
        """Start over: data has flowed for long enough."""
        self.failures = 0
