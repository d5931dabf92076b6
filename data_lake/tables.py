"""Every table of the lake: columns, types, units, keys. The only place a schema is written down."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from data_lake.table import Column as Column
from data_lake.table import Table as Table
from volatility.feature import FEATURES

_I8, _I16, _I32, _I64 = pa.int8(), pa.int16(), pa.int32(), pa.int64()
_F64, _TEXT, _FLAG = pa.float64(), pa.string(), pa.bool_()

_PRODUCT = Column("product", _TEXT, "Coinbase pair, `BTC-USD`")
_SOURCE = Column("source", _TEXT, "live, replay, sim or rest")
_MIXED_SOURCE = Column(
    "source",
    _TEXT,
    "the most artificial source the row rests on, live < rest < replay < sim; null where none yet",
    nullable=True,
)
_FEED = Column("feed", _TEXT, "exchange, advanced or flat: the wire format it was read from")
_EVENT = Column("ts_event", _I64, "exchange clock, ns since epoch UTC", role="time")
_RECV = Column("ts_recv", _I64, "our clock at the socket, ns since epoch UTC", role="time")
_OFFSET = Column("offset", _I64, "bronze offset of the first frame that carried it")
_PRICE_SCALE = Column("price_scale", _I8, "decimal digits of the row's prices: price / 10^scale")
_SIZE_SCALE = Column("size_scale", _I8, "decimal digits of the row's sizes: size / 10^scale")

FRAMES: Final = Table(
    "bronze",
    "frames",
    "One received frame, payload as received.",
    ("offset",),
    (
        Column(
            "offset", _I64, "position in (topic, epoch, partition); the log itself may skip some"
        ),
        Column(
            "kafka_ts",
            _I64,
            "log append time, ns UTC; in direct mode the receive time",
            role="time",
        ),
        Column("recv_ts", _I64, "our clock at the socket, ns since epoch UTC", role="time"),
        _SOURCE,
        Column("feed", _TEXT, "exchange, advanced, flat or ingestor"),
        Column("conn", _TEXT, "connection id, unique per socket"),
        Column("frame", _I64, "ordinal of the frame within its connection, from 0"),
        Column("product", _TEXT, "pair the frame was keyed by", nullable=True),
        Column("payload", pa.binary(), "the bytes"),
    ),
    layout="chain",
    time="kafka_ts",
    edge="opens",
)

TRADES: Final = Table(
    "silver",
    "trades",
    "One execution, first sighting wins.",
    ("product", "trade_id"),
    (
        _PRODUCT,
        Column("trade_id", _I64, "unique and contiguous within product"),
        Column("price", _I64, "quote currency, fixed point at price_scale", role="price"),
        Column("size", _I64, "base currency, fixed point at size_scale", role="size"),
        _PRICE_SCALE,
        _SIZE_SCALE,
        Column("taker_side", _TEXT, "buy or sell: who crossed the spread"),
        Column("maker_side", _TEXT, "sell or buy: who rested; `match.side` on the wire"),
        _EVENT,
        _RECV,
        Column("sequence", _I64, "exchange order-event sequence", nullable=True),
        _SOURCE,
        _FEED,
        _OFFSET,
    ),
    time="ts_event",
    edge="opens",
)

QUOTES: Final = Table(
    "silver",
    "quotes",
    "Top of book as observed at an instant.",
    ("product", "ts_event", "sequence"),
    (
        _PRODUCT,
        Column("bid", _I64, "best bid, quote currency, fixed point at price_scale", role="price"),
        Column("ask", _I64, "best ask, quote currency, fixed point at price_scale", role="price"),
        Column(
            "bid_size",
            _I64,
            "base currency at size_scale; null where not sent",
            nullable=True,
            role="size",
        ),
        Column(
            "ask_size",
            _I64,
            "base currency at size_scale; null where not sent",
            nullable=True,
            role="size",
        ),
        _PRICE_SCALE,
        _SIZE_SCALE,
        _EVENT,
        _RECV,
        Column(
            "sequence",
            _I64,
            "exchange sequence; sequence_num on the Advanced feed; where the wire has none, the "
            "ordinal among distinct quotes of the same product and instant",
        ),
        _SOURCE,
        _FEED,
        _OFFSET,
    ),
    time="ts_event",
    edge="opens",
)

GAPS: Final = Table(
    "silver",
    "gaps",
    "One hole in the record, in the hour it was noticed.",
    ("product", "kind", "from_ts", "from_trade_id"),
    (
        _PRODUCT,
        Column("kind", _TEXT, "trade_id: missing trade ids; connection: no socket"),
        Column("from_trade_id", _I64, "first missing id; null for other kinds", nullable=True),
        Column("to_trade_id", _I64, "last missing id; null for other kinds", nullable=True),
        Column("missing", _I64, "trades missing; null where unknown", nullable=True),
        Column("from_ts", _I64, "last event before the hole, ns UTC", role="time"),
        Column("to_ts", _I64, "first event after the hole, ns UTC", role="time"),
        Column(
            "detected_at", _I64, "receive time of the frame that revealed it, ns UTC", role="time"
        ),
        Column(
            "repaired_at",
            _I64,
            "receive time of the last repairing frame",
            nullable=True,
            role="time",
        ),
        Column("status", _TEXT, "open or repaired"),
    ),
    time="to_ts",
    edge="opens",
)

BARS_1S: Final = Table(
    "silver",
    "bars_1s",
    "One closed second per product on a dense grid; a bar is [ts - 1 s, ts).",
    ("product", "ts"),
    (
        _PRODUCT,
        Column("ts", _I64, "close of the bar, ns since epoch UTC", role="time"),
        Column(
            "mid2_open", _I64, "first bid+ask in force, at price_scale", nullable=True, role="mid2"
        ),
        Column(
            "mid2_high",
            _I64,
            "highest bid+ask in force, at price_scale",
            nullable=True,
            role="mid2",
        ),
        Column(
            "mid2_low", _I64, "lowest bid+ask in force, at price_scale", nullable=True, role="mid2"
        ),
        Column(
            "mid2_close",
            _I64,
            "bid+ask in force at the close, at price_scale",
            nullable=True,
            role="mid2",
        ),
        _PRICE_SCALE,
        Column(
            "r",
            _F64,
            "ln(mid_close / previous mid_close); null at start and across gaps",
            nullable=True,
        ),
        Column("n_quotes", _I32, "quote rows in the bar"),
        Column("n_trades", _I32, "trades in the bar"),
        Column("volume", _F64, "traded size, base units"),
        Column("signed_volume", _F64, "taker buys minus taker sells, base units"),
        Column("spread_bps", _F64, "closing spread, basis points of mid", nullable=True),
        Column("imbalance", _F64, "closing top-of-book imbalance in [-1, 1]", nullable=True),
        Column(
            "ofi",
            _F64,
            "order-flow imbalance of the bar, base units; null where a size was not sent",
            nullable=True,
        ),
        Column("age_ns", _I64, "close minus last quote of the product, ns", nullable=True),
        Column(
            "observed", _FLAG, "r is known: a mid at both ends, no silence over 60 s touches it"
        ),
        _MIXED_SOURCE,
    ),
)

FEATURES_1S: Final = Table(
    "gold",
    "features_1s",
    "One row per bar, known at ts; formulas in volatility/kernel.py.",
    ("product", "ts"),
    (
        _PRODUCT,
        Column(
            "ts", _I64, "instant the row is known: the bar's close, ns since epoch UTC", role="time"
        ),
        *(Column(name, _F64, doc, nullable=True) for name, doc in FEATURES.items()),
        _MIXED_SOURCE,
    ),
)

LABELS_1S: Final = Table(
    "gold",
    "labels_1s",
    "One row per bar and horizon, about (ts, ts + horizon]; null until it matures.",
    ("product", "ts", "horizon_s"),
    (
        _PRODUCT,
        Column(
            "ts", _I64, "decision time = feature_end = label_start, ns since epoch UTC", role="time"
        ),
        Column("horizon_s", _I32, "seconds ahead"),
        Column("label_end", _I64, "ts + horizon, ns since epoch UTC", role="time"),
        Column("rv", _F64, "sum of squared 1 s log returns over the horizon", nullable=True),
        Column("log_rv", _F64, "ln(max(rv, floor)), floor 1e-9 per minute", nullable=True),
        Column(
            "threshold", _F64, "trailing 90 % quantile of rv windows ended by ts", nullable=True
        ),
        Column("spike", _FLAG, "rv > threshold", nullable=True),
        Column("warm_up", _FLAG, "threshold rests on less than 7 days of history"),
        _MIXED_SOURCE,
    ),
)

_FORECAST_KEY = ("product", "ts", "horizon_s", "model_version")
_FORECAST_COLUMNS = (
    _PRODUCT,
    Column("ts", _I64, "decision time, ns since epoch UTC", role="time"),
    Column("horizon_s", _I32, "seconds ahead"),
    Column("model_version", _TEXT, "registry name and version, `volatility_1s_300s/3`"),
    Column("rv", _F64, "forecast of the sum of squared log returns over the horizon"),
    Column("lo", _F64, "lower end of the 90 % interval; null: not calibrated", nullable=True),
    Column("hi", _F64, "upper end of the 90 % interval; null: not calibrated", nullable=True),
    Column("p_spike", _F64, "probability that rv exceeds the label's threshold", nullable=True),
    Column("in_sample", _FLAG, "the model saw this row's label in training: never score on it"),
    Column("latency_ns", _I64, "forecast made minus ts; null for batch", nullable=True),
    _SOURCE,
)

FORECASTS: Final = Table(
    "gold", "forecasts", "What the champion said.", _FORECAST_KEY, _FORECAST_COLUMNS
)

OUTCOMES: Final = Table(
    "gold",
    "outcomes",
    "A forecast matched with what then happened.",
    _FORECAST_KEY,
    (
        *_FORECAST_COLUMNS[:-1],
        Column("rv_realised", _F64, "what happened: the matured label"),
        Column("spike", _FLAG, "the matured spike label", nullable=True),
        Column("qlike", _F64, "rv_realised/rv - ln(rv_realised/rv) - 1"),
        Column("covered", _FLAG, "lo <= rv_realised <= hi", nullable=True),
        _SOURCE,
    ),
)

TABLES: Final[dict[str, Table]] = {
    t.path: t
    for t in (
        FRAMES,
        TRADES,
        QUOTES,
        GAPS,
        BARS_1S,
        FEATURES_1S,
        LABELS_1S,
        FORECASTS,
        OUTCOMES,
    )
}
"""Every table by `zone/name`."""
