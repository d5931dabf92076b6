"""Record a live feed: sockets on the event loop, the sink on a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Final

import structlog
from websockets.exceptions import InvalidURI, WebSocketException

from data_lake.clock import Clock
from ingest_service.backoff import Backoff
from ingest_service.connection import Close, Connection
from ingest_service.dead_letter import DeadLetter, DeadLetters
from ingest_service.fact import fact
from ingest_service.frame_queue import FrameQueue, Item
from ingest_service.plan import Plan
from ingest_service.sink import Sink
from ingest_service.tally import Tally
from volatility.errors import CryptovolError, FeedError

Sleep = Callable[[float], Awaitable[None]]

TICK_S: Final = 1.0
PROGRESS_S: Final = 60.0
_log: Final = structlog.get_logger(__name__)


class Ingestor:
    """Keeps every shard of a plan connected and writes what it hears to one sink.

    `tally` may be read at any time. The sink and the dead letters are used by one worker thread
    only, so they may block: the queue fills, and the sockets wait.
    """

    def __init__(
        self,
        plan: Plan,
        sink: Sink,
        dead_letters: DeadLetters,
        *,
        clock: Clock,
        rng: Random,
        sleep: Sleep = asyncio.sleep,
        queue: FrameQueue | None = None,
    ) -> None:
        self._plan, self._sink, self._dead_letters = plan, sink, dead_letters
        self._clock, self._rng, self._sleep = clock, rng, sleep
        self._queue = FrameQueue() if queue is None else queue
        self.tally = Tally()
        self._broken = False  # the sink has refused; nothing may be written after a hole
        self.last_failure = ""  # why the newest connection ended or could not be made

    async def run(self, stop: asyncio.Event) -> None:
        """Record until `stop` is set; then close the sockets, write everything out, return.

        Raises:
            CryptovolError: the sink can take no more; what it took before is durable.
        """
        with ThreadPoolExecutor(1, thread_name_prefix="sink") as pool:
            try:
                await self._record(stop, pool)
            finally:
                await self._shut_down(pool)

    async def _record(self, stop: asyncio.Event, pool: ThreadPoolExecutor) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [
                    *(tasks.create_task(self._keep_connected(s)) for s in self._plan.shards()),
                    tasks.create_task(self._pump(pool)),
                    tasks.create_task(self._tick(pool)),
                ]
                await stop.wait()
                for task in running:
                    task.cancel()
        except* CryptovolError as group:
            raise group.exceptions[0] from None

    async def _keep_connected(self, products: tuple[str, ...]) -> None:
        """Connect, and connect again, for as long as the exchange will have a product of these.

        Raises:
            FeedError: the address is none, or every product of the plan was refused.
        """
        backoff = Backoff(self._rng)
        while products:
            conn = f"{self._rng.getrandbits(48):012x}"
            connection = Connection(
                self._plan,
                products,
                conn,
                queue=self._queue,
                tally=self.tally,
                clock=self._clock,
                backoff=backoff,
            )
            try:
                close = await connection.run()
                self._note_close(close)
                products = self._accepted(products, backoff)
            except InvalidURI as exc:
                raise FeedError(self._plan.address, "not a ws:// or wss:// address") from exc
            except (OSError, TimeoutError, WebSocketException) as exc:
                self._note_failure(conn, exc)
            delay = backoff.next_delay_s()
            _log.warning(
                "reconnecting",
                url=self._plan.address,
                reason=self.last_failure,
                delay_s=round(delay, 2),
            )
            await self._sleep(delay)

    def _accepted(self, products: tuple[str, ...], backoff: Backoff) -> tuple[str, ...]:
        """Those of `products` that were not refused."""
        refused = self.tally.refused
        if refused.keys() >= set(self._plan.products):
            raise FeedError(
                self._plan.address, f"every product was refused: {self.tally.last_error}"
            )
        accepted = tuple(product for product in products if product not in refused)
        if accepted != products:
            backoff.reset()  # the next request is another one
        return accepted

    def _note_close(self, close: Close) -> None:
        self.tally.closes[str(close.code)] += 1
        self.last_failure = f"closed with {close.code} by {close.by} {close.reason}".strip()

    def _note_failure(self, conn: str, exc: Exception) -> None:
        self.last_failure = str(exc) or type(exc).__name__
        self.tally.closes["failed"] += 1
        self.tally.facts += 1
        self._queue.put_nowait(
            fact(
                "failed",
                recv_ns=self._clock.now_ns(),
                source=self._plan.source,
                conn=conn,
                frame=0,
                url=self._plan.address,
                reason=self.last_failure,
            )
        )

    async def _pump(self, pool: ThreadPoolExecutor) -> None:
        """Carry what is queued to the sink, batch by batch."""
        loop = asyncio.get_running_loop()
        while True:
            items = await self._queue.take()
            # Shielded: a stop must not cancel a batch that still waits for the thread.
            await asyncio.shield(loop.run_in_executor(pool, self._write, items))

    def _write(self, items: list[Item]) -> None:
        if self._broken:
            return
        self._broken = True  # until the whole batch is through
        for item in items:
            if isinstance(item, DeadLetter):
                self._dead_letters.put(item)
            else:
                self._sink.put(item)
        self._broken = False

    async def _tick(self, pool: ThreadPoolExecutor) -> None:
        """Let the sink write out what has waited long enough; say how it goes."""
        loop = asyncio.get_running_loop()
        reported = loop.time()
        while True:
            await asyncio.sleep(TICK_S)
            self._observe_queue()
            await loop.run_in_executor(pool, self._sink.tick)
            if loop.time() - reported >= PROGRESS_S:
                reported = loop.time()
                _log.info("ingesting", **self.tally.summary())

    def _observe_queue(self) -> None:
        self.tally.queued, self.tally.queue_waits = len(self._queue), self._queue.waits

    async def _shut_down(self, pool: ThreadPoolExecutor) -> None:
        """Write out what is queued and close the sink, within the deadline."""
        loop = asyncio.get_running_loop()
        closing = loop.run_in_executor(pool, self._write_rest)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._plan.deadlines.shutdown_s * 0.8):
                await asyncio.shield(closing)
        if not closing.done():
            self._sink.stop()
            await closing

    def _write_rest(self) -> None:
        try:
            self._write(self._queue.take_nowait())
            self._observe_queue()
        finally:
            try:
                self._sink.close()
            finally:
                self._dead_letters.close()
