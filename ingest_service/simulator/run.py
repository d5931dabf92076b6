"""Running the simulated exchange as a program of its own: `cryptovol simulate`."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress

from data_lake.clock import Clock, SystemClock
from ingest_service.simulator.market import MarketConfig
from ingest_service.simulator.pit import SECOND
from ingest_service.simulator.server import Exchange


async def run_simulator(
    host: str = "127.0.0.1",
    port: int = 8765,
    products: tuple[str, ...] = ("BTC-USD", "ETH-USD", "SOL-USD"),
    *,
    seed: int = 7,
    speed: float = 1.0,
    duration_s: float | None = None,
    start_ns: int | None = None,
    faults: str = "",
    wait_for_subscriber: bool = False,
    clock: Clock | None = None,
    ready: Callable[[Exchange], None] | None = None,
) -> None:
    """Serve until the market is over, or SIGINT or SIGTERM.

    Args:
        host: address to bind.
        port: port to bind, 0 takes a free one.
        products: pairs to list.
        seed: the same seed prints the same market.
        speed: simulated seconds per real second, or `pace.MAX`.
        duration_s: simulated seconds; None runs for ever.
        start_ns: event time of the first trade, ns since epoch; None is now.
        faults: a script, see `fault`.
        wait_for_subscriber: simulated time stands still while nobody subscribes.
        clock: what `speed` and `start_ns` refer to.
        ready: called once the exchange listens.

    Raises:
        SettingError: `speed` or `faults` is not usable.
        ProductError: a product id is malformed.
        FeedError: the port cannot be bound.
    """
    clock = clock or SystemClock()
    now_ns = clock.now_ns() // SECOND * SECOND
    config = MarketConfig(
        products=products,
        seed=seed,
        start_ns=now_ns if start_ns is None else start_ns,
        duration_s=duration_s,
    )
    exchange = Exchange(
        config,
        host=host,
        port=port,
        speed=speed,
        faults=faults,
        clock=clock,
        wait_for_subscriber=wait_for_subscriber,
        keep_truth=False,
    )
    async with exchange:
        if ready is not None:
            ready(exchange)
        await _finished_or_told_to_stop(exchange)


async def _finished_or_told_to_stop(exchange: Exchange) -> None:
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    with suppress(NotImplementedError, RuntimeError, ValueError):  # not the main thread
        for one in signals:
            loop.add_signal_handler(one, exchange.finished.set)
    await exchange.finished.wait()
    with suppress(NotImplementedError, RuntimeError, ValueError):
        for one in signals:
            loop.remove_signal_handler(one)
