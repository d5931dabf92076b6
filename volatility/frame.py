"""One received frame: the unit of the log, of bronze and of replay."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Feed = Literal["exchange", "advanced", "flat", "ingestor"]
"""Which wire format a payload has.

`exchange` and `advanced` are Coinbase's two public feeds, `flat` a ticker row of somebody else's
recording kept byte for byte, `ingestor` a JSON fact the ingestor itself observed.
"""

Source = Literal["live", "replay", "sim", "rest"]
"""Where a frame came from; simulated and replayed rows say so for ever."""

FEEDS: Final[tuple[Feed, ...]] = ("exchange", "advanced", "flat", "ingestor")
SOURCES: Final[tuple[Source, ...]] = ("live", "replay", "sim", "rest")


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One frame, payload exactly as received."""

    recv_ns: int  # our clock at the socket, ns since epoch UTC
    source: Source
    feed: Feed
    conn: str  # connection id, unique per socket
    frame: int  # ordinal of the frame within its connection, from 0
    product: str | None  # "BTC-USD"; None where the frame concerns no single product
    payload: bytes
