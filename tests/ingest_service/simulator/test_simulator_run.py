"""The simulator as a program."""

from __future__ import annotations

import asyncio
import json
import os
import signal

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from data_lake.clock import ManualClock
from ingest_service.simulator import MAX, Exchange, run_simulator

NOON = 1_700_000_000_123_456_789


async def test_it_serves_from_the_clocks_now_and_ends_by_itself() -> None:
    listening: asyncio.Future[Exchange] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(
        run_simulator(
            port=0,
            products=("BTC-USD",),
            speed=MAX,
            duration_s=10.0,
            wait_for_subscriber=True,
            clock=ManualClock(NOON),
            ready=listening.set_result,
        )
    )
    exchange = await listening
    frames = []
    async with connect(exchange.url) as socket:
        request = {"type": "subscribe", "product_ids": ["BTC-USD"], "channels": ["ticker"]}
        await socket.send(json.dumps(request))
        while True:
            try:
                frames.append(json.loads(await socket.recv()))
            except ConnectionClosed:
                break
    await running
    assert frames[1]["time"] == "2023-11-14T22:13:20.000000Z"
    assert exchange.truth.trades().num_rows == 0


async def test_a_signal_stops_it() -> None:
    listening: asyncio.Future[Exchange] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(run_simulator(port=0, ready=listening.set_result))
    await listening
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(running, 10)
