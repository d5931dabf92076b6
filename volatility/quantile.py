"""Trailing quantile over a sliding span of time: a sorted ring, exact and deterministic.

Values sit twice: in a ring by age, so that the old fall out, and in a sorted array, so that any
quantile is two reads. The quantile interpolates linearly between order statistics (type 7 of
Hyndman and Fan 1996; what numpy, DuckDB and Polars call linear or continuous).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import from_dtype, njit, types

SPAN = np.dtype([("first", np.int64), ("count", np.int64)])
"""Where the ring's oldest value sits, and how many there are."""


@njit  # type: ignore[untyped-decorator]
def _insert(ordered: Any, count: int, x: float) -> None:
    """Put `x` into the sorted `ordered[:count]`."""
    at = np.searchsorted(ordered[:count], x)
    for i in range(count, at, -1):
        ordered[i] = ordered[i - 1]
    ordered[at] = x


@njit  # type: ignore[untyped-decorator]
def _remove(ordered: Any, count: int, x: float) -> None:
    """Take one `x` out of the sorted `ordered[:count]`."""
    for i in range(np.searchsorted(ordered[:count], x), count - 1):
        ordered[i] = ordered[i + 1]


@njit  # type: ignore[untyped-decorator]
def _quantile(ordered: Any, count: int, q: float) -> float:
    """Quantile `q` of the sorted `ordered[:count]`, which is not empty."""
    rank = q * (count - 1)
    below = int(rank)
    above = min(below + 1, count - 1)
    step = ordered[above] - ordered[below]
    return ordered[below] + (rank - below) * step  # type: ignore[no-any-return]


_SPAN = from_dtype(SPAN)
_FLOATS, _INTS = types.float64[::1], types.int64[::1]


@njit(  # type: ignore[untyped-decorator]
    types.void(
        _SPAN[::1],
        _INTS,
        _FLOATS,
        _FLOATS,
        _INTS,
        _FLOATS,
        types.int64,
        types.float64,
        _FLOATS,
        _INTS,
    ),
    cache=True,
)
def slide(
    spans: Any,
    ring_ts: Any,
    ring: Any,
    ordered: Any,
    ts: Any,
    values: Any,
    lookback_ns: int,
    q: float,
    quantiles: Any,
    counts: Any,
) -> None:
    """Add `values` one by one and note the quantile of those in (ts - lookback, ts] after each.

    Args:
        spans: shape (1,), dtype SPAN; with the next three carried from call to call.
        ring_ts: int64 (capacity,), ns, of `ring`.
        ring: float64 (capacity,), values by age; capacity bounds the values in one lookback.
        ordered: float64 (capacity,), the same values in order.
        ts: int64 (n,), ns, increasing.
        values: float64 (n,), NaN is unknown and not added.
        lookback_ns: length of the span.
        q: in [0, 1].
        quantiles: float64 (n,), written; NaN where nothing is known.
        counts: int64 (n,), written: values the quantile rests on.
    """
    span, slots = spans[0], len(ring)
    for i in range(len(ts)):
        while span.count > 0 and ring_ts[span.first] <= ts[i] - lookback_ns:
            _remove(ordered, span.count, ring[span.first])
            span.first = (span.first + 1) % slots
            span.count -= 1
        if not np.isnan(values[i]):
            at = (span.first + span.count) % slots
            ring_ts[at], ring[at] = ts[i], values[i]
            _insert(ordered, span.count, values[i])
            span.count += 1
        quantiles[i] = _quantile(ordered, span.count, q) if span.count > 0 else np.nan
        counts[i] = span.count


class TrailingQuantile:
    """Quantile `q` of the values whose ts lies in (now - lookback, now]; capacity bounds them.

    >>> import numpy as np
    >>> trailing = TrailingQuantile(0.5, lookback_ns=3, capacity=3)
    >>> trailing.extend(np.array([1, 2, 3, 4]), np.array([5.0, 1.0, np.nan, 9.0]))[0].tolist()
    [5.0, 3.0, 3.0, 5.0]
    """

    def __init__(self, q: float, *, lookback_ns: int, capacity: int) -> None:
        self.q, self.lookback_ns = q, lookback_ns
        self._spans = np.zeros(1, SPAN)
        self._ring_ts = np.zeros(capacity, np.int64)
        self._ring, self._ordered = np.zeros(capacity), np.zeros(capacity)

    def load(self, ts: Any, values: Any) -> None:
        """Forget everything and start from the newest of `values`, as `extend` one by one would."""
        inside = ~np.isnan(values) & (ts > ts[-1] - self.lookback_ns) if len(ts) else ts > 0
        count = int(inside.sum())
        self._ring_ts[:count], self._ring[:count] = ts[inside], values[inside]
        self._ordered[:count] = np.sort(values[inside])
        self._spans["first"], self._spans["count"] = 0, count

    def extend(self, ts: Any, values: Any) -> tuple[Any, Any]:
        """Add values (NaN: unknown) at increasing `ts`, ns; both of shape (n,).

        Returns:
            The quantile after each, NaN where nothing is known, and how many values it rests on.
        """
        quantiles, counts = np.empty(len(ts)), np.empty(len(ts), np.int64)
        slide(
            self._spans,
            self._ring_ts,
            self._ring,
            self._ordered,
            np.ascontiguousarray(ts, np.int64),
            np.ascontiguousarray(values, np.float64),
            self.lookback_ns,
            self.q,
            quantiles,
            counts,
        )
        return quantiles, counts
