"""`cryptovol ingest`: one feed recorded until a signal, or for so many minutes."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from random import Random, SystemRandom
from typing import TYPE_CHECKING, Final

import msgspec

from data_lake.clock import Clock
from ingest_service.ingestor import Ingestor
from ingest_service.metrics import serve_metrics
from ingest_service.plan import Plan
from ingest_service.tally import Tally
from ingest_service.transport import Transport
from volatility.errors import FeedError

if TYPE_CHECKING:
    from rich.console import RenderableType


_NO_DATA: Final = frozenset({"error", "subscriptions", "heartbeat", "status", "unknown"})
"""Kinds of frame that say nothing about a price."""


class IngestReport(msgspec.Struct, kw_only=True, frozen=True):
    """What one run of the ingestor recorded."""

    url: str
    seconds: float
    frames: int
    payload_bytes: int
    facts: int  # of our own: connected, acked, closed
    reconnects: int
    dead_letters: int
    queue_waits: int  # times a socket waited for the sink
    kinds: dict[str, int]  # frames by kind
    products: dict[str, int]  # frames by product
    refused: dict[str, str]  # products the exchange would not have, and why
    closes: dict[str, int]  # ended connections by close code

    @classmethod
    def of(cls, url: str, seconds: float, tally: Tally) -> IngestReport:
        """The report of a finished run."""
        return cls(
            url=url,
            seconds=seconds,
            frames=tally.frames,
            payload_bytes=tally.payload_bytes,
            facts=tally.facts,
            reconnects=tally.reconnects,
            dead_letters=tally.dead_letters,
            queue_waits=tally.queue_waits,
            kinds=dict(tally.kinds.most_common()),
            products=dict(tally.products.most_common()),
            refused=dict(tally.refused),
            closes=dict(tally.closes),
        )

    def to_json(self) -> bytes:
        """The report as one JSON object."""
        return msgspec.json.encode(self)

    def render(self) -> RenderableType:
        """The report as a table for a terminal."""
        from rich.table import Table

        table = Table(title=f"Recorded from {self.url}", show_header=False)
        table.add_column("what")
        table.add_column("figure", justify="right")
        table.add_row("frames", f"{self.frames:,}")
        table.add_row("bytes", f"{self.payload_bytes:,}")
        table.add_row("seconds", f"{self.seconds:,.1f}")
        for kind, count in self.kinds.items():
            table.add_row(f"  {kind}", f"{count:,}")
        table.add_row("reconnects", f"{self.reconnects:,}")
        table.add_row("dead letters", f"{self.dead_letters:,}")
        table.add_row("waits for the sink", f"{self.queue_waits:,}")
        if self.refused:
            table.add_row("refused products", ", ".join(self.refused))
        return table


async def ingest(
    plan: Plan,
    transport: Transport,
    clock: Clock,
    *,
    stop: asyncio.Event,
    minutes: float | None = None,
    rng: Random | None = None,
    metrics_port: int | None = None,
    watch: Callable[[Tally], None] | None = None,
) -> IngestReport:
    """Record until `stop` is set or `minutes` have passed; everything received is durable then.

    `watch` is given the running counts once, before the first connection: read them for progress.

    Raises:
        FeedError: not a websocket url, every product was refused, or no market data came in
            `minutes`.
        BrokerError: Kafka cannot be reached or refuses.
        LakeError: the lake cannot be opened or written.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    sink = await loop.run_in_executor(None, transport.open_sink, clock)
    ingestor = Ingestor(
        plan,
        sink,
        transport.open_dead_letters(clock),
        clock=clock,
        rng=rng or SystemRandom(),
    )
    if watch is not None:
        watch(ingestor.tally)
    with contextlib.ExitStack() as stack:
        if metrics_port is not None:
            stack.enter_context(serve_metrics(ingestor.tally, clock, metrics_port))
        if minutes is not None:
            stack.callback(loop.call_later(minutes * 60, stop.set).cancel)
        await ingestor.run(stop)
    report = IngestReport.of(plan.address, loop.time() - began, ingestor.tally)
    if minutes is not None and report.kinds.keys() <= _NO_DATA:
        what = "market data" if report.frames else "frame"
        raise FeedError(plan.address, f"no {what} in {minutes:g} minutes: {_why(ingestor)}")
    return report


def _why(ingestor: Ingestor) -> str:
    """Why nothing came: the exchange's own words, or else what happened to the connection."""
    said = ingestor.tally.last_error
    silent = "connected, but silent"
    return f"the exchange says: {said}" if said else ingestor.last_failure or silent


def run_ingest(
    plan: Plan,
    transport: Transport,
    clock: Clock,
    *,
    minutes: float | None = None,
    metrics_port: int | None = None,
    watch: Callable[[Tally], None] | None = None,
) -> IngestReport:
    """Record until SIGTERM or SIGINT, or for `minutes`; see `ingest`.

    Raises:
        CryptovolError: as `ingest`.
    """

    async def main() -> IngestReport:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        return await ingest(
            plan,
            transport,
            clock,
            stop=stop,
            minutes=minutes,
            metrics_port=metrics_port,
            watch=watch,
        )

    return asyncio.run(main())
