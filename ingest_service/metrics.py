"""The ingestor's Prometheus metrics: read from the running counts when somebody asks.

| metric | meaning |
|---|---|
| `cryptovol_frames_total{kind}` | frames received, by kind |
| `cryptovol_product_frames_total{product}` | frames received that concern one product |
| `cryptovol_bytes_total` | payload bytes received |
| `cryptovol_closes_total{code}` | connections that ended, by close code; `failed`: never opened |
| `cryptovol_dead_letters_total` | frames with bytes nobody could read |
| `cryptovol_queue_frames` | frames between socket and sink |
| `cryptovol_queue_waits_total` | times a socket waited for the sink |
| `cryptovol_seconds_since_last_frame` | absent before the first frame |
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from data_lake.clock import Clock
from ingest_service.tally import Tally

LOOPBACK: Final = "127.0.0.1"


class IngestMetrics(Collector):
    """Turns a tally into metrics at scrape time; costs nothing per frame."""

    def __init__(self, tally: Tally, clock: Clock) -> None:
        self._tally, self._clock = tally, clock

    def collect(self) -> Iterator[Metric]:
        """The metrics as they stand."""
        tally = self._tally
        for name, doc, label, counts in (
            ("frames", "Frames received, by kind.", "kind", tally.kinds),
            ("product_frames", "Frames received, by product.", "product", tally.products),
            ("closes", "Connections that ended, by close code.", "code", tally.closes),
        ):
            family = CounterMetricFamily(f"cryptovol_{name}", doc, labels=[label])
            for value, count in sorted(counts.items()):
                family.add_metric([value], count)
            yield family
        for name, doc, figure in (
            ("bytes", "Payload bytes received.", tally.payload_bytes),
            ("dead_letters", "Frames with bytes nobody could read.", tally.dead_letters),
            ("queue_waits", "Times a socket waited for the sink.", tally.queue_waits),
        ):
            yield CounterMetricFamily(f"cryptovol_{name}", doc, value=figure)
        yield GaugeMetricFamily(
            "cryptovol_queue_frames", "Frames between socket and sink.", value=tally.queued
        )
        if tally.last_frame_ns:
            age_s = (self._clock.now_ns() - tally.last_frame_ns) / 1e9
            yield GaugeMetricFamily(
                "cryptovol_seconds_since_last_frame", "Age of the newest frame.", value=age_s
            )


@contextmanager
def serve_metrics(tally: Tally, clock: Clock, port: int) -> Iterator[int]:
    """Serve the metrics on this machine's `port` (0: a free one, which is yielded)."""
    registry = CollectorRegistry()
    registry.register(IngestMetrics(tally, clock))
    server, thread = start_http_server(port, addr=LOOPBACK, registry=registry)
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
