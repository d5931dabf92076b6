"""Products and their traits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.simulator.listing import LISTINGS, listing
from volatility.errors import ProductError


def test_known_products_have_a_character_of_their_own() -> None:
    assert listing("BTC-USD") is LISTINGS["BTC-USD"]
    assert listing("BTC-USD").trades_per_s == 1.2
    assert listing("BTC-USD").price_digits == 2


@given(st.from_regex(r"[A-Z0-9]{1,16}-[A-Z0-9]{1,16}", fullmatch=True))
def test_any_valid_product_has_a_fine_price_grid(product: str) -> None:
    one = listing(product)
    assert one.product == product
    assert one == listing(product)
    assert one.price * 10**one.price_digits >= 1_000  # a tick is at most 10 bps


def test_a_malformed_product_is_refused() -> None:
    with pytest.raises(ProductError, match="btcusd"):
        listing("btcusd")
