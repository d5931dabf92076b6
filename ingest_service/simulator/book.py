"""From taker orders to fills: spread, depth, sweeps through several levels, the book left behind.

A rough copy of what a liquid Coinbase book shows: the spread is one tick half of the time and
otherwise grows with volatility; depth thins when volatility rises; imbalance leans with the move
under way; an order may take several resting orders, at equal or ever worse prices, at one instant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from ingest_service.simulator.listing import SIZE_DIGITS, Listing
from ingest_service.simulator.tape import Fills
from volatility.array import Flags, Ints, Vector

MEAN_FILLS: Final = 1.4
"""Resting orders one taker order meets, on average."""

_MOST_FILLS: Final = 20
_TIGHT: Final = 0.5  # share of the time that the spread is one tick
_SPREAD: Final = 0.12  # mean of a wide spread, in standard deviations of one second
_STEP: Final = 0.06  # mean distance between levels, same unit
_SAME_LEVEL: Final = 0.5  # chance that the next fill of a sweep is at the same price
_PARTIAL: Final = 0.6  # chance that an order leaves something at the price it traded at
SIZE_SPREAD: Final = 1.6
"""Standard deviation of the logarithm of a fill's size."""

_DEPTH: Final = 8.0  # median size of a level, in median fills
_THINNING: Final = 0.6  # depth falls with volatility to this power
_ROUND: Final = 10_000  # some people trade round sizes: multiples of 1e-4


@dataclass(frozen=True, kw_only=True)
class Orders:
    """Taker orders of one minute, in time order."""

    mid: Vector  # latent mid price in ticks
    tick_sd: Vector  # standard deviation of one second, in ticks
    calm: Vector  # usual volatility over present volatility
    lean: Vector  # standardised return of the second under way
    sign: Ints  # +1 buys, -1 sells


def fill(listing: Listing, rng: np.random.Generator, orders: Orders, opening: bool) -> Fills:
    """Match `orders` against the book; with `opening` the first order is a single fill."""
    count = len(orders.mid)
    fills = np.minimum(rng.geometric(1 / MEAN_FILLS, count), _MOST_FILLS)
    if opening:
        fills[0] = 1
    order = np.repeat(np.arange(count), fills)
    last = np.zeros(len(order), dtype=bool)
    last[np.cumsum(fills) - 1] = True
    bid, ask = _touch(rng, orders)
    sign = orders.sign[order]
    price, after = _sweep(
        rng, np.where(orders.sign > 0, ask, bid)[order], sign, last, _STEP * orders.tick_sd[order]
    )
    size = _sizes(listing, rng, orders, len(order))
    hit_size, other_size = _depth(listing, rng, orders, order)
    following = np.append(size[1:], 0)
    hit_size = np.where(last, hit_size, following + hit_size * (rng.random(len(order)) < 0.3))
    bought = sign > 0
    return Fills(
        order=order,
        price=price,
        size=size,
        taker_sign=sign,
        bid=np.where(bought, bid[order], after),
        ask=np.where(bought, after, ask[order]),
        bid_size=np.where(bought, other_size, hit_size),
        ask_size=np.where(bought, hit_size, other_size),
    )


def _touch(rng: np.random.Generator, orders: Orders) -> tuple[Ints, Ints]:
    """Best bid and ask each order meets, ticks; both positive and never crossed."""
    count = len(orders.mid)
    wide = rng.standard_exponential(count) * _SPREAD * orders.tick_sd
    spread = 1 + np.where(rng.random(count) < _TIGHT, 0, wide).astype(np.int64)
    bid = np.maximum(np.rint(orders.mid - spread / 2).astype(np.int64), 1)
    return bid, bid + spread


def _sweep(
    rng: np.random.Generator, touch: Ints, sign: Ints, last: Flags, step: Vector
) -> tuple[Ints, Ints]:
    """Price of every fill, and the best price left on the side that was hit."""
    count = len(touch)
    away = 1 + (rng.standard_exponential(count) * step).astype(np.int64)
    stays = rng.random(count) < np.where(last, _PARTIAL, _SAME_LEVEL)
    away[stays] = 0  # ticks from this fill to the best price after it
    first = np.append(True, last[:-1])
    before = np.append(0, np.cumsum(away)[:-1])
    walked = before - np.maximum.accumulate(np.where(first, before, 0))
    price = np.maximum(touch + sign * walked, 1)
    after = np.maximum(price + sign * away, 1)
    return price, after


def _sizes(listing: Listing, rng: np.random.Generator, orders: Orders, count: int) -> Ints:
    """Sizes of `count` fills, heavy-tailed, some of them round."""
    if not count:
        return np.empty(0, dtype=np.int64)
    size = _lots(listing, _median_size(listing) * np.exp(SIZE_SPREAD * rng.standard_normal(count)))
    is_round = (rng.random(count) < 0.2) & (size >= _ROUND)
    return np.where(is_round, size - size % max(_ROUND, _lot(listing)), size)


def _depth(
    listing: Listing, rng: np.random.Generator, orders: Orders, order: Ints
) -> tuple[Ints, Ints]:
    """Size left on the side that was hit, and on the other, for every fill."""
    count = len(orders.mid)
    total = _DEPTH * _median_size(listing) * np.exp(0.9 * rng.standard_normal(count))
    total *= orders.calm**_THINNING
    imbalance = np.tanh(0.8 * rng.standard_normal(count) + 0.4 * orders.lean)
    bids, asks = total * (1 + imbalance), total * (1 - imbalance)
    hit = np.where(orders.sign > 0, asks, bids)
    other = np.where(orders.sign > 0, bids, asks)
    return _lots(listing, hit)[order], _lots(listing, other)[order]


def _median_size(listing: Listing) -> float:
    return listing.median_notional / listing.price


def _lot(listing: Listing) -> int:
    return int(10 ** (SIZE_DIGITS - listing.lot_digits))


def _lots(listing: Listing, base_units: Vector) -> Ints:
    """Base currency to 1e-8 units, whole lots, at least one."""
    lot = _lot(listing)
    lots = np.clip(base_units * 10**SIZE_DIGITS / lot, 1, 1e17 / lot)
    return lots.astype(np.int64) * lot
