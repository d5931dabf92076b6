"""Frames become exact rows, and every frame is explained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from data_lake.tables import QUOTES, TRADES
from volatility.normalise import BATCH_ROWS, Normalised, normalise

FrameTable = Callable[..., Any]

TICKER: dict[str, Any] = {
    "type": "ticker",
    "sequence": 115498669093,
    "product_id": "BTC-USD",
    "price": "103472.28",
    "open_24h": "104763.2",
    "volume_24h": "5461.74127717",
    "low_24h": "102422.43",
    "high_24h": "105504.83",
    "volume_30d": "222137.61075405",
    "best_bid": "103472.27",
    "best_bid_size": "0.04145138",
    "best_ask": "103472.28",
    "best_ask_size": "0.02560996",
    "side": "buy",
    "time": "2025-11-12T07:20:11.615272Z",
    "trade_id": 900701309,
    "last_size": "0.00068754",
}
MATCH: dict[str, Any] = {
    "type": "match",
    "trade_id": 1081862675,
    "maker_order_id": "f07e510f",
    "side": "sell",
    "size": "0.00000001",
    "price": "80691.53",
    "product_id": "BTC-USD",
    "sequence": 134905860111,
    "time": "2026-08-25T03:35:57.198335Z",
}
NEVER_TRADED = {
    "type": "ticker",
    "product_id": "HBAR-USD",
    "price": "0",
    "open_24h": "0",
    "best_bid": "0.00000",
    "best_ask": "0.00000",
}


GO_TIME = "2023-10-23 14:43:13.362521689 +0000 UTC m=+425760.164580852"
"""What Go's `time.String()` makes: heartbeats carry it."""


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


def test_a_ticker_is_a_trade_and_a_quote(frame_table: FrameTable) -> None:
    found = normalise(frame_table([TICKER], source="replay", offset=41))
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
    assert told(found) == [("ticker", "rows", None)]


def test_the_tables_have_the_lakes_columns_and_types(frame_table: FrameTable) -> None:
    for payloads in ([], [TICKER]):
        found = normalise(frame_table(payloads))
        assert found.trades.schema.names == TRADES.schema.names
        assert found.trades.schema.types == TRADES.schema.types
        assert found.quotes.schema.names == QUOTES.schema.names
        assert found.quotes.schema.types == QUOTES.schema.types


@pytest.mark.parametrize(("side", "other"), [("buy", "sell"), ("sell", "buy")])
def test_the_tickers_side_is_the_takers_and_the_matches_the_makers(
    frame_table: FrameTable, side: str, other: str
) -> None:
    found = normalise(frame_table([TICKER | {"side": side}, MATCH | {"side": side}]))
    assert found.trades["taker_side"].to_pylist() == [side, other]
    assert found.trades["maker_side"].to_pylist() == [other, side]


@pytest.mark.parametrize(("maker", "taker"), [("BUY", "sell"), ("SELL", "buy"), ("sell", "buy")])
def test_advanced_trades_carry_the_makers_side(
    frame_table: FrameTable, maker: str, taker: str
) -> None:
    found = normalise(frame_table([market_trades(trade(side=maker))], "advanced"))
    assert found.trades["taker_side"].to_pylist() == [taker]


def test_last_match_is_a_trade(frame_table: FrameTable) -> None:
    found = normalise(frame_table([MATCH | {"type": "last_match"}]))
    assert found.trades["size"].to_pylist() == [1]
    assert told(found) == [("last_match", "rows", None)]


def test_a_product_never_traded_has_no_rows_and_says_why(frame_table: FrameTable) -> None:
    found = normalise(frame_table([NEVER_TRADED]))
    assert (found.trades.num_rows, found.quotes.num_rows) == (0, 0)
    assert told(found) == [("ticker", "control", "no quote: book is empty")]


def test_a_product_never_traded_with_a_book_has_a_quote_at_its_receipt(
    frame_table: FrameTable,
) -> None:
    found = normalise(frame_table([NEVER_TRADED | {"best_bid": "0.04", "best_ask": "0.05"}]))
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
    frame_table: FrameTable, book: dict[str, str], reason: str
) -> None:
    found = normalise(frame_table([TICKER | book]))
    assert (found.trades.num_rows, found.quotes.num_rows) == (1, 0)
    assert told(found) == [("ticker", "rows", reason)]


def test_a_locked_book_is_a_quote(frame_table: FrameTable) -> None:
    found = normalise(frame_table([TICKER | {"best_bid": TICKER["best_ask"]}]))
    assert found.quotes["bid"] == found.quotes["ask"]


