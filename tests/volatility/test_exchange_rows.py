"""Exchange tickers and matches become exact rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from volatility.normalise import normalise

FrameTable = Callable[..., Any]


def test_a_ticker_is_a_trade_and_a_quote(frame_table: FrameTable, wire: Any) -> None:
    found = normalise(frame_table([wire.TICKER], source="replay", offset=41))
    common = {
        "product": "BTC-USD",
        "price_scale": 8,
        "size_scale": 8,
        "ts_event": 1_762_932_011_615_272_000,
        "ts_recv": 1_762_932_011_700_000_000,
        "sequence": 115498669093,
        "source": "replay",
        "feed": "exchange",
        "offset": 41,
    }
    assert found.trades.to_pylist() == [
        common
        | {"trade_id": 900701309, "price": 10347228000000, "size": 68754}
        | {"taker_side": "buy", "maker_side": "sell"}
    ]
    assert found.quotes.to_pylist() == [
        common
        | {"bid": 10347227000000, "ask": 10347228000000}
        | {"bid_size": 4145138, "ask_size": 2560996}
    ]
    assert wire.told(found) == [("ticker", "rows", None)]


@pytest.mark.parametrize(("side", "other"), [("buy", "sell"), ("sell", "buy")])
def test_the_tickers_side_is_the_takers_and_the_matches_the_makers(
    frame_table: FrameTable, wire: Any, side: str, other: str
) -> None:
    found = normalise(frame_table([wire.TICKER | {"side": side}, wire.MATCH | {"side": side}]))
    assert found.trades["taker_side"].to_pylist() == [side, other]
    assert found.trades["maker_side"].to_pylist() == [other, side]


def test_last_match_is_a_trade(frame_table: FrameTable, wire: Any) -> None:
    found = normalise(frame_table([wire.MATCH | {"type": "last_match"}]))
    assert found.trades["size"].to_pylist() == [1]
    assert wire.told(found) == [("last_match", "rows", None)]


def test_a_product_never_traded_has_no_rows_and_says_why(
    frame_table: FrameTable, wire: Any
) -> None:
    found = normalise(frame_table([wire.NEVER_TRADED]))
    assert (found.trades.num_rows, found.quotes.num_rows) == (0, 0)
    assert wire.told(found) == [("ticker", "control", "no quote: book is empty")]


def test_a_product_never_traded_with_a_book_has_a_quote_at_its_receipt(
    frame_table: FrameTable,
    wire: Any,
) -> None:
    found = normalise(frame_table([wire.NEVER_TRADED | {"best_bid": "0.04", "best_ask": "0.05"}]))
    assert found.trades.num_rows == 0
    (quote,) = found.quotes.to_pylist()
    assert quote["ts_event"] == quote["ts_recv"]
    assert (quote["bid"], quote["ask"], quote["sequence"]) == (4_000_000, 5_000_000, None)


@pytest.mark.parametrize(
    ("book", "reason"),
    [
        ({"best_bid": "0", "best_ask": "0.00"}, "no quote: book is empty"),
        ({"best_bid": "", "best_ask": ""}, "no quote: book is empty"),
        ({"best_bid": None, "best_ask": None}, "no quote: book is empty"),
        ({"best_bid": "0"}, "no quote: book is one-sided"),
        ({"best_ask": ""}, "no quote: book is one-sided"),
        ({"best_bid": "103472.29"}, "no quote: book is crossed"),
    ],
)
def test_a_book_without_two_uncrossed_sides_gives_no_quote_and_says_why(
    frame_table: FrameTable, wire: Any, book: dict[str, str], reason: str
) -> None:
    found = normalise(frame_table([wire.TICKER | book]))
    assert (found.trades.num_rows, found.quotes.num_rows) == (1, 0)
    assert wire.told(found) == [("ticker", "rows", reason)]


def test_a_locked_book_is_a_quote(frame_table: FrameTable, wire: Any) -> None:
    found = normalise(frame_table([wire.TICKER | {"best_bid": wire.TICKER["best_ask"]}]))
    assert found.quotes["bid"] == found.quotes["ask"]


def test_sizes_of_the_book_may_be_absent_as_before_2022(frame_table: FrameTable, wire: Any) -> None:
    old = {
        key: value
        for key, value in wire.TICKER.items()
        if not key.endswith(("bid_size", "ask_size"))
    }
    (quote,) = normalise(frame_table([old])).quotes.to_pylist()
    assert (quote["bid_size"], quote["ask_size"]) == (None, None)


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00.000000Z", "1970-01-01T00:00:00Z"])
def test_a_zero_time_is_replaced_by_the_receipt_and_says_so(
    frame_table: FrameTable, wire: Any, time: str
) -> None:
    found = normalise(frame_table([wire.TICKER | {"time": time}]))
    assert found.trades["ts_event"] == found.trades["ts_recv"]
    assert found.quotes["ts_event"] == found.quotes["ts_recv"]
    assert wire.told(found) == [("ticker", "rows", f"{time!r} is a zero time, receive time taken")]


def test_a_local_clock_behind_the_exchange_stays_behind(frame_table: FrameTable, wire: Any) -> None:
    early = 1_762_932_011_615_272_000 - 18_700_000
    (row,) = normalise(frame_table([wire.TICKER], recv_ns=early)).trades.to_pylist()
    assert row["ts_recv"] - row["ts_event"] == -18_700_000
