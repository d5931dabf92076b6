"""A frame as a Kafka message and back: value = the bytes, everything else in key and headers."""

from __future__ import annotations

from typing import Any, Final

from volatility.frame import FEEDS, SOURCES, Feed, Frame, Source

Headers = list[tuple[str, bytes]]

_SOURCE_BYTES: Final = {source: source.encode() for source in SOURCES}
_FEED_BYTES: Final = {feed: feed.encode() for feed in FEEDS}
_SOURCES: Final[dict[bytes, Source]] = {b: s for s, b in _SOURCE_BYTES.items()}
_FEEDS: Final[dict[bytes, Feed]] = {b: f for f, b in _FEED_BYTES.items()}


def to_headers(frame: Frame) -> Headers:
    """The headers of `ticks.raw`: recv_ns, source, feed, conn, frame, all as text."""
    return [
        ("recv_ns", b"%d" % frame.recv_ns),
        ("source", _SOURCE_BYTES[frame.source]),
        ("feed", _FEED_BYTES[frame.feed]),
        ("conn", frame.conn.encode()),
        ("frame", b"%d" % frame.frame),
    ]


def to_key(product: str | None) -> bytes | None:
    """The message key: all frames of one product share a partition and keep their order."""
    return None if product is None else product.encode()


def from_record(record: Any) -> Frame:
    """The frame in a consumed record; never raises, whoever produced it.

    A header that is missing or unreadable gets a stated default: recv_ns the log append time,
    source `replay` (not one of our sockets), feed `exchange`, conn empty, frame 0.
    """
    headers = dict(record.headers)
    return Frame(
        recv_ns=_integer(headers.get("recv_ns"), record.timestamp * 1_000_000),
        source=_SOURCES.get(headers.get("source", b""), "replay"),
        feed=_FEEDS.get(headers.get("feed", b""), "exchange"),
        conn=headers.get("conn", b"").decode(errors="replace"),
        frame=_integer(headers.get("frame"), 0),
        product=None if record.key is None else record.key.decode(errors="replace"),
        payload=record.value or b"",
    )


def _integer(text: bytes | None, default: int) -> int:
    if text is None or len(text) > 19 or not text.removeprefix(b"-").isdigit():
        return default
    value = int(text)
    return value if -(2**63) <= value < 2**63 else default
