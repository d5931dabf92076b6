"""The simulated exchange: the Coinbase Exchange protocol over a real websocket on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

import numpy as np
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

from data_lake.clock import Clock, SystemClock
from ingest_service.simulator.fault import Fault, parse_faults
from ingest_service.simulator.market import CHANNELS, Block, Market, MarketConfig
from ingest_service.simulator.mischief import Mischief
from ingest_service.simulator.pace import MAX, Pace
from ingest_service.simulator.session import Session
from ingest_service.simulator.subscription import RefusedError, topic
from ingest_service.simulator.truth import Truth
from ingest_service.simulator.wire import last_match

OVER: Final = "simulation over"
"""Close reason, with code 1000, when the duration has passed."""

_BATCH: Final = 256  # rows between two looks at the sockets
_LONGEST_NAP_S: Final = 0.02  # a hand-driven clock is looked at this often
_DEFLATE: Final = ServerPerMessageDeflateFactory(compress_settings={"level": 2})


class Exchange:
    """A local exchange; enter it to serve, leave it to stop.

    Args:
        config: the market.
        port: 0 takes a free one; `url` tells which.
        speed: simulated seconds per real second; `MAX` is as fast as subscribers read.
        faults: a script, see `fault`.
        clock: what speed refers to.
        wait_for_subscriber: while nobody subscribes, simulated time stands still. False: the
            market runs on and whoever comes late has missed it.
        subscribe_within_s: real seconds until a client without a subscription is dropped.
        keep_truth: remember all trades; costs about 200 bytes each.

    A subscriber that reads slowly slows everybody down: nothing is dropped but by a fault.
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
        self._host, self._port = host, port
        self._wait, self._deadline_s = wait_for_subscriber, subscribe_within_s
        self._pace = Pace(clock or SystemClock(), self.config.start_ns, speed)
        self._mischief = Mischief(
            parse_faults(faults), self.config.products, self.config.start_ns
        )
        self._market = Market(self.config)
        self._sessions: set[Session] = set()
        self._subscribed = asyncio.Event()
        self._keep_truth = keep_truth
        self._block: Block | None = None
        self._row = 0  # first row of the block not sent yet
        self._last: dict[int, tuple[int, bytes]] = {}  # by topic: trade id and frame
        self.truth = Truth(self.config.products)
        self.finished = asyncio.Event()
        self.now_ns = self.config.start_ns  # simulated, of the newest row sent
        self.frames_sent = 0  # over all clients, acks and snapshots included

    @property
    def url(self) -> str:
        """Where to connect; valid while the exchange is entered."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"ws://{host}:{self._port}"

    @property
    def faults_happened(self) -> list[Fault]:
        """Scripted faults that have begun."""
        return self._mischief.happened
