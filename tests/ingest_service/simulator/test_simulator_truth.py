"""The simulator's truth against what the platform makes of its frames."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from data_lake.tables import FRAMES
from ingest_service.simulator.fault import parse_faults
from ingest_service.simulator.market import Block, Market, MarketConfig
from ingest_service.simulator.mischief import Mischief
from ingest_service.simulator.truth import Truth
from volatility.dedupe import distinct_quotes, distinct_trades
from volatility.gap import find_gaps
from volatility.normalise import normalise

CONFIG = MarketConfig(products=("BTC-USD", "DOGE-USD", "ETH-BTC"), duration_s=900.0)


def recorded(script: str) -> tuple[Truth, Any]:
    """The truth, and bronze as a subscriber of everything would fill it; openings included."""
    truth = Truth(CONFIG.products)
    mischief = Mischief(parse_faults(script), CONFIG.products, CONFIG.start_ns)
    payloads: list[bytes] = []
    for block in map(mischief.apply, Market(CONFIG)):
        truth.record(block)
        payloads += heard(block, truth)
    return truth, bronze(payloads)


def heard(block: Block, truth: Truth) -> list[bytes]:
    opening = block.ts_event <= CONFIG.start_ns
    for row in opening.nonzero()[0].tolist():
        truth.shown(CONFIG.products[int(block.topic[row]) // 3], int(block.trade_id[row]))
    flags = (block.visible | opening).tolist()
    return [frame for frame, flag in zip(block.frames, flags, strict=True) if flag]


def bronze(payloads: list[bytes]) -> Any:
    count = len(payloads)
    rows = {
        "offset": range(count),
        "kafka_ts": [0] * count,
        "recv_ts": range(count),
        "source": ["sim"] * count,
        "feed": ["exchange"] * count,
        "conn": ["c"] * count,
        "frame": range(count),
        "product": [None] * count,
        "payload": payloads,
    }
    return pa.table({name: pa.array(rows[name], FRAMES.schema.field(name).type) for name in rows})


DECIMAL = frozenset({"price", "size", "bid", "ask", "bid_size", "ask_size"})


def rescaled(table: Any, names: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """Rows with prices and sizes at scale 8, whatever scale the table chose."""
    columns = []
    for name in names:
        column = table[name].to_pylist()
        scale = "size_scale" if "size" in name else "price_scale"
        if (
            name in {"price", "size", "bid", "ask", "bid_size", "ask_size"}
            and scale in table.column_names
        ):
            exponents = table[scale].to_pylist()
            column = [value * 10**8 // 10**e for value, e in zip(column, exponents, strict=True)]
        columns.append(column)
    return list(zip(*columns, strict=True))


TRADE = ("product", "trade_id", "price", "size", "taker_side", "maker_side", "ts_event", "sequence")
QUOTE = ("product", "bid", "ask", "bid_size", "ask_size", "ts_event", "sequence")
FAULTS = "drop@100:trades=40,duplicate@200:trades=30,malformed@300:count=4,error@400,drop@500"


@pytest.mark.parametrize("script", ["", FAULTS, "disconnect@300:outage=90"])
def test_distinct_trades_equal_the_truth(script: str) -> None:
    truth, frames = recorded(script)
    trades = distinct_trades(normalise(frames).trades)
    assert sorted(rescaled(trades, TRADE)) == sorted(rescaled(truth.sent_trades(), TRADE))


def test_distinct_quotes_equal_the_truth() -> None:
    truth, frames = recorded("duplicate@200:trades=30")
    quotes = distinct_quotes(normalise(frames).quotes)
    assert sorted(rescaled(quotes, QUOTE)) == sorted(rescaled(truth.quotes(), QUOTE))


def test_the_gaps_found_are_the_holes_made() -> None:
    truth, frames = recorded(FAULTS)
    gaps = find_gaps(distinct_trades(normalise(frames).trades), {})
    found = zip(
        *(gaps[name].to_pylist() for name in ("product", "from_trade_id", "to_trade_id")),
        strict=True,
    )
    made = [(hole.product, hole.from_trade_id, hole.to_trade_id) for hole in truth.holes()]
    assert sorted(found) == sorted(made)
    assert len(made) >= 4


def test_only_what_is_meant_to_be_unusable_is_rejected() -> None:
    _, frames = recorded(FAULTS)
    outcome = normalise(frames)
    verdicts = outcome.verdict.to_pylist()
    assert verdicts.count("rejected") == 4
    heartbeats = outcome.kind.to_pylist().count("heartbeat")
    assert heartbeats == 2700
    assert verdicts.count("control") == heartbeats + 1  # the error frame


def test_an_empty_truth_is_an_empty_table() -> None:
    empty = Truth(("BTC-USD",))
    assert empty.trades().num_rows == empty.quotes().num_rows == 0
    assert empty.holes() == []
