"""A scripted exchange over a real websocket, and recordings written on the spot."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from websockets.asyncio.server import ServerConnection, serve

from ingest_service.sink import Sink
from volatility.errors import CryptovolError
from volatility.frame import Frame

Script = Callable[[ServerConnection], Awaitable[None]]
ServeScripts = Callable[..., AbstractAsyncContextManager[str]]


@pytest.fixture
def serve_scripts() -> ServeScripts:
    """Starts an exchange at an url: connection n plays script n, later ones the last script."""

    @asynccontextmanager
    async def run(*scripts: Script) -> AsyncIterator[str]:
        connected = 0

        async def play(socket: ServerConnection) -> None:
            nonlocal connected
            script = scripts[min(connected, len(scripts) - 1)]
            connected += 1
            await script(socket)

        async with serve(play, "127.0.0.1", 0, close_timeout=0.2) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            yield f"ws://127.0.0.1:{port}"

    return run


@pytest.fixture
def write_lines(tmp_path: Path) -> Callable[..., Path]:
    """Writes a recording, `write_lines(b"…", b"…", name=…)`, and gives its path."""

    def write(*lines: bytes, name: str = "recording.ndjson") -> Path:
        path = tmp_path / name
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return path

    return write


@pytest.fixture
def topic(kafka: str) -> str:
    """A new topic with four partitions on the session's broker."""
    from ingest_service.topic import ensure_topics

    name = f"ticks.{uuid4().hex[:12]}"
    ensure_topics(kafka, [name])
    return name


class Putting:
    """A thread that puts `frames` into `sink`; `raised` holds what stopped it."""

    def __init__(self, sink: Sink, frames: Iterable[Frame]) -> None:
        self._sink, self._frames = sink, frames
        self.raised: list[CryptovolError] = []
        self.thread = threading.Thread(target=self._put_all)
        self.thread.start()

    def _put_all(self) -> None:
        try:
            for frame in self._frames:
                self._sink.put(frame)
        except CryptovolError as exc:
            self.raised.append(exc)


@pytest.fixture
def start_putting() -> type[Putting]:
    """`start_putting(sink, frames)` puts frames from a thread of its own."""
    return Putting


@pytest.fixture
def make_frames() -> Callable[[int], list[Frame]]:
    """Makes `n` distinct frames of several products."""

    def make(count: int) -> list[Frame]:
        return [
            Frame(
                recv_ns=1_762_932_011_000_000_000 + n,
                source="sim",
                feed="exchange",
                conn="c",
                frame=n,
                product=f"P{n % 7}-USD" if n % 50 else None,
                payload=b'{"type":"ticker","n":%d}' % n,
            )
            for n in range(count)
        ]

    return make
