"""Whatever is received twice is kept once, and nothing else is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from data_lake.tables import QUOTES, TRADES
from volatility.dedupe import (
    distinct_quote_rows,
    distinct_quotes,
    distinct_trade_rows,
    distinct_trades,
)
from volatility.normalise import normalise
from volatility.record import OBSERVED_QUOTES
from volatility.record import TRADES as TRADE_SCHEMA

FrameTable = Callable[..., Any]

products = st.sampled_from(["ETH-USD", "BTC-USD"])
small = st.integers(0, 3)
trade_rows = st.lists(st.tuples(products, small, small, small), max_size=20)
quote_rows = st.lists(
    st.tuples(products, small, st.none() | small, small, st.integers(1, 2)), max_size=20
)


def trades(rows: list[tuple[str, int, int, int]]) -> Any:
    """Trades of (product, trade_id, ts_recv, price)."""
    return pa.Table.from_pylist(
        [
            {"product": product, "trade_id": trade_id, "ts_recv": ts_recv, "price": price + 1}
            | {"size": 1, "price_scale": 8, "size_scale": 8, "ts_event": 5, "offset": offset}
            | {"taker_side": "buy", "maker_side": "sell", "source": "live", "feed": "exchange"}
            for offset, (product, trade_id, ts_recv, price) in enumerate(rows)
        ],
        schema=TRADE_SCHEMA,
    )


def quotes(rows: list[tuple[str, int, int | None, int, int]]) -> Any:
    """Quotes of (product, ts_event, sequence, ts_recv, bid)."""
    return pa.Table.from_pylist(
        [
            {"product": product, "ts_event": ts_event, "sequence": sequence, "ts_recv": ts_recv}
            | {"bid": bid, "ask": 9, "bid_size": None, "ask_size": 3, "offset": offset}
            | {"price_scale": 8, "size_scale": 8, "source": "live", "feed": "flat"}
            for offset, (product, ts_event, sequence, ts_recv, bid) in enumerate(rows)
        ],
        schema=OBSERVED_QUOTES,
    )


def keys(table: Any, names: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """The key columns, row by row."""
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


@given(trade_rows)
def test_trades_are_sorted_and_unique_in_their_key(
    rows: list[tuple[str, int, int, int]],
) -> None:
    found = keys(distinct_trades(trades(rows)), TRADES.key)
    assert found == sorted(set(found))
    assert set(found) == {row[:2] for row in rows}


@given(trade_rows)
def test_the_first_sighting_of_a_trade_stays(rows: list[tuple[str, int, int, int]]) -> None:
    for row in distinct_trades(trades(rows)).to_pylist():
        sightings = [
            (ts_recv, offset)
            for offset, (product, trade_id, ts_recv, _) in enumerate(rows)
            if (product, trade_id) == (row["product"], row["trade_id"])
        ]
        assert (row["ts_recv"], row["offset"]) == min(sightings)


@given(quote_rows)
def test_quotes_are_sorted_and_unique_in_their_key(
    rows: list[tuple[str, int, int | None, int, int]],
) -> None:
    found = distinct_quotes(quotes(rows))
    assert found.schema.equals(QUOTES.schema.remove_metadata())
    assert found["sequence"].null_count == 0
    assert keys(found, QUOTES.key) == sorted(set(keys(found, QUOTES.key)))


@given(quote_rows)
def test_no_quote_with_another_content_is_lost_where_the_wire_has_no_sequence(
    rows: list[tuple[str, int, int | None, int, int]],
) -> None:
    found = distinct_quotes(quotes(rows)).to_pylist()
    bare = {(p, ts, bid) for p, ts, sequence, _, bid in rows if sequence is None}
    assert bare <= {(row["product"], row["ts_event"], row["bid"]) for row in found}
    numbered = {(p, ts, sequence) for p, ts, sequence, _, _ in rows if sequence is not None}
    assert len(found) == len(bare) + len(numbered)


@given(quote_rows)
def test_a_quote_with_a_sequence_keeps_it(
    rows: list[tuple[str, int, int | None, int, int]],
) -> None:
    found = keys(distinct_quotes(quotes(rows)), QUOTES.key)
    assert {(p, ts, s) for p, ts, s, _, _ in rows if s is not None} <= set(found)


@given(quote_rows, trade_rows)
def test_twice_is_as_good_as_once(
    quote_list: list[tuple[str, int, int | None, int, int]],
    trade_list: list[tuple[str, int, int, int]],
) -> None:
    once = quotes(quote_list)
    assert distinct_quotes(pa.concat_tables([once, once])).equals(distinct_quotes(once))
    done = distinct_quotes(once)
    assert distinct_quotes(done.cast(OBSERVED_QUOTES)).equals(done)
    all_trades = trades(trade_list)
    doubled = pa.concat_tables([all_trades, all_trades])
    assert distinct_trades(doubled).equals(distinct_trades(all_trades))


@given(quote_rows, st.randoms(use_true_random=False))
def test_the_order_of_arrival_in_the_table_does_not_matter(
    rows: list[tuple[str, int, int | None, int, int]], random: Any
) -> None:
    table = quotes(rows)
    order = list(range(len(rows)))
    random.shuffle(order)
    shuffled = table.take(pa.array(order, pa.int64()))
    assert distinct_quotes(shuffled).equals(distinct_quotes(table))


def test_ordinals_count_in_order_of_receipt_from_zero() -> None:
    found = distinct_quotes(quotes([("A-B", 1, None, 3, 2), ("A-B", 1, None, 2, 1)] * 2))
    assert found["sequence"].to_pylist() == [0, 1]
    assert found["bid"].to_pylist() == [1, 2]


def test_ordinals_go_on_from_the_wires_own_sequences() -> None:
    """A flat recording and a live one of the same instant share the key space."""
    found = distinct_quotes(quotes([("A-B", 1, None, 0, 2), ("A-B", 1, 7, 0, 1)]))
    assert found["sequence"].to_pylist() == [7, 8]


def test_the_kept_rows_are_told_by_index() -> None:
    table = trades([("A-B", 2, 1, 0), ("A-B", 1, 1, 0), ("A-B", 2, 0, 0)])
    assert distinct_trade_rows(table).tolist() == [1, 2]
    table = quotes([("A-B", 2, 1, 1, 1), ("A-B", 1, None, 1, 1), ("A-B", 1, None, 0, 1)])
    assert distinct_quote_rows(table).tolist() == [2, 0]


def test_the_snapshot_after_a_reconnect_is_no_new_trade(frame_table: FrameTable) -> None:
    """Exchange ticker, match and last_match of one trade, Advanced batch again: one row."""
    ticker: dict[str, Any] = {
        "type": "ticker",
        "product_id": "BTC-USD",
        "price": "5",
        "best_bid": "4",
    }
    ticker |= {"best_ask": "5", "side": "buy", "time": "2025-11-12T07:20:11Z", "trade_id": 9}
    ticker |= {"last_size": "1", "sequence": 3}
    match: dict[str, Any] = {
        "type": "match",
        "product_id": "BTC-USD",
        "price": "5",
        "size": "1",
        "side": "sell",
    }
    match |= {"time": "2025-11-12T07:20:11Z", "trade_id": 9, "sequence": 3}
    trade = {k: v for k, v in match.items() if k not in ("type", "sequence")} | {"trade_id": "9"}
    batch = {"channel": "market_trades", "events": [{"trades": [trade, trade]}]}
    frames = frame_table(
        [ticker, match, match | {"type": "last_match"}, batch, ticker],
        ["exchange", "exchange", "exchange", "advanced", "exchange"],
    )
    found = normalise(frames)
    assert found.trades.num_rows == 6
    assert distinct_trades(found.trades)["offset"].to_pylist() == [0]
    assert distinct_quotes(found.quotes)["offset"].to_pylist() == [0]
    assert set(found.trades["taker_side"].to_pylist()) == {"buy"}
