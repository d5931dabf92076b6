"""Columns of decimal text and RFC 3339 text to integers, compiled.

Same rules as `fixed_point.parse_decimal` and `timestamp.parse_time`, one status per value in
place of an exception. Explicit signatures and an on-disk cache: importing compiles only once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from volatility.fixed_point import INT64_MAX, MAX_DIGITS, MAX_TEXT
from volatility.timestamp import SECOND_NS, UNSET_BEFORE

OK: Final = 0
MISSING: Final = 1  # null or empty text
BAD: Final = 2  # not a plain decimal, not an RFC 3339 time
RANGE: Final = 3  # well formed, but int64 cannot hold it
UNSET: Final = 4  # times only: one of the exchange's zero values

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]

_ZERO, _NINE, _POINT = ord("0"), ord("9"), ord(".")
_DASH, _COLON, _PLUS, _BLANK = ord("-"), ord(":"), ord("+"), ord(" ")
_T, _T_SMALL, _Z, _Z_SMALL = ord("T"), ord("t"), ord("Z"), ord("z")
_LAST_SECOND: Final = INT64_MAX // SECOND_NS

_BYTES = nb.types.Array(nb.uint8, 1, "C", readonly=True)
_COMPILE: Final[dict[str, Any]] = {"cache": True, "nogil": True, "boundscheck": False}


class Decimals(NamedTuple):
    """Column of `mantissa / 10**digits`; where `status` is not OK both are 0."""

    mantissa: Ints
    digits: Ints
    status: Bytes


class Times(NamedTuple):
    """Column of ns since epoch UTC; where `status` is not OK it is 0."""

    ns: Ints
    status: Bytes


@nb.njit([nb.types.UniTuple(nb.int64, 3)(_BYTES, nb.int64, nb.int64)], **_COMPILE)
def _decimal(text: Any, start: int, end: int) -> tuple[int, int, int]:
    """Mantissa, fraction digits and status of `text[start:end]`."""
    if end == start:
        return 0, 0, MISSING
    if end - start > MAX_TEXT or text[start] == _POINT or text[end - 1] == _POINT:
        return 0, 0, BAD
    point, last = np.int64(-1), end
    for at in range(start, end):
        if text[at] == _POINT and point < 0:
            point = at
        elif not _ZERO <= text[at] <= _NINE:
            return 0, 0, BAD
    if point >= 0:
        while text[last - 1] == _ZERO:
            last -= 1
    places = last - 1 - point if point >= 0 else np.int64(0)
    if places > MAX_DIGITS:
        return 0, 0, RANGE
    value, narrow = np.int64(0), last - start <= MAX_DIGITS
    for at in range(start, last):
        if at != point:
            digit = np.int64(text[at]) - _ZERO
            if not narrow and value > (INT64_MAX - digit) // 10:
                return 0, 0, RANGE
            value = value * 10 + digit
    return value, places, OK


@nb.njit(
    [nb.void(_BYTES, nb.int64[::1], nb.int64[::1], nb.int64[::1], nb.uint8[::1])], **_COMPILE
)
def _decimals(text: Any, ends: Any, mantissa: Any, digits: Any, status: Any) -> None:
    start = 0
    for row in range(ends.size):
        end = ends[row]
        value, places, state = _decimal(text, start, end)
        mantissa[row] = value if state == OK else 0
        digits[row] = places if state == OK else 0
        status[row] = state
        start = end


@nb.njit([nb.int64(_BYTES, nb.int64, nb.int64)], **_COMPILE)
def _number(text: Any, start: int, length: int) -> int:
    """`length` digits from `start`, or a hugely negative number when one is not a digit."""
    value = np.int64(0)
    for at in range(start, start + length):
        digit = np.int64(text[at]) - _ZERO
        value = value * 10 + digit if 0 <= digit <= 9 else np.int64(-(1 << 40))
    return value


@nb.njit([nb.int64(nb.int64, nb.int64, nb.int64)], **_COMPILE)
def _days(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 in the proleptic Gregorian calendar (years counted from March)."""
    y = year - (1 if month <= 2 else 0)
    from_march = (month + 9) % 12
    of_year = (153 * from_march + 2) // 5 + day - 1
    return y * 365 + y // 4 - y // 100 + y // 400 + of_year - 719468


@nb.njit([nb.int64(nb.int64, nb.int64)], **_COMPILE)
def _month_days(year: int, month: int) -> int:
    if month == 2:
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return 29 if leap else 28
    return 30 if month in (4, 6, 9, 11) else 31


