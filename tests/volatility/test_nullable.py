"""Columns out and back again, whatever their chunks, offsets and nulls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from volatility.nullable import (
    codes,
    flag_column,
    flags,
    float_column,
    floats,
    int_column,
    ints,
    text_column,
)

words = st.lists(st.sampled_from(["BTC-USD", "ETH-USD", "live", None]), max_size=30)


def pieces(values: list[Any], arrow_type: Any, cut: int) -> Any:
    """A chunked column whose second chunk is a slice, so that its offset is not zero."""
    cut = min(cut, len(values))
    longer = pa.array([values[0] if values else None, *values[cut:]], arrow_type)
    return pa.chunked_array([pa.array(values[:cut], arrow_type), longer.slice(1)])


@given(
    values=st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=30),
    cut=st.integers(0, 30),
)
def test_integers_come_back(values: list[int | None], cut: int) -> None:
    column = pieces(values, pa.int64(), cut)
    assert ints(column, null=7).tolist() == [7 if x is None else x for x in values]
    known = np.array([x is not None for x in values], np.bool_)
    assert int_column(ints(column), pa.int64(), known).to_pylist() == values


@given(values=st.lists(st.none() | st.floats(allow_nan=False), max_size=30), cut=st.integers(0, 30))
def test_floats_come_back_with_nan_as_null(values: list[float | None], cut: int) -> None:
    column = pieces(values, pa.float64(), cut)
    assert float_column(floats(column)).to_pylist() == values


@given(values=st.lists(st.none() | st.booleans(), max_size=30), cut=st.integers(0, 30))
def test_flags_come_back_with_null_as_false(values: list[bool | None], cut: int) -> None:
    column = pieces(values, pa.bool_(), cut)
    assert flags(column).tolist() == [bool(x) for x in values]
    known = np.array([x is not None for x in values], np.bool_)
    assert flag_column(flags(column), known).to_pylist() == values


@given(values=words, cut=st.integers(0, 30))
def test_texts_come_back(values: list[str | None], cut: int) -> None:
    positions, distinct = codes(pieces(values, pa.string(), cut))
    assert [None if i < 0 else distinct[i] for i in positions] == values
    assert text_column(positions, [w or "" for w in distinct]).to_pylist() == values


def test_a_column_of_another_width_is_read_as_well() -> None:
    assert ints(pa.array([1, None, 3], pa.int8())).tolist() == [1, 0, 3]
    np.testing.assert_array_equal(floats(pa.array([1, None], pa.int32())), [1.0, np.nan])
    assert int_column(np.array([1, 2]), pa.int8()).type == pa.int8()
