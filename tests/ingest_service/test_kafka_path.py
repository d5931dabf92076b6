"""Replay, check and export over a real broker: the same answers as in direct mode."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from data_lake.chain import read_frames
from data_lake.clock import ManualClock, SystemClock
from data_lake.lake import Lake
from ingest_service import broker
from ingest_service.archive import run_archive
from ingest_service.check import run_check
from ingest_service.export_slice import export_slice
from ingest_service.replay import run_replay
from ingest_service.transport import Transport
from volatility.dedupe import distinct_quotes, distinct_trades
from volatility.errors import BrokerError
from volatility.normalise import normalise

pytestmark = pytest.mark.kafka
CLOCK = ManualClock(1_800_000_000_000_000_000)


@pytest.fixture
def own_kafka(kafka: str, tmp_path: Path) -> Iterator[str]:
    """A broker whose `ticks.raw` nobody else writes to."""
    try:
        yield broker.start(tmp_path / "kafka").servers
    finally:
        broker.stop(tmp_path / "kafka")


def ticker(trade_id: int, product: str = "BTC-USD") -> bytes:
    fields = {
        "type": "ticker",
        "sequence": trade_id,
        "product_id": product,
        "price": "100.5",
        "best_bid": "100.4",
        "best_ask": f"{101 + trade_id}",
        "side": "buy",
        "time": f"2025-11-12T07:20:{trade_id % 60:02d}.615272Z",
        "trade_id": trade_id,
        "last_size": "0.1",
    }
    return json.dumps(fields).encode()


def silver(lake: str) -> tuple[object, object]:
    """Distinct trades and quotes of everything in the lake, where they lay in bronze aside."""
    rows = normalise(read_frames(Lake(lake)))
    tables = distinct_trades(rows.trades), distinct_quotes(rows.quotes)
    trades, quotes = (t.drop_columns(["offset"]).to_pylist() for t in tables)
    return trades, quotes


def test_kafka_and_direct_mode_end_in_the_same_silver_and_so_does_an_exported_slice(
    own_kafka: str, tmp_path: Path, write_lines: Callable[..., Path]
) -> None:
    products = ("BTC-USD", "ETH-USD", "SOL-USD", "DOGE-USD")
    path = write_lines(*[ticker(n, product) for n in range(1, 60) for product in products])
    direct, archived, again = (str(tmp_path / name) for name in ("direct", "archived", "again"))
    through_kafka = Transport(archived, own_kafka)
    with pytest.raises(BrokerError, match="holds no frames"):
        export_slice(through_kafka, tmp_path / "none.ndjson")
    first = run_replay([path], through_kafka, CLOCK, reports=tmp_path)
    second = run_replay([path], Transport(direct), CLOCK, reports=tmp_path)
    assert first == second

    check = run_check(through_kafka, minimum=100)
    assert str(check).startswith("messages_seen=100 seconds=")
    with pytest.raises(BrokerError, match=r"0 of 1 messages in 0\.5 s"):
        run_check(through_kafka, minimum=1, timeout_s=0.5, fresh=True)

    run_archive(
        own_kafka, archived, SystemClock(), until_caught_up=True, stopping=lambda stop: None
    )
    assert silver(archived) == silver(direct)

    report = export_slice(through_kafka, tmp_path / "slice.ndjson")
    assert (report.frames, report.skipped) == (first.total.frames, 0)
    run_replay([tmp_path / "slice.ndjson"], Transport(again), CLOCK, reports=tmp_path)
    assert silver(again) == silver(direct)
