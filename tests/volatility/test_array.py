"""Columns arrive as numbers whatever their chunks, offsets and nulls."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from volatility.array import codes, flags, floats, ints


def table() -> pa.Table:
    """Two chunks, the first row cut off: buffers start at an offset."""
    rows = [
        {"x": 9.0, "n": 9, "flag": True, "word": "z"},
        {"x": 1.5, "n": 1, "flag": True, "word": "b"},
        {"x": None, "n": 2, "flag": None, "word": "a"},
        {"x": 2.5, "n": 3, "flag": False, "word": "b"},
    ]
    whole = pa.concat_tables([pa.Table.from_pylist(rows[:2]), pa.Table.from_pylist(rows[2:])])
    return whole.slice(1)


def test_null_numbers_are_nan() -> None:
    assert np.array_equal(floats(table(), "x"), [1.5, np.nan, 2.5], equal_nan=True)


def test_integers_come_whole() -> None:
    assert ints(table(), "n").tolist() == [1, 2, 3]


def test_a_null_integer_is_refused() -> None:
    with pytest.raises(ValueError, match="column x has 1 nulls"):
        ints(table().set_column(0, "x", [[1, None, 3]]), "x")


def test_a_null_flag_is_false() -> None:
    assert flags(table(), "flag").tolist() == [True, False, False]


def test_words_are_positions_in_the_vocabulary_and_strangers_minus_one() -> None:
    assert codes(table(), "word", ("b", "c")).tolist() == [0, -1, 0]
