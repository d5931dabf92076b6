"""The ingest command as a process: signals, minutes, and what is durable afterwards."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from data_lake.chain import chain, read_frames
from data_lake.clock import SystemClock
from data_lake.lake import Lake
from ingest_service.ingest import ingest
from ingest_service.plan import Plan
from ingest_service.simulator.market import MarketConfig
from ingest_service.simulator.server import Exchange
from ingest_service.tally import Tally
from ingest_service.transport import Transport
from volatility.errors import FeedError
from volatility.normalise import normalise

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
