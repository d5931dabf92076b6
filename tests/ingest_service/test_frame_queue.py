"""The bounded queue between socket and sink."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from ingest_service.frame_queue import FrameQueue
from volatility.frame import Frame

MakeFrames = Callable[[int], list[Frame]]


async def test_take_gives_all_there_is_in_order(make_frames: MakeFrames) -> None:
    queue, frames = FrameQueue(), make_frames(5)
    for frame in frames:
        await queue.put(frame)
    assert await queue.take() == frames
    assert len(queue) == 0


async def test_take_waits_for_a_frame(make_frames: MakeFrames) -> None:
    queue, (frame,) = FrameQueue(), make_frames(1)
    taking = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    assert not taking.done()
    await queue.put(frame)
    assert await taking == [frame]


@pytest.mark.parametrize("bounds", [{"max_frames": 3}, {"max_bytes": 60}])
async def test_a_full_queue_makes_put_wait_and_counts_it(
    bounds: dict[str, int], make_frames: MakeFrames
) -> None:
    queue, frames = FrameQueue(**bounds), make_frames(4)
    for frame in frames[:3]:
        await queue.put(frame)
    putting = asyncio.create_task(queue.put(frames[3]))
    await asyncio.sleep(0)
    assert (queue.full, queue.waits, putting.done()) == (True, 1, False)
    assert queue.take_nowait() == frames[:3]
    await putting
    assert queue.take_nowait() == frames[3:]


async def test_one_frame_always_fits(make_frames: MakeFrames) -> None:
    queue, (frame,) = FrameQueue(max_bytes=1), make_frames(1)
    await asyncio.wait_for(queue.put(frame), 1)
    assert queue.full
