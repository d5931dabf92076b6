"""One client of the simulated exchange: its socket, its subscriptions, its share of a block."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import compress

from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

from ingest_service.simulator.market import Block
from ingest_service.simulator.subscription import Subscriptions


class Session:
    """A connected client. Frames are queued without waiting; `drain` waits for the socket."""

    def __init__(self, connection: ServerConnection, products: tuple[str, ...]) -> None:
        self.connection = connection
        self.subscriptions = Subscriptions(products)
        self.frames_sent = 0

    @property
    def listening(self) -> bool:
        """Whether the socket is open and anything is subscribed."""
        return bool(self.subscriptions.wanted[-1]) and self.connection.state is State.OPEN

    def show(self, block: Block, start: int, stop: int) -> None:
        """Send the rows `[start, stop)` of a block that are visible and subscribed."""
        wanted = self.subscriptions.wanted[block.topic[start:stop]] & block.visible[start:stop]
        self.write(compress(block.frames[start:stop], wanted.tolist()))

    def write(self, frames: Iterable[bytes]) -> None:
        """Send text frames in one piece: one system call, not one per frame."""
        if self.connection.state is not State.OPEN:
            return
        protocol = self.connection.protocol
        for frame in frames:
            protocol.send_text(frame)
            self.frames_sent += 1
        self.connection.transport.write(b"".join(protocol.data_to_send()))

    async def drain(self) -> None:
        """Wait until the socket takes more."""
        await self.connection.drain()

    async def hang_up(self, code: int, reason: str = "") -> None:
        """Close; with code 1006 without a word."""
        if code != 1006:
            await self.connection.close(code, reason)
            return
        self.connection.transport.close()
        await self.connection.wait_closed()
