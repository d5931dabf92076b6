"""What one ingestor is to do: feed, products, address and deadlines."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ingest_service.subscription import MAX_PRODUCTS, URLS, SocketFeed
from volatility.frame import Source


@dataclass(frozen=True)
class Deadlines:
    """How long to wait for what, in seconds."""

    open_s: float = 10.0  # connect and handshake
    subscribe_s: float = 5.0  # the exchange disconnects who has not subscribed by then
    ack_s: float = 5.0  # acknowledged set checked; asked again once
    silence_s: float = 5.0  # no frame at all, with heartbeats on: the socket is dead
    sustained_s: float = 30.0  # data for this long resets the backoff
    close_s: float = 1.0  # closing handshake
    shutdown_s: float = 10.0  # everything flushed after a stop


@dataclass(frozen=True)
class Plan:
    """One feed, its products, and where to find it."""

    feed: SocketFeed
    products: tuple[str, ...]
    url: str = ""  # the feed's public address when empty
    source: Source = "live"
    deadlines: Deadlines = field(default_factory=Deadlines)

    @property
    def address(self) -> str:
        """The websocket url."""
        return self.url or URLS[self.feed]

    @property
    def is_local(self) -> bool:
        """Whether the address is this machine: the simulator is never asked for through a proxy."""
        host = urlsplit(self.address).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    def shards(self) -> list[tuple[str, ...]]:
        """Products per socket, at most `MAX_PRODUCTS` each, in the order given."""
        ids = self.products
        return [ids[i : i + MAX_PRODUCTS] for i in range(0, len(ids), MAX_PRODUCTS)]
