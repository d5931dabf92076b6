"""The columns of trades and quotes as the core makes them.

Same names, order and types as `silver/trades`, `silver/quotes` and `silver/gaps`, whose contract
is `data_lake/tables.py`; a test holds the two equal.
"""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa


def _schema(optional: str, **columns: Any) -> Any:
    names = optional.split()
    return pa.schema([pa.field(n, t, nullable=n in names) for n, t in columns.items()])


_TEXT, _INT, _SCALE = pa.string(), pa.int64(), pa.int8()

TRADES: Final[Any] = _schema(
    "sequence",
    product=_TEXT,
    trade_id=_INT,
    price=_INT,
    size=_INT,
    price_scale=_SCALE,
    size_scale=_SCALE,
    taker_side=_TEXT,
    maker_side=_TEXT,
    ts_event=_INT,
    ts_recv=_INT,
    sequence=_INT,
    source=_TEXT,
    feed=_TEXT,
    offset=_INT,
)
"""`pa.Schema` of trades."""

QUOTES: Final[Any] = _schema(
    "bid_size ask_size",
    product=_TEXT,
    bid=_INT,
    ask=_INT,
    bid_size=_INT,
    ask_size=_INT,
    price_scale=_SCALE,
    size_scale=_SCALE,
    ts_event=_INT,
    ts_recv=_INT,
    sequence=_INT,
    source=_TEXT,
    feed=_TEXT,
    offset=_INT,
)
"""`pa.Schema` of distinct quotes."""

OBSERVED_QUOTES: Final[Any] = QUOTES.set(
    QUOTES.get_field_index("sequence"), pa.field("sequence", _INT, nullable=True)
)
"""`pa.Schema` of quotes as observed: `sequence` is null where the wire has none."""

GAPS: Final[Any] = _schema(
    "from_trade_id to_trade_id missing repaired_at",
    product=_TEXT,
    kind=_TEXT,
    from_trade_id=_INT,
    to_trade_id=_INT,
    missing=_INT,
    from_ts=_INT,
    to_ts=_INT,
    detected_at=_INT,
    repaired_at=_INT,
    status=_TEXT,
)
"""`pa.Schema` of gaps."""

PRICES: Final = ("price", "bid", "ask")
"""Columns at `price_scale`, in whichever table has them."""

SIZES: Final = ("size", "bid_size", "ask_size")
"""Columns at `size_scale`, in whichever table has them."""
