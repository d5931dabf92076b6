"""What the feature kernel remembers of one product, as one flat record."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from volatility.feature import HALF_LIVES_S, WINDOWS_S
from volatility.source import RANKED
from volatility.tick import NEVER

BLOCK: Final = 3600
"""Bars in an anchor block: also the longest window."""

DEQUE: Final = 4096
"""Slots of a deque: a power of two above BLOCK."""
N_SUMS: Final = 13
"""Running sums; `volatility/kernel.py` numbers them."""
N_WINDOWS: Final = len(WINDOWS_S)
N_EWMA: Final = len(HALF_LIVES_S)
N_RANKS: Final = len(RANKED)

STATE: Final = np.dtype(
    [
        ("k", np.int64),  # bars taken in since the block's start, 0..3600
        ("n", np.int64),  # bars taken in altogether
        ("last_bad", np.int64),  # n of the last bar not observed
        ("last_rank", np.int64, (N_RANKS,)),  # n of the last bar of each source rank
        ("abs_r", np.float64),  # |r| of the last bar, 0 where unknown
        ("c", np.float64, (2, N_SUMS)),  # C: hi, lo
        ("t", np.float64, (2, N_SUMS)),  # T: hi, lo
        ("p", np.float64, (BLOCK, 2, N_SUMS)),  # P[k]: this block's up to k, then the previous'
        ("ewma", np.float64, (2, N_EWMA)),  # S, W of this block
        ("ewma_before", np.float64, (2, N_EWMA)),  # S, W of the previous block, final
        ("max_head", np.int64),
        ("max_tail", np.int64),
        ("max_at", np.int64, (N_WINDOWS,)),  # where each window's maximum was found last
        ("max_n", np.int64, (DEQUE,)),
        ("max_mid", np.float64, (DEQUE,)),
        ("min_head", np.int64),
        ("min_tail", np.int64),
        ("min_at", np.int64, (N_WINDOWS,)),
        ("min_n", np.int64, (DEQUE,)),
        ("min_mid", np.float64, (DEQUE,)),
    ]
)
"""Everything the kernel remembers of one product."""


def new_state(bars_into_block: int) -> Any:
    """A state that has seen nothing and whose next bar is number `bars_into_block` + 1 of a block.

    Shape (1,), dtype STATE.
    """
    state = np.zeros(1, STATE)
    state["k"] = bars_into_block
    state["last_rank"] = NEVER
    return state


def decay_table(half_lives_s: tuple[int, ...]) -> Any:
    """l^k for k = 0..3600 and each half-life; shape (3601, len(half_lives_s))."""
    k = np.arange(BLOCK + 1, dtype=np.float64)
    return np.exp2(-k[:, None] / np.array(half_lives_s, np.float64))
