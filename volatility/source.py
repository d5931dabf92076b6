"""Which source a row has when it rests on ticks of several: the most artificial one.

A row is `live` only where everything it was computed from is; otherwise it carries the highest of
live < rest < replay < sim, so that simulated data is never shown or trained on as live.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from volatility.array import Ints
from volatility.column import codes, text_column
from volatility.frame import Source

RANKED: Final[tuple[Source, ...]] = ("live", "rest", "replay", "sim")
"""Sources by rank, least artificial first."""

UNKNOWN: Final = -1
"""Rank of a row nothing was seen for yet; null in tables."""


def ranks(column: Any) -> Ints:
    """Rank of each row's source, `UNKNOWN` where null; shape (rows,).

    Raises:
        ValueError: a word that is no source.
    """
    indices, words = codes(column)
    if unknown := set(words) - set(RANKED) - {None}:
        raise ValueError(f"unknown sources {sorted(unknown)}; known are {RANKED}")
    lookup = np.array([RANKED.index(w) for w in words] + [UNKNOWN], np.int64)
    return np.asarray(lookup[indices])


def source_column(rank: Ints) -> Any:
    """The `source` column of rows with these ranks."""
    return text_column(rank, RANKED)
