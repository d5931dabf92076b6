"""Every frame is explained, whatever is mixed with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from volatility.normalise import BATCH_ROWS, normalise

FrameTable = Callable[..., Any]


@pytest.mark.parametrize("trade_id", [929248663, "929248663"])
def test_trade_ids_may_be_numbers_or_text(
    frame_table: FrameTable, wire: Any, trade_id: object
) -> None:
    for payload, feed in (
        (wire.TICKER | {"trade_id": trade_id}, "exchange"),
        (wire.MATCH | {"trade_id": trade_id}, "exchange"),
        (wire.market_trades(wire.trade(trade_id)), "advanced"),
    ):
        found = normalise(frame_table([payload], feed))
        assert found.trades["trade_id"].to_pylist() == [929248663]


def test_a_bad_part_of_a_frame_costs_that_part_and_is_told(
    frame_table: FrameTable, wire: Any
) -> None:
    batch = wire.market_trades(wire.trade("3"), wire.trade("2", price="x"), wire.trade("1"))
    found = normalise(
        frame_table([batch, wire.TICKER | {"last_size": None}], ["advanced", "exchange"])
    )
    assert found.trades["trade_id"].to_pylist() == [3, 1]
    assert found.quotes.num_rows == 1
    assert wire.told(found) == [
        ("market_trades", "rows", "'x' is not a plain decimal - at `$.events[0].trades[1].price`"),
        ("ticker", "rows", "is missing - at `$.last_size`"),
    ]


def test_a_frame_that_lost_a_row_is_told_from_one_with_a_remark(
    frame_table: FrameTable, wire: Any
) -> None:
    """A never traded product, an empty book or a zero time lose nothing; a fault does."""
    lossy = [wire.TICKER | {"price": price} for price in ("NaN", None, "1" * 41)]
    lossy += [wire.TICKER | {"best_bid": "abc"}]
    whole = [wire.TICKER | {"best_bid": "0", "best_ask": "0"}]
    whole += [wire.TICKER | {"time": "0001-01-01T00:00:00Z"}]
    whole += [wire.NEVER_TRADED | {"best_bid": "1", "best_ask": "2"}]
    found = normalise(frame_table([*lossy, *whole, wire.TICKER, b"{"]))
    assert found.verdict.to_pylist() == ["rows"] * 8 + ["rejected"]
    assert found.partly_rejected.tolist() == [True] * 4 + [False] * 5
    assert all(found.reason.to_pylist()[:6])
    batch = wire.market_trades(wire.trade("3"), wire.trade("2", price="x"))
    assert normalise(frame_table([batch], "advanced")).partly_rejected.tolist() == [True]


def test_frames_of_all_feeds_may_be_mixed_and_rows_keep_their_order(
    frame_table: FrameTable,
    wire: Any,
) -> None:
    flat = {"product_id": "BTC-USD", "best_bid": "1", "best_ask": "2", "ts": 1762932011.5}
    payloads = [flat, wire.TICKER, wire.tickers(wire.BOOK), wire.MATCH, {"x": 1}, flat, wire.TICKER]
    feeds = ["flat", "exchange", "advanced", "exchange", "ingestor", "flat", "exchange"]
    found = normalise(frame_table(payloads, feeds))
    assert found.quote_frame.tolist() == [0, 1, 2, 5, 6]
    assert found.quotes["offset"].to_pylist() == [0, 1, 2, 5, 6]
    assert found.quotes["feed"].to_pylist() == ["flat", "exchange", "advanced", "flat", "exchange"]
    assert found.trade_frame.tolist() == [1, 3, 6]


def test_chunks_and_batches_do_not_show(frame_table: FrameTable, wire: Any) -> None:
    """Batches bound memory; an odd frame lands where it was."""
    import pyarrow as pa

    n = BATCH_ROWS + 100
    payloads: list[object] = [wire.TICKER | {"trade_id": i + 1} for i in range(n)]
    payloads[BATCH_ROWS + 7] = b"{"
    whole = normalise(frame_table(payloads))
    table = frame_table(payloads)
    parts = normalise(pa.concat_tables([table.slice(0, 11), table.slice(11, 5), table.slice(16)]))
    assert whole.trades.equals(parts.trades)
    assert whole.quotes.equals(parts.quotes)
    assert wire.told(whole) == wire.told(parts)
    assert wire.told(whole)[BATCH_ROWS + 7][1] == "rejected"
    assert whole.counts() == {("ticker", "rows"): n - 1, ("unknown", "rejected"): 1}


def test_no_frames_make_no_rows(frame_table: FrameTable) -> None:
    found = normalise(frame_table([]))
    assert (found.trades.num_rows, found.quotes.num_rows, found.counts()) == (0, 0, {})
