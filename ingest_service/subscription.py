"""What we ask an exchange for, and whether it agreed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from volatility.wire import DECODE_ERRORS

SocketFeed = Literal["exchange", "advanced"]
"""The feeds with a socket of their own."""

Channels = dict[str, frozenset[str]]
"""Channel name to products; what was asked for, or what was acknowledged."""

URLS: Final[dict[SocketFeed, str]] = {
    "exchange": "wss://ws-feed.exchange.coinbase.com",
    "advanced": "wss://advanced-trade-ws.coinbase.com",
}

CHANNELS: Final[dict[SocketFeed, tuple[str, ...]]] = {
    "exchange": ("ticker", "matches", "heartbeat"),
    "advanced": ("heartbeats", "market_trades", "ticker"),
}
"""Channels per feed; heartbeats first on the feed that closes quiet sockets."""

MAX_PRODUCTS: Final = 50
"""Products per socket: one slow or dead socket stops at most these."""


class _ExchangeChannel(msgspec.Struct):
    name: str
    product_ids: list[str] = []


class _ExchangeAck(msgspec.Struct):
    channels: list[_ExchangeChannel]


class _AdvancedEvent(msgspec.Struct):
    subscriptions: dict[str, list[str]]


class _AdvancedAck(msgspec.Struct):
    events: list[_AdvancedEvent]


def requested(feed: SocketFeed, products: tuple[str, ...]) -> Channels:
    """What `messages` asks for. `heartbeats` concerns the socket, no product."""
    everything = frozenset(products)
    return {c: frozenset() if c == "heartbeats" else everything for c in CHANNELS[feed]}


def messages(feed: SocketFeed, products: tuple[str, ...]) -> list[bytes]:
    """The subscribe messages: one for all channels (exchange), or one per channel (advanced)."""
    ids = list(products)
    if feed == "exchange":
        channels = list(CHANNELS[feed])
        body = [{"type": "subscribe", "product_ids": ids, "channels": channels}]
    else:
        body = [_advanced(channel, ids) for channel in CHANNELS[feed]]
    return [msgspec.json.encode(message) for message in body]


def _advanced(channel: str, ids: list[str]) -> dict[str, Any]:
    message: dict[str, Any] = {"type": "subscribe", "channel": channel}
    return message if channel == "heartbeats" else message | {"product_ids": ids}


def acknowledged(feed: SocketFeed, payload: bytes) -> Channels | None:
    """The full current set a `subscriptions` frame states, or None where it is unreadable."""
    try:
        if feed == "exchange":
            ack = msgspec.json.decode(payload, type=_ExchangeAck)
            return {c.name: frozenset(c.product_ids) for c in ack.channels}
        events = msgspec.json.decode(payload, type=_AdvancedAck).events
    except DECODE_ERRORS:
        return None
    return {name: frozenset(ids) for e in events for name, ids in e.subscriptions.items()}


def missing(asked: Mapping[str, frozenset[str]], acked: Mapping[str, frozenset[str]]) -> Channels:
    """What was asked for and is not in force: products per channel; empty set: the channel."""
    return {
        channel: products - acked.get(channel, frozenset())
        for channel, products in asked.items()
        if channel not in acked or not products <= acked[channel]
    }
