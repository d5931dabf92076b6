"""The recording formats, told apart by the content of a line.

| format | looks like |
|---|---|
| own | `{"ts": 1762932011.609013, "pair": "BTC-USD", "raw": "<frame as a JSON string>"}` |
| envelope | `{"ingest_time": "2026-04-05T22:35:13+00:00", "product_id": …, "payload": <frame>}` |
| flat | `product_id, price, best_bid, best_ask` and a time: somebody's ticker row, kept as it is |
| bare | an exchange frame itself, `{"type": …}` or `{"channel": …, "events": […]}` |
| recorder | `url <- epoch: frame`, `epoch: frame`, `url <-> epoch`, `url -> epoch: json` |

Own lines may also carry `feed`, `source`, `conn` and `frame`; other readers of the format ignore
them. Payload bytes are never re-encoded.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from volatility.errors import MessageError
from volatility.frame import FEEDS, Feed, Source
from volatility.product import PRODUCT_PATTERN
from volatility.timestamp import parse_epoch, parse_time
from volatility.wire import DECODE_ERRORS

CLIENT_MESSAGES: Final = frozenset({"subscribe", "unsubscribe"})
"""Types only a client sends: in a recording they are notes, not frames."""

_RECORDER: Final = re.compile(
    rb"(?:(?P<url>\S+) (?P<arrow><->|<-|->) )?(?P<epoch>\d+(?:\.\d+)?)(?:: (?P<text>.*))?",
    re.DOTALL,
)
_Field = Raw | UnsetType


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """A frame found in a line, with whatever the line says about it."""

    payload: bytes
    recv_ns: int | None = None  # None: neither the line nor the frame has a time
    product: str | None = None
    feed: Feed | None = None  # None: the payload does not say
    source: Source = "replay"
    conn: str | None = None
    frame: int | None = None


class Note(msgspec.Struct, frozen=True):
    """A line that holds no frame but is understood."""

    reason: str
    opens_connection: bool = False


class _Head(msgspec.Struct):
    """The keys that tell the formats apart, values undecoded."""

    type: _Field = UNSET
    channel: _Field = UNSET
    events: _Field = UNSET
    fact: _Field = UNSET
    product_id: _Field = UNSET
    price: _Field = UNSET
    best_bid: _Field = UNSET
    best_ask: _Field = UNSET
    time: _Field = UNSET
    timestamp: _Field = UNSET
    ws_timestamp: _Field = UNSET
    received_at: _Field = UNSET
    ingest_time: _Field = UNSET
    ts: _Field = UNSET
    pair: _Field = UNSET
    raw: _Field = UNSET
    payload: _Field = UNSET
    feed: _Field = UNSET
    source: _Field = UNSET
    conn: _Field = UNSET
    frame: _Field = UNSET


_head: Final = msgspec.json.Decoder(_Head)
_text: Final = msgspec.json.Decoder(str)
_ordinal: Final = msgspec.json.Decoder(int)


def explain(line: bytes) -> Content | Note:
    """Say what a line without its newline holds.

    Raises:
        MessageError: no known format explains the line.
    """
    if line.startswith(b"{"):
        return _explain_json(line)
    if line.startswith(b"configuration: {"):
        return Note("the recorder's configuration")
    match = _RECORDER.fullmatch(line)
    if match is None:
        raise MessageError("no recording format starts like this")
    return _explain_recorder(match)


def feed_of(payload: bytes) -> Feed | None:
    """Which wire format the payload has, or None where it does not say."""
    try:
        return _feed(_head.decode(payload))
    except DECODE_ERRORS:
        return None


def _explain_recorder(match: re.Match[bytes]) -> Content | Note:
    arrow, text = match["arrow"], match["text"]
    if arrow == b"<->":
        return Note("connection opened", opens_connection=True)
    if arrow == b"->":
        return Note("REST answer")
    if text is None or not text.startswith(b"{"):
        raise MessageError("a recorder line without a JSON object")
    head = _decode(text)
    if _string(head.type) in CLIENT_MESSAGES:
        return Note("sent by the client")
    return Content(
        payload=text,
        recv_ns=parse_epoch(match["epoch"].decode()),
        product=_product(head.product_id),
        feed=_feed(head),
    )


def _explain_json(line: bytes) -> Content | Note:
    head = _decode(line)
    if head.ts is not UNSET and head.raw is not UNSET and _is_string(head.raw):
        return _own(head)
    if not isinstance(head.payload, UnsetType):
        return _envelope(head, head.payload)
    feed = _feed(head)
    if feed == "flat":
        recv = _first_time(head.received_at, head.ts, head.timestamp, head.ws_timestamp)
        return Content(payload=line, recv_ns=recv, product=_product(head.product_id), feed=feed)
    if feed is None:
        raise MessageError("a JSON object with the keys of no known format")
    if _string(head.type) in CLIENT_MESSAGES:
        return Note("sent by the client")
    recv = _lenient_time(head.time) or _lenient_time(head.timestamp)
    return Content(payload=line, recv_ns=recv, product=_product(head.product_id), feed=feed)


def _own(head: _Head) -> Content:
    payload = _string(head.raw)
    if payload is None:
        raise MessageError("not a JSON string", path="raw")
    raw = payload.encode()
    said = _string(head.feed)
    feed = next((f for f in FEEDS if f == said), None) or feed_of(raw)
    return Content(
        payload=raw,
        recv_ns=_time(head.ts, "ts"),
        product=_product(head.pair),
        feed=feed,
        source="sim" if _string(head.source) == "sim" else "replay",
        conn=_string(head.conn),
        frame=_int(head.frame),
    )


def _envelope(head: _Head, inner: Raw) -> Content:
    text = _string(inner)
    payload = bytes(inner) if text is None else text.encode()
    return Content(
        payload=payload,
        recv_ns=_first_time(head.ingest_time, head.received_at, head.ts, head.timestamp),
        product=_product(head.product_id),
        feed=feed_of(payload),
    )


def _feed(head: _Head) -> Feed | None:
    if head.channel is not UNSET and head.events is not UNSET:
        return "advanced"
    if head.fact is not UNSET and _string(head.type) == "ingestor":
        return "ingestor"
    row = (head.product_id, head.price, head.best_bid, head.best_ask)
    times = (head.ts, head.timestamp, head.ws_timestamp, head.received_at)
    if UNSET not in row and any(t is not UNSET for t in times) and head.time is UNSET:
        return "flat"
    if head.type is not UNSET:
        return "exchange"
    return "advanced" if head.channel is not UNSET else None


def _decode(text: bytes) -> _Head:
    try:
        return _head.decode(text)
    except DECODE_ERRORS as exc:
        raise MessageError(str(exc)) from exc


def _is_string(field: _Field) -> bool:
    return not isinstance(field, UnsetType) and memoryview(field).tobytes().startswith(b'"')


def _string(field: _Field) -> str | None:
    if isinstance(field, UnsetType):
        return None
    try:
        return _text.decode(field)
    except DECODE_ERRORS:
        return None


def _int(field: _Field) -> int | None:
    if isinstance(field, UnsetType):
        return None
    try:
        return _ordinal.decode(field)
    except DECODE_ERRORS:
        return None


def _product(field: _Field) -> str | None:
    text = _string(field)
    return text if text is not None and PRODUCT_PATTERN.fullmatch(text) else None


def _first_time(*fields: _Field) -> int | None:
    for field in fields:
        if field is not UNSET:
            return _time(field, "the line's time")
    return None


def _lenient_time(field: _Field) -> int | None:
    """The frame's own time; None where it is absent, unreadable or one of the zero times."""
    try:
        return _time(field, "time")
    except MessageError:
        return None


def _time(field: _Field, name: str) -> int | None:
    """Nanoseconds since epoch of an RFC 3339 string or of epoch seconds, exact."""
    if isinstance(field, UnsetType):
        raise MessageError("no time", path=name)
    text = _string(field)
    if text is None:
        return parse_epoch(bytes(field).decode(errors="replace"))
    return parse_time(text) if "-" in text else parse_epoch(text)
