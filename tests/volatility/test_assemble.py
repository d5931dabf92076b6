"""Tables have the lake's columns, one scale per product, and nothing that does not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from data_lake.tables import QUOTES, TRADES
from volatility.normalise import normalise

FrameTable = Callable[..., Any]


def test_more_decimals_raise_the_products_scale_alone(frame_table: FrameTable, wire: Any) -> None:
    fine = wire.MATCH | {"product_id": "SHIB-USD", "price": "0.0000123456", "size": "1000000"}
    found = normalise(frame_table([fine, wire.MATCH, fine | {"price": "0.000012", "trade_id": 5}]))
    assert found.trades["price_scale"].to_pylist() == [10, 8, 10]
    assert found.trades["price"].to_pylist() == [123456, 8069153000000, 120000]
    assert found.trades["size_scale"].to_pylist() == [8, 8, 8]


@pytest.mark.parametrize("price", ["46116860185", "4611686018427387904", "0.0000000000001"])
def test_a_value_no_scale_can_hold_is_rejected_and_told(
    frame_table: FrameTable, wire: Any, price: str
) -> None:
    found = normalise(
        frame_table([wire.MATCH | {"price": "46116860184"}, wire.MATCH | {"price": price}])
    )
    assert found.trades["price"].to_pylist() == [4_611_686_018_400_000_000]
    (_, good), (_, bad) = ((kind, verdict) for kind, verdict, _ in wire.told(found))
    assert (good, bad) == ("rows", "rejected")
    assert "does not fit" in (wire.told(found)[1][2] or "")


def test_twice_a_price_fits_int64(frame_table: FrameTable, wire: Any) -> None:
    """Mids are kept as bid + ask."""
    frame = wire.NEVER_TRADED | {"best_bid": "46116860184", "best_ask": "46116860184"}
    (quote,) = normalise(frame_table([frame])).quotes.to_pylist()
    assert quote["bid"] + quote["ask"] < 2**63


def test_the_tables_have_the_lakes_columns_and_types(frame_table: FrameTable, wire: Any) -> None:
    for payloads in ([], [wire.TICKER]):
        found = normalise(frame_table(payloads))
        assert found.trades.schema.names == TRADES.schema.names
        assert found.trades.schema.types == TRADES.schema.types
        assert found.quotes.schema.names == QUOTES.schema.names
        assert found.quotes.schema.types == QUOTES.schema.types
