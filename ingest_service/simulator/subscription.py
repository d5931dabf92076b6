"""What one client has subscribed to, and what the exchange answers to its requests. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np

from ingest_service.simulator.market import CHANNELS
from ingest_service.simulator.wire import error_frame, subscriptions_frame
from volatility.array import Flags

_AUTHENTICATED = frozenset({"level2", "level3", "full"})
_NEEDS_KEY = (
    "level2, level3, and full channels now require authentication. "
    "https://docs.cloud.coinbase.com/exchange/docs/websocket-auth"
)


class _Channel(msgspec.Struct):
    name: str
    product_ids: list[str] | None = None


class _Request(msgspec.Struct):
    type: Literal["subscribe", "unsubscribe"]
    channels: list[str | _Channel] = []
    product_ids: list[str] = []


class _RefusedError(Exception):
    """A request the exchange does not honour: what its error frame says."""


class Subscriptions:
    """The current set of one client: products by channel, in the order they were asked for."""

    def __init__(self, products: Sequence[str]) -> None:
        self._products = list(products)
        self._channels: dict[str, list[str]] = {}
        self.wanted: Flags = np.zeros(len(CHANNELS) * len(products) + 1, dtype=bool)
        """By topic; the last one, for everybody, is set while anything is subscribed."""

    def request(self, message: str | bytes) -> tuple[bytes, list[tuple[str, str]]]:
        """Apply a client's message; return the answer and the (channel, product) pairs now new.

        The answer is the ack, or an error frame when the request is refused; then nothing changed.
        """
        try:
            asked = _decode(message)
            pairs = self._pairs(asked)
        except _RefusedError as refusal:
            return error_frame(*refusal.args), []
        if asked.type == "unsubscribe":
            for channel, product in pairs:
                self._remove(channel, product)
            fresh = []
        else:
            fresh = [pair for pair in pairs if pair[1] not in self._channels.get(pair[0], [])]
            for channel, product in fresh:
                self._channels.setdefault(channel, []).append(product)
        self._mark()
        return subscriptions_frame(self._channels), fresh

    def _pairs(self, asked: _Request) -> list[tuple[str, str]]:
        pairs: dict[tuple[str, str], None] = {}
        for one in asked.channels:
            name = one if isinstance(one, str) else one.name
            given = None if isinstance(one, str) else one.product_ids
            products = asked.product_ids if given is None else given
            self._check(asked, name, products)
            pairs |= dict.fromkeys((name, product) for product in products)
        if not pairs and asked.type == "subscribe":
            raise _RefusedError("Failed to subscribe", "no channels or product_ids provided")
        return list(pairs)

    def _check(self, asked: _Request, channel: str, products: list[str]) -> None:
        failed = f"Failed to {asked.type}"
        if channel in _AUTHENTICATED:
            raise _RefusedError(failed, _NEEDS_KEY)
        if channel not in CHANNELS:
            raise _RefusedError(failed, f"{channel} is not a valid channel")
        for product in products:
            if product not in self._products:
                raise _RefusedError(failed, f"{product} is not a valid product")

    def _remove(self, channel: str, product: str) -> None:
        held = self._channels.get(channel, [])
        if product in held:
            held.remove(product)
        if not held:
            self._channels.pop(channel, None)

    def _mark(self) -> None:
        self.wanted[:] = False
        self.wanted[-1] = bool(self._channels)
        for channel, products in self._channels.items():
            for product in products:
                self.wanted[topic(self._products.index(product), channel)] = True


def topic(product_index: int, channel: str) -> int:
    """The topic number of a channel of a product, as in `market.Block`."""
    return len(CHANNELS) * product_index + CHANNELS.index(channel)


def _decode(message: str | bytes) -> _Request:
    try:
        return msgspec.json.decode(message, type=_Request)
    except msgspec.ValidationError as exc:
        raise _RefusedError("Failed to parse request", str(exc)) from exc
    except (msgspec.DecodeError, RecursionError) as exc:
        raise _RefusedError("Malformed JSON") from exc
