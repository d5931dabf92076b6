"""Tables have the lake's columns, one scale per product and hour, and nothing that does not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_lake.tables import QUOTES, TRADES
from volatility.assemble import HOUR_NS
from volatility.normalise import normalise

FrameTable = Callable[..., Any]


def test_more_decimals_raise_the_products_scale_alone(frame_table: FrameTable, wire: Any) -> None:
    fine = wire.MATCH | {"product_id": "SHIB-USD", "price": "0.0000123456", "size": "1000000"}
    found = normalise(frame_table([fine, wire.MATCH, fine | {"price": "0.000012", "trade_id": 5}]))
    assert found.trades["price_scale"].to_pylist() == [10, 8, 10]
    assert found.trades["price"].to_pylist() == [123456, 8069153000000, 120000]
    assert found.trades["size_scale"].to_pylist() == [8, 8, 8]


def test_a_large_value_ejects_no_row_of_another_hour(frame_table: FrameTable, wire: Any) -> None:
    fine = wire.MATCH | {"price": "0.0000123456"}
    large = wire.MATCH | {"price": "46116860184", "time": "2026-08-25T04:00:00Z"}
    found = normalise(frame_table([fine, large]))
    assert found.trades["price"].to_pylist() == [123456, 4_611_686_018_400_000_000]
    assert found.trades["price_scale"].to_pylist() == [10, 8]


MIDNIGHT_NS = 1_762_905_600_000_000_000  # 2025-11-12
PRICES = ("1.5", "0.0000123456", "0.123456789012", "46116860184", "4000000000.123456789")
SIGHTINGS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["A-B", "C-D"]),
        st.sampled_from(PRICES),
        st.sampled_from(PRICES),
    ),
    max_size=12,
)


@given(SIGHTINGS)
def test_an_hours_rows_do_not_depend_on_the_hours_parsed_beside_it(
    frame_table: FrameTable, wire: Any, sightings: list[tuple[int, str, str, str]]
) -> None:
    payloads = [
        wire.TICKER
        | {"product_id": product, "price": price, "last_size": size, "trade_id": i + 1}
        | {"best_bid": price, "best_ask": "46116860184", "time": f"2025-11-12T0{hour}:59:59Z"}
        for i, (hour, product, price, size) in enumerate(sightings)
    ]
    frames = frame_table(payloads)
    together = normalise(frames)
    for hour in range(3):
        own = pa.array([sighting[0] == hour for sighting in sightings], pa.bool_())
        apart = normalise(frames.filter(own))
        start = MIDNIGHT_NS + hour * HOUR_NS
        for name in ("trades", "quotes"):
            rows = getattr(together, name)
            mine = [start <= ts < start + HOUR_NS for ts in rows["ts_event"].to_pylist()]
            assert rows.filter(pa.array(mine, pa.bool_())).equals(getattr(apart, name))


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
