"""A scripted exchange over a real websocket, and recordings written on the spot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

Script = Callable[[ServerConnection], Awaitable[None]]
ServeScripts = Callable[..., AbstractAsyncContextManager[str]]


@pytest.fixture
def serve_scripts() -> ServeScripts:
    """`async with serve_scripts(a, b) as url`: connection n plays script n, later ones the last."""

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
    """`write_lines(b"…", b"…", name=…)` writes a recording and gives its path."""

    def write(*lines: bytes, name: str = "recording.ndjson") -> Path:
        path = tmp_path / name
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return path

    return write
