"""Single Exchange messages, typed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from volatility import exchange
from volatility.exchange import DECODE, KIND_OF_TYPE, fallback
from volatility.wire import KINDS, Failure, decode_all


def decode(payload: bytes) -> Any:
    """The way every payload goes."""
    (message,) = decode_all([payload], DECODE, fallback)
    return message


def test_an_acknowledgement_lists_what_is_subscribed() -> None:
    payload = (
        b'{"type":"subscriptions","channels":[{"name":"level2_50","product_ids":["BTC-USD"],'
        b'"account_ids":null}]}'
    )
    message = decode(payload)
    assert isinstance(message, exchange.Subscriptions)
    assert [(c.name, c.product_ids) for c in message.channels] == [("level2_50", ["BTC-USD"])]


def test_a_heartbeat_tells_the_last_trade() -> None:
    payload = (
        b'{"type":"heartbeat","sequence":90,"last_trade_id":20,"product_id":"BTC-USD",'
        b'"time":"2014-11-07T08:19:28.464459Z"}'
    )
    message = decode(payload)
    assert isinstance(message, exchange.Heartbeat)
    assert (message.product_id, message.last_trade_id) == ("BTC-USD", 20)


def test_an_error_keeps_the_exchanges_words() -> None:
    message = decode(b'{"type":"error","message":"Failed to subscribe","reason":"ask nicely"}')
    assert isinstance(message, exchange.Error)
    assert (message.message, message.reason) == ("Failed to subscribe", "ask nicely")


def test_an_absent_reason_is_empty() -> None:
    message = decode(b'{"type":"error","message":"ErrSlowConsume"}')
    assert isinstance(message, exchange.Error)
    assert message.reason == ""


def test_a_last_match_is_a_match() -> None:
    payload = {"type": "last_match", "trade_id": 1, "side": "buy", "size": "1", "price": "2"}
    message = decode(json.dumps(payload | {"product_id": "BTC-USD"}).encode())
    assert isinstance(message, exchange.Match)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("received", "full"), ("rfq_match", "rfq_match"), ("tomorrow", "?tomorrow")],
)
def test_types_we_need_nothing_from_are_their_kind(name: str, kind: str) -> None:
    assert decode(json.dumps({"type": name}).encode()) == kind


@pytest.mark.parametrize("payload", [b"{", b"{}", b'{"type":"ticker"}', b'{"type":1}'])
def test_what_is_no_message_is_a_failure(payload: bytes) -> None:
    assert isinstance(decode(payload), Failure)


def test_every_type_has_a_kind_that_exists() -> None:
    assert set(KIND_OF_TYPE.values()) <= set(KINDS)