def test_sizes_of_the_book_may_be_absent_as_before_2022(frame_table: FrameTable) -> None:
    old = {
        key: value for key, value in TICKER.items() if not key.endswith(("bid_size", "ask_size"))
    }
    (quote,) = normalise(frame_table([old])).quotes.to_pylist()
    assert (quote["bid_size"], quote["ask_size"]) == (None, None)


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00.000000Z", "1970-01-01T00:00:00Z"])
def test_a_zero_time_is_replaced_by_the_receipt_and_says_so(
    frame_table: FrameTable, time: str
) -> None:
    found = normalise(frame_table([TICKER | {"time": time}]))
    assert found.trades["ts_event"] == found.trades["ts_recv"]
    assert found.quotes["ts_event"] == found.quotes["ts_recv"]
    assert told(found) == [("ticker", "rows", f"{time!r} is a zero time, receive time taken")]


@pytest.mark.parametrize("digits", range(10))
def test_times_keep_every_fraction_digit(frame_table: FrameTable, digits: int) -> None:
    fraction = "." + "123456789"[:digits] if digits else ""
    frame = market_trades(trade(time=f"2025-12-31T06:00:13{fraction}Z"))
    (row,) = normalise(frame_table([frame], "advanced")).trades.to_pylist()
    assert row["ts_event"] % 10**9 == int("123456789"[:digits].ljust(9, "0"))


def test_a_local_clock_behind_the_exchange_stays_behind(frame_table: FrameTable) -> None:
    early = 1_762_932_011_615_272_000 - 18_700_000
    (row,) = normalise(frame_table([TICKER], recv_ns=early)).trades.to_pylist()
    assert row["ts_recv"] - row["ts_event"] == -18_700_000


@pytest.mark.parametrize("trade_id", [929248663, "929248663"])
def test_trade_ids_may_be_numbers_or_text(frame_table: FrameTable, trade_id: object) -> None:
    for payload, feed in (
        (TICKER | {"trade_id": trade_id}, "exchange"),
        (MATCH | {"trade_id": trade_id}, "exchange"),
        (market_trades(trade(trade_id)), "advanced"),
    ):
        found = normalise(frame_table([payload], feed))
        assert found.trades["trade_id"].to_pylist() == [929248663]


def test_a_newest_first_batch_makes_a_row_per_trade(frame_table: FrameTable) -> None:
    frame = market_trades(trade("12"), trade("11", product_id="ETH-USD"), trade("10"))
    found = normalise(frame_table([frame, TICKER], ["advanced", "exchange"]))
    assert found.trades["trade_id"].to_pylist() == [12, 11, 10, 900701309]
    assert found.trades["product"].to_pylist() == ["BTC-USD", "ETH-USD", "BTC-USD", "BTC-USD"]
    assert found.trade_frame.tolist() == [0, 0, 0, 1]
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


@pytest.mark.parametrize(
    ("feed", "payload", "kind"),
    [
        ("exchange", {"type": "subscriptions", "channels": [{"name": "ticker"}]}, "subscriptions"),
        (
            "exchange",
            {"type": "heartbeat", "last_trade_id": 0, "product_id": "BTC-USD", "sequence": 90},
            "heartbeat",
        ),
        ("exchange", {"type": "snapshot", "product_id": "BTC-USD", "asks": [["1", "2"]]}, "level2"),
        (
            "exchange",
            {"type": "l2update", "product_id": "BTC-USD", "changes": [["buy", "1", "0.-10000"]]},
            "level2",
        ),
        ("exchange", {"type": "status", "products": [], "currencies": []}, "status"),
        ("exchange", {"type": "subscribe", "channels": ["level2"]}, "subscribe"),
        ("exchange", {"type": "received", "product_id": "BTC-USD"}, "full"),
        ("exchange", {"type": "auction", "timestamp": "x"}, "auction"),
        ("exchange", {"type": "rfq_match", "trade_id": 1}, "rfq_match"),
        (
            "advanced",
            {"channel": "subscriptions", "events": [{"subscriptions": {"level2": ["BTC-USD"]}}]},
            "subscriptions",
        ),
        (
            "advanced",
            {
                "channel": "heartbeats",
                "client_id": "",
                "timestamp": "2023-10-23T14:43:13.362842145Z",
                "sequence_num": 150,
                "events": [
                    {
                        "current_time": GO_TIME,
                        "heartbeat_counter": 14191,
                    }
                ],
            },
            "heartbeat",
        ),
        (
            "advanced",
            {"channel": "heartbeats", "events": [{"heartbeat_counter": "14191"}]},
            "heartbeat",
        ),
        (
            "advanced",
            {
                "channel": "l2_data",
                "events": [
                    {
                        "type": "snapshot",
                        "product_id": "BTC-USD",
                        "updates": [
                            {
                                "side": "offer",
                                "event_time": "1970-01-01T00:00:00Z",
                                "price_level": "1",
                            }
                        ],
                    }
                ],
            },
            "level2",
        ),
        ("advanced", {"channel": "status", "events": [{"products": []}]}, "status"),
        ("advanced", {"channel": "candles", "events": []}, "candles"),
        ("ingestor", {"event": "connected"}, "ingestor"),
    ],
)
def test_control_frames_are_named_and_silent(
    frame_table: FrameTable, feed: str, payload: object, kind: str
) -> None:
    assert told(normalise(frame_table([payload], feed))) == [(kind, "control", None)]


