"""Coinbase Exchange websocket: message types and their decoding.

Fields are only those we read, in wire order (msgspec finds keys faster so); keys we do not know
are skipped, so the exchange may add some. Integers may come as text. `Ticker.side` is the
taker's, `Match.side` the maker's.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

from volatility.wire import DECODE_ERRORS, Failure, Payload, tag

Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""An id or sequence that fits int64."""

Side = Literal["buy", "sell"]


class Message(msgspec.Struct, tag_field="type", frozen=True, kw_only=True, gc=False):
    """Any Exchange message; `type` tells which."""


class Ticker(Message, tag="ticker", frozen=True, kw_only=True, gc=False):
    """Top of book after a trade, with that trade; also `ticker_batch` and `ticker_1000`.

    A product never traded has no sequence, side, time, trade_id, last_size. Sizes of the book
    came about 2022.
    """

    sequence: Id | None = None  # of the product's order events; only its order means something
    product_id: str
    price: str | None = None  # quote currency
    best_bid: str | None = None  # quote currency
    best_bid_size: str | None = None  # base currency
    best_ask: str | None = None
    best_ask_size: str | None = None
    side: Side | None = None  # the taker's
    time: str | None = None  # RFC 3339
    trade_id: Id | None = None
    last_size: str | None = None  # base currency


class Match(Message, tag="match", frozen=True, kw_only=True, gc=False):
    """One execution, from the channel `matches`."""

    trade_id: Id
    side: Side  # the maker's
    size: str  # base currency
    price: str  # quote currency
    product_id: str
    sequence: Id | None = None
    time: str | None = None


class LastMatch(Match, tag="last_match", frozen=True, kw_only=True, gc=False):
    """The newest execution at the time of subscribing: often one we already have."""


class Heartbeat(Message, tag="heartbeat", frozen=True, kw_only=True, gc=False):
    """Once a second and product; `last_trade_id` 0 means the exchange does not know."""

    sequence: Id | None = None
    last_trade_id: Id | None = None
    product_id: str
    time: str | None = None


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """One channel of an acknowledgement."""

    name: str
    product_ids: list[str] = []


class Subscriptions(Message, tag="subscriptions", frozen=True, kw_only=True):
    """The full set of what is subscribed now."""

    channels: list[Channel] = []


class Error(Message, tag="error", frozen=True, kw_only=True, gc=False):
    """The exchange refused something."""

    message: str = ""
    reason: str = ""


class Snapshot(Message, tag="snapshot", frozen=True, kw_only=True, gc=False):
    """Whole book of `level2_batch`; recognised, levels not read."""

    product_id: str


class L2Update(Message, tag="l2update", frozen=True, kw_only=True, gc=False):
    """Changes of the book of `level2_batch`; recognised, changes not read."""

    product_id: str


class Status(Message, tag="status", frozen=True, kw_only=True, gc=False):
    """Products and currencies, every five seconds; recognised, not read."""


class _Envelope(msgspec.Struct):
    type: str


AnyMessage = (
    Ticker | Match | LastMatch | Heartbeat | Subscriptions | Error | Snapshot | L2Update | Status
)

KIND: Final[dict[type, str]] = {
    Ticker: "ticker",
    Match: "match",
    LastMatch: "last_match",
    Heartbeat: "heartbeat",
    Subscriptions: "subscriptions",
    Error: "error",
    Snapshot: "level2",
    L2Update: "level2",
    Status: "status",
}
UNREAD: Final = {
    "subscribe": "subscribe",
    "unsubscribe": "subscribe",
    "received": "full",
    "open": "full",
    "done": "full",
    "change": "full",
    "activate": "full",
    "auction": "auction",
    "rfq_match": "rfq_match",
}
"""Types we know of and need nothing from: the client's own, the full channel, auctions, RFQ."""

KIND_OF_TYPE: Final = {tag(cls): kind for cls, kind in KIND.items()} | UNREAD

DECODE: Final[Any] = msgspec.json.Decoder(AnyMessage, strict=False).decode
"""Decodes one payload to a message, or raises one of `DECODE_ERRORS`."""

_ENVELOPE: Final[Any] = msgspec.json.Decoder(_Envelope).decode


def fallback(payload: Payload, reason: str) -> Failure | str:
    """The kind of a message we do not read, or why it is none."""
    try:
        name = _ENVELOPE(payload).type
    except DECODE_ERRORS:
        return Failure("unknown", reason)
    if name in UNREAD:
        return UNREAD[name]
    return Failure(KIND_OF_TYPE[name], reason) if name in KIND_OF_TYPE else f"?{name}"
