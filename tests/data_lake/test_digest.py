"""The content digest sees rows, and only rows."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_lake.digest import column_digest, column_digests, rows_digest

columns = st.one_of(
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)).map(lambda v: pa.array(v, pa.int64())),
    st.lists(st.none() | st.floats()).map(lambda v: pa.array(v, pa.float64())),
    st.lists(st.none() | st.booleans()).map(lambda v: pa.array(v, pa.bool_())),
    st.lists(st.none() | st.text()).map(lambda v: pa.array(v, pa.string())),
    st.lists(st.none() | st.binary()).map(lambda v: pa.array(v, pa.binary())),
)


@given(column=columns, cut=st.integers(0, 20))
def test_chunks_do_not_matter(column: Any, cut: int) -> None:
    pieces = pa.chunked_array([column.slice(0, cut), column.slice(cut)], type=column.type)
    assert column_digest(pieces) == column_digest(column)


@given(column=columns, before=st.integers(0, 9), after=st.integers(0, 9))
def test_where_a_slice_lies_in_memory_does_not_matter(column: Any, before: int, after: int) -> None:
    nulls = [pa.nulls(count, column.type) for count in (before, after)]
    padded = pa.concat_arrays([nulls[0], column, nulls[1]])
    assert column_digest(padded.slice(before, len(column))) == column_digest(column)


@given(column=columns.filter(len), data=st.data())
def test_every_row_matters(column: Any, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(column) - 1))
    gone = pa.concat_arrays([column.slice(0, index), column.slice(index + 1)])
    nulled = pa.concat_arrays(
        [column.slice(0, index), pa.nulls(1, column.type), column.slice(index + 1)]
    )
    assert column_digest(gone) != column_digest(column)
    assert (column_digest(nulled) != column_digest(column)) == column[index].is_valid


@given(values=st.lists(st.integers(0, 3), min_size=2), data=st.data())
def test_order_matters(values: list[int], data: st.DataObject) -> None:
    moved = data.draw(st.permutations(values))
    digests = [column_digest(pa.array(order)) for order in (values, moved)]
    assert (digests[0] == digests[1]) == (values == moved)


def test_what_lies_under_a_null_does_not_matter() -> None:
    valid = pa.py_buffer(bytes([0b101]))
    ones, twos = (
        pa.Array.from_buffers(pa.int64(), 3, [valid, pa.py_buffer(v.to_bytes(8, "little") * 3)])
        for v in (1, 2)
    )
    assert column_digest(ones) != column_digest(twos)
    blank = pa.py_buffer(b"".join(v.to_bytes(8, "little") for v in (1, 99, 1)))
    assert column_digest(ones) == column_digest(
        pa.Array.from_buffers(pa.int64(), 3, [valid, blank])
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pa.array([0], pa.int64()), pa.array([None], pa.int64())),
        (pa.array([0], pa.int64()), pa.array([0], pa.int32())),
        (pa.array([0.0]), pa.array([-0.0])),
        (pa.array(["ab", "c"]), pa.array(["a", "bc"])),
        (pa.array([""]), pa.array([None], pa.string())),
        (pa.array([""]), pa.array([b""])),
        (pa.array([], pa.string()), pa.array([""])),
        (pa.array([True, None]), pa.array([None, True])),
    ],
)
def test_lookalikes_differ(one: Any, other: Any) -> None:
    assert column_digest(one) != column_digest(other)


def test_names_and_order_of_columns_matter() -> None:
    rows = pa.table({"a": [1], "b": [1]})
    digests = {
        rows_digest(column_digests(rows.select(names)))
        for names in (["a", "b"], ["b", "a"], ["a"], ["b"])
    }
    assert len(digests) == 4


def test_the_digest_is_stable_across_versions() -> None:
    """A change of this value makes every stored partition unreadable."""
    rows = pa.table({"x": pa.array([1, None], pa.int64()), "y": ["a", None], "z": [True, False]})
    assert (
        rows_digest(column_digests(rows))
        == "b9483219ec4c86abdb7e686913f2fe4cfdfab8ef5c549fb0633f5486a27d2036"
    )
