"""A simulated market for the models' tests: stochastic volatility on 10 s bars, sampled a minute.

Two log-variance factors revert to their mean, one in minutes, one in hours, so that heterogeneous
windows beat the last one. With `hidden=True` the variance of the minutes to come also depends on
an interaction of two persistent features that no linear model can express.
"""

from __future__ import annotations

import json
from bisect import insort
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from data_lake.tables import FRAMES
from volatility.dataset import SECOND_NS, Dataset, dataset
from volatility.feature import FEATURES, HALF_LIVES_S, HORIZONS_S, WINDOWS_S
from volatility.normalise import Normalised
from volatility.record import QUOTES, TRADES
from volatility.timescale import rv_floor

BAR_S = 10
STEP_S = 60
START_NS = 1_767_225_600 * SECOND_NS  # 2026-01-01T00:00:00Z
Values = npt.NDArray[np.float64]
Tables = tuple[Any, Any]
Market = Callable[..., Tables]


def _reverting(generator: np.random.Generator, n: int, half_life_s: float, spread: float) -> Values:
    keep = 0.5 ** (BAR_S / half_life_s)
    shocks = generator.standard_normal(n) * spread * np.sqrt(1.0 - keep * keep)
    path = np.empty(n)
    level = generator.standard_normal() * spread
    for i in range(n):
        level = keep * level + shocks[i]
        path[i] = level
    return path


def _window(values: Values, bars: int) -> Values:
    sums = np.concatenate([[0.0], np.cumsum(values)])
    out = np.full(len(values), np.nan)
    out[bars - 1 :] = np.maximum(sums[bars:] - sums[:-bars], 0.0)
    return out


def _ewma(values: Values, half_life_s: float) -> Values:
    keep, level, out = 0.5 ** (BAR_S / half_life_s), values.mean(), np.empty(len(values))
    for i, value in enumerate(values):
        level = keep * level + (1.0 - keep) * value
        out[i] = level
    return out / BAR_S


def _threshold(ts: npt.NDArray[np.int64], past: Values) -> Values:
    """The 90 % quantile of the windows that ended by ts."""
    seen: list[float] = []
    out = np.full(len(ts), np.nan)
    for i, value in enumerate(past):
        if np.isfinite(value):
            insort(seen, float(value))
        if len(seen) >= 30:
            out[i] = seen[int(0.9 * (len(seen) - 1))]
    return out


def _nullable(values: Values) -> Any:
    return pa.array(values, mask=~np.isfinite(values))


