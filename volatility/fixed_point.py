"""Decimal text to exact integers and back, one value at a time.

A price or size arrives as decimal text and is kept as `mantissa / 10**digits` with trailing
zeros stripped, then as an int64 at the scale its product uses (`volatility/scale.py`). No float
is involved anywhere. `volatility/text_kernel.py` does the same for whole columns; a property
test holds the two equal.
"""

from __future__ import annotations

import re
from typing import Final

from volatility.errors import MessageError

INT64_MAX: Final = 2**63 - 1
MAX_DIGITS: Final = 18
"""More fraction digits than this cannot be held, whatever the value."""

MAX_TEXT: Final = 64
"""Longer text is not a number anybody quotes."""

_DECIMAL = re.compile(r"([0-9]+)(?:\.([0-9]+))?")


def parse_decimal(text: str) -> tuple[int, int]:
    """Return `(mantissa, digits)` with `text == mantissa / 10**digits`, fewest digits possible.

    Only plain non-negative decimals are understood: no sign, exponent, blank or bare point.

    >>> parse_decimal("103472.280")
    (10347228, 2)

    Raises:
        MessageError: not a plain decimal, or more than int64 can hold.
    """
    match = _DECIMAL.fullmatch(text) if len(text) <= MAX_TEXT else None
    if match is None:
        raise MessageError(f"{text[:MAX_TEXT]!r} is not a plain decimal")
    fraction = (match[2] or "").rstrip("0")
    mantissa = int(match[1] + fraction)
    if mantissa > INT64_MAX or len(fraction) > MAX_DIGITS:
        raise MessageError(f"{text!r} does not fit 64 bits")
    return mantissa, len(fraction)


def to_text(value: int, scale: int) -> str:
    """Return the shortest plain decimal equal to `value / 10**scale`; never an exponent.

    >>> to_text(1, 8)
    '0.00000001'
    """
    sign, digits = ("-", str(-value)) if value < 0 else ("", str(value))
    if scale == 0:
        return sign + digits
    digits = digits.rjust(scale + 1, "0")
    return sign + f"{digits[:-scale]}.{digits[-scale:]}".rstrip("0").rstrip(".")
