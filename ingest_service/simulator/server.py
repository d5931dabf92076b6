"""The simulated exchange: the Coinbase Exchange protocol over a real websocket on this machine."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

from data_lake.clock import Clock, SystemClock
from ingest_service.simulator.fault import Fault, parse_faults
from ingest_service.simulator.floor import Floor
from ingest_service.simulator.market import MarketConfig
from ingest_service.simulator.pace import MAX, check_speed
from ingest_service.simulator.session import Session
from ingest_service.simulator.truth import Truth
from volatility.errors import FeedError

OVER: Final = "simulation over"
"""Close reason, with code 1000, when the duration has passed."""

_DEFLATE: Final = ServerPerMessageDeflateFactory(compress_settings={"level": 2})  # half the CPU
_LARGEST_REQUEST: Final = 1 << 16  # bytes
_WRITE_BUFFER: Final = 1 << 18  # bytes queued per client before everybody waits for it
_GRACE_S: Final = 5.0  # until clients that do not answer a close are cut off
_PATIENCE_S: Final = 120.0  # a client may stall this long, being flushed or swapped out


class Exchange:
    """A local exchange; `async with` serves and stops it.

    Args:
        config: the market; the same config gives the same bytes.
        host: address to bind.
        port: 0 takes a free one; `url` tells which.
        speed: simulated seconds per real second; `MAX` is as fast as subscribers read.
        faults: a script, see `fault`.
        clock: what `speed` refers to.
        wait_for_subscriber: while nobody subscribes, simulated time stands still. False: the
            market runs on, and whoever comes late has missed it.
        subscribe_within_s: real seconds until a client without a subscription is dropped.
        keep_truth: remember all trades; costs about 200 bytes each.

    A subscriber that reads slowly slows everybody down; only a fault loses a frame.

    Raises:
        SettingError: `speed` or `faults` is not usable.
        ProductError: a product id is malformed.
        FeedError: on entering, when the port cannot be bound.
    """

    def __init__(
        self,
        config: MarketConfig | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = MAX,
        faults: str = "",
        clock: Clock | None = None,
        wait_for_subscriber: bool = True,
        subscribe_within_s: float = 5.0,
        keep_truth: bool = True,
    ) -> None:
        self.config = config or MarketConfig()
        self.finished = asyncio.Event()
        self._host, self._port = host, port
        self._speed, self._clock = check_speed(speed), clock or SystemClock()
        self._deadline_s = subscribe_within_s
        self._floor = Floor(
            self.config, parse_faults(faults), wait=wait_for_subscriber, keep_truth=keep_truth
        )
        self._over = False  # the duration has passed; clients may still be reading
        self._server: Server | None = None
        self._market: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where to connect; the real port once entered."""
        return f"ws://{self._host}:{self._port}"

    @property
    def truth(self) -> Truth:
        """Everything that happened, complete once `finished`."""
        return self._floor.truth

    @property
    def faults_happened(self) -> list[Fault]:
        """Scripted faults that have begun, in order."""
        return self._floor.happened

    @property
    def now_ns(self) -> int:
        """Simulated time: of the newest frame sent, ns since epoch UTC."""
        return self._floor.now_ns

    @property
    def frames_sent(self) -> int:
        """Frames sent so far, over all clients, acks and snapshots included."""
        return self._floor.frames_sent

    async def __aenter__(self) -> Self:
        try:
            self._server = await serve(
                self._attend,
                self._host,
                self._port,
                compression=None,
                extensions=[_DEFLATE],
                max_size=_LARGEST_REQUEST,
                write_limit=_WRITE_BUFFER,
                ping_timeout=_PATIENCE_S,
                close_timeout=_PATIENCE_S,
            )
        except OSError as exc:
            raise FeedError(self.url, f"cannot listen: {exc.strerror or exc}") from exc
        self._port = next(iter(self._server.sockets)).getsockname()[1]
        self._market = asyncio.create_task(self._open_market(), name="simulated market")
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._market is None or self._server is None:
            return
        self._market.cancel()
        self._server.close(code=1001, reason="exchange stopped")
        await self._floor.evict(_GRACE_S)
        await self._server.wait_closed()
        with suppress(asyncio.CancelledError):
            await self._market

    async def _open_market(self) -> None:
        try:
            await self._floor.run(self._clock, self._speed)
            self._over = True
            await self._floor.hang_up(1000, OVER)
        finally:
            self.finished.set()

    async def _attend(self, connection: ServerConnection) -> None:
        """One client, from handshake to close."""
        if self._over:
            await connection.close(1000, OVER)
            return
        session = Session(connection, self.config.products)
        self._floor.sessions.add(session)
        try:
            with suppress(ConnectionClosed):
                await self._converse(session)
        finally:
            self._floor.leave(session)

    async def _converse(self, session: Session) -> None:
        try:
            async with asyncio.timeout(self._deadline_s) as deadline:
                async for message in session.connection:
                    self._floor.join(session, message)
                    if session.listening:
                        deadline.reschedule(None)
                    await session.drain()
        except TimeoutError:
            await session.hang_up(1008, f"subscribe within {self._deadline_s:g} s")
