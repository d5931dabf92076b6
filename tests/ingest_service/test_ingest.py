"""The ingest command as a process: signals, minutes, and what is durable afterwards."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from data_lake.chain import chain, read_frames
from data_lake.clock import SystemClock
from data_lake.lake import Lake
from ingest_service.ingest import ingest
from ingest_service.plan import Plan
from ingest_service.simulator.market import MarketConfig
from ingest_service.simulator.server import Exchange
from ingest_service.tally import Tally
from ingest_service.transport import Transport
from volatility.dedupe import distinct_trades
from volatility.errors import FeedError
from volatility.gap import find_gaps
from volatility.normalise import normalise

Script = Callable[[ServerConnection], Awaitable[None]]
ServeScripts = Callable[..., AbstractAsyncContextManager[str]]

PRODUCTS = ("BTC-USD", "ETH-USD")

INGEST = """
import sys
from data_lake.clock import SystemClock
from ingest_service.ingest import run_ingest
from ingest_service.plan import Plan
from ingest_service.transport import Transport
plan = Plan("exchange", ("BTC-USD",), url=sys.argv[1], source="sim")
report = run_ingest(plan, Transport(sys.argv[2]), SystemClock())
print(report.frames)
"""


def ids(trades: Any) -> set[tuple[str, int]]:
    return set(zip(trades["product"].to_pylist(), trades["trade_id"].to_pylist(), strict=True))


async def test_a_simulated_market_is_in_the_lake_trade_for_trade(tmp_path: Path) -> None:
    """What the exchange says it sold is what silver would hold."""
    config = MarketConfig(products=PRODUCTS, seed=3, duration_s=120.0)
    stop = asyncio.Event()
    async with Exchange(config) as exchange:
        plan = Plan("exchange", PRODUCTS, url=exchange.url, source="sim")

        async def stop_at_the_end() -> None:
            await exchange.finished.wait()
            stop.set()

        ending = asyncio.create_task(stop_at_the_end())
        report = await ingest(plan, Transport(str(tmp_path)), SystemClock(), stop=stop)
        await ending
        truth = exchange.truth.sent_trades()
    trades = normalise(read_frames(Lake(str(tmp_path)))).trades
    assert ids(trades) == ids(truth)
    assert report.dead_letters == 0
    assert set(trades["source"].to_pylist()) == {"sim"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_makes_everything_received_durable(tmp_path: Path, number: int) -> None:
    config = MarketConfig(products=("BTC-USD",), seed=3)
    async with Exchange(config, speed=50.0) as exchange:
        command = [sys.executable, "-c", INGEST, exchange.url, str(tmp_path)]
        process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        while exchange.frames_sent < 100:
            await asyncio.sleep(0.05)
        process.send_signal(number)
        out, _ = await asyncio.wait_for(process.communicate(), 10)
    frames = int(out.decode().splitlines()[-1])
    stored = read_frames(Lake(str(tmp_path)))["feed"].to_pylist()
    assert process.returncode == 0
    assert frames > 0
    assert stored.count("exchange") == frames


async def test_minutes_without_a_frame_are_an_error_that_says_why(tmp_path: Path) -> None:
    plan = Plan("exchange", ("BTC-USD",), url="ws://127.0.0.1:9")
    with pytest.raises(FeedError, match=r"no frame in 0\.01 minutes: .*Connect call failed"):
        await ingest(
            plan, Transport(str(tmp_path)), SystemClock(), stop=asyncio.Event(), minutes=0.01
        )


async def test_minutes_of_errors_alone_are_an_error_that_repeats_the_exchange(
    tmp_path: Path, serve_scripts: ServeScripts
) -> None:
    async def refuse(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send('{"type":"error","message":"Failed to subscribe","reason":"no key"}')
        await socket.send('{"type":"subscriptions","channels":[]}')
        await socket.wait_closed()

    async with serve_scripts(refuse) as url:
        plan = Plan("exchange", ("BTC-USD",), url=url)
        with pytest.raises(FeedError, match=r"no market data in 0\.01 minutes: .*: no key$"):
            await ingest(
                plan, Transport(str(tmp_path)), SystemClock(), stop=asyncio.Event(), minutes=0.01
            )


async def test_one_unknown_product_does_not_stop_the_others(tmp_path: Path) -> None:
    stop = asyncio.Event()
    async with Exchange(MarketConfig(products=("BTC-USD",), duration_s=5.0)) as exchange:
        plan = Plan("exchange", ("BTC-USD", "NOPE-USD"), url=exchange.url, source="sim")
        report = await ingest(
            plan, Transport(str(tmp_path)), SystemClock(), stop=stop, minutes=0.05
        )
    assert report.products["BTC-USD"] > 0
    assert list(report.refused) == ["NOPE-USD"]


async def test_unknown_products_alone_end_the_recording(tmp_path: Path) -> None:
    async with Exchange(MarketConfig(products=("BTC-USD",), duration_s=5.0)) as exchange:
        plan = Plan("exchange", ("NOPE-USD",), url=exchange.url, source="sim")
        with pytest.raises(FeedError, match="NOPE-USD is not a valid product"):
            await ingest(plan, Transport(str(tmp_path)), SystemClock(), stop=asyncio.Event())


async def test_progress_can_be_watched(tmp_path: Path) -> None:
    watched: list[Tally] = []
    async with Exchange(MarketConfig(products=("BTC-USD",), duration_s=5.0)) as exchange:
        plan = Plan("exchange", ("BTC-USD",), url=exchange.url, source="sim")
        report = await ingest(
            plan,
            Transport(str(tmp_path)),
            SystemClock(),
            stop=asyncio.Event(),
            minutes=0.02,
            watch=watched.append,
        )
    assert watched[0].frames == report.frames > 0
    assert chain(Lake(str(tmp_path)))
    assert threading.active_count() < 10


async def test_faults_of_the_exchange_cost_exactly_what_it_withheld(tmp_path: Path) -> None:
    """Hang-ups, garbage, errors and repeats: what was sent is stored, the rest is a gap."""
    faults = (
        "drop@10:trades=7:product=BTC-USD,malformed@20:count=3,error@30,duplicate@40:trades=5,"
        "disconnect@50:code=1006:outage=1,disconnect@70:code=1001:outage=1,"
        "disconnect@90:code=1011:outage=1"
    )
    config = MarketConfig(products=PRODUCTS, seed=5, duration_s=120.0)
    stop = asyncio.Event()
    async with Exchange(config, faults=faults) as exchange:
        plan = Plan("exchange", PRODUCTS, url=exchange.url, source="sim")

        async def stop_at_the_end() -> None:
            await exchange.finished.wait()
            stop.set()

        ending = asyncio.create_task(stop_at_the_end())
        transport = Transport(str(tmp_path))
        report = await ingest(plan, transport, SystemClock(), stop=stop, rng=Random(1))
        await ending
        truth = exchange.truth
    trades = distinct_trades(normalise(read_frames(Lake(str(tmp_path)))).trades)
    assert ids(trades) == ids(truth.sent_trades())
    gaps = find_gaps(trades, {}).to_pylist()
    assert [(g["product"], g["from_trade_id"], g["to_trade_id"]) for g in gaps] == [
        (hole.product, hole.from_trade_id, hole.to_trade_id) for hole in truth.holes()
    ]
    assert {"1001", "1006", "1011"} <= set(report.closes)
    assert report.kinds["error"] == 1
