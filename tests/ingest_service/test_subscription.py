"""What is asked for, and what the exchange agreed to."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.subscription import (
    MAX_PRODUCTS,
    SocketFeed,
    acknowledged,
    messages,
    missing,
    requested,
)

BOTH = ("BTC-USD", "ETH-USD")


def test_the_exchange_feed_takes_all_channels_in_one_message() -> None:
    (message,) = messages("exchange", BOTH)
    assert json.loads(message) == {
        "type": "subscribe",
        "product_ids": ["BTC-USD", "ETH-USD"],
        "channels": ["ticker", "matches", "heartbeat"],
    }


def test_the_advanced_feed_takes_one_channel_per_message_and_heartbeats_no_product() -> None:
    sent = [json.loads(message) for message in messages("advanced", BOTH)]
    ids = list(BOTH)
    assert sent == [
        {"type": "subscribe", "channel": "heartbeats"},
        {"type": "subscribe", "channel": "market_trades", "product_ids": ids},
        {"type": "subscribe", "channel": "ticker", "product_ids": ids},
    ]


def test_a_large_subscription_is_far_below_any_limit_of_the_server() -> None:
    products = tuple(f"ABCDEF{n}-USDC" for n in range(MAX_PRODUCTS))
    assert max(map(len, messages("exchange", products))) < 4096


def test_an_exchange_ack_is_the_full_current_set() -> None:
    payload = (
        b'{"type":"subscriptions","channels":[{"name":"ticker","product_ids":["BTC-USD"],'
        b'"account_ids":null}]}'
    )
    acked = acknowledged("exchange", payload)
    assert acked == {"ticker": frozenset({"BTC-USD"})}
    assert missing(requested("exchange", BOTH), acked) == {
        "ticker": frozenset({"ETH-USD"}),
        "matches": frozenset(BOTH),
        "heartbeat": frozenset(BOTH),
    }


def test_an_advanced_ack_with_everything_lacks_nothing() -> None:
    payload = (
        b'{"channel":"subscriptions","sequence_num":0,"events":[{"subscriptions":'
        b'{"heartbeats":["heartbeats"],"market_trades":["BTC-USD","ETH-USD"],'
        b'"ticker":["ETH-USD","BTC-USD"]}}]}'
    )
    acked = acknowledged("advanced", payload)
    assert acked is not None
    assert missing(requested("advanced", BOTH), acked) == {}


@pytest.mark.parametrize("feed", ["exchange", "advanced"])
@given(payload=st.binary(max_size=100))
def test_an_unreadable_ack_is_none_not_an_error(feed: SocketFeed, payload: bytes) -> None:
    assert acknowledged(feed, payload) is None or isinstance(acknowledged(feed, payload), dict)
