"""What one product printed in one simulated minute: the columns the wire format is made from."""

from __future__ import annotations

from dataclasses import dataclass

from ingest_service.simulator.listing import Listing
from volatility.array import Ints


@dataclass(frozen=True, kw_only=True)
class Fills:
    """Executions in order, each with the top of book it left behind.

    Every column has one value per fill. Prices are in ticks, sizes in 1e-8 base currency.
    """

    order: Ints  # index of the taker order within the minute
    price: Ints
    size: Ints
    taker_sign: Ints  # +1 the taker bought, -1 sold
    bid: Ints
    ask: Ints
    bid_size: Ints
    ask_size: Ints


@dataclass(frozen=True, kw_only=True)
class Day:
    """The 24 h and 30 d statistics of the ticker frame, one value per fill."""

    open_24h: Ints  # ticks
    low_24h: Ints  # ticks
    high_24h: Ints  # ticks
    volume_24h: Ints  # 1e-8 base currency
    volume_30d: Ints  # 1e-8 base currency


@dataclass(frozen=True, kw_only=True)
class Heartbeats:
    """One per second: the newest trade and sequence at that instant."""

    ts_event: Ints  # ns since epoch UTC, whole microseconds
    sequence: Ints
    last_trade_id: Ints


@dataclass(frozen=True, kw_only=True)
class Tape:
    """One product's minute."""

    listing: Listing
    trade_id: Ints  # contiguous
    ts_event: Ints  # ns since epoch UTC, whole microseconds; fills of one order share it
    sequence: Ints  # increasing, not contiguous
    fills: Fills
    day: Day
    heartbeats: Heartbeats
    order_ids: str  # hex digits, 32 per maker (one per fill), then 32 per taker order
