"""Single Advanced Trade messages, typed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from volatility import advanced
from volatility.advanced import DECODE, KIND_OF_CHANNEL, Unread, fallback
from volatility.wire import KINDS, Failure, decode_all


def decode(payload: bytes) -> Any:
    """The way every payload goes."""
    (message,) = decode_all([payload], DECODE, fallback)
    return message


def test_an_acknowledgement_lists_what_is_subscribed_and_counts() -> None:
    message = decode(
        b'{"channel":"subscriptions","timestamp":"2026-04-05T22:35:13.925350911Z",'
        b'"sequence_num":1,"events":[{"subscriptions":{"ticker":["BTC-USD"]}}]}'
    )
    assert isinstance(message, advanced.Subscriptions)
    assert message.events[0].subscriptions == {"ticker": ["BTC-USD"]}
    assert message.sequence_num == 1


@pytest.mark.parametrize("counter", [14191, "14191"])
@pytest.mark.parametrize("client", [{}, {"client_id": ""}])
def test_a_heartbeat_carries_gos_time_and_a_counter(
    counter: object, client: dict[str, str]
) -> None:
    time = "2023-10-23 14:43:13.362521689 +0000 UTC m=+425760.164580852"
    event = {"current_time": time, "heartbeat_counter": counter}
    frame = {"channel": "heartbeats", "sequence_num": 150, "events": [event]} | client
    message = decode(json.dumps(frame).encode())
    assert isinstance(message, advanced.Heartbeats)
    assert (message.events[0].current_time, message.events[0].heartbeat_counter) == (time, 14191)


def test_an_error_has_no_channel() -> None:
    message = decode(b'{"type":"error","message":"authentication failure"}')
    assert message == Unread("error", "authentication failure")


def test_our_own_subscribe_in_a_recording_is_recognised() -> None:
    payload = b'{"type":"subscribe","product_ids":["BTC-USD"],"foo":"ticker"}'
    assert decode(payload) == Unread("subscribe")


def test_an_unknown_channel_is_named() -> None:
    assert decode(b'{"channel":"l3"}') == Unread("unknown", "channel 'l3' is not known")


@pytest.mark.parametrize("payload", [b"{", b"{}", b'{"channel":"ticker"}', b'{"channel":1}'])
def test_what_is_no_message_is_a_failure(payload: bytes) -> None:
    assert isinstance(decode(payload), Failure)


def test_every_channel_has_a_kind_that_exists() -> None:
    assert set(KIND_OF_CHANNEL.values()) <= set(KINDS)
