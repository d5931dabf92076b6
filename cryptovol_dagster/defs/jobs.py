"""Jobs: what runs together. Hourly work runs in one process: a step's own process costs seconds."""

from __future__ import annotations

from typing import Final

import dagster as dg

from cryptovol_dagster.defs.partitions import MATURED_TABLES
from cryptovol_dagster.defs.resources import end_mlflow_run

HOURLY_TABLES: Final = (
    "silver/trades",
    "silver/quotes",
    "silver/gaps",
    "silver/bars_1s",
    "gold/features_1s",
    "gold/forecasts",
)
"""What can be built as soon as an hour has closed, in dependency order."""


def keys(paths: tuple[str, ...]) -> list[dg.AssetKey]:
    """Asset keys of table paths: `silver/trades` is `["silver", "trades"]`."""
    return [dg.AssetKey(path.split("/")) for path in paths]


hourly = dg.define_asset_job(
    "hourly",
    selection=dg.AssetSelection.assets(*keys(HOURLY_TABLES)),
    executor_def=dg.in_process_executor,
    description="Bronze to forecasts, for hours that have closed.",
)

matured = dg.define_asset_job(
    "matured",
    selection=dg.AssetSelection.assets(*keys(MATURED_TABLES)),
    executor_def=dg.in_process_executor,
    description="Labels and outcomes, for hours whose following hour has closed.",
)

training = dg.define_asset_job(
    "training",
    selection=dg.AssetSelection.assets(dg.AssetKey(["model", "volatility_1s"])),
    executor_def=dg.in_process_executor,
    hooks={end_mlflow_run},
    description="Train, evaluate walk-forward, pass the gate or not, register.",
)

drift = dg.define_asset_job(
    "drift",
    selection=dg.AssetSelection.assets(dg.AssetKey(["report", "drift"])),
    executor_def=dg.in_process_executor,
    description="Compare the newest hours with the champion's training window.",
)

JOBS: Final = (hourly, matured, training, drift)
