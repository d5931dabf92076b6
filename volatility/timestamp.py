"""RFC 3339 text and epoch seconds to int64 nanoseconds UTC, exactly, one value at a time.

`volatility/text_kernel.py` does the same for whole columns; a property test holds them equal.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from volatility.errors import MessageError
from volatility.fixed_point import INT64_MAX

SECOND_NS: Final = 1_000_000_000
UNSET_BEFORE: Final = 365 * 86_400 * SECOND_NS
"""Times before 1971 (year 1, 1970-01-01) are the exchange's zero values and mean "not known"."""

_RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))?"
)
_ZONE = re.compile(r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})\Z")
_EPOCH = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,32}))?")
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()


def parse_time(text: str) -> int | None:
    """Return ns since epoch for `2025-11-12T07:20:11.615272Z`; None for a zero time.

    0 to 9 fraction digits; `Z`, `+00:00` or any other offset; no zone at all means UTC.

    Raises:
        MessageError: not such a time, or after 2262-04-11 where int64 ends.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise MessageError(f"{text[:64]!r} is not an RFC 3339 time")
    hour, minute, second = int(match[4]), int(match[5]), int(match[6])
    zone_hour, zone_minute = int(match[9] or 0), int(match[10] or 0)
    if hour > 23 or minute > 59 or second > 59 or zone_hour > 23 or zone_minute > 59:
        raise MessageError(f"{text!r} is not an RFC 3339 time")
    try:
        days = date(int(match[1]), int(match[2]), int(match[3])).toordinal() - _EPOCH_ORDINAL
    except ValueError as exc:
        raise MessageError(f"{text!r} is not an RFC 3339 time") from exc
    zone_s = (zone_hour * 3600 + zone_minute * 60) * (-1 if match[8] == "-" else 1)
    seconds = days * 86_400 + hour * 3600 + minute * 60 + second - zone_s
    ns = seconds * SECOND_NS + int((match[7] or "").ljust(9, "0"))
    if ns > INT64_MAX:
        raise MessageError(f"{text!r} is after the year 2262")
    return ns if ns >= UNSET_BEFORE else None


def has_zone(text: str) -> bool:
    """Whether `text` ends in `Z` or a numeric offset, so that it names an instant by itself."""
    return _ZONE.search(text) is not None


def parse_epoch(text: str) -> int:
    """Return ns for decimal seconds since epoch, `1762932011.609013`; digits below 1 ns drop.

    Raises:
        MessageError: not plain decimal seconds, or after 2262-04-11 where int64 ends.
    """
    match = _EPOCH.fullmatch(text)
    if match is None:
        raise MessageError(f"{text[:64]!r} is not decimal seconds since 1970")
    ns = int(match[1]) * SECOND_NS + int((match[2] or "")[:9].ljust(9, "0"))
    if ns > INT64_MAX:
        raise MessageError(f"{text!r} seconds is after the year 2262")
    return ns
