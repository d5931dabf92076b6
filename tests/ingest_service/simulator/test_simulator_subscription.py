"""Requests and their answers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.simulator.subscription import Subscriptions

PRODUCTS = ("BTC-USD", "ETH-USD")


def ask(held: Subscriptions, **request: object) -> dict[str, object]:
    answer, _ = held.request(json.dumps(request))
    decoded: dict[str, object] = json.loads(answer)
    return decoded


def channels(answer: dict[str, object]) -> dict[str, list[str]]:
    assert answer["type"] == "subscriptions"
    return {c["name"]: c["product_ids"] for c in answer["channels"]}  # type: ignore[attr-defined]


def test_the_ack_is_the_full_current_set() -> None:
    held = Subscriptions(PRODUCTS)
    ask(held, type="subscribe", product_ids=["BTC-USD"], channels=["ticker"])
    answer = ask(
        held,
        type="subscribe",
        product_ids=["ETH-USD"],
        channels=["ticker", {"name": "heartbeat", "product_ids": ["BTC-USD"]}],
    )
    assert channels(answer) == {"ticker": ["BTC-USD", "ETH-USD"], "heartbeat": ["BTC-USD"]}
    assert held.wanted.tolist() == [False, True, True, False, True, False, True]


def test_only_what_is_new_is_reported_for_snapshots() -> None:
    held = Subscriptions(PRODUCTS)
    request = {"type": "subscribe", "product_ids": ["BTC-USD"], "channels": ["ticker"]}
    assert held.request(json.dumps(request))[1] == [("ticker", "BTC-USD")]
    request["product_ids"] = list(PRODUCTS)
    assert held.request(json.dumps(request).encode())[1] == [("ticker", "ETH-USD")]


def test_unsubscribing_leaves_the_rest() -> None:
    held = Subscriptions(PRODUCTS)
    ask(held, type="subscribe", product_ids=list(PRODUCTS), channels=["ticker", "matches"])
    left = ask(held, type="unsubscribe", product_ids=["BTC-USD"], channels=["ticker"])
    assert channels(left) == {"ticker": ["ETH-USD"], "matches": list(PRODUCTS)}
    none = ask(held, type="unsubscribe", product_ids=list(PRODUCTS), channels=["ticker", "matches"])
    assert channels(none) == {}
    assert not held.wanted.any()


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        ("{", "Malformed JSON"),
        (b"\xff", "Malformed JSON"),
        ('{"a":' * 100_000, "Malformed JSON"),
        ("[]", "Failed to parse request"),
        ('{"type":"shout"}', "Failed to parse request"),
        ('{"type":"subscribe","channels":7}', "Failed to parse request"),
        ('{"type":"subscribe"}', "no channels or product_ids provided"),
        (
            '{"type":"subscribe","product_ids":["BTC-USD"],"channels":["news"]}',
            "news is not a valid channel",
        ),
        (
            '{"type":"subscribe","product_ids":["BTC-USD","X-Y"],"channels":["ticker"]}',
            "X-Y is not a valid product",
        ),
        (
            '{"type":"subscribe","product_ids":["BTC-USD"],"channels":["ticker","level2"]}',
            "level2, level3, and full channels now require authentication",
        ),
    ],
)
def test_a_bad_request_gets_an_error_frame_and_changes_nothing(
    message: str | bytes, complaint: str
) -> None:
    held = Subscriptions(PRODUCTS)
    ask(held, type="subscribe", product_ids=["ETH-USD"], channels=["ticker"])
    before = held.wanted.tolist()
    answer, fresh = held.request(message)
    assert json.loads(answer)["type"] == "error"
    assert complaint in answer.decode()
    assert fresh == []
    assert held.wanted.tolist() == before


@given(st.one_of(st.binary(), st.text()))
def test_no_message_breaks_the_exchange(message: str | bytes) -> None:
    answer, _ = Subscriptions(PRODUCTS).request(message)
    assert json.loads(answer)["type"] == "error"
