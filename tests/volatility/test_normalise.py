"""Every frame is explained, whatever is mixed with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from volatility.normalise import BATCH_ROWS, Normalised, normalise

FrameTable = Callable[..., Any]

TICKER: dict[str, Any] = {
    "type": "ticker",
    "product_id": "BTC-USD",
    "price": "103472.28",
    "best_bid": "103472.27",
    "best_ask": "103472.28",
    "side": "buy",
    "time": "2025-11-12T07:20:11.615272Z",
    "trade_id": 900701309,
    "last_size": "0.00068754",
}


MATCH: dict[str, Any] = {
    "type": "match",
    "trade_id": 1081862675,
    "side": "sell",
    "size": "0.00000001",
    "price": "80691.53",
    "product_id": "BTC-USD",
    "sequence": 134905860111,
    "time": "2026-08-25T03:35:57.198335Z",
}


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


@pytest.mark.parametrize("trade_id", [929248663, "929248663"])
def test_trade_ids_may_be_numbers_or_text(frame_table: FrameTable, trade_id: object) -> None:
    for payload, feed in (
        (TICKER | {"trade_id": trade_id}, "exchange"),
        (MATCH | {"trade_id": trade_id}, "exchange"),
        (market_trades(trade(trade_id)), "advanced"),
    ):
        found = normalise(frame_table([payload], feed))
        assert found.trades["trade_id"].to_pylist() == [929248663]


def test_a_bad_part_of_a_frame_costs_that_part_and_is_told(frame_table: FrameTable) -> None:
    batch = market_trades(trade("3"), trade("2", price="x"), trade("1"))
    found = normalise(frame_table([batch, TICKER | {"last_size": None}], ["advanced", "exchange"]))
    assert found.trades["trade_id"].to_pylist() == [3, 1]
    assert found.quotes.num_rows == 1
    assert told(found) == [
        ("market_trades", "rows", "'x' is not a plain decimal - at `$.events[0].trades[1].price`"),
        ("ticker", "rows", "is missing - at `$.last_size`"),
    ]


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
