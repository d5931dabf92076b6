"""What one line of a recording turned out to be; a line is exactly one of the three."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from volatility.frame import Frame


class Framed(msgspec.Struct, frozen=True):
    """A line that holds one received frame."""

    number: int  # of the line, from 1, empty lines included
    frame: Frame


class Control(msgspec.Struct, frozen=True):
    """A line about the recording itself: a connection opened, a message the client sent."""

    number: int
    reason: str


class Rejected(msgspec.Struct, frozen=True):
    """A line no format explains; `text` is the line as it stands in the file."""

    number: int
    reason: str
    text: bytes


Line: TypeAlias = Framed | Control | Rejected
