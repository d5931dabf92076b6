"""Columns of decimal text and RFC 3339 text to integers, compiled.

Same rules as `fixed_point.parse_decimal` and `timestamp.parse_time`, one status per value in
place of an exception. Explicit signatures and an on-disk cache: importing compiles only once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from volatility.array import Ints
from volatility.fixed_point import INT64_MAX, MAX_DIGITS, MAX_TEXT
from volatility.timestamp import SECOND_NS, UNSET_BEFORE

OK: Final = 0
MISSING: Final = 1  # null or empty text
BAD: Final = 2  # not a plain decimal, not an RFC 3339 time
RANGE: Final = 3  # well formed, but int64 cannot hold it
UNSET: Final = 4  # times only: one of the exchange's zero values

Bytes = NDArray[np.uint8]

_ZERO, _NINE, _POINT = ord("0"), ord("9"), ord(".")
_DASH, _COLON, _PLUS, _BLANK = ord("-"), ord(":"), ord("+"), ord(" ")
_T, _T_SMALL, _Z, _Z_SMALL, _END = ord("T"), ord("t"), ord("Z"), ord("z"), ord("\n")
_LAST_SECOND: Final = INT64_MAX // SECOND_NS
_LAST_FRACTION: Final = INT64_MAX % SECOND_NS
_UNSET_SECOND: Final = UNSET_BEFORE // SECOND_NS

_BYTES = types.Array(types.uint8, 1, "C", readonly=True)
_FLAGS, _INTS = types.uint8[::1], types.int64[::1]
_NO_ZONE: Final = 1 << 40
_NO_DAY: Final = -_NO_ZONE
_NO_NUMBER: Final = -2  # in place of the position of the point


class Decimals(NamedTuple):
    """Column of `mantissa / 10**digits`; where `status` is not OK both are 0."""

    mantissa: Ints
    digits: Ints
    status: Bytes


class Times(NamedTuple):
    """Column of ns since epoch UTC; where `status` is not OK it is 0."""

    ns: Ints
    status: Bytes


@njit  # type: ignore[untyped-decorator]
def _wide_decimal(text: Any, start: int, end: int) -> Any:
    """Mantissa, fraction digits and status of plain digits with at most one point inside."""
    point, last = -1, end
    for at in range(start, end):
        point = at if text[at] == _POINT else point
    if point >= 0:
        while text[last - 1] == _ZERO:
            last -= 1
    places = last - 1 - point if point >= 0 else 0
    if places > MAX_DIGITS:
        return 0, 0, RANGE
    mantissa = np.int64(0)
    for at in range(start, last):
        if at != point:
            digit = np.int64(text[at]) - _ZERO
            if mantissa > (INT64_MAX - digit) // 10:
                return 0, 0, RANGE
            mantissa = mantissa * 10 + digit
    return mantissa, places, OK


@njit  # type: ignore[untyped-decorator]
def _decimal(text: Any, start: int, end: int, point: int, mantissa: Any) -> Any:
    """Mantissa, fraction digits and status of `text[start:end]`, scanned already."""
    if end == start:
        return 0, 0, MISSING
    if point == _NO_NUMBER or end - start > MAX_TEXT or point in (start, end - 1):
        return 0, 0, BAD
    if end - start > MAX_DIGITS:
        return _wide_decimal(text, start, end)
    places = end - 1 - point if point >= 0 else 0
    while places > 0 and text[end - 1] == _ZERO:  # trailing zeros of the fraction do not count
        mantissa //= 10
        places -= 1
        end -= 1
    return mantissa, places, OK


@njit([types.void(_BYTES, _INTS, _INTS, _FLAGS)], cache=True)  # type: ignore[untyped-decorator]
def _decimals(text: Any, mantissa: Any, digits: Any, status: Any) -> None:
    at = 0
    for row in range(status.size):
        start, point, value = at, -1, np.int64(0)
        while at < text.size and text[at] != _END:
            digit = np.int64(text[at]) - _ZERO
            if 0 <= digit <= 9:
                value = value * 10 + digit  # wraps where wider than int64: not used then
            else:
                point = at if text[at] == _POINT and point == -1 else _NO_NUMBER
            at += 1
        mantissa[row], digits[row], status[row] = _decimal(text, start, at, point, value)
        at += 1


@njit  # type: ignore[untyped-decorator]
def _two(text: Any, at: int) -> Any:
    """The number in two digits, or a hugely negative one when they are none."""
    tens, ones = np.int64(text[at]) - _ZERO, np.int64(text[at + 1]) - _ZERO
    return tens * 10 + ones if 0 <= tens <= 9 and 0 <= ones <= 9 else -(1 << 20)


@njit  # type: ignore[untyped-decorator]
def _day(text: Any, at: int) -> Any:
    """Days from 1970-01-01 to the date `YYYY-MM-DD` at `at`, or _NO_DAY when it is none.

    Years are counted from March, so that the leap day comes last.
    """
    year = _two(text, at) * 100 + _two(text, at + 2)
    month, day = _two(text, at + 5), _two(text, at + 8)
    if text[at + 4] != _DASH or text[at + 7] != _DASH or year < 1 or not 1 <= month <= 12:
        return _NO_DAY
    longest = 30 if month in (4, 6, 9, 11) else 31
    if month == 2:
        longest = 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    if not 1 <= day <= longest:
        return _NO_DAY
    y = year - 1 if month <= 2 else year
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return y * 365 + y // 4 - y // 100 + y // 400 + of_year - 719_468


@njit  # type: ignore[untyped-decorator]
def _zone(text: Any, start: int, end: int) -> Any:
    """Offset in seconds of the zone in `text[start:end]`, none is UTC, or `_NO_ZONE`."""
    if start == end or (end - start == 1 and text[start] in (_Z, _Z_SMALL)):
        return 0
    if end - start != 6 or text[start + 3] != _COLON:
        return _NO_ZONE
    hour, minute = _two(text, start + 1), _two(text, start + 4)
    if not (0 <= hour <= 23 and 0 <= minute <= 59):
        return _NO_ZONE
    seconds = hour * 3600 + minute * 60
    if text[start] == _PLUS:
        return seconds
    return -seconds if text[start] == _DASH else _NO_ZONE


@njit  # type: ignore[untyped-decorator]
def _same_date(text: Any, one: int, other: int) -> Any:
    for at in range(10):  # noqa: SIM110 - compiled
        if text[one + at] != text[other + at]:
            return False
    return True


@njit  # type: ignore[untyped-decorator]
def _clock(text: Any, start: int, end: int) -> tuple[Any, Any]:
    """Seconds into the UTC day and nanoseconds of the time after the date; (_NO_DAY, 0) if bad."""
    bad = np.int64(_NO_DAY), np.int64(0)
    hour, minute, second = _two(text, start + 11), _two(text, start + 14), _two(text, start + 17)
    if text[start + 10] not in (_T, _T_SMALL, _BLANK):
        return bad
    if text[start + 13] != _COLON or text[start + 16] != _COLON:
        return bad
    if not (0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second <= 59):
        return bad
    at, fraction, unit = start + 19, np.int64(0), np.int64(SECOND_NS)
    if at < end and text[at] == _POINT:
        at += 1
        while at < end and _ZERO <= text[at] <= _NINE:
            unit //= 10
            fraction += (np.int64(text[at]) - _ZERO) * unit
            at += 1
        if unit == SECOND_NS or at - start > 29:
            return bad
    zone_s = _zone(text, at, end)
    if zone_s == _NO_ZONE:
        return bad
    return hour * 3600 + minute * 60 + second - zone_s, fraction


@njit([types.void(_BYTES, _INTS, _FLAGS)], cache=True)  # type: ignore[untyped-decorator]
def _times(text: Any, ns: Any, status: Any) -> None:
    at, dated, day = 0, -1, np.int64(0)
    for row in range(status.size):
        this = at
        while at < text.size and text[at] != _END:
            at += 1
        end = at
        at += 1
        ns[row], status[row] = 0, MISSING if end == this else BAD
        if end - this < 19 or end - this > 35:
            continue
        if dated < 0 or not _same_date(text, this, dated):
            day, dated = _day(text, this), this
        clock, fraction = _clock(text, this, end)
        if day == _NO_DAY or clock == _NO_DAY:
            continue
        seconds = day * 86_400 + clock
        if seconds > _LAST_SECOND or (seconds == _LAST_SECOND and fraction > _LAST_FRACTION):
            status[row] = RANGE
        elif seconds < _UNSET_SECOND:
            status[row] = UNSET
        else:
            ns[row], status[row] = seconds * SECOND_NS + fraction, OK


def _pack(column: Sequence[str | None]) -> Bytes:
    """The texts as UTF-8, one a line; None counts as empty, a text of several lines as nonsense."""
    try:
        joined = "\n".join(column)  # type: ignore[arg-type]  # raises on None, which is rare
    except TypeError:
        return _pack([text or "" for text in column])
    if joined.count("\n") >= max(len(column), 1):
        return _pack([(text or "").replace("\n", "?") for text in column])
    return np.frombuffer(joined.encode(), np.uint8)


def parse_decimals(column: Sequence[str | None]) -> Decimals:
    """Parse every text of `column`; None and "" are MISSING."""
    n = len(column)
    out = Decimals(np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.uint8))
    _decimals(_pack(column), *out)
    return out


def parse_times(column: Sequence[str | None]) -> Times:
    """Parse every text of `column`; None and "" are MISSING, zero times UNSET."""
    out = Times(np.empty(len(column), np.int64), np.empty(len(column), np.uint8))
    _times(_pack(column), *out)
    return out
