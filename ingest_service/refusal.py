"""What an exchange says when it refuses a request, and which products it means."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from volatility.wire import DECODE_ERRORS

SHOWN: Final = 300
"""Most characters of an error that are shown."""


class _Error(msgspec.Struct):
    message: str = ""
    reason: str = ""


def error_text(payload: bytes) -> str:
    """Message and reason of an error frame; the frame itself where it has neither."""
    try:
        error = msgspec.json.decode(payload, type=_Error)
    except DECODE_ERRORS:
        error = _Error()
    said = ": ".join(part for part in (error.message, error.reason) if part)
    return (said or payload.decode(errors="replace"))[:SHOWN]


def named(text: str, products: Iterable[str]) -> set[str]:
    """Those of `products` that the text names as whole words."""
    words = set(re.findall(r"[A-Z0-9]+(?:-[A-Z0-9]+)+", text))
    return words & set(products)
