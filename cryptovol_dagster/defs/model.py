"""The model: trained, evaluated walk-forward, put to the gate, registered."""

from typing import Any, Final

import dagster as dg

from cryptovol_dagster.defs.gold import MODEL
from cryptovol_dagster.defs.resources import RegistryResource
from cryptovol_dagster.defs.table_asset import asset_key
from data_lake.tables import FEATURES_1S, LABELS_1S
from volatility.feature import HORIZONS_S


class TrainingConfig(dg.Config):
    """What to train on, and for which horizons."""

    train_end: str = ""
    """Labels must have matured by this hour, `YYYY-MM-DD-HH:00` UTC; empty takes all there are."""
    horizons_s: list[int] = list(HORIZONS_S)  # noqa: RUF012  (Dagster copies defaults)
    """Seconds ahead; one model each."""


@dg.asset(
    key=MODEL,
    deps=[asset_key(FEATURES_1S), asset_key(LABELS_1S)],
    group_name="model",
    kinds={"mlflow", "lightgbm"},
    required_resource_keys={"mlflow", "store", "registry"},
    description="One model per horizon: challenger and champion, and the gate's decision.",
)
def volatility_1s(
    context: dg.AssetExecutionContext, config: TrainingConfig
) -> dg.MaterializeResult[None]:
    """Train every horizon on the same matured rows; the gate decides who forecasts."""
    from cryptovol_dagster.register import train_all

    models = context.resources.registry.open()
    done, too_short = train_all(
        context.resources.store.open(),
        models,
        context.resources.mlflow,
        tuple(config.horizons_s),
        config.train_end or None,
    )
    facts: dict[str, Any] = {}
    for result in done:
        facts[f"decision_{result.horizon_s}s"] = dg.MetadataValue.md(result.markdown)
        facts[f"result_{result.horizon_s}s"] = dg.MetadataValue.json(result.plain())
    facts["too_short"] = {str(horizon_s): why for horizon_s, why in too_short.items()}
    facts["champions"] = ", ".join(result.champion for result in done)
    facts["trained_on"] = ", ".join(sorted({result.sources for result in done}))
    return dg.MaterializeResult(metadata=facts)


@dg.asset_check(asset=MODEL, description="Every champion loads, and is the one that was signed.")
def champions_load(registry: RegistryResource) -> dg.AssetCheckResult:
    """Read every champion back and compare its files with their hashes."""
    from cryptovol_dagster.champion import champions
    from volatility.errors import ModelError

    try:
        found = champions(registry.open())
    except ModelError as exc:
        return dg.AssetCheckResult(passed=False, description=str(exc))
    facts = {label: forecaster.model for label, forecaster in found}
    return dg.AssetCheckResult(
        passed=bool(found), description=f"{len(found)} champions", metadata=facts
    )


MODELS: Final = (volatility_1s,)
MODEL_CHECKS: Final = (champions_load,)
