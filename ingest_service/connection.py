"""One socket, from connect to close: subscribe, check the answer, hand frames on, watch."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from data_lake.clock import Clock
from ingest_service.backoff import Backoff
from ingest_service.dead_letter import DeadLetter
from ingest_service.fact import FactName, fact
from ingest_service.frame_queue import FrameQueue
from ingest_service.plan import Plan
from ingest_service.refusal import error_text, named
from ingest_service.subscription import Channels, acknowledged, messages, missing, requested
from ingest_service.tally import Tally
from volatility.frame import Frame
from volatility.peek import peek
from volatility.wire import DECODE_ERRORS

MAX_SIZE: Final = 16 << 20
"""Bytes in the largest message; a bigger one, unpacked, closes the socket with 1009."""

_CONTROL: Final = frozenset({"subscriptions", "error"})
_log: Final = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Close:
    """How a connection ended."""

    code: int
    reason: str
    by: str  # peer, us (protocol broken), watchdog or shutdown


class Connection:
    """The life of one socket. Facts and frames share one ordinal."""

    def __init__(
        self,
        plan: Plan,
        products: tuple[str, ...],
        conn: str,
        *,
        queue: FrameQueue,
        tally: Tally,
        clock: Clock,
        backoff: Backoff,
    ) -> None:
        self._plan, self._products, self._conn = plan, products, conn
        self._queue, self._tally, self._clock = queue, tally, clock
        self._backoff = backoff
        self._asked = requested(plan.feed, products)
        self._acked: Channels = {}
        self._ordinal = 0
        self._frames = 0
        self._data_since: float | None = None  # loop time of the first market data
        self._heard_at = 0.0  # loop time of the last frame
        self._watchdog = ""  # why we closed the socket ourselves
        self.refused: set[str] = set()  # products the exchange will not have; do not ask again

    async def run(self) -> Close:
        """Connect, subscribe and hand on frames until the socket closes; say how it ended.

        Raises:
            OSError: no connection.
            TimeoutError: no connection, or no subscription, within the deadline.
            WebSocketException: the handshake failed.
        """
        deadlines = self._plan.deadlines
        async with connect(
            self._plan.address,
            compression="deflate",
            max_size=MAX_SIZE,
            open_timeout=deadlines.open_s,
            close_timeout=deadlines.close_s,
            proxy=None if self._plan.is_local else True,
        ) as socket:
            self._state("connected", url=self._plan.address, products=list(self._products))
            watch = asyncio.create_task(self._watch(socket))
            try:
                async with asyncio.timeout(deadlines.subscribe_s):
                    await self._subscribe(socket)
                return await self._receive(socket)
            except ConnectionClosed as exc:
                return self._closed(exc)
            except asyncio.CancelledError:
                self._record_close(Close(1000, "", "shutdown"))
                raise
            finally:
                watch.cancel()

    async def _subscribe(self, socket: ClientConnection) -> None:
        for message in messages(self._plan.feed, self._products):
            await socket.send(message, text=True)

    async def _receive(self, socket: ClientConnection) -> Close:
        """Hand on every message until the socket closes; a bad frame is only a frame."""
        now = asyncio.get_running_loop().time
        while True:
            payload = await socket.recv(decode=False)
            recv_ns = self._clock.now_ns()
            seen = peek(payload, self._plan.feed)
            frame = Frame(
                recv_ns=recv_ns,
                source=self._plan.source,
                feed=self._plan.feed,
                conn=self._conn,
                frame=self._ordinal,
                product=seen.product,
                payload=payload,
            )
            self._ordinal += 1
            self._count(frame, seen.kind)
            if self._queue.full:
                await self._queue.put(frame)
            else:
                self._queue.put_nowait(frame)
            self._heard_at = now()
            if seen.kind in _CONTROL:
                self._on_control(seen.kind, payload)
                if self.refused:
                    await socket.close(1000)
            elif self._data_since is None:
                self._data_since = self._heard_at

    def _count(self, frame: Frame, kind: str) -> None:
        self._frames += 1
        tally = self._tally
        tally.frames += 1
        tally.payload_bytes += len(frame.payload)
        tally.last_frame_ns = frame.recv_ns
        tally.kinds[kind] += 1
        if frame.product is not None:
            tally.products[frame.product] += 1
        if kind == "unknown" and not _is_json(frame.payload):
            tally.dead_letters += 1
            self._queue.put_nowait(DeadLetter(frame, "not JSON", self._plan.address))

    def _on_control(self, kind: str, payload: bytes) -> None:
        if kind == "error":
            self._on_error(payload)
            return
        acked = acknowledged(self._plan.feed, payload)
        if acked is not None and acked != self._acked:
            self._acked = acked
            self._state("acked", channels=_plain(acked), missing=self._missing())

    def _on_error(self, payload: bytes) -> None:
        """An error that names a product not in force refuses it; the others come without it."""
        text = error_text(payload)
        self._tally.last_error = text
        _log.warning("the exchange reports an error", conn=self._conn, error=text)
        in_force = frozenset[str]().union(*self._acked.values())
        refused = named(text, self._products) - in_force - self.refused
        if refused:
            self.refused |= refused
            self._tally.refused |= dict.fromkeys(sorted(refused), text)
            self._state("refused", products=sorted(refused), reason=text)

    def _missing(self) -> dict[str, list[str]]:
        return _plain(missing(self._asked, self._acked))

    async def _watch(self, socket: ClientConnection) -> None:
        """Ask again for what was not acknowledged; close a socket that has gone silent."""
        with contextlib.suppress(ConnectionClosed):
            await self._watch_open(socket)

    async def _watch_open(self, socket: ClientConnection) -> None:
        deadlines = self._plan.deadlines
        now = asyncio.get_running_loop().time
        opened_at = self._heard_at = now()
        asked = 1
        while True:
            await asyncio.sleep(min(deadlines.silence_s, deadlines.ack_s) / 5)
            if asked <= 2 and now() - opened_at > asked * deadlines.ack_s:
                asked += 1
                await self._check_ack(socket, again=asked == 2)
            if self._data_since is not None and now() - self._data_since > deadlines.sustained_s:
                self._backoff.reset()
            if now() - self._heard_at > deadlines.silence_s and not self._queue.full:
                self._watchdog = f"no frame for {deadlines.silence_s:g} s"
                await socket.close(1001, self._watchdog)
                return

    async def _check_ack(self, socket: ClientConnection, *, again: bool) -> None:
        lacking = self._missing()
        if not lacking:
            return
        _log.warning("subscription not acknowledged", conn=self._conn, missing=lacking)
        if again:
            await self._subscribe(socket)
        else:
            self._state("acked", channels=_plain(self._acked), missing=lacking)

    def _closed(self, exc: ConnectionClosed) -> Close:
        if self.refused:
            close = Close(1000, f"without {', '.join(sorted(self.refused))}", "us")
        elif self._watchdog:
            close = Close(1006, self._watchdog, "watchdog")
        elif exc.rcvd is not None:
            close = Close(int(exc.rcvd.code), exc.rcvd.reason, "peer")
        elif exc.sent is not None:  # a message over the limit, or a broken protocol
            close = Close(int(exc.sent.code), exc.sent.reason, "us")
        else:
            close = Close(1006, "", "peer")
        self._record_close(close)
        return close

    def _record_close(self, close: Close) -> None:
        self._state(
            "closed", code=close.code, reason=close.reason, by=close.by, frames=self._frames
        )

    def _state(self, name: FactName, **details: Any) -> None:
        """Log a fact and queue it; facts are few, so they do not wait for room."""
        _log.info(name, conn=self._conn, **details)
        self._queue.put_nowait(
            fact(
                name,
                recv_ns=self._clock.now_ns(),
                source=self._plan.source,
                conn=self._conn,
                frame=self._ordinal,
                **details,
            )
        )
        self._ordinal += 1
        self._tally.facts += 1


def _plain(channels: Channels) -> dict[str, list[str]]:
    return {name: sorted(products) for name, products in sorted(channels.items())}


def _is_json(payload: bytes) -> bool:
    """Whether the bytes are one JSON value, whatever it means."""
    try:
        msgspec.json.decode(payload)
    except DECODE_ERRORS:
        return False
    return True
