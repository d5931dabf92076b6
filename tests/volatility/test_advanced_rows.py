"""Advanced Trade batches and tickers become exact rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from volatility.normalise import normalise

FrameTable = Callable[..., Any]


@pytest.mark.parametrize(("maker", "taker"), [("BUY", "sell"), ("SELL", "buy"), ("sell", "buy")])
def test_advanced_trades_carry_the_makers_side(
    frame_table: FrameTable, wire: Any, maker: str, taker: str
) -> None:
    found = normalise(frame_table([wire.market_trades(wire.trade(side=maker))], "advanced"))
    assert found.trades["taker_side"].to_pylist() == [taker]


@pytest.mark.parametrize("digits", range(10))
def test_times_keep_every_fraction_digit(frame_table: FrameTable, wire: Any, digits: int) -> None:
    fraction = "." + "123456789"[:digits] if digits else ""
    frame = wire.market_trades(wire.trade(time=f"2025-12-31T06:00:13{fraction}Z"))
    (row,) = normalise(frame_table([frame], "advanced")).trades.to_pylist()
    assert row["ts_event"] % 10**9 == int("123456789"[:digits].ljust(9, "0"))


def test_a_newest_first_batch_makes_a_row_per_trade(frame_table: FrameTable, wire: Any) -> None:
    frame = wire.market_trades(
        wire.trade("12"), wire.trade("11", product_id="ETH-USD"), wire.trade("10")
    )
    found = normalise(frame_table([frame, wire.tickers(wire.BOOK)], "advanced"))
    assert found.trades["trade_id"].to_pylist() == [12, 11, 10]
    assert found.trades["product"].to_pylist() == ["BTC-USD", "ETH-USD", "BTC-USD"]
    assert found.trade_frame.tolist() == [0, 0, 0]
    assert found.quote_frame.tolist() == [1]


def test_an_advanced_ticker_is_quotes_at_the_envelopes_time(
    frame_table: FrameTable, wire: Any
) -> None:
    found = normalise(
        frame_table([wire.tickers(wire.BOOK, wire.BOOK | {"product_id": "ETH-USD"})], "advanced")
    )
    first, second = found.quotes.to_pylist()
    assert first["ts_event"] == 1_675_974_637_167_359_596
    assert (first["sequence"], first["bid_size"]) == (3, 800_021_000_000)
    assert (first["product"], second["product"]) == ("BTC-USD", "ETH-USD")


def test_ticker_batch_has_no_book_and_so_no_rows(frame_table: FrameTable, wire: Any) -> None:
    frame = wire.tickers({"product_id": "BTC-USD", "price": "1"}, channel="ticker_batch")
    found = normalise(frame_table([frame], "advanced"))
    assert wire.told(found) == [("ticker_batch", "control", "no quote: book is empty")]
