"""Fills and the book they leave."""

from __future__ import annotations

import numpy as np
import pytest

from ingest_service.simulator.book import Orders, fill
from ingest_service.simulator.listing import listing
from ingest_service.simulator.tape import Fills

COUNT = 20_000


def fills(seed: int = 1, calm: float = 1.0, opening: bool = False, mid: float = 1e7) -> Fills:
    rng = np.random.Generator(np.random.PCG64(seed))
    orders = Orders(
        mid=np.full(COUNT, mid),
        tick_sd=np.full(COUNT, 900.0 / calm),
        calm=np.full(COUNT, calm),
        lean=np.zeros(COUNT),
        sign=np.where(rng.random(COUNT) < 0.5, 1, -1),
    )
    return fill(listing("BTC-USD"), rng, orders, opening)


def spread(tape: Fills) -> float:
    return float(np.mean(tape.ask - tape.bid))


@pytest.mark.parametrize("mid", [1.0, 3.0, 1e7])
def test_the_book_is_positive_and_never_crossed(mid: float) -> None:
    tape = fills(mid=mid)
    assert (tape.bid >= 1).all()
    assert (tape.bid_size > 0).all()
    assert (tape.ask_size > 0).all()
    assert (tape.size > 0).all()
    assert (tape.ask >= tape.bid).all()
    if mid > 1_000:
        assert (tape.ask > tape.bid).all()


def test_a_trade_happens_at_or_through_the_side_it_left_behind() -> None:
    """As on the real feed: a buy's price is never above the ask after it, a sell's never below."""
    tape = fills()
    bought = tape.taker_sign > 0
    assert (tape.price[bought] <= tape.ask[bought]).all()
    assert (tape.price[bought] > tape.bid[bought]).all()
    assert (tape.price[~bought] >= tape.bid[~bought]).all()
    assert (tape.price[~bought] < tape.ask[~bought]).all()


def test_a_sweep_walks_away_from_the_mid() -> None:
    tape = fills()
    same = np.diff(tape.order) == 0
    walked = (np.diff(tape.price) * tape.taker_sign[1:])[same]
    assert (walked >= 0).all()
    assert (walked == 0).any()
    assert (walked > 0).any()
    assert (np.diff(tape.taker_sign)[same] == 0).all()


def test_between_fills_of_a_sweep_the_book_shows_the_next_price() -> None:
    tape = fills()
    same = np.diff(tape.order) == 0
    left = np.where(tape.taker_sign > 0, tape.ask, tape.bid)[:-1]
    assert (left[same] == tape.price[1:][same]).all()


def test_turbulence_widens_the_spread_and_thins_the_book() -> None:
    calm, wild = fills(calm=1.0), fills(calm=0.25)
    assert spread(wild) > 2 * spread(calm)
    assert np.median(wild.bid_size) < 0.6 * np.median(calm.bid_size)


def test_the_opening_is_a_single_fill() -> None:
    for seed in range(20):
        assert (fills(seed, opening=True).order[:2] == [0, 1]).all()


def test_some_sizes_are_round_and_all_are_whole_lots() -> None:
    size = fills().size
    assert 0.05 < np.mean(size % 10_000 == 0) < 0.4
    doge = fill(
        listing("DOGE-USD"),
        np.random.Generator(np.random.PCG64(2)),
        Orders(
            mid=np.full(9, 17_000.0),
            tick_sd=np.full(9, 3.0),
            calm=np.ones(9),
            lean=np.zeros(9),
            sign=np.ones(9, dtype=np.int64),
        ),
        False,
    )
    assert (doge.size % 10**7 == 0).all()
    assert (doge.ask_size % 10**7 == 0).all()
