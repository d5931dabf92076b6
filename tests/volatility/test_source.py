"""Ranks of sources, and words that are none."""

from __future__ import annotations

import pyarrow as pa
import pytest

from volatility.frame import SOURCES
from volatility.source import RANKED, UNKNOWN, ranks, source_column


def test_every_source_has_a_rank_and_live_is_the_least_artificial() -> None:
    assert sorted(RANKED) == sorted(SOURCES)
    assert (RANKED[0], RANKED[-1]) == ("live", "sim")


def test_ranks_come_back_as_words() -> None:
    column = pa.array(["sim", "live", None, "rest", "replay"])
    rank = ranks(column)
    assert rank.tolist() == [3, 0, UNKNOWN, 1, 2]
    assert source_column(rank).equals(column)


def test_a_word_that_is_no_source_is_refused() -> None:
    with pytest.raises(ValueError, match="guessed"):
        ranks(pa.array(["live", "guessed"]))
