"""The bounded queue between the socket and the sink."""

from __future__ import annotations

import asyncio
from typing import TypeAlias

from ingest_service.dead_letter import DeadLetter
from volatility.frame import Frame

Item: TypeAlias = Frame | DeadLetter
"""What travels to the sink's thread."""


class FrameQueue:
    """Frames on their way to the sink; full means the socket is not read.

    The policy when the sink cannot keep up: nothing is dropped. `put` waits, the kernel's
    buffers fill, TCP slows the exchange down, and after too long the exchange closes the socket,
    which is a gap we know of. Waits are counted. For one event loop.
    """

    def __init__(self, max_frames: int = 50_000, max_bytes: int = 32 << 20) -> None:
        self._max_frames, self._max_bytes = max_frames, max_bytes
        self._items: list[Item] = []
        self._bytes = 0
        self._filled, self._emptied = asyncio.Event(), asyncio.Event()
        self.waits = 0  # times a `put` found the queue full

    def __len__(self) -> int:
        """Frames waiting."""
        return len(self._items)

    @property
    def full(self) -> bool:
        """Whether the next `put` waits; one frame always fits."""
        return len(self._items) >= self._max_frames or self._bytes >= self._max_bytes

    def put_nowait(self, item: Item) -> None:
        """Queue one frame whatever the bound; callers look at `full` first."""
        self._items.append(item)
        self._bytes += len(item.payload)
        self._filled.set()

    async def put(self, item: Item) -> None:
        """Queue one frame, waiting while the queue is full."""
        if self.full:
            self.waits += 1
            while self.full:
                self._emptied.clear()
                await self._emptied.wait()
        self.put_nowait(item)

    async def take(self) -> list[Item]:
        """Wait for at least one frame and take all there are, in order."""
        while not self._items:
            self._filled.clear()
            await self._filled.wait()
        return self.take_nowait()

    def take_nowait(self) -> list[Item]:
        """Take all frames there are, in order; none is an empty list."""
        items, self._items, self._bytes = self._items, [], 0
        self._emptied.set()
        return items
