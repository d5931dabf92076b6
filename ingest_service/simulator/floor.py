"""The trading floor: plays the market's blocks to whoever listens, in step with simulated time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final

import numpy as np

from data_lake.clock import Clock
from ingest_service.simulator.fault import Fault
from ingest_service.simulator.market import Block, Market, MarketConfig
from ingest_service.simulator.mischief import Mischief
from ingest_service.simulator.pace import Pace
from ingest_service.simulator.session import Session
from ingest_service.simulator.subscription import topic
from ingest_service.simulator.truth import Truth
from ingest_service.simulator.wire import last_match

_BATCH: Final = 256  # rows sent between two looks at the sockets
_NAP_S: Final = (0.002, 0.02)  # shortest: many small writes are dear; longest: manual clocks


class Floor:
    """Where the market stands and who listens.

    Between two awaits the current block and row are consistent, so a subscription that is
    answered there sees exactly the trades before it in its snapshot and those after it live.
    """

    def __init__(
        self, config: MarketConfig, faults: tuple[Fault, ...], *, wait: bool, keep_truth: bool
    ) -> None:
        self._config = config
        self._market = Market(config)
        self._mischief = Mischief(faults, config.products, config.start_ns)
        self._wait, self._keep_truth = wait, keep_truth
        self._heard = asyncio.Event()  # somebody has subscribed
        self._last: dict[int, tuple[int, bytes]] = {}  # by topic: newest trade id and its frame
        self.sessions: set[Session] = set()
        self.truth = Truth(config.products)
        self.happened = self._mischief.happened
        self.now_ns = config.start_ns  # event time of the newest row played
        self._frames_sent = 0  # to clients that have left
        self._row = 0  # first row of the block not played yet
        self._block = self._next_block()
        if self._block is not None:
            opening = np.searchsorted(self._block.ts_event, config.start_ns, side="right")
            self._remember(self._block, int(opening))

    async def run(self, clock: Clock, speed: float) -> None:
        """Play until the market is over."""
        pace = Pace(clock, self._config.start_ns, speed)
        while self._block is not None:
            await self._play(self._block, pace)
            self._remember(self._block, len(self._block.frames))
            self._block, self._row = self._next_block(), 0

    def join(self, session: Session, message: str | bytes) -> None:
        """Apply a client's request and answer it: ack or error, then snapshots of what is new."""
        answer, fresh = session.subscriptions.request(message)
        session.write([answer, *self._snapshots(fresh)])
        if session.listening:
            self._heard.set()

    def leave(self, session: Session) -> None:
        """Forget a client that has gone."""
        self.sessions.discard(session)
        self._frames_sent += session.frames_sent

    @property
    def frames_sent(self) -> int:
        """Frames sent so far, to clients of now and before."""
        return self._frames_sent + sum(session.frames_sent for session in self.sessions)

    async def hang_up(self, code: int, reason: str = "") -> None:
        """Close every session; returns when all have read what was sent before."""
        await asyncio.gather(*(session.hang_up(code, reason) for session in self.sessions))

    async def evict(self, grace_s: float) -> None:
        """Wait for clients that are closing; cut off those still there after `grace_s`."""
        leaving = [asyncio.create_task(s.connection.wait_closed()) for s in self.sessions]
        if leaving:
            _, stuck = await asyncio.wait(leaving, timeout=grace_s)
            for session in self.sessions if stuck else ():
                session.connection.transport.abort()

    def _next_block(self) -> Block | None:
        block = next(self._market, None)
        if block is not None:
            block = self._mischief.apply(block)
            if self._keep_truth:
                self.truth.record(block)
        return block

    async def _play(self, block: Block, pace: Pace) -> None:
        for stop, code in (*sorted(block.closes), (len(block.frames), 0)):
            while self._row < stop:
                await self._advance(block, stop, pace)
            if code:
                await self.hang_up(code)

    async def _advance(self, block: Block, stop: int, pace: Pace) -> None:
        """Play the rows that are due, a batch at most; or wait for time or for a subscriber."""
        row, now = self._row, pace.now_ns()
        until = min(row + _BATCH, stop)
        if block.ts_event[until - 1] > now:
            until = int(np.searchsorted(block.ts_event[:until], now, side="right"))
        if until <= row:
            due = pace.real_seconds_until(int(block.ts_event[row]))
            await asyncio.sleep(min(max(due, _NAP_S[0]), _NAP_S[1]))
            return
        listeners = [session for session in self.sessions if session.listening]
        if self._wait and not listeners and block.visible[row:until].any():
            until = row + int(np.argmax(block.visible[row:until]))
            if until == row:
                await self._hold(pace)
                return
        for session in listeners:
            session.show(block, row, until)
        self._row, self.now_ns = until, int(block.ts_event[until - 1])
        await asyncio.gather(asyncio.sleep(0), *(session.drain() for session in listeners))

    async def _hold(self, pace: Pace) -> None:
        """Simulated time stands still until somebody subscribes."""
        pace.pause(self.now_ns)
        self._heard.clear()
        await self._heard.wait()
        pace.resume()

    def _remember(self, block: Block, stop: int) -> None:
        """Keep the newest frame of every topic among the rows before `stop`, sent or not."""
        topics, backwards = np.unique(block.topic[:stop][::-1], return_index=True)
        for one, row in zip(topics.tolist(), (stop - 1 - backwards).tolist(), strict=True):
            self._last[one] = int(block.trade_id[row]), block.frames[row]

    def _snapshots(self, fresh: list[tuple[str, str]]) -> Iterator[bytes]:
        """The last trade of freshly subscribed products: as ticker, then as last_match."""
        if self._block is not None:
            self._remember(self._block, self._row)
        for channel in ("ticker", "matches"):
            for product in (product for name, product in fresh if name == channel):
                at = topic(self._config.products.index(product), channel)
                trade_id, frame = self._last[at]
                self.truth.shown(product, trade_id)
                yield frame if channel == "ticker" else last_match(frame)
