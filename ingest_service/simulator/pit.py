"""One product's trading pit: turns weather into a latent price, orders, fills and a tape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from ingest_service.simulator.arrival import Arrivals
from ingest_service.simulator.book import MEAN_FILLS, Orders, fill
from ingest_service.simulator.day import RollingDay
from ingest_service.simulator.listing import Listing
from ingest_service.simulator.tape import Fills, Heartbeats, Tape
from ingest_service.simulator.weather import STEPS, Weather, blend, season
from volatility.array import Flags, Ints, Vector

SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND

_SECONDS_A_YEAR: Final = 365 * 86_400
_MEAN_VARIANCE: Final = 2.0  # long-run mean of exp(log variance): annual volatility comes out right
_NEW_INTEREST: Final = 0.25  # chance that an order is not the continuation of the one before
_TREND: Final = 0.8  # how much a fresh order follows the return under way
_QUIET_STEPS: Final = 40  # mean of a sequence step caused by orders that do not trade
_IDS_PER_S: Final = 10  # more than any product trades in the long run
_SEQUENCES_PER_S: Final = 1000  # likewise of order events


@dataclass(frozen=True)
class Span:
    """The part of a minute that is simulated: `open_ns` is a whole minute; `[start_ns, end_ns)`."""

    open_ns: int
    start_ns: int
    end_ns: int

    def keeps(self, ts: Ints) -> Flags:
        """Which instants lie in the span."""
        return (ts >= self.start_ns) & (ts < self.end_ns)


class Pit:
    """One product, advancing a minute at a time; the same seed prints the same tape.

    Ids and sequences count on from the start time, so that markets that open one after the other
    never reuse an id: a lake can hold them all.
    """

    def __init__(self, listing: Listing, seed: int, start_ns: int) -> None:
        seeds = np.random.SeedSequence([seed, listing.number]).spawn(3)
        weather, arrivals, rest = (np.random.Generator(np.random.PCG64(s)) for s in seeds)
        self.listing = listing
        self._weather = Weather(weather)
        self._arrivals = Arrivals(arrivals, listing.trades_per_s / MEAN_FILLS)
        self._rng = rest
        self._day = RollingDay(listing)
        self._log_price = float(np.log(listing.price))
        self._second_sd = listing.annual_volatility / np.sqrt(_SECONDS_A_YEAR * _MEAN_VARIANCE)
        self._sign = 1
        start_s = start_ns // SECOND
        self._trade_id = _IDS_PER_S * start_s + listing.number % 1_000_000  # of the newest trade
        self._sequence = _SEQUENCES_PER_S * start_s + listing.number
        self._opened = False

    def minute(self, market: tuple[Vector, Vector], span: Span) -> Tape:
        """The tape of the minute at `span.open_ns`, under the market-wide weather `market`."""
        own_variance, own_shocks = self._weather.minute()
        second_of_day = (span.open_ns // SECOND) % 86_400 + np.arange(STEPS)
        log_variance = blend(market[0], own_variance) + season(second_of_day)
        shocks = blend(market[1], own_shocks)
        times = self._arrivals.minute(log_variance)
        ts = span.open_ns + (times * 1e6).astype(np.int64) * 1000
        ts = ts[span.keeps(ts)]
        opening, self._opened = not self._opened, True
        if opening:
            ts = np.append(span.start_ns, ts[ts > span.start_ns])
        orders = self._orders(ts - span.open_ns, log_variance, shocks)
        return self._print(fill(self.listing, self._rng, orders, opening), ts, span)

    def _orders(self, since_open_ns: Ints, log_variance: Vector, shocks: Vector) -> Orders:
        sd = self._second_sd * np.exp(0.5 * log_variance)
        path = self._log_price + np.append(0.0, np.cumsum(sd * shocks))
        self._log_price = float(path[-1])
        at = since_open_ns / SECOND
        second = at.astype(np.int64)
        mid = np.exp(np.interp(at, np.arange(STEPS + 1), path)) * 10**self.listing.price_digits
        lean = np.clip(shocks[second], -4.0, 4.0)
        return Orders(
            mid=mid,
            tick_sd=sd[second] * mid,
            calm=np.exp(-0.5 * log_variance[second]),
            lean=lean,
            sign=self._signs(lean),
        )

    def _signs(self, lean: Vector) -> Ints:
        """Sides with long runs: most orders continue the one before, as split orders do."""
        count = len(lean)
        fresh = self._rng.random(count) < _NEW_INTEREST
        drawn = np.where(self._rng.standard_normal(count) + _TREND * lean > 0, 1, -1)
        origin = np.maximum.accumulate(np.where(fresh, np.arange(count), -1))
        signs = np.where(origin < 0, self._sign, drawn[np.maximum(origin, 0)])
        if count:
            self._sign = int(signs[-1])
        return signs

    def _print(self, fills: Fills, order_ts: Ints, span: Span) -> Tape:
        ts = order_ts[fills.order]
        trade_id = self._trade_id + 1 + np.arange(len(ts))
        beat_ts = self._beat_times(span)
        sequence, beat_sequence = self._sequences(ts, fills.order, beat_ts)
        newest = np.searchsorted(ts, beat_ts, side="right") + self._trade_id
        self._trade_id += len(ts)
        return Tape(
            listing=self.listing,
            trade_id=trade_id,
            ts_event=ts,
            sequence=sequence,
            fills=fills,
            day=self._day.minute(fills),
            heartbeats=Heartbeats(ts_event=beat_ts, sequence=beat_sequence, last_trade_id=newest),
            order_ids=self._rng.bytes(16 * (len(ts) + len(order_ts))).hex(),
        )

    def _beat_times(self, span: Span) -> Ints:
        phase_ns = self.listing.number % 1_000_000 * 1000
        beats = span.open_ns + np.arange(STEPS) * SECOND + phase_ns
        kept: Ints = beats[span.keeps(beats)]
        return kept

    def _sequences(self, ts: Ints, order: Ints, beat_ts: Ints) -> tuple[Ints, Ints]:
        """Increasing numbers for trades and heartbeats together; fills of one order step by 2."""
        when = np.concatenate((ts, beat_ts))
        fresh = np.append(np.diff(order, prepend=-1) > 0, np.full(len(beat_ts), True))
        quiet = (self._rng.standard_exponential(len(when)) * _QUIET_STEPS).astype(np.int64)
        rank = np.argsort(when, kind="stable")
        sequence = np.empty(len(when), dtype=np.int64)
        sequence[rank] = self._sequence + np.cumsum(np.where(fresh, 2 + quiet, 2)[rank])
        if len(rank):
            self._sequence = int(sequence[rank[-1]])
        return sequence[: len(ts)], sequence[len(ts) :]
