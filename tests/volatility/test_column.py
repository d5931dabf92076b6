"""Arrow and numpy exchange columns without loss, and without pandas."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from volatility.column import (
    binaries,
    encode,
    from_numbers,
    from_texts,
    known,
    numbers,
    pick,
)

optional_ints = st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=20)
texts = st.lists(st.none() | st.text(max_size=5), max_size=12)


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
    assert pick(distinct, code).to_pylist() == words * 2


@pytest.mark.parametrize("module", ["normalise", "dedupe", "gap", "peek"])
def test_importing_and_reading_does_not_import_pandas(module: str) -> None:
    """It costs over a CPU second, in every process that only wants to record."""
    program = (
        f"import sys, volatility.{module}\n"
        "from volatility.column import *\nimport numpy as np, pyarrow as pa\n"
        "from_texts(['a', None]); encode(from_texts(['a'])); pick(['a'], np.zeros(1, np.int32))\n"
        "numbers(from_numbers(np.zeros(1, np.int64), pa.int64()))\n"
        "sys.exit('pandas' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
