"""The exchange over a real websocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError

from data_lake.clock import ManualClock
from ingest_service.simulator import Exchange, MarketConfig
from ingest_service.simulator.mischief import MALFORMED
from volatility.errors import FeedError, ProductError, SettingError

ALL = ["ticker", "matches", "heartbeat"]
PRODUCTS = ["BTC-USD", "ETH-USD", "SOL-USD"]
SECOND = 1_000_000_000


def request(kind: str, channels: list[Any], products: list[str] | None = None) -> str:
    asked = {"type": kind, "product_ids": products or PRODUCTS, "channels": channels}
    return json.dumps(asked)


@asynccontextmanager
async def client(
    exchange: Exchange, channels: list[Any] | None = None, products: list[str] | None = None
) -> AsyncIterator[ClientConnection]:
    """A subscribed client; `channels=[]` does not subscribe."""
    async with connect(exchange.url, max_queue=None) as socket:
        if channels != []:
            await socket.send(request("subscribe", channels or ALL, products))
        yield socket


async def rest(socket: ClientConnection) -> list[str]:
    """Every frame until the exchange closes."""
    frames = []
    while True:
        try:
            frames.append(str(await socket.recv()))
        except ConnectionClosed:
            return frames


def trade_keys(frames: list[str], *types: str) -> set[tuple[str, int]]:
    heads = tuple(f'{{"type":"{one}"' for one in types)
    decoded = [json.loads(frame) for frame in frames if frame.startswith(heads)]
    return {(frame["product_id"], frame["trade_id"]) for frame in decoded}


def truth_keys(table: Any) -> set[tuple[str, int]]:
    return set(zip(table["product"].to_pylist(), table["trade_id"].to_pylist(), strict=True))


async def test_a_recording_equals_the_truth() -> None:
    """Every trade generated is received once as match and once as ticker, none else."""
    async with Exchange(MarketConfig(duration_s=600.0)) as exchange, client(exchange) as socket:
        frames = await rest(socket)
        truth = truth_keys(exchange.truth.trades())
        assert trade_keys(frames, "match", "last_match") == truth
        assert trade_keys(frames, "ticker") == truth
        assert sum('"match"' in frame for frame in frames) == len(truth) - 3
        assert sum('"heartbeat"' in frame for frame in frames[1:]) == 1800
        assert exchange.truth.holes() == []
        assert exchange.frames_sent == len(frames)
        await asyncio.wait_for(exchange.finished.wait(), 10)


def units(text: str) -> int:
    return int(Decimal(text).scaleb(8))


def nanoseconds(time: str) -> int:
    instant = datetime.fromisoformat(time)
    return int(instant.timestamp()) * SECOND + instant.microsecond * 1000


async def test_values_received_equal_the_truth() -> None:
    async with (
        Exchange(MarketConfig(duration_s=120.0)) as exchange,
        client(exchange, ["ticker"]) as socket,
    ):
        frames = [json.loads(frame) for frame in await rest(socket)][1:]
    frames.sort(key=lambda frame: (frame["product_id"], frame["trade_id"]))
    trades, quotes = exchange.truth.trades().to_pylist(), exchange.truth.quotes().to_pylist()
    for frame, trade, quote in zip(frames, trades, quotes, strict=True):
        assert trade["product"] == quote["product"] == frame["product_id"]
        assert trade["trade_id"] == frame["trade_id"]
        assert trade["price"] == units(frame["price"])
        assert trade["size"] == units(frame["last_size"])
        assert trade["taker_side"] == frame["side"] != trade["maker_side"]
        assert trade["sequence"] == quote["sequence"] == frame["sequence"]
        assert trade["ts_event"] == quote["ts_event"] == nanoseconds(frame["time"])
        assert (quote["bid"], quote["ask"]) == (units(frame["best_bid"]), units(frame["best_ask"]))
        assert quote["bid_size"] == units(frame["best_bid_size"])
        assert quote["ask_size"] == units(frame["best_ask_size"])


async def test_it_begins_with_ack_and_snapshots_and_ends_with_1000() -> None:
    config = MarketConfig(duration_s=60.0)
    async with Exchange(config) as exchange, client(exchange) as socket:
        frames = await rest(socket)
        heads = [json.loads(frame) for frame in frames[:7]]
        kinds = [head["type"] for head in heads]
        assert kinds == ["subscriptions", *["ticker"] * 3, *["last_match"] * 3]
        assert [head["product_id"] for head in heads[1:]] == PRODUCTS * 2
        assert heads[1]["trade_id"] == heads[4]["trade_id"]
        assert heads[1]["time"] == "2026-01-01T00:00:00.000000Z"
        assert (socket.close_code, socket.close_reason) == (1000, "simulation over")


async def test_messages_are_compressed_text() -> None:
    async with Exchange(MarketConfig(duration_s=1.0)) as exchange, client(exchange) as socket:
        assert socket.response is not None
        assert "permessage-deflate" in socket.response.headers["Sec-WebSocket-Extensions"]
        assert isinstance(await socket.recv(), str)


async def test_a_client_gets_only_what_it_subscribed() -> None:
    channels = [{"name": "heartbeat", "product_ids": ["ETH-USD"]}, "matches"]
    async with Exchange(MarketConfig(duration_s=60.0)) as exchange:
        async with client(exchange, channels, ["SOL-USD"]) as socket:
            frames = [json.loads(frame) for frame in await rest(socket)][1:]
        kinds = {(frame["type"], frame["product_id"]) for frame in frames}
        assert kinds == {
            ("last_match", "SOL-USD"),
            ("match", "SOL-USD"),
            ("heartbeat", "ETH-USD"),
        }


async def test_several_clients_hear_the_same() -> None:
    clock = ManualClock(0)
    config = MarketConfig(duration_s=120.0)
    async with Exchange(config, speed=1.0, clock=clock) as exchange:
        async with client(exchange) as one, client(exchange) as other:
            openings = [[await socket.recv() for _ in range(7)] for socket in (one, other)]
            clock.ns += 121 * SECOND
            first, second = await asyncio.gather(rest(one), rest(other))
        assert openings[0] == openings[1]
        assert first == second
        assert len(first) > 500


async def test_time_stands_still_until_somebody_subscribes() -> None:
    clock = ManualClock(0)
    async with Exchange(MarketConfig(duration_s=60.0), speed=1.0, clock=clock) as exchange:
        clock.ns += 3600 * SECOND
        async with client(exchange, []) as idle, client(exchange) as socket:
            for _ in range(7):
                await socket.recv()
            assert exchange.now_ns == exchange.config.start_ns
            clock.ns += 61 * SECOND
            frames = await rest(socket)
            assert await rest(idle) == []
        assert sum('"heartbeat"' in frame for frame in frames) == 180


async def test_a_market_that_does_not_wait_is_missed() -> None:
    config = MarketConfig(duration_s=60.0)
    async with Exchange(config, wait_for_subscriber=False) as exchange:
        await asyncio.wait_for(exchange.finished.wait(), 30)
        async with client(exchange, []) as socket:
            assert await rest(socket) == []
            assert socket.close_code == 1000
        assert exchange.truth.trades().num_rows > 50


async def test_only_what_is_due_is_sent() -> None:
    """At speed 10, half a real second is five simulated ones."""
    clock = ManualClock(0)
    async with (
        Exchange(MarketConfig(), speed=10.0, clock=clock) as exchange,
        client(exchange, ["heartbeat"], ["BTC-USD"]) as socket,
    ):
        await socket.recv()
        clock.ns += SECOND // 2
        beats = [json.loads(await socket.recv()) for _ in range(5)]
        assert beats[-1]["time"] < "2026-01-01T00:00:05"
        await socket.send(request("unsubscribe", ["heartbeat"]))
        assert json.loads(await socket.recv())["type"] == "subscriptions"


async def test_unsubscribing_silences() -> None:
    clock = ManualClock(0)
    async with (
        Exchange(MarketConfig(), speed=1.0, clock=clock) as exchange,
        client(exchange, ["heartbeat"]) as socket,
        client(exchange, ["heartbeat"]) as witness,
    ):
        await socket.recv()
        await witness.recv()
        await socket.send(request("unsubscribe", ["heartbeat"]))
        assert json.loads(await socket.recv())["channels"] == []
        clock.ns += 10 * SECOND
        for _ in range(30):
            await witness.recv()
        await socket.send(request("subscribe", ["heartbeat"]))
        assert json.loads(await socket.recv())["type"] == "subscriptions"


async def test_a_late_snapshot_is_the_newest_trade() -> None:
    clock = ManualClock(0)
    async with (
        Exchange(MarketConfig(), speed=1.0, clock=clock) as exchange,
        client(exchange, ["matches"], ["BTC-USD"]) as early,
    ):
        await early.recv()
        clock.ns += 90 * SECOND
        newest = {}
        while exchange.now_ns < exchange.config.start_ns + 85 * SECOND:
            newest = json.loads(await early.recv())
        async with client(exchange, ["matches"], ["BTC-USD"]) as late:
            await late.recv()
            snapshot = json.loads(await late.recv())
        assert snapshot["type"] == "last_match"
        assert snapshot["trade_id"] >= newest["trade_id"]


async def test_a_client_that_does_not_subscribe_is_dropped() -> None:
    async with Exchange(subscribe_within_s=0.05) as exchange, client(exchange, []) as socket:
        assert await rest(socket) == []
        assert socket.close_code == 1008


async def test_a_bad_request_is_answered_and_does_not_count_as_subscribing() -> None:
    async with Exchange(subscribe_within_s=0.2) as exchange, client(exchange, ["news"]) as socket:
        frames = await rest(socket)
        assert json.loads(frames[0])["reason"] == "news is not a valid channel"
        assert len(frames) == 1
        assert socket.close_code == 1008


async def test_a_dropped_trade_is_a_hole_of_known_size() -> None:
    faults = "drop@60:trades=25:product=BTC-USD"
    async with Exchange(MarketConfig(duration_s=300.0), faults=faults) as exchange:
        async with client(exchange) as socket:
            frames = await rest(socket)
        (hole,) = exchange.truth.holes()
        assert hole.to_trade_id - hole.from_trade_id == 24
        missing = truth_keys(exchange.truth.trades()) - trade_keys(frames, "match", "ticker")
        assert missing == {("BTC-USD", i) for i in range(hole.from_trade_id, hole.to_trade_id + 1)}
        assert truth_keys(exchange.truth.sent_trades()) == trade_keys(frames, "match", "ticker")


@pytest.mark.parametrize("code", [1001, 1012, 1006])
async def test_what_an_outage_withheld_is_known_to_the_trade(code: int) -> None:
    """A client that reconnects has the truth but for the holes, whatever the close code."""
    faults = f"disconnect@100:code={code}:outage=60"
    async with Exchange(MarketConfig(duration_s=300.0), faults=faults) as exchange:
        async with client(exchange) as socket:
            before = await rest(socket)
            assert socket.close_code == code
        async with client(exchange) as socket:
            after = await rest(socket)
            assert socket.close_code == 1000
        received = trade_keys(before + after, "match", "last_match", "ticker")
        assert received == truth_keys(exchange.truth.sent_trades())
        assert {hole.product for hole in exchange.truth.holes()} == set(PRODUCTS)
        assert [fault.kind for fault in exchange.faults_happened] == ["disconnect"]


async def test_faulty_frames_reach_every_subscriber_whatever_it_listens_to() -> None:
    faults = "error@10,malformed@20:count=4,duplicate@30:trades=3"
    async with Exchange(MarketConfig(duration_s=60.0), faults=faults) as exchange:
        async with client(exchange, ["heartbeat"], ["SOL-USD"]) as socket:
            frames = await rest(socket)
        assert frames.count('{"type":"error","message":"Internal error"}') == 1
        assert all(frame.decode() in frames for frame in MALFORMED)
        assert len(frames) == 1 + 60 + 1 + 4


async def test_a_slow_reader_loses_nothing() -> None:
    """Backpressure, not loss: the market waits at the speed of the slowest."""
    async with Exchange(MarketConfig(duration_s=1200.0)) as exchange:
        async with connect(exchange.url, max_queue=1) as socket:
            await socket.send(request("subscribe", ["matches"]))
            frames = await rest(socket)
        assert trade_keys(frames, "match", "last_match") == truth_keys(exchange.truth.trades())


async def test_a_client_that_breaks_off_harms_nobody() -> None:
    async with Exchange(MarketConfig(duration_s=600.0)) as exchange:
        async with client(exchange) as rude:
            await rude.recv()
            rude.transport.abort()
        async with client(exchange) as socket:
            await rest(socket)
            assert socket.close_code == 1000


async def test_leaving_the_exchange_closes_its_clients() -> None:
    clock = ManualClock(0)
    async with Exchange(speed=1.0, clock=clock) as exchange:
        socket = await connect(exchange.url)
    with pytest.raises(ConnectionClosed):
        await socket.recv()
    assert socket.close_code == 1001


async def test_a_port_in_use_is_one_clear_error() -> None:
    async with Exchange() as exchange:
        port = int(exchange.url.rpartition(":")[2])
        with pytest.raises(FeedError, match="cannot listen"):
            async with Exchange(port=port):
                pass


async def test_bad_options_are_refused_before_anything_is_opened() -> None:
    with pytest.raises(SettingError, match="speed"):
        Exchange(speed=0.0)
    with pytest.raises(SettingError, match="faults"):
        Exchange(faults="explode@1")
    with pytest.raises(ProductError):
        Exchange(MarketConfig(products=("nonsense",)))


async def test_an_oversized_request_costs_its_sender_the_connection() -> None:
    async with Exchange() as exchange, connect(exchange.url) as socket:
        await socket.send("x" * 100_000)
        with pytest.raises(ConnectionClosedError) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
