"""One scale per product, exact or refused."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from volatility.errors import ContractError
from volatility.normalise import normalise
from volatility.scale import (
    MAX_SCALE,
    MIN_SCALE,
    PRICE_LIMIT,
    choose_scales,
    concat_scaled,
    rescale,
    scales_of,
    to_scale,
)

FrameTable = Callable[..., Any]
values = st.lists(st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 18)), min_size=1, max_size=8)


def column(rows: list[tuple[int, int]]) -> tuple[Any, Any, Any]:
    """Codes (all 0), mantissas and digits."""
    mantissa, digits = (np.array(part, np.int64) for part in zip(*rows, strict=True))
    return np.zeros(len(rows), np.int64), mantissa, digits


@given(values)
def test_what_fits_is_exact_and_what_does_not_is_told(rows: list[tuple[int, int]]) -> None:
    code, mantissa, digits = column(rows)
    scale = choose_scales(1, [(code, mantissa, digits)], PRICE_LIMIT)
    assert MIN_SCALE <= scale[0] <= MAX_SCALE
    fixed, fits = to_scale(mantissa, digits, scale[code], PRICE_LIMIT)
    for (m, d), value, good in zip(rows, fixed.tolist(), fits.tolist(), strict=True):
        exact = Decimal(m).scaleb(int(scale[0]) - d)
        assert good == (
            exact == exact.to_integral_value() and exact <= PRICE_LIMIT and d <= scale[0]
        )
        assert value == (exact if good else 0)


@given(values)
def test_a_value_that_fits_at_eight_digits_is_never_lost_to_a_finer_scale(
    rows: list[tuple[int, int]],
) -> None:
    code, mantissa, digits = column(rows)
    scale = choose_scales(1, [(code, mantissa, digits)], PRICE_LIMIT)
    _, at_eight = to_scale(mantissa, digits, np.full_like(code, MIN_SCALE), PRICE_LIMIT)
    _, at_scale = to_scale(mantissa, digits, scale[code], PRICE_LIMIT)
    assert (at_scale >= at_eight).all()


def some_trades(frame_table: FrameTable, *prices: str, product: str = "A-B") -> Any:
    """Trades at these prices."""
    match = {"type": "match", "product_id": product, "size": "1", "side": "sell"}
    match |= {"time": "2025-11-12T07:20:11Z"}
    frames = [match | {"price": price, "trade_id": i} for i, price in enumerate(prices)]
    return normalise(frame_table(frames)).trades


def some_quotes(frame_table: FrameTable, bid: str, **sizes: str) -> Any:
    """One quote."""
    row = {"product_id": "A-B", "best_bid": bid, "best_ask": "0.5", **sizes}
    return normalise(frame_table([row], "flat")).quotes


def test_concat_takes_the_finer_scale_per_product(frame_table: FrameTable) -> None:
    coarse, fine = some_trades(frame_table, "1.5"), some_trades(frame_table, "0.0000123456")
    other = some_trades(frame_table, "2", product="C-D")
    merged = concat_scaled([coarse, other, fine])
    assert scales_of(merged) == {"A-B": (10, 8), "C-D": (8, 8)}
    assert merged["price"].to_pylist() == [15_000_000_000, 200_000_000, 123_456]
    assert merged.schema == coarse.schema


def test_concat_keeps_nulls(frame_table: FrameTable) -> None:
    bare = some_quotes(frame_table, "0.25")
    sized = some_quotes(frame_table, "0.25", best_bid_size="0.0000000001")
    merged = concat_scaled([bare, sized])
    assert merged["bid_size"].to_pylist() == [None, 1]
    assert merged["size_scale"].to_pylist() == [10, 10]


def test_rescale_there_and_back_is_nothing(frame_table: FrameTable) -> None:
    trades = some_trades(frame_table, "1.5", "3")
    there = rescale(trades, {"A-B": (11, 9)})
    assert scales_of(there) == {"A-B": (11, 9)}
    assert rescale(there, {"A-B": (8, 8)}).equals(trades)
    assert rescale(trades, {"C-D": (12, 12)}).equals(trades)


@pytest.mark.parametrize(("price", "scale"), [("46116860184", 9), ("0.123456789", 8)])
def test_rescale_refuses_to_lose_anything(frame_table: FrameTable, price: str, scale: int) -> None:
    with pytest.raises(ContractError, match=r"rescale.price: 1 rows break"):
        rescale(some_trades(frame_table, price), {"A-B": (scale, 8)})


def test_empty_tables_pass(frame_table: FrameTable) -> None:
    empty = some_trades(frame_table)
    assert concat_scaled([empty, empty]).equals(pa.concat_tables([empty, empty]))
