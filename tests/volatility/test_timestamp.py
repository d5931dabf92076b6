"""Times are exact to the nanosecond, or refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from volatility.errors import MessageError
from volatility.fixed_point import INT64_MAX
from volatility.timestamp import SECOND_NS, UNSET_BEFORE, has_zone, parse_epoch, parse_time

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
instants = st.datetimes(datetime(1971, 1, 3), datetime(2262, 4, 10), timezones=st.just(UTC))  # noqa: DTZ001
offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59)


def ns(instant: datetime) -> int:
    """Nanoseconds since epoch, without floats."""
    return (instant - EPOCH) // timedelta(microseconds=1) * 1000


@given(instants)
def test_agrees_with_the_standard_library(instant: datetime) -> None:
    assert parse_time(instant.isoformat()) == ns(instant)


@given(instants, offsets)
def test_an_offset_names_the_same_instant(instant: datetime, minutes: int) -> None:
    local = instant.astimezone(timezone(timedelta(minutes=minutes)))
    assert parse_time(local.isoformat()) == ns(instant)


@pytest.mark.parametrize("digits", range(10))
def test_zero_to_nine_fraction_digits_are_exact(digits: int) -> None:
    fraction = "." + "123456789"[:digits] if digits else ""
    expected = 1_762_932_011 * SECOND_NS + int("123456789"[:digits].ljust(9, "0"))
    assert parse_time(f"2025-11-12T07:20:11{fraction}Z") == expected


def test_no_zone_means_utc() -> None:
    assert parse_time("2025-12-05T20:33:01.669201") == parse_time("2025-12-05T20:33:01.669201Z")


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00.000000Z",
        "0001-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "1970-12-31T23:59:59Z",
        "0001-01-01T00:00:00+23:59",
    ],
)
def test_the_exchanges_zero_times_are_none(text: str) -> None:
    assert parse_time(text) is None


def test_the_first_instant_that_counts_is_1971() -> None:
    assert parse_time("1971-01-01T00:00:00Z") == UNSET_BEFORE


def test_int64_ends_in_2262() -> None:
    assert parse_time("2262-04-11T23:47:16.854775807Z") == INT64_MAX
    with pytest.raises(MessageError, match="after the year 2262"):
        parse_time("2262-04-11T23:47:16.854775808Z")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2023-10-23 14:43:13.362521689 +0000 UTC m=+425760.164580852",  # Go's time.String()
        "2025-11-12",
        "2025-11-12T07:20Z",
        "2025-11-12T07:20:11.Z",
        "2025-11-12T07:20:11.1234567890Z",
        "2025-13-12T07:20:11Z",
        "2025-02-29T07:20:11Z",
        "2025-00-10T07:20:11Z",
        "2025-01-00T07:20:11Z",
        "0000-01-01T00:00:00Z",
        "2025-11-12T24:00:00Z",
        "2025-11-12T07:60:00Z",
        "2025-11-12T07:20:60Z",
        "2025-11-12T07:20:11+24:00",
        "2025-11-12T07:20:11+00:60",
        "2025-11-12T07:20:11+0000",
        "2025-11-12T07:20:11 Z",
        "2025-11-12T07:20:11Z ",
        "2025-11-12T07:20:11Z\n",
        "\uff12025-11-12T07:20:11Z",
        "1762932011",
    ],
)
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(MessageError, match="is not an RFC 3339 time"):
        parse_time(text)


@pytest.mark.parametrize(
    ("text", "zoned"),
    [
        ("2025-12-05T20:33:01.669201", False),
        ("2025-12-05", False),
        ("", False),
        ("2025-12-05T20:33:01Z", True),
        ("2025-12-05T20:33:01z", True),
        ("2026-04-05T22:35:13.865365+00:00", True),
        ("2026-04-05T22:35:13-05:00", True),
    ],
)
def test_has_zone_tells_an_instant_from_a_wall_clock(text: str, zoned: bool) -> None:
    assert has_zone(text) is zoned


@given(st.integers(0, INT64_MAX))
def test_epoch_seconds_are_exact(instant_ns: int) -> None:
    text = f"{instant_ns // SECOND_NS}.{instant_ns % SECOND_NS:09d}"
    assert parse_epoch(text) == instant_ns


def test_epoch_seconds_below_a_nanosecond_are_dropped() -> None:
    assert parse_epoch("1762932011.0000000019") == 1_762_932_011 * SECOND_NS + 1


@pytest.mark.parametrize("text", ["", "-1", "1.7e9", "NaN", "1762932011.", ".5", "2025-11-12"])
def test_epoch_text_that_is_no_decimal_is_refused(text: str) -> None:
    with pytest.raises(MessageError, match="is not decimal seconds since 1970"):
        parse_epoch(text)


def test_epoch_milliseconds_are_refused_not_guessed() -> None:
    with pytest.raises(MessageError, match="is not decimal seconds since 1970"):
        parse_epoch("1762932011609")
    with pytest.raises(MessageError, match="after the year 2262"):
        parse_epoch("176293201160")
