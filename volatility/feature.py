"""The names of the 1 s features: the one list that table, model and dictionary are made from.

Formulas live in `volatility/kernel.py`; this module fixes names, units and order.
"""

from __future__ import annotations

from typing import Final

WINDOWS_S: Final = (10, 60, 300, 1800, 3600)
"""Look-back windows of the 1 s scale, in seconds."""

HALF_LIVES_S: Final = (10, 60, 300)
"""Half-lives of the EWMA of squared returns, in seconds."""

HORIZONS_S: Final = (60, 300, 3600)
"""Label horizons of the 1 s scale, in seconds; each is also a window."""

FAMILIES: Final[dict[str, str]] = {
    "rv": "realised variance, sum of squared log returns of mid, in the window, not annualised",
    "bv": "bipower variation, (pi/2) sum |r_i||r_(i-1)|, the first with the r before the window",
    "rs_pos": "positive semivariance, sum of r^2 where r > 0",
    "rs_neg": "negative semivariance, sum of r^2 where r < 0",
    "jump_share": "1 - bv/rv, may be negative; null where rv is 0",
    "ret_mean": "mean 1 s log return",
    "parkinson": "ln(high/low)^2 / (4 ln 2) of mid over the window",
    "spread_bps": "mean of the bars' closing relative spread, basis points of mid",
    "imbalance": "mean of the bars' closing top-of-book imbalance, (bid_size-ask_size)/(sum)",
    "ofi": "order-flow imbalance at the top of the book (Cont, Kukanov, Stoikov 2014), base units",
    "n_trades": "trades in the window",
    "signed_volume": "taker buys minus taker sells, base units",
    "quote_rate": "quotes per second",
}
"""Family name to definition; each exists for every window as `family_<w>s`."""


def _names() -> dict[str, str]:
    names = {f"{f}_{w}s": f"{doc} ({w} s)" for f, doc in FAMILIES.items() for w in WINDOWS_S}
    ewma = "EWMA of r^2 per second, since the previous UTC hour began; half-life"
    names |= {f"ewma_var_{h}s": f"{ewma} {h} s" for h in HALF_LIVES_S}
    names["tod_sin"] = "sin(2 pi t / 86400 s), t = UTC time of day"
    names["tod_cos"] = "cos(2 pi t / 86400 s), t = UTC time of day"
    return names


FEATURES: Final[dict[str, str]] = _names()
"""Every 1 s feature in column order, with its definition."""

SEED_FEATURES: Final[dict[str, str]] = {
    "midprice_return_mean": "ret_mean_60s",
    "midprice_return_std": (
        "sqrt(CASE WHEN rv_60s > 60 * ret_mean_60s * ret_mean_60s"
        " THEN rv_60s - 60 * ret_mean_60s * ret_mean_60s ELSE 0 * rv_60s END / 59)"
    ),
    "bid_ask_spread": "spread_bps_60s",
    "trade_intensity": "n_trades_60s / 60",
    "order_book_imbalance": "spread_bps_60s / 1e4",
    "top_of_book_imbalance": "imbalance_60s",
}
"""The five features this project began with, 60 s, as SQL over `gold.features_1s`, and a sixth.

`midprice_return_std` is the sample standard deviation of the 60 returns; `bid_ask_spread` is in
basis points of mid (it once was in quote currency); `trade_intensity` is per second. What was
called `order_book_imbalance` is spread over mid and keeps its name; the real one is the sixth.
"""
