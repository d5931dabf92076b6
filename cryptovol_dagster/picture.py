"""What bars, features and forecasts look like: the pictures of asset pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import pyarrow.compute as pc

from cryptovol_dagster.plot import Panel, picture
from data_lake.lake import Lake
from data_lake.tables import BARS_1S, FEATURES_1S, FORECASTS, OUTCOMES
from volatility.array import Vector
from volatility.column import named_floats as floats
from volatility.column import named_ints as ints

HOURS_SHOWN: Final = 24
"""Newest hours of a run that are drawn."""

_YEAR_S: Final = 365 * 86_400


def show_bars(lake: Lake, hours: Sequence[str]) -> str:
    """Mid against the first one of the picture, and the spread."""
    rows = lake.read_hours(
        BARS_1S, hours[-HOURS_SHOWN:], ["product", "ts", "mid2_close", "price_scale", "spread_bps"]
    )
    mids, spreads = {}, {}
    for product, mine in _by_product(rows):
        ts, mid = ints(mine, "ts"), floats(mine, "mid2_close")
        mid /= 2.0 * 10.0 ** floats(mine, "price_scale")
        known = mid[np.isfinite(mid)]
        mids[product] = ts, 100.0 * (mid / known[0] - 1.0) if len(known) else mid
        spreads[product] = ts, floats(mine, "spread_bps")
    return picture("Mid and spread", [Panel("mid, % moved", mids), Panel("spread, bps", spreads)])


def show_features(lake: Lake, hours: Sequence[str]) -> str:
    """Realised volatility of the past minute and the past hour, annualised."""
    rows = lake.read_hours(
        FEATURES_1S, hours[-HOURS_SHOWN:], ["product", "ts", "rv_60s", "rv_3600s"]
    )
    panels = []
    for window_s in (60, 3600):
        lines = {
            product: (
                ints(mine, "ts"),
                annual_volatility(floats(mine, f"rv_{window_s}s"), window_s),
            )
            for product, mine in _by_product(rows)
        }
        panels.append(Panel(f"{window_s} s, % a year", lines, log=True))
    return picture("Realised volatility", panels)


def show_forecasts(lake: Lake, hours: Sequence[str]) -> str:
    """Forecast volatility by product, annualised; the first horizon there is."""
    rows = lake.read_hours(
        FORECASTS, hours[-HOURS_SHOWN:], ["product", "ts", "horizon_s", "rv"], missing="skip"
    )
    if rows.num_rows == 0:
        return "No forecast."
    horizon_s, rows = _first_horizon(rows)
    lines = {
        product: (ints(mine, "ts"), annual_volatility(floats(mine, "rv"), horizon_s))
        for product, mine in _by_product(rows)
    }
    return picture(f"Forecast, {horizon_s} s ahead", [Panel("% a year", lines, log=True)])


def show_outcomes(lake: Lake, hours: Sequence[str]) -> str:
    """Forecast and what happened, for one product and the first horizon there is."""
    rows = lake.read_hours(
        OUTCOMES,
        hours[-HOURS_SHOWN:],
        ["product", "ts", "horizon_s", "rv", "rv_realised"],
        missing="skip",
    )
    if rows.num_rows == 0:
        return "No outcome."
    horizon_s, rows = _first_horizon(rows)
    product, mine = next(_by_product(rows))
    ts = ints(mine, "ts")
    lines = {
        name: (ts, annual_volatility(floats(mine, column), horizon_s))
        for name, column in (("happened", "rv_realised"), ("forecast", "rv"))
    }
    return picture(f"{product}, {horizon_s} s ahead", [Panel("% a year", lines, log=True)])


def annual_volatility(rv: Vector, window_s: int) -> Vector:
    """Realised variance of a window as volatility in percent a year."""
    annual: Vector = 100.0 * np.sqrt(rv * (_YEAR_S / window_s))
    return annual


def _first_horizon(rows: Any) -> tuple[int, Any]:
    horizon_s: int = pc.min(rows["horizon_s"]).as_py()
    return horizon_s, rows.filter(pc.equal(rows["horizon_s"], horizon_s))


def _by_product(rows: Any) -> Iterator[tuple[str, Any]]:
    for product in sorted(pc.unique(rows["product"]).to_pylist()):
        yield product, rows.filter(pc.equal(rows["product"], product))
