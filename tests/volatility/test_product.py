"""Ids pass an allow-list; increments are given or inferred."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from volatility.errors import MessageError, ProductError
from volatility.normalise import normalise
from volatility.product import (
    Product,
    check_product,
    infer_products,
    parse_products,
    read_products,
)

FrameTable = Callable[..., Any]
BTC = Product(product="BTC-USD", price_step=Decimal("0.01"), size_step=Decimal("1e-8"))


@pytest.mark.parametrize("product", ["BTC-USD", "00-USD", "1INCH-EUR", "A-B"])
def test_pairs_pass(product: str) -> None:
    assert check_product(product) == product


@pytest.mark.parametrize(
    "product",
    [
        "",
        "BTC",
        "btc-usd",
        "BTC-USD\n",
        "BTC-USD-X",
        "../x-Y",
        "BTC_USD",
        "A-",
        "-B",
        "A" * 17 + "-B",
    ],
)
def test_anything_else_is_refused(product: str) -> None:
    with pytest.raises(ProductError, match="is not of the form BASE-QUOTE"):
        check_product(product)


def test_a_list_keeps_its_order_and_drops_repeats() -> None:
    assert parse_products("ETH-USD, BTC-USD,ETH-USD") == ("ETH-USD", "BTC-USD")
    assert parse_products(["BTC-USD"]) == ("BTC-USD",)


@pytest.mark.parametrize("text", ["", "BTC-USD,,ETH-USD", []])
def test_an_empty_entry_is_refused(text: str | list[str]) -> None:
    with pytest.raises(ProductError):
        parse_products(text)


def test_a_product_knows_its_currencies() -> None:
    assert (BTC.base, BTC.quote) == ("BTC", "USD")


@pytest.mark.parametrize(
    "answer",
    [
        [{"id": "BTC-USD", "quote_increment": "0.01", "base_increment": "0.00000001"}],
        [{"id": "BTC-USD", "quote_increment": "0.010", "base_increment": " 0.00000001"}],
        {
            "type": "status",
            "products": [
                {
                    "id": "BTC-USD",
                    "quote_increment": "0.01",
                    "base_increment": "0.00000001",
                    "status": "online",
                    "status_message": None,
                }
            ],
        },
        {
            "products": [
                {
                    "product_id": "BTC-USD",
                    "price_increment": "0.01",
                    "quote_increment": "0.00000001",
                    "base_increment": "0.00000001",
                }
            ]
        },
    ],
)
def test_every_answer_of_the_exchange_is_understood(answer: object) -> None:
    assert read_products(json.dumps(answer).encode()) == {"BTC-USD": BTC}


@pytest.mark.parametrize("halt", [{"status": "delisted"}, {"trading_disabled": True}])
def test_a_halted_product_is_not_online(halt: dict[str, object]) -> None:
    row = {"id": "A-B", "quote_increment": "1", "base_increment": "1"}
    assert read_products(json.dumps([row]).encode())["A-B"].online
    assert not read_products(json.dumps([row | halt]).encode())["A-B"].online


def test_ids_outside_the_allow_list_are_left_out() -> None:
    row = {"product_id": "BIT-28JUN24-CDE", "price_increment": "5", "base_increment": "1"}
    assert read_products(json.dumps({"products": [row]}).encode()) == {}


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"5",
        b'[{"id":"A-B"}]',
        b'[{"id":"A-B","quote_increment":"0","base_increment":"1"}]',
        b'[{"id":"A-B","quote_increment":"1e-8","base_increment":"1"}]',
        b'[{"id":5}]',
    ],
)
def test_a_broken_answer_is_a_domain_error(payload: bytes) -> None:
    with pytest.raises(MessageError):
        read_products(payload)


def test_steps_are_inferred_from_what_was_seen(frame_table: FrameTable) -> None:
    row = {"product_id": "A-B", "best_ask": "2", "best_ask_size": "300"}
    frames = [row | {"best_bid": "1.25", "best_bid_size": "100"}, row | {"best_bid": "1.5"}]
    found = infer_products(normalise(frame_table(frames, "flat")).quotes)
    assert found == {
        "A-B": Product(product="A-B", price_step=Decimal("0.01"), size_step=Decimal(100))
    }


def test_without_sizes_the_size_step_is_the_scale(frame_table: FrameTable) -> None:
    row = {"product_id": "A-B", "best_bid": "1", "best_ask": "2"}
    found = infer_products(normalise(frame_table([row], "flat")).quotes)
    assert found["A-B"].size_step == Decimal("1e-8")
