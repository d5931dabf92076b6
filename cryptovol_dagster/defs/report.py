"""Reports: has the market moved away from what the champion was trained on?"""

from typing import Any, Final

import dagster as dg

from cryptovol_dagster.defs.gold import MODEL
from cryptovol_dagster.defs.resources import HomeResource, LakeResource, RegistryResource
from cryptovol_dagster.defs.table_asset import asset_key
from data_lake.tables import FEATURES_1S
from volatility.feature import HORIZONS_S

DRIFT: Final = dg.AssetKey(["report", "drift"])


@dg.asset(
    key=DRIFT,
    deps=[asset_key(FEATURES_1S), MODEL],
    group_name="report",
    kinds={"evidently"},
    description="The newest hours against the champion's training window, and whether to retrain.",
)
def drift(
    context: dg.AssetExecutionContext,
    store: LakeResource,
    registry: RegistryResource,
    home: HomeResource,
) -> dg.MaterializeResult[None]:
    """Evidently renders and lists, the rule decides by effect size."""
    from cryptovol_dagster.champion import find_champion
    from cryptovol_dagster.drift_report import report_drift

    models = registry.open()
    found = [champion for h in HORIZONS_S if (champion := find_champion(models, h))]
    if not found:
        raise dg.Failure("no champion to compare with: run the training job first")
    version, forecaster = max(found, key=lambda pair: pair[1].train_end)
    report = report_drift(store.open(), version.label, forecaster, home.folder("reports", "drift"))
    context.log.info(report.decision.reason)
    facts: dict[str, Any] = {
        "decision": dg.MetadataValue.md(report.markdown),
        "drifted": report.decision.drifted,
        "retrain": report.decision.retrain,
        "report": dg.MetadataValue.path(str(report.path)),
        "reason": report.decision.reason,
    }
    if report.decision.shares:
        facts["drifted_share"] = report.decision.shares[-1]
    return dg.MaterializeResult(metadata=facts)


REPORTS: Final = (drift,)