@nb.njit([nb.int64(_BYTES, nb.int64, nb.int64)], **_COMPILE)
def _zone(text: Any, start: int, end: int) -> int:
    """Offset in seconds of the zone in `text[start:end]`, or `1 << 40` when it is none."""
    if start == end or (end - start == 1 and (text[start] == _Z or text[start] == _Z_SMALL)):
        return 0
    if end - start != 6 or text[start + 3] != _COLON:
        return 1 << 40
    hour, minute = _number(text, start + 1, 2), _number(text, start + 4, 2)
    if not (0 <= hour <= 23 and 0 <= minute <= 59):
        return 1 << 40
    seconds = hour * 3600 + minute * 60
    if text[start] == _PLUS:
        return seconds
    return -seconds if text[start] == _DASH else 1 << 40


@nb.njit([nb.void(_BYTES, nb.int64[::1], nb.int64[::1], nb.uint8[::1])], **_COMPILE)
def _times(text: Any, ends: Any, ns: Any, status: Any) -> None:
    start, last_day, last_day_key = 0, np.int64(0), np.int64(-1)
    for row in range(ends.size):
        s, end = start, ends[row]
        start = end
        ns[row] = 0
        if end == s:
            status[row] = MISSING
            continue
        status[row] = BAD
        if end - s < 19 or end - s > 35:
            continue
        year, month, day = _number(text, s, 4), _number(text, s + 5, 2), _number(text, s + 8, 2)
        hour, minute = _number(text, s + 11, 2), _number(text, s + 14, 2)
        second, mark = _number(text, s + 17, 2), text[s + 10]
        if text[s + 4] != _DASH or text[s + 7] != _DASH or text[s + 13] != _COLON:
            continue
        if text[s + 16] != _COLON or not (mark == _T or mark == _T_SMALL or mark == _BLANK):
            continue
        if not (year >= 1 and 1 <= month <= 12 and 0 <= hour <= 23 and 0 <= minute <= 59):
            continue
        if not (0 <= second <= 59 and 1 <= day <= _month_days(year, month)):
            continue
        at, fraction, width = s + 19, np.int64(0), 0
        if at < end and text[at] == _POINT:
            at += 1
            while at < end and _ZERO <= text[at] <= _NINE:
                fraction = fraction * 10 + (np.int64(text[at]) - _ZERO)
                width += 1
                at += 1
            if width == 0 or width > 9:
                continue
        zone_s = _zone(text, at, end)
        if zone_s == 1 << 40:
            continue
        for _ in range(9 - width):
            fraction *= 10
        key = (year * 16 + month) * 32 + day
        if key != last_day_key:
            last_day, last_day_key = _days(year, month, day), key
        seconds = last_day * 86_400 + hour * 3600 + minute * 60 + second - zone_s
        if seconds > _LAST_SECOND or (
            seconds == _LAST_SECOND and fraction > INT64_MAX - _LAST_SECOND * SECOND_NS
        ):
            status[row] = RANGE
        elif seconds < UNSET_BEFORE // SECOND_NS:
            status[row] = UNSET
        else:
            ns[row] = seconds * SECOND_NS + fraction
            status[row] = OK


def _pack(column: Sequence[str | None]) -> tuple[Bytes, Ints]:
    """The texts end to end as UTF-8 bytes, and where each one ends; None counts as empty."""
    try:
        joined = "".join(column)  # type: ignore[arg-type]  # raises on None, which is rare
    except TypeError:
        column = [text or "" for text in column]
        joined = "".join(column)
    if joined.isascii():
        ends = np.fromiter(map(len, column), np.int64, len(column))  # type: ignore[arg-type]
        return np.frombuffer(joined.encode(), np.uint8), np.cumsum(ends)
    parts = [(text or "").encode() for text in column]
    ends = np.fromiter(map(len, parts), np.int64, len(parts))
    return np.frombuffer(b"".join(parts), np.uint8), np.cumsum(ends)


def parse_decimals(column: Sequence[str | None]) -> Decimals:
    """Parse every text of `column`; None and "" are MISSING."""
    text, ends = _pack(column)
    out = Decimals(np.empty_like(ends), np.empty_like(ends), np.empty(ends.size, np.uint8))
    _decimals(text, ends, *out)
    return out


def parse_times(column: Sequence[str | None]) -> Times:
    """Parse every text of `column`; None and "" are MISSING, zero times UNSET."""
    text, ends = _pack(column)
    out = Times(np.empty_like(ends), np.empty(ends.size, np.uint8))
    _times(text, ends, *out)
    return out
