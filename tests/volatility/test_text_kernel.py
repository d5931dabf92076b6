"""The compiled parsers of columns equal the readable parsers of single values."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from volatility import text_kernel
from volatility.errors import MessageError
from volatility.fixed_point import INT64_MAX, parse_decimal
from volatility.text_kernel import BAD, MISSING, OK, RANGE, UNSET, parse_decimals, parse_times
from volatility.timestamp import parse_time

decimal_like = st.one_of(
    st.text("0123456789.", max_size=24),
    st.text("0123456789.-+eE \n", max_size=12),
    st.from_regex(r"[0-9]{1,12}(\.[0-9]{1,12})?", fullmatch=True),
    st.from_regex(r"0{0,60}9{0,5}\.[0-9]{1,20}0{0,40}", fullmatch=True),
    st.integers(INT64_MAX - 9, INT64_MAX + 9).map(str),
    st.text(max_size=8),
    st.none(),
)
time_like = st.one_of(
    st.datetimes().map(lambda d: d.isoformat() + "Z"),
    st.datetimes().map(str),
    st.from_regex(
        r"[0-9]{4}-(0[0-9]|1[0-3])-([0-3][0-9])[Tt ]([0-2][0-9]):[0-6][0-9]:[0-6][0-9]"
        r"(\.[0-9]{0,10})?(Z|z|[+-][0-2][0-9]:[0-6][0-9])?",
        fullmatch=True,
    ),
    st.from_regex(r"2262-04-11T23:47:1[67]\.85477580[0-9]Z", fullmatch=True),
    st.from_regex(r"19(69|70|71)-(01-01|12-31)T(00|23):[05][09]:00[+-]0[01]:00", fullmatch=True),
    st.text("0123456789-:TZ.+ \n", max_size=36),
    st.none(),
)


def decimal_verdict(text: str | None) -> tuple[int, int, int]:
    """What `parse_decimal` says, as (mantissa, digits, status)."""
    if not text:
        return 0, 0, MISSING
    try:
        return *parse_decimal(text), OK
    except MessageError as exc:
        return 0, 0, RANGE if "fit" in exc.reason else BAD


def time_verdict(text: str | None) -> tuple[int, int]:
    """What `parse_time` says, as (ns, status)."""
    if not text:
        return 0, MISSING
    try:
        instant = parse_time(text)
    except MessageError as exc:
        return 0, RANGE if "2262" in exc.reason else BAD
    return (0, UNSET) if instant is None else (instant, OK)


@given(st.lists(decimal_like, max_size=12))
@example([])
@example([None])
@example([""])
@example(["\n"])
@example(["1\n2", "3"])
@example(["é", "1"])
def test_columns_of_decimals_equal_single_decimals(texts: list[str | None]) -> None:
    found = parse_decimals(texts)
    rows = zip(found.mantissa.tolist(), found.digits.tolist(), found.status.tolist(), strict=True)
    assert list(rows) == [decimal_verdict(text) for text in texts]


@given(st.lists(time_like, max_size=12))
@example([])
@example(["2025-11-12T07:20:11Z", None, "2025-11-12T07:20:12Z", "2025-11-13T07:20:12Z"])
@example(["2025-02-30T07:20:11Z", "2025-02-30T07:20:11Z", "2025-02-28T07:20:11Z"])
def test_columns_of_times_equal_single_times(texts: list[str | None]) -> None:
    found = parse_times(texts)
    rows = zip(found.ns.tolist(), found.status.tolist(), strict=True)
    assert list(rows) == [time_verdict(text) for text in texts]


@pytest.mark.parametrize("year", [1972, 1999, 2000, 2024, 2100, 2200])
def test_every_day_of_a_year_counts(year: int) -> None:
    texts = [f"{year}-{m:02d}-{d:02d}T00:00:00Z" for m in range(14) for d in range(33)]
    found = parse_times(texts)
    rows = zip(found.ns.tolist(), found.status.tolist(), strict=True)
    assert list(rows) == [time_verdict(text) for text in texts]


def test_the_kernels_are_cached_on_disk() -> None:
    """Explicit signatures compile at import; without the cache every start would pay for it."""
    for kernel in (text_kernel._decimals, text_kernel._times):
        assert kernel.signatures
        assert type(kernel._cache).__name__ == "FunctionCache"