@pytest.mark.parametrize(
    ("feed", "payload", "kind", "reason"),
    [
        (
            "exchange",
            {"type": "error", "message": "Failed to subscribe", "reason": "level2 requires auth"},
            "error",
            "Failed to subscribe: level2 requires auth",
        ),
        (
            "advanced",
            {"type": "error", "message": "authentication failure"},
            "error",
            "authentication failure",
        ),
        ("exchange", {"type": "tocker"}, "unknown", "type 'tocker' is not known"),
        ("advanced", {"channel": "l3", "events": 5}, "unknown", "channel 'l3' is not known"),
    ],
)
def test_errors_and_unknown_types_are_control_and_quoted(
    frame_table: FrameTable, feed: str, payload: object, kind: str, reason: str
) -> None:
    assert told(normalise(frame_table([payload], feed))) == [(kind, "control", reason)]


@pytest.mark.parametrize(
    ("feed", "payload", "kind", "reason"),
    [
        ("exchange", b"", "unknown", "Input data was truncated"),
        ("exchange", b"[]", "unknown", "Expected `object`, got `array`"),
        ("exchange", {"price": "1"}, "unknown", "Object missing required field `type`"),
        (
            "exchange",
            TICKER | {"price": 103472.28},
            "ticker",
            "Expected `str | null`, got `float` - at `$.price`",
        ),
        (
            "exchange",
            TICKER | {"trade_id": 2**63},
            "ticker",
            "Expected `int` <= 9223372036854775807 - at `$.trade_id`",
        ),
        (
            "exchange",
            TICKER | {"side": "both"},
            "ticker",
            "Invalid enum value 'both' - at `$.side`",
        ),
        (
            "exchange",
            {"type": "match", "product_id": "BTC-USD"},
            "match",
            "Object missing required field `trade_id`",
        ),
        (
            "exchange",
            MATCH | {"price": "1e5"},
            "match",
            "'1e5' is not a plain decimal - at `$.price`",
        ),
        ("exchange", MATCH | {"size": "0"}, "match", "'0' is zero - at `$.size`"),
        (
            "exchange",
            MATCH | {"time": "yesterday"},
            "match",
            "'yesterday' is not an RFC 3339 time - at `$.time`",
        ),
        (
            "exchange",
            MATCH | {"product_id": "../../etc"},
            "match",
            "'../../etc' is not a product id - at `$.product_id`",
        ),
        (
            "exchange",
            {"type": "snapshot", "product_id": "btc-usd"},
            "level2",
            "'btc-usd' is not a product id - at `$.product_id`",
        ),
        (
            "advanced",
            market_trades(trade(), trade(price=5)),
            "market_trades",
            "Expected `str`, got `int` - at `$.events[0].trades[1].price`",
        ),
        (
            "advanced",
            market_trades(trade(side="UNKNOWN_ORDER_SIDE")),
            "market_trades",
            "is missing or neither buy nor sell - at `$.events[0].trades[0].side`",
        ),
        (
            "advanced",
            tickers(BOOK | {"best_bid": "a"}),
            "ticker",
            "'a' is not a plain decimal - at `$.events[0].tickers[0].best_bid`",
        ),
        ("advanced", {"foo": 1}, "unknown", "Object missing required field `channel`"),
        ("flat", {"price": "1"}, "unknown", "Object missing required field `product_id`"),
        ("carrier-pigeon", {}, "unknown", "feed 'carrier-pigeon' is not known"),
    ],
)
def test_what_cannot_be_understood_is_rejected_with_its_path(
    frame_table: FrameTable, feed: str, payload: object, kind: str, reason: str
) -> None:
    assert told(normalise(frame_table([payload], feed))) == [(kind, "rejected", reason)]


