"""Everything Dagster loads: `dagster dev` finds this module through `workspace.yaml`."""

from __future__ import annotations

import dagster as dg

from cryptovol_dagster.defs.external import EXTERNAL
from cryptovol_dagster.defs.gold import GOLD
from cryptovol_dagster.defs.jobs import JOBS
from cryptovol_dagster.defs.model import MODEL_CHECKS, MODELS
from cryptovol_dagster.defs.report import REPORTS
from cryptovol_dagster.defs.resources import resources
from cryptovol_dagster.defs.schedules import SCHEDULES
from cryptovol_dagster.defs.sensors import SENSORS
from cryptovol_dagster.defs.silver import SILVER
from data_lake.settings import Settings, settings


def definitions(config: Settings) -> dg.Definitions:
    """Assets, checks, jobs, schedules and sensors over the lake the settings name."""
    return dg.Definitions(
        assets=[*EXTERNAL, *SILVER, *GOLD, *MODELS, *REPORTS],
        asset_checks=[*MODEL_CHECKS],
        jobs=[*JOBS],
        schedules=[*SCHEDULES],
        sensors=[*SENSORS],
        resources=resources(config),
    )


defs = definitions(settings())