def _simulate_product(name: str, code: int, bars: int, seed: int, hidden: bool) -> Tables:
    generator = np.random.default_rng([seed, code])
    ts = START_NS + np.arange(1, bars + 1) * BAR_S * SECOND_NS
    log_var = _reverting(generator, bars, 900.0, 0.7) + _reverting(generator, bars, 14_400.0, 0.8)
    spread = _reverting(generator, bars, 1_800.0, 1.0)
    imbalance = _reverting(generator, bars, 1_800.0, 1.0)
    if hidden:
        excited = np.sign(spread * imbalance)
        log_var += 1.2 * np.concatenate([np.zeros(30), excited[:-30]])
    r = 1e-4 * (1 + code) * np.exp(log_var / 2.0) * generator.standard_normal(bars)
    r[generator.random(bars) < 0.05] = 0.0
    square = r * r
    columns: dict[str, Values] = {}
    for w in WINDOWS_S:
        columns[f"rv_{w}s"] = _window(square, w // BAR_S)
        columns[f"rs_neg_{w}s"] = _window(square * (r < 0.0), w // BAR_S)
    columns |= {f"ewma_var_{h}s": _ewma(square, h) for h in HALF_LIVES_S}
    columns |= {"spread_bps_60s": spread, "imbalance_60s": imbalance}
    day = 2.0 * np.pi * (ts // SECOND_NS % 86_400) / 86_400
    columns |= {"tod_sin": np.sin(day), "tod_cos": np.cos(day)}
    noise = generator.standard_normal(bars)
    at = np.flatnonzero(ts % (STEP_S * SECOND_NS) == 0)
    words = {"product": [name] * len(at), "source": ["sim"] * len(at)}
    features = pa.table(
        {"product": words["product"], "ts": ts[at]}
        | {f: _nullable(columns.get(f, noise)[at]) for f in FEATURES}
        | {"source": words["source"]}
    )
    labels = []
    for h in HORIZONS_S:
        past, ahead = columns[f"rv_{h}s"], np.full(bars, np.nan)
        ahead[: -h // BAR_S] = past[h // BAR_S :]
        threshold = _threshold(ts[at], past[at])
        rv = ahead[at]
        unknown = ~(np.isfinite(rv) & np.isfinite(threshold))
        labels.append(
            pa.table(
                {
                    "product": words["product"],
                    "ts": ts[at],
                    "horizon_s": pa.array(np.full(len(at), h, np.int32)),
                    "label_end": ts[at] + h * SECOND_NS,
                    "rv": _nullable(rv),
                    "log_rv": _nullable(np.log(np.maximum(rv, rv_floor(h)))),
                    "threshold": _nullable(threshold),
                    "spike": pa.array(rv > threshold, mask=unknown),
                    "warm_up": ts[at] < START_NS + 7 * 86_400 * SECOND_NS,
                    "source": words["source"],
                }
            )
        )
    return features, pa.concat_tables(labels)


@lru_cache(maxsize=8)
def _simulate(hours: float, products: tuple[str, ...], seed: int, hidden: bool) -> Tables:
    bars = int(hours * 3600) // BAR_S
    parts = [_simulate_product(p, i, bars, seed, hidden) for i, p in enumerate(products)]
    return pa.concat_tables([f for f, _ in parts]), pa.concat_tables([la for _, la in parts])


@pytest.fixture(scope="session")
def market() -> Market:
    """`market(hours, products, seed, hidden)` gives feature and label rows, one a minute."""

    def build(
        hours: float = 24.0,
        products: tuple[str, ...] = ("BTC-USD", "ETH-USD"),
        seed: int = 7,
        hidden: bool = False,
    ) -> Tables:
        return _simulate(hours, products, seed, hidden)

    return build


@pytest.fixture(scope="session")
def day(market: Market) -> Dataset:
    """A simulated day of two products, a decision a minute, 300 s ahead."""
    return dataset(*market(24.0), 300, STEP_S)


FrameTable = Callable[..., Any]
"""`frame_table(payloads, feed="exchange", recv_ns=..., source="live", offset=0)` -> `pa.Table`."""

RECV_NS = 1_762_932_011_700_000_000
"""Receive time of the first hand-made frame, 2025-11-12 07:20:11.7; the next is 1 ms later."""


def _frame_table(
    payloads: Sequence[object],
    feed: str | Sequence[str] = "exchange",
    recv_ns: Sequence[int] | int = RECV_NS,
    source: str = "live",
    offset: int = 0,
) -> Any:
    raw = [p if isinstance(p, bytes) else json.dumps(p).encode() for p in payloads]
    n = len(raw)
    recv = [recv_ns + 1_000_000 * i for i in range(n)] if isinstance(recv_ns, int) else recv_ns
    feeds = [feed] * n if isinstance(feed, str) else list(feed)
    columns = {
        "offset": list(range(offset, offset + n)),
        "kafka_ts": recv,
        "recv_ts": recv,
        "source": [source] * n,
        "feed": feeds,
        "conn": ["test"] * n,
        "frame": list(range(n)),
        "product": [None] * n,
        "payload": raw,
    }
    return pa.table([columns[name] for name in FRAMES.schema.names], schema=FRAMES.schema)


@pytest.fixture(scope="session")
def frame_table() -> FrameTable:
    """Builds a table like `bronze/frames`; payloads that are not bytes are written as JSON."""
    return _frame_table


class Wire:
    """Frames as the exchange sends them; change a field with `wire.TICKER | {...}`."""

    TICKER: ClassVar[dict[str, Any]] = {
        "type": "ticker",
        "sequence": 115498669093,
        "product_id": "BTC-USD",
        "price": "103472.28",
        "open_24h": "104763.2",
        "volume_24h": "5461.74127717",
        "low_24h": "102422.43",
        "high_24h": "105504.83",
        "volume_30d": "222137.61075405",
        "best_bid": "103472.27",
        "best_bid_size": "0.04145138",
        "best_ask": "103472.28",
        "best_ask_size": "0.02560996",
        "side": "buy",
        "time": "2025-11-12T07:20:11.615272Z",
        "trade_id": 900701309,
        "last_size": "0.00068754",
    }
    MATCH: ClassVar[dict[str, Any]] = {
        "type": "match",
        "trade_id": 1081862675,
        "maker_order_id": "f07e510f",
        "side": "sell",
        "size": "0.00000001",
        "price": "80691.53",
        "product_id": "BTC-USD",
        "sequence": 134905860111,
        "time": "2026-08-25T03:35:57.198335Z",
    }
    NEVER_TRADED: ClassVar[dict[str, Any]] = {
        "type": "ticker",
        "product_id": "HBAR-USD",
        "price": "0",
        "open_24h": "0",
        "best_bid": "0.00000",
        "best_ask": "0.00000",
    }
    BOOK: ClassVar[dict[str, Any]] = {
        "product_id": "BTC-USD",
        "best_bid": "21931.98",
        "best_bid_quantity": "8000.21",
        "best_ask": "21933.98",
        "best_ask_quantity": "8038.07770938",
    }

    @staticmethod
    def trade(trade_id: object = "929248663", **other: Any) -> dict[str, Any]:
        """A trade of `market_trades`."""
        own = {"product_id": "BTC-USD", "trade_id": trade_id, "price": "88355.58", "side": "BUY"}
        return own | {"size": "0.00003338", "time": "2025-12-31T06:00:13.65457Z"} | other

    @staticmethod
    def market_trades(*trades: dict[str, Any]) -> dict[str, Any]:
        """An Advanced Trade frame of trades."""
        head = {"channel": "market_trades", "timestamp": "2025-12-31T06:00:13.715382929Z"}
        return head | {"sequence_num": 7, "events": [{"type": "update", "trades": trades}]}

    @staticmethod
    def tickers(*rows: dict[str, Any], channel: str = "ticker") -> dict[str, Any]:
        """An Advanced Trade frame of tickers, such as `BOOK`."""
        head = {"channel": channel, "timestamp": "2023-02-09T20:30:37.167359596Z"}
        return head | {"sequence_num": 3, "events": [{"type": "snapshot", "tickers": rows}]}

    @staticmethod
    def told(found: Normalised) -> list[tuple[str, str, str | None]]:
        """(kind, verdict, reason) of every frame."""
        columns = (found.kind, found.verdict, found.reason)
        return list(zip(*(column.to_pylist() for column in columns), strict=True))


@pytest.fixture(scope="session")
def wire() -> type[Wire]:
    """Exchange frames written by hand, and what `normalise` said of them: `wire.told(found)`."""
    return Wire


class Tape:
    """Quotes and trades written one by one, in seconds after midnight and in units of the price.

    `quote` and `trade` return the tape; `quotes()` and `trades()` are its silver tables.
    """

    START_NS = START_NS

    def __init__(self) -> None:
        self._quotes: list[dict[str, Any]] = []
        self._trades: list[dict[str, Any]] = []

    def quote(
        self,
        at_s: float,
        bid: float,
        ask: float,
        bid_size: float | None = 1.0,
        ask_size: float | None = 1.0,
        *,
        product: str = "BTC-USD",
        scale: int = 2,
        sequence: int | None = None,
        source: str = "live",
    ) -> Tape:
        """A quote `at_s` seconds after midnight; sizes in base units, `scale` is the price's."""
        sizes = [None if s is None else round(s * 10**8) for s in (bid_size, ask_size)]
        self._quotes.append(
            self._common(at_s, product, scale, source)
            | {"bid": round(bid * 10**scale), "ask": round(ask * 10**scale)}
            | {"bid_size": sizes[0], "ask_size": sizes[1]}
            | {"sequence": len(self._quotes) if sequence is None else sequence}
        )
        return self

    def trade(
        self,
        at_s: float,
        size: float,
        taker_side: str = "buy",
        *,
        product: str = "BTC-USD",
        trade_id: int | None = None,
        source: str = "live",
    ) -> Tape:
        """A trade `at_s` seconds after midnight, size in base units."""
        number = len(self._trades) if trade_id is None else trade_id
        self._trades.append(
            self._common(at_s, product, 2, source)
            | {"price": 100, "size": round(size * 10**8), "trade_id": number, "sequence": number}
            | {"taker_side": taker_side, "maker_side": "sell" if taker_side == "buy" else "buy"}
        )
        return self

    def quotes(self) -> Any:
        """Rows of silver/quotes, in the order written."""
        return pa.Table.from_pylist(self._quotes, schema=QUOTES)

    def trades(self) -> Any:
        """Rows of silver/trades, in the order written."""
        return pa.Table.from_pylist(self._trades, schema=TRADES)

    @staticmethod
    def _common(at_s: float, product: str, scale: int, source: str) -> dict[str, Any]:
        ts = START_NS + round(at_s * SECOND_NS)
        return {
            "product": product,
            "price_scale": scale,
            "size_scale": 8,
            "ts_event": ts,
            "ts_recv": ts,
            "source": source,
            "feed": "exchange",
            "offset": 0,
        }


def random_tape(seed: int, hours: float, events: int, products: tuple[str, ...]) -> Tape:
    """A tape of oddities: silences, ties, changing price scales, missing sizes, no book."""
    generator = np.random.default_rng(seed)
    tape, mid = Tape(), 10_000
    for product in products:
        at_s = np.sort(generator.random(events) * hours * 3600)
        silent = generator.random() * hours * 3600
        at_s = at_s[(at_s < silent) | (at_s > silent + 300.0)]
        for at in np.where(generator.random(len(at_s)) < 0.3, np.floor(at_s), at_s).tolist():
            mid = max(mid + int(generator.integers(-3, 4)), 100)
            scale = 2 + int(at > 2 * hours * 1200) * 3
            odd, side = generator.random(), "buy" if generator.random() < 0.5 else "sell"
            sizes = [None if odd < 0.05 else float(s) for s in generator.integers(1, 9, 2) / 7]
            bid = 0.0 if odd > 0.99 else (mid - 1) / 100
            source = "sim" if odd > 0.998 else "live"
            tape.quote(
                at, bid, (mid + 1) / 100, *sizes, product=product, scale=scale, source=source
            )
            if odd < 0.5:
                tape.trade(at, float(generator.random()), side, product=product)
    return tape


@pytest.fixture(scope="session")
def new_tape() -> type[Tape]:
    """The class of hand-written tapes: `new_tape().quote(1.5, 99.0, 101.0).trade(2.0, 0.5)`."""
    return Tape


@pytest.fixture(scope="session")
def make_tape() -> Callable[[int, float, int, tuple[str, ...]], Tape]:
    """`make_tape(seed, hours, events, products)` gives a random tape full of oddities."""
    return random_tape
