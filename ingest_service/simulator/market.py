"""The whole market, pure and deterministic: minutes of frames, merged over products by time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from ingest_service.simulator.listing import Listing, listing
from ingest_service.simulator.pit import MINUTE, SECOND, Pit, Span
from ingest_service.simulator.tape import Tape
from ingest_service.simulator.weather import Weather
from ingest_service.simulator.wire import heartbeat_frames, trade_frames
from volatility.array import Flags, Ints

CHANNELS: Final = ("matches", "ticker", "heartbeat")
"""Channels in topic order: a frame's topic is `len(CHANNELS) * product index + channel index`."""

MATCHES, TICKER, HEARTBEAT = range(len(CHANNELS))


@dataclass(frozen=True, kw_only=True)
class MarketConfig:
    """What to simulate. The same config gives the same bytes."""

    products: tuple[str, ...] = ("BTC-USD", "ETH-USD", "SOL-USD")
    seed: int = 7
    start_ns: int = 1_767_225_600 * SECOND  # event time of the first trade, ns since epoch UTC
    duration_s: float | None = None  # simulated; None runs for ever
    listings: tuple[Listing, ...] = ()  # instead of the products' usual traits

    def traits(self) -> tuple[Listing, ...]:
        """The listing of every product, in order.

        Raises:
            ProductError: a product id is malformed.
        """
        given = {known.product: known for known in self.listings}
        return tuple(given.get(product) or listing(product) for product in self.products)


@dataclass(frozen=True, kw_only=True)
class Block:
    """Frames of one simulated minute in the order they are sent.

    A match row is always followed by the ticker row of the same trade.
    """

    ts_event: Ints  # ns since epoch UTC
    topic: Ints  # 3 * product + channel; the topic after the last goes to every subscriber
    trade_id: Ints  # 0 for rows that are no trade
    visible: Flags  # False: never sent, a subscriber can only learn of it by a snapshot
    frames: list[bytes]
    closes: tuple[tuple[int, int], ...] = ()  # (row, close code): hang up on all before that row
    tapes: tuple[Tape, ...] = field(default=(), repr=False)

    def take(self, rows: Ints) -> Block:
        """The block with the given rows, repeats allowed; `closes` must still be empty."""
        return replace(
            self,
            ts_event=self.ts_event[rows],
            topic=self.topic[rows],
            trade_id=self.trade_id[rows],
            visible=self.visible[rows],
            frames=[self.frames[row] for row in rows.tolist()],
        )

    def insert(self, row: int, topic: int, frame: bytes) -> Block:
        """The block with one more visible frame before `row`, no trade of anybody."""
        at = self.ts_event[min(row, len(self.frames) - 1)] if self.frames else 0
        return replace(
            self,
            ts_event=np.insert(self.ts_event, row, at),
            topic=np.insert(self.topic, row, topic),
            trade_id=np.insert(self.trade_id, row, 0),
            visible=np.insert(self.visible, row, True),
            frames=[*self.frames[:row], frame, *self.frames[row:]],
        )


class Market:
    """An iterator of blocks, one per simulated minute, until the duration is over.

    The first trade of every product happens at `start_ns` and is not sent: it is what the
    snapshot of the first subscriber shows, so a recording begins with a known book.
    """

    def __init__(self, config: MarketConfig) -> None:
        traits = config.traits()
        self.config = config
        self._pits = [Pit(one, config.seed, config.start_ns) for one in traits]
        self._weather = Weather(np.random.Generator(np.random.PCG64([config.seed, 0])))
        self._open_ns = config.start_ns - config.start_ns % MINUTE
        lasts = config.duration_s
        self._end_ns = None if lasts is None else config.start_ns + round(lasts * SECOND)

    def __iter__(self) -> Iterator[Block]:
        return self

    def __next__(self) -> Block:
        return self._merge(self.next_tapes())

    def next_tapes(self) -> tuple[Tape, ...]:
        """The next minute without its frames, for whoever wants the numbers only.

        Raises:
            StopIteration: the duration is over.
        """
        span = self._span()
        if span.start_ns >= span.end_ns:
            raise StopIteration
        weather = self._weather.minute()
        self._open_ns += MINUTE
        return tuple(pit.minute(weather, span) for pit in self._pits)

    def _span(self) -> Span:
        end_ns = self._open_ns + MINUTE
        if self._end_ns is not None:
            end_ns = min(end_ns, self._end_ns)
        return Span(self._open_ns, max(self._open_ns, self.config.start_ns), end_ns)

    def _merge(self, tapes: tuple[Tape, ...]) -> Block:
        frames: list[bytes] = []
        columns: list[tuple[Ints, Ints, Ints]] = []
        for index, tape in enumerate(tapes):
            frames += trade_frames(tape)
            frames += heartbeat_frames(tape)
            columns.append(_rows(tape, len(CHANNELS) * index))
        ts, topic, trade_id = (np.concatenate(column) for column in zip(*columns, strict=True))
        everything = Block(
            ts_event=ts,
            topic=topic,
            trade_id=trade_id,
            visible=ts > self.config.start_ns,
            frames=frames,
            tapes=tapes,
        )
        return everything.take(np.argsort(ts, kind="stable"))


def _rows(tape: Tape, first_topic: int) -> tuple[Ints, Ints, Ints]:
    """Time, topic and trade id of the rows that the encoders of `wire` make of a tape."""
    trades, beats = len(tape.trade_id), len(tape.heartbeats.ts_event)
    topic = np.full(2 * trades + beats, first_topic + HEARTBEAT)
    topic[0 : 2 * trades : 2] = first_topic + MATCHES
    topic[1 : 2 * trades : 2] = first_topic + TICKER
    ts = np.concatenate((np.repeat(tape.ts_event, 2), tape.heartbeats.ts_event))
    trade_id = np.concatenate((np.repeat(tape.trade_id, 2), np.zeros(beats, dtype=np.int64)))
    return ts, topic, trade_id
