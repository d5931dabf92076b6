"""Advanced Trade batches and tickers become exact rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from volatility.normalise import Normalised, normalise

FrameTable = Callable[..., Any]


def market_trades(*trades: dict[str, Any], **envelope: Any) -> dict[str, Any]:
    """An Advanced Trade frame of trades."""
    head = {"channel": "market_trades", "timestamp": "2025-12-31T06:00:13.715382929Z"}
    return head | {"sequence_num": 7, "events": [{"type": "update", "trades": trades}]} | envelope


def trade(trade_id: object = "929248663", **other: Any) -> dict[str, Any]:
    """A trade of `market_trades`."""
    own = {"product_id": "BTC-USD", "trade_id": trade_id, "price": "88355.58", "side": "BUY"}
    return own | {"size": "0.00003338", "time": "2025-12-31T06:00:13.65457Z"} | other


def tickers(*rows: dict[str, Any], channel: str = "ticker") -> dict[str, Any]:
    """An Advanced Trade frame of tickers."""
    head = {"channel": channel, "timestamp": "2023-02-09T20:30:37.167359596Z", "sequence_num": 3}
    return head | {"events": [{"type": "snapshot", "tickers": rows}]}


BOOK = {
    "product_id": "BTC-USD",
    "best_bid": "21931.98",
    "best_bid_quantity": "8000.21",
    "best_ask": "21933.98",
    "best_ask_quantity": "8038.07770938",
}


def told(found: Normalised) -> list[tuple[str, str, str | None]]:
    """(kind, verdict, reason) of every frame."""
    columns = (found.kind, found.verdict, found.reason)
    return list(zip(*(column.to_pylist() for column in columns), strict=True))


@pytest.mark.parametrize(("maker", "taker"), [("BUY", "sell"), ("SELL", "buy"), ("sell", "buy")])
def test_advanced_trades_carry_the_makers_side(
    frame_table: FrameTable, maker: str, taker: str
) -> None:
    found = normalise(frame_table([market_trades(trade(side=maker))], "advanced"))
    assert found.trades["taker_side"].to_pylist() == [taker]


@pytest.mark.parametrize("digits", range(10))
def test_times_keep_every_fraction_digit(frame_table: FrameTable, digits: int) -> None:
    fraction = "." + "123456789"[:digits] if digits else ""
    frame = market_trades(trade(time=f"2025-12-31T06:00:13{fraction}Z"))
    (row,) = normalise(frame_table([frame], "advanced")).trades.to_pylist()
    assert row["ts_event"] % 10**9 == int("123456789"[:digits].ljust(9, "0"))


def test_a_newest_first_batch_makes_a_row_per_trade(frame_table: FrameTable) -> None:
    frame = market_trades(trade("12"), trade("11", product_id="ETH-USD"), trade("10"))
    found = normalise(frame_table([frame, tickers(BOOK)], "advanced"))
    assert found.trades["trade_id"].to_pylist() == [12, 11, 10]
    assert found.trades["product"].to_pylist() == ["BTC-USD", "ETH-USD", "BTC-USD"]
    assert found.trade_frame.tolist() == [0, 0, 0]
    assert found.quote_frame.tolist() == [1]


def test_an_advanced_ticker_is_quotes_at_the_envelopes_time(frame_table: FrameTable) -> None:
    found = normalise(frame_table([tickers(BOOK, BOOK | {"product_id": "ETH-USD"})], "advanced"))
    first, second = found.quotes.to_pylist()
    assert first["ts_event"] == 1_675_974_637_167_359_596
    assert (first["sequence"], first["bid_size"]) == (3, 800_021_000_000)
    assert (first["product"], second["product"]) == ("BTC-USD", "ETH-USD")


def test_ticker_batch_has_no_book_and_so_no_rows(frame_table: FrameTable) -> None:
    frame = tickers({"product_id": "BTC-USD", "price": "1"}, channel="ticker_batch")
    found = normalise(frame_table([frame], "advanced"))
    assert told(found) == [("ticker_batch", "control", "no quote: book is empty")]
