"""A synthetic tape for benchmarks and oracles: quotes and trades in the lake's own columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from volatility.record import QUOTES, TRADES
from volatility.tick import SECOND_NS

PRODUCTS = ("BTC-USD", "ETH-USD", "SOL-USD", "XRP-USD", "DOGE-USD")
START_NS = 1_767_225_600 * SECOND_NS  # 2026-01-01T00:00:00Z


def tape(ticks: int, hours: int, products: tuple[str, ...], seed: int = 1) -> tuple[Any, Any]:
    """Quotes and trades, `ticks` of each, spread evenly over products; sorted by their keys."""
    generator = np.random.default_rng(seed)
    parts = [_product(p, ticks // len(products), hours, generator) for p in products]
    quotes, trades = zip(*parts, strict=True)
    return (
        pa.concat_tables(quotes).sort_by([(k, "ascending") for k in ("product", "ts_event")]),
        pa.concat_tables(trades).sort_by([(k, "ascending") for k in ("product", "trade_id")]),
    )


def _product(name: str, n: int, hours: int, generator: np.random.Generator) -> tuple[Any, Any]:
    """A ticker's quote and trade at each instant: a random walk, sides and sizes at random."""
    ts = START_NS + np.sort(generator.integers(0, hours * 3600 * SECOND_NS, n))
    mid = 9_000_000 + np.cumsum(generator.integers(-3, 4, n))
    half = generator.integers(1, 5, n)
    buys = generator.random(n) < 0.5
    sizes = np.maximum(generator.lognormal(13.0, 2.0, (3, n)).astype(np.int64), 1)
    count = np.arange(n, dtype=np.int64)
    both = {
        "product": [name] * n,
        "price_scale": np.full(n, 2, np.int8),
        "size_scale": np.full(n, 8, np.int8),
        "ts_event": ts,
        "ts_recv": ts + 20_000_000,
        "sequence": count,
        "source": ["sim"] * n,
        "feed": ["exchange"] * n,
        "offset": count,
    }
    quotes = both | {
        "bid": mid - half,
        "ask": mid + half,
        "bid_size": sizes[0],
        "ask_size": sizes[1],
    }
    trades = both | {
        "trade_id": count,
        "price": np.where(buys, mid + half, mid - half),
        "size": sizes[2],
        "taker_side": np.where(buys, "buy", "sell"),
        "maker_side": np.where(buys, "sell", "buy"),
    }
    return (
        pa.table({k: quotes[k] for k in QUOTES.names}, schema=QUOTES),
        pa.table({k: trades[k] for k in TRADES.names}, schema=TRADES),
    )
