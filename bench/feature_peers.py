"""The same bars and window features by two general engines: Polars and DuckDB.

They are peers in the benchmark and oracles in the tests. They cover the thirteen families of every
window, on tapes without silences; not the EWMAs, nulls at gaps, late scales or labels.
"""

from __future__ import annotations

from typing import Any

import duckdb
import polars as pl

from volatility.feature import WINDOWS_S

SECOND_NS = 1_000_000_000


def polars_features(quotes: pl.LazyFrame, trades: pl.LazyFrame, start_s: int, end_s: int) -> Any:
    """Features at every second in (start, end] by Polars, as an Arrow table."""
    grid = (
        quotes.select(pl.col("product").unique())
        .join(pl.LazyFrame({"s": pl.int_range(start_s + 1, end_s + 1, eager=True)}), how="cross")
        .sort("product", "s")
    )
    close = (pl.col("ts_event") // SECOND_NS + 1).alias("s")
    bars = (
        grid.join(
            _polars_quotes(quotes, close), on=["product", "s"], how="left", maintain_order="left"
        )
        .join(_polars_trades(trades, close), on=["product", "s"], how="left", maintain_order="left")
        .with_columns(pl.col("mid2", "spread_bps", "imbalance").forward_fill().over("product"))
        .with_columns(
            pl.col("ofi", "n_quotes", "n_trades", "signed_volume").fill_null(0),
            before=pl.col("mid2").shift(1).over("product"),
        )
        .with_columns(
            r=((pl.col("mid2") - pl.col("before")) / pl.col("before")).log1p(),
            high=pl.max_horizontal("high", "before"),
            low=pl.min_horizontal("low", "before"),
        )
        .with_columns(
            r2=pl.col("r") ** 2,
            bp=pl.col("r").abs() * pl.col("r").shift(1).over("product").abs(),
        )
    )
    return bars.select("product", "s", *_polars_windows()).collect().to_arrow()


def _polars_quotes(quotes: pl.LazyFrame, close: pl.Expr) -> pl.LazyFrame:
    bid, ask = pl.col("bid"), pl.col("ask")
    size = 10.0 ** pl.col("size_scale").cast(pl.Float64)
    bid_size, ask_size = pl.col("bid_size") / size, pl.col("ask_size") / size
    was = {n: pl.col(n).shift(1).over("product") for n in ("bid", "ask")}
    flow = (
        pl.when(bid >= was["bid"]).then(bid_size).otherwise(0.0)
        - pl.when(bid <= was["bid"]).then(bid_size.shift(1).over("product")).otherwise(0.0)
        - pl.when(ask <= was["ask"]).then(ask_size).otherwise(0.0)
        + pl.when(ask >= was["ask"]).then(ask_size.shift(1).over("product")).otherwise(0.0)
    )
    return (
        quotes.select(
            "product",
            close,
            mid2=bid + ask,
            spread_bps=2e4 * (ask - bid) / (bid + ask),
            imbalance=(bid_size - ask_size) / (bid_size + ask_size),
            flow=flow,
        )
        .group_by("product", "s", maintain_order=True)
        .agg(
            pl.col("mid2", "spread_bps", "imbalance").last(),
            high=pl.col("mid2").max(),
            low=pl.col("mid2").min(),
            ofi=pl.col("flow").sum(),
            n_quotes=pl.len(),
        )
    )


def _polars_trades(trades: pl.LazyFrame, close: pl.Expr) -> pl.LazyFrame:
    size = pl.col("size") / 10.0 ** pl.col("size_scale").cast(pl.Float64)
    signed = pl.when(pl.col("taker_side") == "buy").then(size).otherwise(-size)
    return (
        trades.select("product", close, signed_volume=signed)
        .group_by("product", "s")
        .agg(pl.col("signed_volume").sum(), n_trades=pl.len())
    )


def _polars_windows() -> list[pl.Expr]:
    columns = []
    for w in WINDOWS_S:

        def total(column: pl.Expr, w: int = w) -> pl.Expr:
            return column.rolling_sum(w).over("product")

        rv, bv = total(pl.col("r2")), total(pl.col("bp")) * 1.5707963267948966
        high = pl.col("high").rolling_max(w).over("product")
        low = pl.col("low").rolling_min(w).over("product")
        named = {
            "rv": rv,
            "bv": bv,
            "rs_pos": total(pl.when(pl.col("r") > 0).then(pl.col("r2")).otherwise(0.0)),
            "rs_neg": total(pl.when(pl.col("r") < 0).then(pl.col("r2")).otherwise(0.0)),
            "jump_share": 1.0 - bv / rv,
            "ret_mean": total(pl.col("r")) / w,
            "parkinson": (high / low).log() ** 2 / 2.772588722239781,
            "spread_bps": pl.col("spread_bps").rolling_mean(w).over("product"),
            "imbalance": pl.col("imbalance").rolling_mean(w).over("product"),
            "ofi": total(pl.col("ofi")),
            "n_trades": total(pl.col("n_trades")),
            "signed_volume": total(pl.col("signed_volume")),
            "quote_rate": total(pl.col("n_quotes")) / w,
        }
        columns += [expression.alias(f"{name}_{w}s") for name, expression in named.items()]
    return columns


_DUCKDB_BARS = """
WITH q AS (
    SELECT product, ts_event // 1000000000 + 1 AS s, bid, ask, sequence, bid + ask AS mid2,
        bid_size / 10.0::DOUBLE ** size_scale AS bs, ask_size / 10.0::DOUBLE ** size_scale AS az,
        lag(bid) OVER w AS bid_was, lag(ask) OVER w AS ask_was,
        lag(bs) OVER w AS bs_was, lag(az) OVER w AS az_was, ts_event
    FROM quotes WINDOW w AS (PARTITION BY product ORDER BY ts_event, sequence)
), qb AS (
    SELECT product, s, last(mid2 ORDER BY ts_event, sequence) AS mid2,
        max(mid2) AS high, min(mid2) AS low, count(*) AS n_quotes,
        last(2e4 * (ask - bid) / mid2 ORDER BY ts_event, sequence) AS spread_bps,
        last((bs - az) / (bs + az) ORDER BY ts_event, sequence) AS imbalance,
        sum(CASE WHEN bid_was IS NULL THEN 0.0 ELSE
            CASE WHEN bid >= bid_was THEN bs ELSE 0.0 END
            - CASE WHEN bid <= bid_was THEN bs_was ELSE 0.0 END
            - CASE WHEN ask <= ask_was THEN az ELSE 0.0 END
            + CASE WHEN ask >= ask_was THEN az_was ELSE 0.0 END END) AS ofi
    FROM q GROUP BY ALL
), tb AS (
    SELECT product, ts_event // 1000000000 + 1 AS s, count(*) AS n_trades,
        sum(CASE taker_side WHEN 'buy' THEN 1 ELSE -1 END * (size / 10.0::DOUBLE ** size_scale))
            AS signed_volume
    FROM trades GROUP BY ALL
), filled AS (
    SELECT g.product, g.s,
        last_value(mid2 IGNORE NULLS) OVER w AS mid2, high, low,
        last_value(spread_bps IGNORE NULLS) OVER w AS spread_bps,
        last_value(imbalance IGNORE NULLS) OVER w AS imbalance,
        coalesce(ofi, 0) AS ofi, coalesce(n_quotes, 0) AS n_quotes,
        coalesce(n_trades, 0) AS n_trades, coalesce(signed_volume, 0) AS signed_volume
    FROM (SELECT * FROM (SELECT DISTINCT product FROM quotes), range({first}, {last}) t(s)) g
    LEFT JOIN qb USING (product, s) LEFT JOIN tb USING (product, s)
    WINDOW w AS (PARTITION BY g.product ORDER BY g.s)
), bars AS (
    SELECT *, lag(mid2) OVER w AS before, ln(mid2 / before) AS r,
        greatest(high, before) AS hi, least(low, before) AS lo
    FROM filled WINDOW w AS (PARTITION BY product ORDER BY s)
), returns AS (
    SELECT *, r * r AS r2, abs(r) * lag(abs(r)) OVER w AS bp
    FROM bars WINDOW w AS (PARTITION BY product ORDER BY s)
)
"""

_DUCKDB_WINDOW = """
    sum(r2) OVER w{w} AS rv_{w}s, pi() / 2 * sum(bp) OVER w{w} AS bv_{w}s,
    sum(CASE WHEN r > 0 THEN r2 ELSE 0 END) OVER w{w} AS rs_pos_{w}s,
    sum(CASE WHEN r < 0 THEN r2 ELSE 0 END) OVER w{w} AS rs_neg_{w}s,
    1 - bv_{w}s / rv_{w}s AS jump_share_{w}s, sum(r) OVER w{w} / {w} AS ret_mean_{w}s,
    ln(max(hi) OVER w{w} / min(lo) OVER w{w}) ** 2 / (4 * ln(2.0)) AS parkinson_{w}s,
    avg(spread_bps) OVER w{w} AS spread_bps_{w}s, avg(imbalance) OVER w{w} AS imbalance_{w}s,
    sum(ofi) OVER w{w} AS ofi_{w}s, sum(n_trades) OVER w{w} AS n_trades_{w}s,
    sum(signed_volume) OVER w{w} AS signed_volume_{w}s,
    sum(n_quotes) OVER w{w} / {w} AS quote_rate_{w}s"""


def duckdb_features(connection: duckdb.DuckDBPyConnection, start_s: int, end_s: int) -> Any:
    """The same by DuckDB, out of relations named `quotes` and `trades`, as an Arrow table."""
    columns = ",".join(_DUCKDB_WINDOW.format(w=w) for w in WINDOWS_S)
    frames = ", ".join(
        f"w{w} AS (PARTITION BY product ORDER BY s ROWS BETWEEN {w - 1} PRECEDING AND CURRENT ROW)"
        for w in WINDOWS_S
    )
    bars = _DUCKDB_BARS.format(first=start_s + 1, last=end_s + 1)
    query = f"{bars} SELECT product, s, {columns} FROM returns WINDOW {frames} ORDER BY product, s"
    return connection.sql(query).to_arrow_table()
