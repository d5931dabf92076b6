"""Bars from ticks: what belongs to a second, what is known of it, and what is not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_lake.tables import BARS_1S
from volatility.bar import bars_1s
from volatility.tick import HOUR_NS, SECOND_NS


def bars(tape: Any, seconds: int = 200, hour: int = 0) -> list[dict[str, Any]]:
    start = tape.START_NS + hour * HOUR_NS
    table = bars_1s(tape.quotes(), tape.trades(), start, start + seconds * SECOND_NS)
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def test_a_table_of_bars_keeps_the_contract_of_the_lake(new_tape: Any) -> None:
    tape = new_tape().quote(1.0, 99.0, 101.0)
    table = bars_1s(tape.quotes(), tape.trades(), tape.START_NS, tape.START_NS + HOUR_NS)
    assert table.cast(BARS_1S.schema).schema == BARS_1S.schema
    assert table.num_rows == 3600


def test_an_event_at_the_close_belongs_to_the_next_bar(new_tape: Any) -> None:
    rows = bars(new_tape().quote(1.0, 99.0, 101.0).trade(2.0, 0.5).trade(1.999999999, 0.25))
    assert [row["n_quotes"] for row in rows[:4]] == [0, 1, 0, 0]
    assert [row["volume"] for row in rows[:4]] == [0.0, 0.25, 0.5, 0.0]


def test_every_quote_and_trade_of_the_hour_is_in_exactly_one_bar(make_tape: Any) -> None:
    tape = make_tape(3, 2.0, 2000, ("BTC-USD", "ETH-USD"))
    quotes, trades = tape.quotes(), tape.trades()
    rows = bars(tape, 7200)
    assert sum(row["n_quotes"] for row in rows) == quotes.num_rows
    assert sum(row["n_trades"] for row in rows) == trades.num_rows


def test_the_grid_comes_from_the_bounds_and_not_from_the_ticks(new_tape: Any) -> None:
    tape = new_tape().quote(-1800.0, 99.0, 101.0).trade(50.0, 1.0, product="ETH-USD")
    rows = bars(tape, 3600)
    assert len(rows) == 7200
    assert [row["ts"] for row in rows[:3600]] == [
        tape.START_NS + i * SECOND_NS for i in range(1, 3601)
    ]
    assert {row["product"] for row in rows} == {"BTC-USD", "ETH-USD"}


def test_ticks_outside_the_hour_before_and_this_one_change_nothing(new_tape: Any) -> None:
    def tape() -> Any:
        return new_tape().quote(-3600.0, 99.0, 101.0).quote(5.0, 99.0, 102.0)

    extra = tape().quote(-3600.1, 50.0, 51.0).trade(3600.0, 9.0, product="XRP-USD")
    assert bars(extra, 3600) == bars(tape(), 3600)


def test_a_bar_opens_with_the_mid_carried_into_it(new_tape: Any) -> None:
    tape = new_tape().quote(-10.0, 99.0, 101.0).quote(0.5, 99.0, 103.0).quote(0.7, 97.0, 99.0)
    first = bars(tape)[0]
    mids = [first[f"mid2_{name}"] for name in ("open", "high", "low", "close")]
    assert mids == [20000, 20200, 19600, 19600]
    assert first["r"] == pytest.approx(math.log(98 / 100), rel=1e-15)
    assert first["age_ns"] == 300_000_000


@given(mids=st.lists(st.integers(1, 10**15), min_size=2, max_size=2), digits=st.integers(0, 3))
def test_a_return_does_not_depend_on_the_price_scale(
    new_tape: Any, mids: list[int], digits: int
) -> None:
    """The same two prices with more digits, in one of them or in both, give the same bits."""

    def r(first: int, second: int) -> float:
        tape = new_tape()
        for at, mid, more in ((0.5, mids[0], first), (1.5, mids[1], second)):
            tape.quote(at, 1, 1, scale=more)
            tape._quotes[-1] |= {"bid": mid * 10**more, "ask": mid * 10**more}
        value: float = bars(tape, 3)[1]["r"]
        return value

    assert {r(digits, digits), r(0, digits), r(digits, 0)} == {r(0, 0)}


@given(mid=st.integers(1, 2**61), digits=st.integers(0, 12))
def test_equal_mids_return_exactly_zero(new_tape: Any, mid: int, digits: int) -> None:
    tape = new_tape()
    for at in (0.5, 1.5):
        tape.quote(at, 1, 1, scale=digits)
        tape._quotes[-1] |= {"bid": mid, "ask": mid}
    assert bars(tape, 3)[1]["r"] == 0.0


def test_a_bar_older_than_sixty_seconds_is_not_observed(new_tape: Any) -> None:
    """The silence starts at 0.5 s: the bar closing at 60 s is 59.5 s old, the next one too old."""
    rows = bars(new_tape().quote(-1.0, 99.0, 101.0).quote(0.5, 99.0, 101.0))
    assert [row["observed"] for row in rows[:60]] == [True] * 60
    assert not any(row["observed"] for row in rows[60:])
    assert all(row["r"] is None for row in rows[60:])
    assert rows[100]["mid2_close"] == 20000
    assert rows[100]["age_ns"] == 100_500_000_000


def test_the_bar_in_which_a_long_silence_ends_is_not_observed(new_tape: Any) -> None:
    tape = new_tape().quote(-1.0, 99.0, 101.0).quote(0.5, 99.0, 101.0).quote(60.6, 99.0, 102.0)
    rows = bars(tape, 64)
    assert [row["observed"] for row in rows[58:63]] == [True, True, False, True, True]
    assert rows[61]["r"] == 0.0


def test_a_silence_of_exactly_sixty_seconds_is_observed(new_tape: Any) -> None:
    rows = bars(
        new_tape().quote(-1.0, 99.0, 101.0).quote(0.5, 99.0, 101.0).quote(60.5, 98.0, 101.0)
    )
    assert all(row["observed"] for row in rows[:70])


def test_trades_do_not_renew_an_old_mid(new_tape: Any) -> None:
    """Trades repaired over REST come without quotes: the mid they leave behind is stale."""
    tape = new_tape().quote(-1.0, 99.0, 101.0)
    for second in range(200):
        tape.trade(second + 0.5, 0.1, source="rest")
    rows = bars(tape)
    assert rows[150]["n_trades"] == 1
    assert not rows[150]["observed"]


def test_the_first_bar_with_a_book_is_not_observed(new_tape: Any) -> None:
    rows = bars(new_tape().quote(2.5, 99.0, 101.0), 5)
    assert [row["mid2_close"] for row in rows] == [None, None, 20000, 20000, 20000]
    assert [row["observed"] for row in rows] == [False, False, False, True, True]


def test_a_side_without_a_price_is_no_book(new_tape: Any) -> None:
    rows = bars(
        new_tape().quote(0.5, 99.0, 101.0).quote(1.5, 0.0, 101.0).quote(2.5, 99.0, 101.0), 5
    )
    assert [row["mid2_close"] for row in rows] == [20000, None, 20000, 20000, 20000]
    assert [row["observed"] for row in rows] == [False, False, False, True, True]
    assert rows[1]["spread_bps"] is None


def test_a_book_without_a_quote_in_the_hour_before_is_forgotten(new_tape: Any) -> None:
    """So an hour's bars depend on nothing older than the previous hour's start."""
    rows = bars(new_tape().quote(10.0, 99.0, 101.0), 10, hour=1)
    assert rows[0]["mid2_close"] == 20000
    tape = new_tape().quote(10.0, 99.0, 101.0).trade(2 * 3600.0 + 5, 1.0)
    rows = bars(tape, 10, hour=2)
    assert rows[0]["mid2_close"] is None
    assert rows[0]["source"] is None


def test_spread_and_imbalance_are_the_closing_ones(new_tape: Any) -> None:
    row = bars(new_tape().quote(0.2, 90.0, 91.0, 9.0, 1.0).quote(0.4, 99.0, 101.0, 3.0, 1.0))[0]
    assert row["spread_bps"] == pytest.approx(200.0, rel=1e-15)
    assert row["imbalance"] == 0.5


def test_signed_volume_counts_taker_sells_as_negative(new_tape: Any) -> None:
    row = bars(new_tape().trade(0.1, 0.5, "buy").trade(0.2, 0.75, "sell"))[0]
    assert (row["volume"], row["signed_volume"]) == (1.25, -0.25)


def test_order_flow_follows_cont_kukanov_stoikov(new_tape: Any) -> None:
    """A better bid adds its size, a worse one takes the old size away; asks the other way round."""
    tape = new_tape().quote(0.1, 99.0, 101.0, 2.0, 3.0)
    tape.quote(0.2, 99.5, 101.0, 1.5, 3.0)  # bid up: +1.5
    tape.quote(0.3, 99.5, 101.0, 1.0, 4.0)  # sizes alone: (1.0 - 1.5) - (4.0 - 3.0) = -1.5
    tape.quote(0.4, 99.0, 100.5, 7.0, 2.0)  # bid down: -1.0; ask down: -2.0
    assert bars(tape)[0]["ofi"] == pytest.approx(1.5 - 1.5 - 3.0, rel=1e-15)


def test_order_flow_is_null_where_a_size_was_not_sent(new_tape: Any) -> None:
    tape = new_tape().quote(0.1, 99.0, 101.0).quote(0.2, 99.0, 101.0, None, None)
    tape.quote(1.5, 99.0, 101.0).quote(2.5, 99.0, 101.0)
    rows = bars(tape, 4)
    assert [row["ofi"] for row in rows] == [None, None, 0.0, 0.0]
    assert [row["imbalance"] for row in rows] == [None, 0.0, 0.0, 0.0]


def test_a_bar_that_mixes_price_scales_has_the_finer_one(new_tape: Any) -> None:
    row = bars(new_tape().quote(-1.0, 99.0, 101.0).quote(0.5, 99.0, 101.0005, scale=4))[0]
    assert row["price_scale"] == 4
    assert (row["mid2_open"], row["mid2_close"]) == (2_000_000, 2_000_005)


def test_a_bar_is_live_only_where_all_of_it_is(new_tape: Any) -> None:
    tape = new_tape().quote(0.1, 99.0, 101.0).trade(1.5, 1.0, source="rest")
    tape.quote(2.5, 99.0, 101.0, source="replay").trade(2.6, 1.0, source="sim")
    assert [row["source"] for row in bars(tape, 5)] == ["live", "rest", "sim", "replay", "replay"]


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_order_of_rows_and_the_split_into_hours_do_not_matter(
    make_tape: Any, seed: int
) -> None:
    """Shuffled rows, one call for three hours or one an hour: the same bars."""
    tape = make_tape(seed, 3.0, 400, ("BTC-USD", "ETH-USD"))
    quotes, trades, start = tape.quotes(), tape.trades(), tape.START_NS
    generator = np.random.default_rng(seed)
    whole = bars_1s(
        quotes.take(pa.array(generator.permutation(quotes.num_rows))),
        trades.take(pa.array(generator.permutation(trades.num_rows))),
        start,
        start + 3 * HOUR_NS,
    )
    hours = [
        bars_1s(quotes, trades, start + h * HOUR_NS, start + (h + 1) * HOUR_NS) for h in range(3)
    ]
    keys = [("product", "ascending"), ("ts", "ascending")]
    assert pa.concat_tables(hours).sort_by(keys).equals(whole)


@pytest.mark.parametrize(("start", "end"), [(1, SECOND_NS), (0, 5), (HOUR_NS, 0)])
def test_bounds_off_the_grid_are_refused(new_tape: Any, start: int, end: int) -> None:
    tape = new_tape()
    with pytest.raises(ValueError, match="start on an hour"):
        bars_1s(tape.quotes(), tape.trades(), start, end)


def test_no_ticks_give_no_bars(new_tape: Any) -> None:
    assert bars(new_tape()) == []
