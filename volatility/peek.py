"""A cheap look at one payload: whose it is, what it is, when it happened.

For the Kafka key and the hours in a bronze file's footer. Never raises, never decides: a frame it
cannot read is kind `unknown` with nothing else known, and `normalise` says why.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from volatility import advanced, exchange, flat
from volatility.errors import MessageError
from volatility.frame import Feed
from volatility.product import PRODUCT_PATTERN
from volatility.timestamp import parse_time
from volatility.wire import DECODE_ERRORS, Payload


class Peek(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a glance tells.

    Times are the exchange's, or a flat row's receive time where it has none.
    """

    kind: str = "unknown"  # as in wire.KINDS
    product: str | None = None  # the one product concerned, allow-listed; else None
    events_ns: tuple[int, ...] = ()  # ns since epoch UTC of everything inside, in wire order
    at_receipt: bool = False  # something that may make a row has no time: its receipt stands in

    @property
    def event_ns(self) -> int | None:
        """The newest instant in the frame, ns since epoch UTC."""
        return max(self.events_ns, default=None)

    def instants_ns(self, recv_ns: int) -> tuple[int, ...]:
        """Every `ts_event` the frame's rows can have, when it was received at `recv_ns`.

        Heartbeats and the like add their own; no row is ever made at an instant not in here.
        """
        return (*self.events_ns, recv_ns) if self.at_receipt else self.events_ns


class _Exchange(msgspec.Struct, gc=False):
    type: str
    product_id: str | None = None
    time: str | None = None


class _Item(msgspec.Struct, gc=False):
    product_id: str | None = None
    time: str | None = None


class _Event(msgspec.Struct, gc=False):
    product_id: str | None = None
    tickers: list[_Item] = []
    trades: list[_Item] = []


class _Advanced(msgspec.Struct, gc=False):
    channel: str | None = None
    type: str | None = None
    timestamp: str | None = None
    events: list[_Event] = []


_EXCHANGE: Final[Any] = msgspec.json.Decoder(_Exchange).decode
_ADVANCED: Final[Any] = msgspec.json.Decoder(_Advanced).decode
_NOTHING: Final = Peek()
_ROW_KINDS: Final = frozenset({"ticker", "ticker_batch", "match", "last_match", "market_trades"})
"""Kinds of frame that can make rows."""


def peek(payload: Payload, feed: Feed) -> Peek:
    """Glance at one payload of `feed`."""
    try:
        if feed == "exchange":
            return _peek_exchange(_EXCHANGE(payload))
        if feed == "advanced":
            return _peek_advanced(_ADVANCED(payload))
        if feed == "flat":
            return _peek_flat(flat.decode(payload))
    except (*DECODE_ERRORS, MessageError):
        return _NOTHING
    return Peek(kind="ingestor") if feed == "ingestor" else _NOTHING


def _peek_exchange(message: _Exchange) -> Peek:
    kind = exchange.KIND_OF_TYPE.get(message.type, "unknown")
    events_ns = _instants([message.time])
    return Peek(
        kind=kind,
        product=_allowed({message.product_id}),
        events_ns=events_ns,
        at_receipt=not events_ns and kind in _ROW_KINDS,
    )


def _peek_advanced(message: _Advanced) -> Peek:
    if message.channel is None:
        return Peek(kind="error" if message.type == "error" else "unknown")
    items = [item for event in message.events for item in (*event.tickers, *event.trades)]
    ids = {item.product_id for item in items} | {event.product_id for event in message.events}
    times = [trade.time for event in message.events for trade in event.trades]
    times = times or [message.timestamp]
    kind = advanced.KIND_OF_CHANNEL.get(message.channel, "unknown")
    events_ns = _instants(times)
    return Peek(
        kind=kind,
        product=_allowed(ids - {None}),
        events_ns=events_ns,
        at_receipt=len(events_ns) < len(times) and kind in _ROW_KINDS,
    )


def _peek_flat(row: flat.FlatTicker) -> Peek:
    instant = flat.event_ns(row)
    if instant is None:
        instant = flat.receive_ns(row)
    return Peek(
        kind="ticker",
        product=_allowed({row.product_id}),
        events_ns=() if instant is None else (instant,),
        at_receipt=flat.event_ns(row) is None,
    )


def _allowed(products: set[str | None]) -> str | None:
    """The only product, when it is one and allow-listed."""
    if len(products) != 1:
        return None
    (product,) = products
    return product if product is not None and PRODUCT_PATTERN.fullmatch(product) else None


def _instants(texts: list[str | None]) -> tuple[int, ...]:
    """Times that can be read; zero times and nonsense are left out."""
    found = []
    for text in texts:
        try:
            instant = parse_time(text) if text else None
        except MessageError:
            continue
        if instant is not None:
            found.append(instant)
    return tuple(found)
