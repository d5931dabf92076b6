"""Arrow and numpy exchange columns without loss, whatever the chunks, offsets and nulls.

And without pandas.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from volatility.column import (
    binaries,
    codes,
    codes_in,
    encode,
    flag_column,
    flags,
    float_column,
    floats,
    from_numbers,
    from_texts,
    int_column,
    ints,
    known,
    named_floats,
    named_ints,
    numbers,
    text_column,
)

optional_ints = st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=20)
texts = st.lists(st.none() | st.text(max_size=5), max_size=12)
words = st.lists(st.sampled_from(["BTC-USD", "ETH-USD", "live", None]), max_size=30)


def pieces(values: list[Any], arrow_type: Any, cut: int) -> Any:
    """A chunked column whose second chunk is a slice, so that its offset is not zero."""
    cut = min(cut, len(values))
    longer = pa.array([values[0] if values else None, *values[cut:]], arrow_type)
    return pa.chunked_array([pa.array(values[:cut], arrow_type), longer.slice(1)])


@given(optional_ints, st.integers(0, 5))
def test_numbers_and_nulls_survive_the_way_there_and_back(
    values: list[int | None], start: int
) -> None:
    array = pa.array(values, pa.int64()).slice(start)
    back = from_numbers(np.where(known(array), numbers(array), 0), pa.int64(), known(array))
    assert back.to_pylist() == values[start:]


@given(texts)
def test_texts_survive(values: list[str | None]) -> None:
    assert from_texts(values).to_pylist() == values
    assert from_texts(values).type == pa.string()


@given(st.lists(st.binary(max_size=5), max_size=12), st.integers(0, 4))
def test_binaries_are_the_bytes(values: list[bytes], start: int) -> None:
    for kind in (pa.binary(), pa.large_binary()):
        assert binaries(pa.array(values, kind).slice(start)) == values[start:]


def test_chunks_are_joined() -> None:
    column = pa.chunked_array([[1, None], [], [3]], pa.int64())
    assert known(column).tolist() == [True, False, True]
    assert numbers(column)[[0, 2]].tolist() == [1, 3]
    assert numbers(pa.chunked_array([], pa.int64())).tolist() == []


@given(st.lists(st.sampled_from(["b", "a", "c"])))
def test_codes_and_words_are_inverse(words: list[str]) -> None:
    code, distinct = encode(pa.chunked_array([words, words], pa.string()))
    assert distinct == list(dict.fromkeys(words))
    assert text_column(code, distinct).to_pylist() == words * 2


@given(
    values=st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=30),
    cut=st.integers(0, 30),
)
def test_integers_come_back(values: list[int | None], cut: int) -> None:
    column = pieces(values, pa.int64(), cut)
    assert ints(column, null=7).tolist() == [7 if x is None else x for x in values]
    assert int_column(ints(column), pa.int64(), known(column)).to_pylist() == values


@given(values=st.lists(st.none() | st.floats(allow_nan=False), max_size=30), cut=st.integers(0, 30))
def test_floats_come_back_with_nan_as_null(values: list[float | None], cut: int) -> None:
    column = pieces(values, pa.float64(), cut)
    assert float_column(floats(column)).to_pylist() == values


@given(values=st.lists(st.none() | st.booleans(), max_size=30), cut=st.integers(0, 30))
def test_flags_come_back_with_null_as_false(values: list[bool | None], cut: int) -> None:
    column = pieces(values, pa.bool_(), cut)
    assert flags(column).tolist() == [bool(x) for x in values]
    assert flag_column(flags(column), known(column)).to_pylist() == values


@given(values=words, cut=st.integers(0, 30))
def test_texts_come_back(values: list[str | None], cut: int) -> None:
    positions, distinct = codes(pieces(values, pa.string(), cut))
    assert [None if i < 0 else distinct[i] for i in positions] == values
    assert text_column(positions, [w or "" for w in distinct]).to_pylist() == values


def test_a_column_of_another_width_is_read_as_well() -> None:
    assert ints(pa.array([1, None, 3], pa.int8())).tolist() == [1, 0, 3]
    np.testing.assert_array_equal(floats(pa.array([1, None], pa.int32())), [1.0, np.nan])
    assert int_column(np.array([1, 2]), pa.int8()).type == pa.int8()


def test_a_null_where_a_number_is_needed_is_refused_by_name() -> None:
    table = pa.table({"n": pa.array([1, None, 3])})
    assert named_floats(table, "n").tolist()[::2] == [1.0, 3.0]
    assert named_ints(table.slice(2), "n").tolist() == [3]
    with pytest.raises(ValueError, match="column n has 1 nulls"):
        named_ints(table, "n")


def test_named_columns_may_be_written() -> None:
    """They are memory of their own."""
    table = pa.table({"x": [1.5, 2.5], "n": [1, 2]})
    named_floats(table, "x")[0] = named_ints(table, "n")[0] = 7
    assert table.to_pylist() == [{"x": 1.5, "n": 1}, {"x": 2.5, "n": 2}]


@given(values=words, cut=st.integers(0, 30))
def test_words_are_positions_in_the_vocabulary_and_strangers_minus_one(
    values: list[str | None], cut: int
) -> None:
    vocabulary = ("ETH-USD", "BTC-USD", "SOL-USD")
    place = {word: i for i, word in enumerate(vocabulary)}
    found = codes_in(pieces(values, pa.string(), cut), vocabulary)
    assert found.tolist() == [place.get(word or "", -1) for word in values]


@pytest.mark.parametrize("module", ["normalise", "dedupe", "gap", "peek"])
def test_importing_and_reading_does_not_import_pandas(module: str) -> None:
    """It costs over a CPU second, in every process that only wants to record."""
    program = (
        f"import sys, volatility.{module}\n"
        "from volatility.column import *\nimport numpy as np, pyarrow as pa\n"
        "from_texts(['a', None]); encode(from_texts(['a'])); codes(from_texts(['a']))\n"
        "text_column(np.zeros(1, np.int32), ['a']); floats(float_column(np.zeros(1)))\n"
        "numbers(from_numbers(np.zeros(1, np.int64), pa.int64()))\n"
        "sys.exit('pandas' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
