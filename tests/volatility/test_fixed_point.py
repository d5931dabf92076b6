"""Decimal text is kept exactly, or refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from volatility.errors import MessageError
from volatility.fixed_point import INT64_MAX, parse_decimal, to_text

mantissas = st.integers(0, INT64_MAX)
digit_counts = st.integers(0, 18)


@given(mantissas, digit_counts)
def test_a_decimal_survives_text_and_back(mantissa: int, digits: int) -> None:
    found, places = parse_decimal(to_text(mantissa, digits))
    assert Decimal(found).scaleb(-places) == Decimal(mantissa).scaleb(-digits)


@given(mantissas, digit_counts)
def test_the_mantissa_ends_in_no_zero_after_the_point(mantissa: int, digits: int) -> None:
    found, places = parse_decimal(to_text(mantissa, digits))
    assert places == 0 or found % 10 != 0


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("0", (0, 0)),
        ("0.00000", (0, 0)),
        ("1", (1, 0)),
        ("100", (100, 0)),
        ("103472.28", (10347228, 2)),
        ("103472.280", (10347228, 2)),
        ("0.00000001", (1, 8)),
        ("007.50", (75, 1)),
        ("9223372036854775807", (INT64_MAX, 0)),
        ("1." + "0" * 40, (1, 0)),
    ],
)
def test_plain_decimals(text: str, parts: tuple[int, int]) -> None:
    assert parse_decimal(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", ".5", "5.", "-1", "+1", "0.-10000", "1e3", "1e-08", "NaN", "inf", "1,5"),
        *(" 1", "1 ", "1_0", "0x1", "1.2.3", "\u0663", "1\n"),
    ],
)
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(MessageError, match="is not a plain decimal"):
        parse_decimal(text)


@pytest.mark.parametrize("text", ["9223372036854775808", "0." + "0" * 18 + "1", "9" * 20])
def test_what_int64_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(MessageError, match="does not fit 64 bits"):
        parse_decimal(text)


def test_text_longer_than_any_number_is_refused() -> None:
    with pytest.raises(MessageError, match="is not a plain decimal"):
        parse_decimal("9" * 65)


@pytest.mark.parametrize(
    ("value", "scale", "text"),
    [
        (1, 8, "0.00000001"),
        (10347228, 2, "103472.28"),
        (150, 2, "1.5"),
        (0, 8, "0"),
        (-5, 1, "-0.5"),
        (1200, 0, "1200"),
    ],
)
def test_to_text_writes_the_shortest_plain_decimal(value: int, scale: int, text: str) -> None:
    assert to_text(value, scale) == text