def test_a_bad_part_of_a_frame_costs_that_part_and_is_told(frame_table: FrameTable) -> None:
    batch = market_trades(trade("3"), trade("2", price="x"), trade("1"))
    found = normalise(frame_table([batch, TICKER | {"last_size": None}], ["advanced", "exchange"]))
    assert found.trades["trade_id"].to_pylist() == [3, 1]
    assert found.quotes.num_rows == 1
    assert told(found) == [
        ("market_trades", "rows", "'x' is not a plain decimal - at `$.events[0].trades[1].price`"),
        ("ticker", "rows", "is missing - at `$.last_size`"),
    ]


def test_more_decimals_raise_the_products_scale_alone(frame_table: FrameTable) -> None:
    fine = MATCH | {"product_id": "SHIB-USD", "price": "0.0000123456", "size": "1000000"}
    found = normalise(frame_table([fine, MATCH, fine | {"price": "0.000012", "trade_id": 5}]))
    assert found.trades["price_scale"].to_pylist() == [10, 8, 10]
    assert found.trades["price"].to_pylist() == [123456, 8069153000000, 120000]
    assert found.trades["size_scale"].to_pylist() == [8, 8, 8]


@pytest.mark.parametrize("price", ["46116860185", "4611686018427387904", "0.0000000000001"])
def test_a_value_no_scale_can_hold_is_rejected_and_told(
    frame_table: FrameTable, price: str
) -> None:
    found = normalise(frame_table([MATCH | {"price": "46116860184"}, MATCH | {"price": price}]))
    assert found.trades["price"].to_pylist() == [4_611_686_018_400_000_000]
    (_, good), (_, bad) = ((kind, verdict) for kind, verdict, _ in told(found))
    assert (good, bad) == ("rows", "rejected")
    assert "does not fit" in (told(found)[1][2] or "")


def test_twice_a_price_fits_int64(frame_table: FrameTable) -> None:
    """Mids are kept as bid + ask."""
    frame = NEVER_TRADED | {"best_bid": "46116860184", "best_ask": "46116860184"}
    (quote,) = normalise(frame_table([frame])).quotes.to_pylist()
    assert quote["bid"] + quote["ask"] < 2**63


def test_frames_of_all_feeds_may_be_mixed_and_rows_keep_their_order(
    frame_table: FrameTable,
) -> None:
    flat = {"product_id": "BTC-USD", "best_bid": "1", "best_ask": "2", "ts": 1762932011.5}
    payloads = [flat, TICKER, tickers(BOOK), MATCH, {"x": 1}, flat, TICKER]
    feeds = ["flat", "exchange", "advanced", "exchange", "ingestor", "flat", "exchange"]
    found = normalise(frame_table(payloads, feeds))
    assert found.quote_frame.tolist() == [0, 1, 2, 5, 6]
    assert found.quotes["offset"].to_pylist() == [0, 1, 2, 5, 6]
    assert found.quotes["feed"].to_pylist() == ["flat", "exchange", "advanced", "flat", "exchange"]
    assert found.trade_frame.tolist() == [1, 3, 6]


def test_chunks_and_batches_do_not_show(frame_table: FrameTable) -> None:
    """Batches bound memory; an odd frame lands where it was."""
    import pyarrow as pa

    n = BATCH_ROWS + 100
    payloads: list[object] = [TICKER | {"trade_id": i + 1} for i in range(n)]
    payloads[BATCH_ROWS + 7] = b"{"
    whole = normalise(frame_table(payloads))
    table = frame_table(payloads)
    parts = normalise(pa.concat_tables([table.slice(0, 11), table.slice(11, 5), table.slice(16)]))
    assert whole.trades.equals(parts.trades)
    assert whole.quotes.equals(parts.quotes)
    assert told(whole) == told(parts)
    assert told(whole)[BATCH_ROWS + 7][1] == "rejected"
    assert whole.counts() == {("ticker", "rows"): n - 1, ("unknown", "rejected"): 1}


def test_no_frames_make_no_rows(frame_table: FrameTable) -> None:
    found = normalise(frame_table([]))
    assert (found.trades.num_rows, found.quotes.num_rows, found.counts()) == (0, 0, {})
