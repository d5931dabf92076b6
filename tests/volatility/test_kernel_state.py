"""The kernel's memory: what a fresh state knows, and the weights of the EWMA."""

from __future__ import annotations

import numpy as np

from volatility.feature import HALF_LIVES_S, WINDOWS_S
from volatility.kernel_state import BLOCK, DEQUE, decay_table, new_state
from volatility.source import RANKED


def test_weights_halve_every_half_life() -> None:
    decay = decay_table(HALF_LIVES_S)
    assert decay.shape == (BLOCK + 1, len(HALF_LIVES_S))
    for h, half_life in enumerate(HALF_LIVES_S):
        assert decay[0, h] == 1.0
        np.testing.assert_allclose(decay[half_life:, h], decay[:-half_life, h] / 2, rtol=1e-13)


def test_no_window_is_longer_than_a_block_and_a_deque_holds_a_block() -> None:
    assert max(WINDOWS_S) <= BLOCK < DEQUE
    assert DEQUE & (DEQUE - 1) == 0


def test_a_fresh_state_has_seen_no_bar_and_no_source() -> None:
    state = new_state(17)[0]
    assert (state["k"], state["n"], state["last_bad"]) == (17, 0, 0)
    assert len(state["last_rank"]) == len(RANKED)
    assert (state["last_rank"] < -BLOCK).all()
    assert state.nbytes < 2**20, "a thousand products must fit in memory"
