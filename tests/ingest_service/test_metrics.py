"""What Prometheus is told."""

from __future__ import annotations

import urllib.request

import pytest

from data_lake.clock import ManualClock
from ingest_service.metrics import serve_metrics
from ingest_service.tally import Tally


def scrape(tally: Tally, clock: ManualClock) -> dict[str, float]:
    with serve_metrics(tally, clock, 0) as port:
        url = f"http://127.0.0.1:{port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            lines = answer.read().decode().splitlines()
    samples = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    return {name: float(figure) for name, _, figure in samples}


@pytest.mark.parametrize(
    ("metric", "figure"),
    [
        ('cryptovol_frames_total{kind="ticker"}', 7),
        ('cryptovol_product_frames_total{product="BTC-USD"}', 6),
        ('cryptovol_closes_total{code="1006"}', 2),
        ("cryptovol_bytes_total", 700),
        ("cryptovol_dead_letters_total", 1),
        ("cryptovol_queue_waits_total", 3),
        ("cryptovol_queue_frames", 4),
        ("cryptovol_seconds_since_last_frame", 1.5),
    ],
)
def test_each_metric_tells_its_count(metric: str, figure: float) -> None:
    tally = Tally(payload_bytes=700, dead_letters=1, queue_waits=3, queued=4, last_frame_ns=10**9)
    tally.kinds["ticker"], tally.products["BTC-USD"], tally.closes["1006"] = 7, 6, 2
    assert scrape(tally, ManualClock(2_500_000_000))[metric] == figure


def test_before_the_first_frame_there_is_no_age() -> None:
    assert "cryptovol_seconds_since_last_frame" not in scrape(Tally(), ManualClock(0))
