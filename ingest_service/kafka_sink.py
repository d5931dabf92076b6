"""Frames to Kafka: idempotent, acks=all, batched, never awaited one by one."""

from __future__ import annotations

import threading
import time
from typing import Any, Final

from ingest_service.message import Headers, to_headers, to_key
from ingest_service.topic import (
    CONNECT_TIMEOUT_MS,
    MAX_MESSAGE,
    TICKS_RAW,
    broker_errors,
    describe,
)
from volatility.errors import BrokerError
from volatility.frame import Frame

MAX_OUTSTANDING: Final = 64 << 20
"""Payload bytes sent but not acknowledged; beyond it `put` blocks. The client has no bound."""

FLUSH_SLICE_S: Final = 0.5
"""How long a flush may not notice that we are asked to stop."""

_NEVER_EXPIRES_MS: Final = 2**31 - 1


class KafkaSink:
    """A producer that keeps order per product and loses nothing without saying so.

    A broker that is away is waited for, without limit: frames pile up to `max_outstanding`
    bytes, then `put` blocks. What Kafka refuses is counted and raised at the next `tick`,
    `flush` or `close`.
    """

    def __init__(
        self,
        servers: str,
        topic: str = TICKS_RAW,
        *,
        max_outstanding: int = MAX_OUTSTANDING,
        flush_timeout_s: float = 60.0,
    ) -> None:
        """Connect; the topic has to exist.

        Raises:
            BrokerError: the broker cannot be reached, or has no such topic.
        """
        from kafka import KafkaProducer

        describe(servers, topic)
        self._servers, self._topic = servers, topic
        self._max_outstanding, self._flush_timeout_s = max_outstanding, flush_timeout_s
        self._sent_bytes = 0  # written by the putting thread only
        self._done_bytes = 0  # written under the lock, mostly by the client's thread
        self._lock = threading.Lock()
        self._room = threading.Event()
        self._stopping = False
        self.blocked = 0  # times `put` had to wait for room
        self.failed = 0  # frames Kafka refused
        self._first_failure: BaseException | None = None
        with broker_errors(servers):
            self._producer: Any = KafkaProducer(
                bootstrap_servers=servers,
                acks="all",
                enable_idempotence=True,
                compression_type="lz4",
                linger_ms=20,
                batch_size=131_072,
                max_request_size=MAX_MESSAGE,
                delivery_timeout_ms=_NEVER_EXPIRES_MS,
                bootstrap_timeout_ms=CONNECT_TIMEOUT_MS,
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )
            self._producer.partitions_for(topic)  # now, so that no `put` ever waits for it

    def put(self, frame: Frame) -> None:
        """Hand one frame to the producer; blocks while `max_outstanding` bytes are on the way.

        Raises:
            BrokerError: the sink is being stopped, or the client refuses the message.
        """
        self.send(frame.payload, to_key(frame.product), to_headers(frame))

    def send(self, value: bytes, key: bytes | None, headers: Headers) -> None:
        """Hand one message to the producer.

        Raises:
            BrokerError: the sink is being stopped, or the client refuses the message.
        """
        size = len(value)
        if self.outstanding > self._max_outstanding:
            self._wait_for_room()
        with broker_errors(self._servers):
            future = self._producer.send(self._topic, value, key=key, headers=headers)
        self._sent_bytes += size
        future.add_callback(self._on_success)
        future.add_errback(self._on_failure, size)

    @property
    def outstanding(self) -> int:
        """Payload bytes sent and not yet acknowledged."""
        return self._sent_bytes - self._done_bytes

    def tick(self) -> None:
        """Raise what Kafka refused so far; sending goes on by itself.

        Raises:
            BrokerError: frames were refused.
        """
        if self.failed:
            raise BrokerError(
                self._servers, f"{self.failed} frames refused, first: {self._first_failure}"
            )

    def flush(self) -> None:
        """Return once everything put so far is acknowledged by the brokers.

        Raises:
            BrokerError: not all was acknowledged in time, or before `stop`; or frames were refused.
        """
        deadline = time.monotonic() + self._flush_timeout_s
        while not self._flushed(FLUSH_SLICE_S):
            if self._stopping or time.monotonic() > deadline:
                reason = f"{self.outstanding} bytes not acknowledged"
                raise BrokerError(self._servers, f"{reason}; the broker does not answer")
        self.tick()

    def _flushed(self, timeout_s: float) -> bool:
        from kafka.errors import KafkaTimeoutError

        try:
            self._producer.flush(timeout=timeout_s)
        except KafkaTimeoutError:
            return False
        return True

    def stop(self) -> None:
        """Make a blocked `put` or `flush` give up; for shutting down while the broker is away."""
        self._stopping = True
        self._room.set()

    def close(self) -> None:
        """Flush and disconnect.

        Raises:
            BrokerError: as `flush`.
        """
        try:
            self.flush()
        except BrokerError:
            self._abandon()
            raise
        finally:
            self._producer.close(timeout=5.0)

    def _abandon(self) -> None:
        """Fail what cannot be sent: the client's own `close` waits for it and then gives up."""
        sender = self._producer._sender
        sender.force_close()
        sender.join(5.0)

    def _wait_for_room(self) -> None:
        self.blocked += 1
        while self.outstanding > self._max_outstanding:
            if self._stopping:
                raise BrokerError(self._servers, "stopped while waiting for acknowledgements")
            self._room.clear()
            if self.outstanding > self._max_outstanding:
                self._room.wait(0.1)

    def _on_success(self, metadata: Any) -> None:
        self._settle(metadata.serialized_value_size)

    def _on_failure(self, size: int, exc: BaseException) -> None:
        self.failed += 1
        self._first_failure = self._first_failure or exc
        self._settle(size)

    def _settle(self, size: int) -> None:
        with self._lock:
            self._done_bytes += size
        self._room.set()
