"""Bars to features, compiled: `_push` takes one bar in, `_emit` turns the state into a row.

Batch is a loop over the two and the stream calls the same loop with one bar, so both give the same
bits. The formulas, for a row at t, a window of w seconds and its bars i in (t - w, t]:

    rv = sum r_i^2             rs_pos, rs_neg = the same over r_i > 0, over r_i < 0
    bv = (pi/2) sum |r_i||r_(i-1)|                        jump_share = 1 - bv/rv, null where rv = 0
    ret_mean = sum r_i / w                   parkinson = ln(max high / min low)^2 / (4 ln 2)
    spread_bps, imbalance = means of the bars' closing ones over the bars that have one
    ofi, n_trades, signed_volume = sums                    quote_rate = sum n_quotes / w
    ewma_var(h) = S/W, S = sum_k l^k r_(t-k)^2, W = sum_k l^k, l = 2^(-1/h)

Null (NaN) is a window with a bar that is missing or not observed; bv and jump_share need the bar
before the window too; imbalance and ofi need at least half of their bars known; ewma_var needs the
row's bar observed and at least half of all its weight, W (1 - l) >= 1/2, on observed bars.

Anchoring. Time is cut into blocks of 3600 bars that end at the UTC hour. Sums restart at each
block: with C the current block's sum, P[k] its value after k bars (kept for the previous block
too) and T the previous block's total, at bar k a window is `C - P[k - w]`, or across the boundary
`C + (T - P[3600 + k - w])`. Each sum is a pair hi + lo (Neumaier 1974), so a quiet minute keeps
its digits after a jump in the same hour. EWMA runs over the current and the previous block only:
each block sums S and W from zero, and at bar k the previous block's final pair joins with factor
l^k. Maxima and minima compare and add nothing: one monotone deque each serves every window. So a
row depends on bars since the previous block's start, plus the one bar before it for the first
|r_i||r_(i-1)|: two earlier blocks restore the state exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import from_dtype, njit, types

from volatility.kernel_state import BLOCK, DEQUE, N_EWMA, N_RANKS, N_WINDOWS, STATE
from volatility.tick import BAR, DAY_NS

_R, _RV, _POS, _NEG, _BV, _SPREAD, _IMB, _OFI, _TRADES, _SIGNED, _QUOTES, _N_IMB, _N_OFI = range(13)


@njit  # type: ignore[untyped-decorator]
def _add(state: Any, column: int, x: float) -> None:
    """Add `x` to a block sum, collecting what rounding lost."""
    hi = state.c[0, column]
    total = hi + x
    part = total - hi
    state.c[1, column] += (hi - (total - part)) + (x - part)
    state.c[0, column] = total


@njit  # type: ignore[untyped-decorator]
def _window_sum(state: Any, column: int, window: int) -> float:
    """Sum over the last `window` bars."""
    k = state.k
    if window <= k:
        j = k - window
        hi = state.c[0, column] - state.p[j, 0, column]
        return hi + (state.c[1, column] - state.p[j, 1, column])  # type: ignore[no-any-return]
    j = BLOCK + k - window
    hi = state.c[0, column] + (state.t[0, column] - state.p[j, 0, column])
    lo = state.c[1, column] + (state.t[1, column] - state.p[j, 1, column])
    return hi + lo  # type: ignore[no-any-return]


@njit  # type: ignore[untyped-decorator]
def _roll(state: Any) -> None:
    """Start a block: what was current is now the previous one."""
    state.t[:] = state.c
    state.c[:] = 0.0
    state.ewma_before[:] = state.ewma
    state.ewma[:] = 0.0
    state.k = 0


@njit  # type: ignore[untyped-decorator]
def _add_return(state: Any, r: float) -> None:
    """Take the return of an observed bar into every sum of returns."""
    _add(state, _R, r)
    _add(state, _RV, r * r)
    if r > 0.0:
        _add(state, _POS, r * r)
    elif r < 0.0:
        _add(state, _NEG, r * r)
    _add(state, _BV, abs(r) * state.abs_r)
    state.abs_r = abs(r)


@njit  # type: ignore[untyped-decorator]
def _add_book(state: Any, bar: Any) -> None:
    """Take what the bar says about book and flow into their sums."""
    _add(state, _TRADES, float(bar.n_trades))
    _add(state, _SIGNED, bar.signed_volume)
    _add(state, _QUOTES, float(bar.n_quotes))
    if not np.isnan(bar.spread_bps):
        _add(state, _SPREAD, bar.spread_bps)
    if not np.isnan(bar.imbalance):
        _add(state, _IMB, bar.imbalance)
        _add(state, _N_IMB, 1.0)
    if not np.isnan(bar.ofi):
        _add(state, _OFI, bar.ofi)
        _add(state, _N_OFI, 1.0)


@njit  # type: ignore[untyped-decorator]
def _push_extremes(state: Any, bar: Any) -> None:
    """Drop from each deque what the bar outdates, and append it; heads expire after 3600 bars."""
    unit = 10.0**bar.price_scale
    high, low, last = bar.mid2_high / unit, bar.mid2_low / unit, DEQUE - 1
    while state.max_tail > state.max_head and state.max_mid[(state.max_tail - 1) & last] <= high:
        state.max_tail -= 1
    while state.min_tail > state.min_head and state.min_mid[(state.min_tail - 1) & last] >= low:
        state.min_tail -= 1
    state.max_n[state.max_tail & last], state.max_mid[state.max_tail & last] = state.n, high
    state.min_n[state.min_tail & last], state.min_mid[state.min_tail & last] = state.n, low
    state.max_tail += 1
    state.min_tail += 1
    while state.max_n[state.max_head & last] <= state.n - BLOCK:
        state.max_head += 1
    while state.min_n[state.min_head & last] <= state.n - BLOCK:
        state.min_head += 1
    for w in range(N_WINDOWS):
        state.max_at[w] = min(max(state.max_at[w], state.max_head), state.max_tail - 1)
        state.min_at[w] = min(max(state.min_at[w], state.min_head), state.min_tail - 1)


@njit  # type: ignore[untyped-decorator]
def _log_range(state: Any, w: int, window: int) -> float:
    """ln(max high / min low) over the last `window` bars; where they were, is kept for the next."""
    last, oldest, i, j = DEQUE - 1, state.n - window, state.max_at[w], state.min_at[w]
    while state.max_n[i & last] <= oldest:
        i += 1
    while state.min_n[j & last] <= oldest:
        j += 1
    state.max_at[w], state.min_at[w] = i, j
    return np.log(state.max_mid[i & last] / state.min_mid[j & last])  # type: ignore[no-any-return]


@njit  # type: ignore[untyped-decorator]
def _push(state: Any, bar: Any, decay: Any) -> None:
    """Take one bar in."""
    if state.k == BLOCK:
        _roll(state)
    state.p[state.k] = state.c
    state.k += 1
    state.n += 1
    for h in range(N_EWMA):
        for part in range(2):
            state.ewma[part, h] *= decay[1, h]
    if bar.observed and bar.mid2_low > 0 and not np.isnan(bar.r):
        _add_return(state, bar.r)
        for h in range(N_EWMA):
            state.ewma[0, h] += bar.r * bar.r
            state.ewma[1, h] += 1.0
    else:
        state.last_bad, state.abs_r = state.n, 0.0
    if bar.rank >= 0:
        state.last_rank[bar.rank] = state.n
    _add_book(state, bar)
    _push_extremes(state, bar)


@njit  # type: ignore[untyped-decorator]
def _rank(state: Any) -> int:
    """Rank of the most artificial source within the longest window, -1 where none is known."""
    for rank in range(N_RANKS - 1, -1, -1):
        if state.last_rank[rank] > state.n - BLOCK:
            return rank
    return -1


@njit  # type: ignore[untyped-decorator]
def _emit_window(state: Any, window: int, w: int, step: int, row: Any) -> None:
    """Write the features of one window to `row[w]`, `row[w + step]`, ... in family order."""
    observed = state.n - state.last_bad
    if observed < window:
        return
    rv = _window_sum(state, _RV, window)
    row[w] = rv
    row[w + 2 * step] = _window_sum(state, _POS, window)
    row[w + 3 * step] = _window_sum(state, _NEG, window)
    if observed > window:
        bv = 0.5 * np.pi * _window_sum(state, _BV, window)
        row[w + step] = bv
        if rv > 0.0:
            row[w + 4 * step] = 1.0 - bv / rv
    row[w + 5 * step] = _window_sum(state, _R, window) / window
    spread = _log_range(state, w, window)
    row[w + 6 * step] = spread * spread / (4.0 * np.log(2.0))
    row[w + 7 * step] = _window_sum(state, _SPREAD, window) / window
    known = _window_sum(state, _N_IMB, window)
    if 2.0 * known >= window:
        row[w + 8 * step] = _window_sum(state, _IMB, window) / known
    if 2.0 * _window_sum(state, _N_OFI, window) >= window:
        row[w + 9 * step] = _window_sum(state, _OFI, window)
    row[w + 10 * step] = _window_sum(state, _TRADES, window)
    row[w + 11 * step] = _window_sum(state, _SIGNED, window)
    row[w + 12 * step] = _window_sum(state, _QUOTES, window) / window


@njit  # type: ignore[untyped-decorator]
def _emit_ewma(state: Any, decay: Any, row: Any) -> None:
    """Write the EWMAs to `row[0]`, `row[1]`, ..."""
    if state.n == state.last_bad:
        return
    for h in range(N_EWMA):
        joined = decay[state.k, h]
        weight = state.ewma[1, h] + joined * state.ewma_before[1, h]
        if 2.0 * weight * (1.0 - decay[1, h]) >= 1.0:
            row[h] = (state.ewma[0, h] + joined * state.ewma_before[0, h]) / weight


@njit  # type: ignore[untyped-decorator]
def _emit(state: Any, ts: int, windows: Any, decay: Any, row: Any) -> None:
    """Write the feature row at `ts`; nulls stay as they are in `row`."""
    step = len(windows)
    for w in range(step):
        _emit_window(state, windows[w], w, step, row)
    _emit_ewma(state, decay, row[13 * step :])
    angle = 2.0 * np.pi * (float(ts % DAY_NS) / DAY_NS)
    row[13 * step + N_EWMA] = np.sin(angle)
    row[13 * step + N_EWMA + 1] = np.cos(angle)


_STATE, _BAR, _INTS, _FLOATS = from_dtype(STATE), from_dtype(BAR), types.int64, types.float64
_SIGNATURE = types.void(
    _STATE[::1], _BAR[::1], _INTS[::1], _FLOATS[:, ::1], _FLOATS[:, :], _INTS[::1]
)


@njit(_SIGNATURE, cache=True)  # type: ignore[untyped-decorator]
def run(states: Any, bars: Any, windows: Any, decay: Any, rows: Any, source_ranks: Any) -> None:
    """Take `bars` in, one per second, and write a row for each of the last `rows.shape[1]`.

    Args:
        states: shape (1,), dtype STATE; carried from call to call.
        bars: dtype BAR, consecutive seconds; a missing one as not observed.
        windows: int64 (windows,), seconds, each at most 3600.
        decay: float64 (3601, half-lives) of `decay_table`.
        rows: float64 (features, m), m <= len(bars), written; NaN is null.
        source_ranks: int64 (m,), written: the most artificial source within the last hour.
    """
    state, silent = states[0], len(bars) - rows.shape[1]
    for i in range(len(bars)):
        _push(state, bars[i], decay)
        if i >= silent:
            row = rows[:, i - silent]
            row[:] = np.nan
            _emit(state, bars[i].ts, windows, decay, row)
            source_ranks[i - silent] = _rank(state)
