"""SQL macros people want over the lake, and the seed project's features as a view."""

from __future__ import annotations

from typing import Final

from volatility import feature

_RV: Final = """
CREATE MACRO rv(r) AS sum(r * r)
"""

_AGO: Final = """
CREATE MACRO ago(span) AS CAST(now() AS TIMESTAMP) - span
"""

_RESAMPLE: Final = """
CREATE MACRO resample(every) AS TABLE
SELECT
    product,
    CAST(time_bucket(every, CAST(ts AS TIMESTAMP) - INTERVAL 1 SECOND) + every AS TIMESTAMP) AS ts,
    arg_min(mid_open, ts) AS mid_open,
    max(mid_high) AS mid_high,
    min(mid_low) AS mid_low,
    arg_max(mid_close, ts) AS mid_close,
    rv(r) AS rv,
    CAST(sum(n_quotes) AS BIGINT) AS n_quotes,
    CAST(sum(n_trades) AS BIGINT) AS n_trades,
    sum(volume) AS volume,
    sum(signed_volume) AS signed_volume,
    avg(CAST(observed AS DOUBLE)) AS observed,
    count(*) AS bars
FROM silver.bars_1s
GROUP BY 1, 2
ORDER BY 1, 2
"""

_ASOF_QUOTES: Final = """
CREATE MACRO asof_quotes(pair) AS TABLE
WITH quotes AS (
    SELECT product, ts_event, bid, ask, bid_size, ask_size
    FROM silver.quotes
    WHERE product = pair
    QUALIFY row_number() OVER (PARTITION BY ts_event ORDER BY sequence DESC) = 1
)
SELECT
    t.*,
    q.ts_event AS ts_quote,
    q.bid,
    q.ask,
    q.bid_size,
    q.ask_size
FROM (SELECT * FROM silver.trades WHERE product = pair) t
ASOF LEFT JOIN quotes q ON t.product = q.product AND t.ts_event > q.ts_event
ORDER BY t.trade_id
"""

MACROS: Final = (_RV, _AGO, _RESAMPLE, _ASOF_QUOTES)
"""Statements that create the macros."""

MACRO_DOCS: Final = {
    "rv(r)": "aggregate: realised variance, the sum of squared returns",
    "ago(span)": "the UTC instant `span` before now: `where ts > ago(interval 1 hour)`",
    "resample(every)": "table: `silver.bars_1s` as bars of any length, named by their close",
    "asof_quotes(pair)": "table: a product's trades, each with the quote in force just before it",
}
"""Each macro's call and meaning."""


def seed_features() -> tuple[str, ...]:
    """Statements that create `gold.seed_features`, one column per expression the core exports."""
    expressions: dict[str, str] = getattr(feature, "SEED_FEATURES", {})
    if not expressions:
        return ()
    listed = ", ".join(f'{expression} AS "{name}"' for name, expression in expressions.items())
    return (
        f"CREATE VIEW gold.seed_features AS SELECT product, ts, {listed}, source"
        " FROM gold.features_1s",
    )
