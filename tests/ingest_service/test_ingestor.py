"""The ingestor against real websocket servers that misbehave."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from data_lake.clock import ManualClock
from ingest_service.dead_letter import MemoryDeadLetters
from ingest_service.frame_queue import FrameQueue
from ingest_service.ingestor import Ingestor
from ingest_service.plan import Deadlines, Plan
from ingest_service.sink import MemorySink, Sink
from volatility.errors import FeedError, LakeError
from volatility.frame import Frame

Script = Callable[[ServerConnection], Awaitable[None]]
ServeScripts = Callable[..., AbstractAsyncContextManager[str]]

SWIFT = Deadlines(ack_s=0.15, silence_s=0.4, close_s=0.2, sustained_s=60.0, shutdown_s=5.0)
ACK = json.dumps(
    {
        "type": "subscriptions",
        "channels": [
            {"name": name, "product_ids": ["BTC-USD"]}
            for name in ("ticker", "matches", "heartbeat")
        ],
    }
)


def ticker(n: int) -> str:
    return f'{{"type":"ticker","product_id":"BTC-USD","trade_id":{n}}}'


def talk(*messages: str | bytes, code: int | None = None) -> Script:
    """Read the subscription, say `messages`, then close with `code` or wait for the client."""

    async def script(socket: ServerConnection) -> None:
        await socket.recv()
        for message in messages:
            await socket.send(message, text=True)
        if code is not None:
            await socket.close(code)
        await socket.wait_closed()

    return script


class Recording:
    """An ingestor at work, and what it wrote."""

    def __init__(
        self, plan: Plan, sink: Sink | None = None, queue: FrameQueue | None = None
    ) -> None:
        self.memory, self.letters = MemorySink(), MemoryDeadLetters()
        self.delays: list[float] = []
        self.stop = asyncio.Event()
        self.ingestor = Ingestor(
            plan,
            sink or self.memory,
            self.letters,
            clock=ManualClock(1_800_000_000_000_000_000),
            rng=Random(7),
            sleep=self._sleep,
            queue=queue,
        )

    async def _sleep(self, seconds: float) -> None:
        """Waiting costs nothing here, but is written down."""
        self.delays.append(seconds)
        await asyncio.sleep(0)

    async def until(self, enough: Callable[[], bool]) -> None:
        """Record until `enough`, at most ten seconds, then shut down."""
        async with asyncio.timeout(10):
            running = asyncio.create_task(self.ingestor.run(self.stop))
            while not enough() and not running.done():
                await asyncio.sleep(0.005)
            self.stop.set()
            await running

    def payloads(self) -> list[str]:
        """Frames from the exchange, in the order they were written."""
        return [
            f.payload.decode(errors="replace") for f in self.memory.frames if f.feed != "ingestor"
        ]

    def facts(self, name: str) -> list[dict[str, Any]]:
        """Our own observations of one kind."""
        facts = [json.loads(f.payload) for f in self.memory.frames if f.feed == "ingestor"]
        return [fact for fact in facts if fact["fact"] == name]


def plan(url: str, **deadlines: float) -> Plan:
    limits = Deadlines(**(vars(SWIFT) | deadlines))
    return Plan("exchange", ("BTC-USD",), url=url, source="sim", deadlines=limits)


async def test_frames_arrive_in_order_as_they_were_sent(serve_scripts: ServeScripts) -> None:
    async with serve_scripts(talk(ACK, *map(ticker, range(100)))) as url:
        recording = Recording(plan(url))
        await recording.until(lambda: recording.ingestor.tally.frames == 101)
    assert recording.payloads() == [ACK, *map(ticker, range(100))]
    ordinals = [frame.frame for frame in recording.memory.frames]
    assert ordinals == list(range(len(ordinals)))
    assert {frame.product for frame in recording.memory.frames} == {None, "BTC-USD"}
    assert {frame.source for frame in recording.memory.frames} == {"sim"}
    assert recording.memory.closed


async def test_the_subscription_names_every_channel(serve_scripts: ServeScripts) -> None:
    asked: list[Any] = []

    async def script(socket: ServerConnection) -> None:
        asked.append(json.loads(await socket.recv()))
        await socket.send(ACK)
        await socket.wait_closed()

    async with serve_scripts(script) as url:
        recording = Recording(plan(url))
        await recording.until(lambda: recording.ingestor.tally.frames == 1)
    assert asked == [
        {
            "type": "subscribe",
            "product_ids": ["BTC-USD"],
            "channels": ["ticker", "matches", "heartbeat"],
        }
    ]
    assert recording.facts("acked")[0]["missing"] == {}


async def test_the_advanced_feed_is_asked_channel_by_channel(serve_scripts: ServeScripts) -> None:
    asked: list[Any] = []

    async def script(socket: ServerConnection) -> None:
        asked.extend([json.loads(await socket.recv()) for _ in range(3)])
        subscriptions = {"heartbeats": ["heartbeats"], "market_trades": ["BTC-USD"]}
        events = [{"subscriptions": subscriptions | {"ticker": ["BTC-USD"]}}]
        await socket.send(json.dumps({"channel": "subscriptions", "events": events}))
        await socket.wait_closed()

    async with serve_scripts(script) as url:
        recording = Recording(Plan("advanced", ("BTC-USD",), url=url, deadlines=SWIFT))
        await recording.until(lambda: bool(recording.facts("acked")))
    assert [message["channel"] for message in asked] == ["heartbeats", "market_trades", "ticker"]
    assert "product_ids" not in asked[0]
    assert recording.facts("acked")[0]["missing"] == {}


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 4000])
async def test_every_close_is_a_reconnect(serve_scripts: ServeScripts, code: int) -> None:
    async with serve_scripts(talk(ACK, ticker(1), code=code), talk(ACK, ticker(2))) as url:
        recording = Recording(plan(url))
        await recording.until(lambda: recording.ingestor.tally.frames == 4)
    assert recording.payloads() == [ACK, ticker(1), ACK, ticker(2)]
    assert recording.ingestor.tally.closes == {str(code): 1}
    assert [close["code"] for close in recording.facts("closed")] == [code, 1000]
    assert [close["by"] for close in recording.facts("closed")] == ["peer", "shutdown"]
    assert len({frame.conn for frame in recording.memory.frames}) == 2


async def test_a_connection_that_is_cut_is_a_reconnect(serve_scripts: ServeScripts) -> None:
    async def cut(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(ticker(1))
        socket.transport.abort()

    async with serve_scripts(cut, talk(ACK, ticker(2))) as url:
        recording = Recording(plan(url))
        await recording.until(lambda: ticker(2) in recording.payloads())
    assert recording.facts("closed")[0]["code"] == 1006


async def test_a_server_that_is_away_is_waited_for_with_growing_delays() -> None:
    recording = Recording(plan("ws://127.0.0.1:9"))
    await recording.until(lambda: len(recording.delays) >= 12)
    assert len(recording.facts("failed")) >= 12
    assert recording.facts("failed")[0]["url"] == "ws://127.0.0.1:9"
    assert max(recording.delays[:3]) <= 2.0
    assert max(recording.delays) <= 30.0


async def test_backoff_is_not_reset_by_a_mere_connect(serve_scripts: ServeScripts) -> None:
    async with serve_scripts(talk(ACK, ticker(1), code=1011)) as url:
        recording = Recording(plan(url))
        await recording.until(lambda: len(recording.delays) >= 8)
    assert max(recording.delays[4:]) > 2.0


async def test_backoff_is_reset_by_sustained_data(serve_scripts: ServeScripts) -> None:
    async def steady(socket: ServerConnection) -> None:
        await socket.recv()
        for n in range(30):
            await socket.send(ticker(n))
            await asyncio.sleep(0.01)
        await socket.close(1011)

    async with serve_scripts(steady) as url:
        recording = Recording(plan(url, sustained_s=0.1))
        await recording.until(lambda: len(recording.delays) >= 5)
    assert max(recording.delays) <= 0.5


async def test_a_missing_ack_is_asked_for_again_and_then_stated(
    serve_scripts: ServeScripts,
) -> None:
    asked: list[Any] = []

    async def mute(socket: ServerConnection) -> None:
        async def listen() -> None:
            async for message in socket:
                asked.append(json.loads(message))

        listening = asyncio.create_task(listen())
        try:
            while True:
                await socket.send(ticker(1))
                await asyncio.sleep(0.02)
        except ConnectionClosed:
            await listening

    async with serve_scripts(mute) as url:
        recording = Recording(plan(url))
        await recording.until(lambda: bool(recording.facts("acked")))
    assert len(asked) == 2
    assert recording.facts("acked")[0]["missing"] == {
        "heartbeat": ["BTC-USD"],
        "matches": ["BTC-USD"],
        "ticker": ["BTC-USD"],
    }
    assert recording.ingestor.tally.reconnects == 0


async def test_a_silent_socket_is_closed_by_the_watchdog(serve_scripts: ServeScripts) -> None:
    async with serve_scripts(talk(ACK), talk(ACK, ticker(2))) as url:
        recording = Recording(plan(url))
        await recording.until(lambda: ticker(2) in recording.payloads())
    first = recording.facts("closed")[0]
    assert (first["code"], first["by"]) == (1006, "watchdog")


async def test_an_error_frame_is_recorded_and_costs_nothing(serve_scripts: ServeScripts) -> None:
    error = '{"type":"error","message":"Failed to subscribe","reason":"no such product"}'
    async with serve_scripts(talk(ACK, error, ticker(1))) as url:
        recording = Recording(plan(url))
        await recording.until(lambda: recording.ingestor.tally.frames == 3)
    assert recording.payloads() == [ACK, error, ticker(1)]
    assert recording.ingestor.tally.kinds["error"] == 1
    assert recording.ingestor.tally.reconnects == 0


def refuse(product: str) -> str:
    reason = f"{product} is not a valid product"
    return f'{{"type":"error","message":"Failed to subscribe","reason":"{reason}"}}'


async def test_a_refused_product_is_left_out_and_the_others_are_recorded(
    serve_scripts: ServeScripts,
) -> None:
    asked: list[list[str]] = []

    async def picky(socket: ServerConnection) -> None:
        asked.append(json.loads(await socket.recv())["product_ids"])
        bad = [one for one in asked[-1] if one.startswith("NOPE")]
        for message in [refuse(bad[0])] if bad else [ACK, ticker(1)]:
            await socket.send(message)
        await socket.wait_closed()

    async with serve_scripts(picky) as url:
        several = replace(plan(url), products=("NOPE-USD", "BTC-USD", "NOPE-USDC"))
        recording = Recording(several)
        await recording.until(lambda: ticker(1) in recording.payloads())
    assert asked == [["NOPE-USD", "BTC-USD", "NOPE-USDC"], ["BTC-USD", "NOPE-USDC"], ["BTC-USD"]]
    first, second = recording.facts("refused")
    assert (first["products"], second["products"]) == (["NOPE-USD"], ["NOPE-USDC"])
    assert first["reason"] == "Failed to subscribe: NOPE-USD is not a valid product"
    assert list(recording.ingestor.tally.refused) == ["NOPE-USD", "NOPE-USDC"]
    assert recording.facts("closed")[0]["by"] == "us"
    assert recording.facts("connected")[2]["products"] == ["BTC-USD"]


async def test_when_every_product_is_refused_the_recording_ends(
    serve_scripts: ServeScripts,
) -> None:
    async with serve_scripts(talk(refuse("BTC-USD"))) as url:
        recording = Recording(plan(url))
        with pytest.raises(FeedError, match=r"refused: .*BTC-USD is not a valid product"):
            await recording.until(lambda: False)
    assert recording.facts("refused")[0]["products"] == ["BTC-USD"]
    assert recording.memory.closed


async def test_an_error_about_a_product_that_is_in_force_is_no_refusal(
    serve_scripts: ServeScripts,
) -> None:
    async with serve_scripts(talk(ACK, refuse("BTC-USD"), ticker(1))) as url:
        recording = Recording(plan(url))
        await recording.until(lambda: ticker(1) in recording.payloads())
    assert recording.facts("refused") == []
    assert recording.ingestor.tally.reconnects == 0


async def test_garbage_never_reconnects_and_becomes_a_dead_letter(
    serve_scripts: ServeScripts,
) -> None:
    garbage = ["", "null", "{", '{"type":5}', "[" * 5000, '{"type":"ticker","product_id":"../x"}']
    async with serve_scripts(talk(ACK, *garbage, b"\xff\xfe", ticker(1))) as url:
        recording = Recording(plan(url))
        await recording.until(lambda: recording.ingestor.tally.frames == len(garbage) + 3)
    assert recording.payloads()[1:-2] == garbage
    assert recording.ingestor.tally.reconnects == 0
    assert [letter.payload for letter in recording.letters.letters] == [
        b"",
        b"{",
        b"[" * 5000,
        b"\xff\xfe",
    ]
    assert {f.product for f in recording.memory.frames if b"../x" in f.payload} == {None}


async def test_an_oversized_message_closes_with_1009(serve_scripts: ServeScripts) -> None:
    bomb = "0" * (17 << 20)  # a few kilobytes on the wire
    async with serve_scripts(talk(ACK, bomb), talk(ACK, ticker(2))) as url:
        recording = Recording(plan(url, silence_s=5.0))
        await recording.until(lambda: ticker(2) in recording.payloads())
    assert recording.ingestor.tally.closes == {"1009": 1}


async def test_a_large_snapshot_passes(serve_scripts: ServeScripts) -> None:
    snapshot = '{"type":"snapshot","product_id":"BTC-USD","asks":"%s"}' % ("7" * (6 << 20))
    async with serve_scripts(talk(ACK, snapshot)) as url:
        recording = Recording(plan(url, silence_s=5.0))
        await recording.until(lambda: recording.ingestor.tally.frames == 2)
    assert recording.payloads()[1] == snapshot


async def test_a_slow_sink_makes_the_socket_wait_and_loses_nothing(
    serve_scripts: ServeScripts,
) -> None:
    class SlowSink(MemorySink):
        def put(self, frame: Frame) -> None:
            done.wait(0.001)
            super().put(frame)

    done, sink = threading.Event(), SlowSink()
    async with serve_scripts(talk(ACK, *map(ticker, range(400)))) as url:
        recording = Recording(plan(url), sink, FrameQueue(max_frames=10))
        await recording.until(lambda: recording.ingestor.tally.frames == 401)
    assert [f.payload.decode() for f in sink.frames if f.feed == "exchange"] == [
        ACK,
        *map(ticker, range(400)),
    ]
    assert recording.ingestor.tally.queue_waits > 0
    assert recording.ingestor.tally.reconnects == 0


async def test_a_sink_that_breaks_ends_the_recording(serve_scripts: ServeScripts) -> None:
    class BrokenSink(MemorySink):
        def put(self, frame: Frame) -> None:
            raise LakeError("lake", "somebody else writes here")

    sink = BrokenSink()
    async with serve_scripts(talk(ACK, ticker(1))) as url:
        recording = Recording(plan(url), sink)
        with pytest.raises(LakeError, match="somebody else"):
            await recording.until(lambda: False)
    assert sink.closed


async def test_an_address_that_is_no_websocket_is_refused() -> None:
    with pytest.raises(FeedError, match="not a ws"):
        await Recording(plan("https://example.invalid")).until(lambda: False)


async def test_many_products_share_several_sockets(serve_scripts: ServeScripts) -> None:
    asked: list[int] = []

    async def script(socket: ServerConnection) -> None:
        asked.append(len(json.loads(await socket.recv())["product_ids"]))
        await socket.wait_closed()

    products = tuple(f"A{n}-USD" for n in range(120))
    async with serve_scripts(script) as url:
        recording = Recording(Plan("exchange", products, url=url, deadlines=SWIFT))
        await recording.until(lambda: len(asked) == 3)
    assert sorted(asked) == [20, 50, 50]
