"""Read, compute, replace: one function per table, without Dagster and without maths.

Each takes the hours to build and returns their manifests by hour. Building twice gives the same
rows. What an hour reads is written down in `recipe.py`, bronze to ticks is in `ticks.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from cryptovol_dagster.progress import tell
from cryptovol_dagster.recipe import Built, Ledger, Read, fingerprints
from cryptovol_dagster.window import Past, Window, require
from data_lake.lake import Lake
from data_lake.layout import hour_bounds
from data_lake.tables import (
    BARS_1S,
    FEATURES_1S,
    FORECASTS,
    GAPS,
    LABELS_1S,
    OUTCOMES,
    QUOTES,
    TRADES,
    Table,
)
from volatility.bar import bars_1s
from volatility.compute import features_1s
from volatility.forecaster import Forecaster
from volatility.gap import find_gaps
from volatility.label import INPUTS, labels_1s
from volatility.outcome import forecast_rows, outcome_rows

Compute = Callable[[str], Any]
"""From an hour key to its rows, a `pa.Table`."""


def build_gaps(lake: Lake, hours: Sequence[str]) -> Built:
    """Build `silver/gaps` of some hours from the trades of each and the newest ones before it."""
    ledger = Ledger(lake)

    def compute(hour: str) -> Any:
        return find_gaps(lake.read(TRADES, hour), ledger.newest_trades(hour))

    return _build(ledger, GAPS, hours, compute)


def build_bars_1s(lake: Lake, hours: Sequence[str]) -> Built:
    """Build `silver/bars_1s` of some hours from quotes and trades of each and of the one before."""
    quotes, trades = Window(lake, Read(QUOTES, back=1)), Window(lake, Read(TRADES, back=1))

    def compute(hour: str) -> Any:
        return bars_1s(quotes.around(hour), trades.around(hour), *hour_bounds(hour))

    return _build(Ledger(lake), BARS_1S, hours, compute)


def build_features_1s(lake: Lake, hours: Sequence[str]) -> Built:
    """Build `gold/features_1s` of some hours from the bars of each and of the two before."""
    bars = Window(lake, Read(BARS_1S, back=2))

    def compute(hour: str) -> Any:
        return features_1s(bars.around(hour), *hour_bounds(hour))

    return _build(Ledger(lake), FEATURES_1S, hours, compute)


def build_labels_1s(lake: Lake, hours: Sequence[str]) -> Built:
    """Build `gold/labels_1s` of some hours from the features of each, the next, and 30 days."""
    ledger = Ledger(lake)
    near, past = Window(lake, Read(FEATURES_1S, ahead=1), INPUTS), Past(ledger)

    def compute(hour: str) -> Any:
        rows = pa.concat_tables([past.before(hour), near.around(hour)])
        return labels_1s(rows, *hour_bounds(hour))

    return _build(ledger, LABELS_1S, hours, compute)


def build_forecasts(
    lake: Lake, hours: Sequence[str], forecasters: Sequence[tuple[str, Forecaster]]
) -> Built:
    """Build `gold/forecasts` of some hours: what each (model version, forecaster) says.

    Spike thresholds are those of the labels, made from the past alone.
    """
    ledger = Ledger(lake)
    past = Past(ledger)

    def compute(hour: str) -> Any:
        features = lake.read(FEATURES_1S, hour)
        known = labels_1s(
            pa.concat_tables([past.before(hour), features.select(list(INPUTS))]), *hour_bounds(hour)
        )
        parts = [forecast_rows(features, known, model, label) for label, model in forecasters]
        order = [(name, "ascending") for name in FORECASTS.key]
        return pa.concat_tables(parts).sort_by(order).combine_chunks()

    return _build(ledger, FORECASTS, hours, compute)


def build_outcomes(lake: Lake, hours: Sequence[str]) -> Built:
    """Build `gold/outcomes` of some hours from the forecasts and the matured labels of each."""

    def compute(hour: str) -> Any:
        return outcome_rows(lake.read(FORECASTS, hour), lake.read(LABELS_1S, hour))

    return _build(Ledger(lake), OUTCOMES, hours, compute)


def _build(ledger: Ledger, table: Table, hours: Sequence[str], compute: Compute) -> Built:
    built: Built = {}
    for hour in sorted(hours):
        require(ledger, table, hour)
        inputs = fingerprints(ledger, table, hour)
        manifest = ledger.lake.replace(table, hour, compute(hour), inputs)
        ledger.note(table, manifest)
        built[hour] = manifest
        tell(table.path, len(built), len(hours))
    return built
