"""Gold: features, labels, forecasts, and what came of them."""

from typing import Final

import dagster as dg

from cryptovol_dagster.defs.partitions import HOURS, MATURED_HOURS, hours_around
from cryptovol_dagster.defs.resources import LakeResource, RegistryResource
from cryptovol_dagster.defs.silver import Results
from cryptovol_dagster.defs.table_asset import (
    SINGLE_RUN,
    hours_of_run,
    materialized,
    neighbours,
    table_spec,
)
from data_lake.tables import BARS_1S, FEATURES_1S, FORECASTS, LABELS_1S, OUTCOMES

MODEL: Final = dg.AssetKey(["model", "volatility_1s"])


@dg.multi_asset(
    name="features_1s",
    specs=[table_spec(FEATURES_1S, [neighbours(BARS_1S, hours_around(back=2))], "numba")],
    partitions_def=HOURS,
    backfill_policy=SINGLE_RUN,
)
def features(context: dg.AssetExecutionContext, store: LakeResource) -> Results:
    """One row per bar; formulas and units live in volatility/kernel.py."""
    from cryptovol_dagster.build import build_features_1s
    from cryptovol_dagster.inspect_rows import null_shares
    from cryptovol_dagster.picture import show_features

    lake = store.open()
    built = build_features_1s(lake, hours_of_run(context, HOURS))
    yield materialized(
        context,
        FEATURES_1S,
        built,
        lambda: {
            "plot": show_features(lake, sorted(built)),
            "null_shares": null_shares(lake, sorted(built)),
        },
    )


@dg.multi_asset(
    name="labels_1s",
    specs=[table_spec(LABELS_1S, [neighbours(FEATURES_1S, hours_around(ahead=1))])],
    partitions_def=MATURED_HOURS,
    backfill_policy=SINGLE_RUN,
)
def labels(context: dg.AssetExecutionContext, store: LakeResource) -> Results:
    """What happened after each row; needs the next hour, and 30 days back for the threshold."""
    from cryptovol_dagster.build import build_labels_1s

    built = build_labels_1s(store.open(), hours_of_run(context, MATURED_HOURS))
    yield materialized(context, LABELS_1S, built)


@dg.multi_asset(
    name="forecasts",
    specs=[
        table_spec(
            FORECASTS, [neighbours(FEATURES_1S, hours_around()), MODEL], "lightgbm", may_skip=True
        )
    ],
    partitions_def=HOURS,
    backfill_policy=SINGLE_RUN,
)
def forecasts(
    context: dg.AssetExecutionContext, store: LakeResource, registry: RegistryResource
) -> Results:
    """What the champions say about each row; skipped until there is one."""
    from cryptovol_dagster.build import build_forecasts
    from cryptovol_dagster.champion import champions
    from cryptovol_dagster.picture import show_forecasts

    models = champions(registry.open())
    if not models:
        context.log.info("no champion yet, nothing to forecast with: run the training job first")
        return
    lake = store.open()
    built = build_forecasts(lake, hours_of_run(context, HOURS), models)
    yield materialized(
        context,
        FORECASTS,
        built,
        lambda: {
            "models": ", ".join(label for label, _ in models),
            "plot": show_forecasts(lake, sorted(built)),
        },
    )


@dg.multi_asset(
    name="outcomes",
    specs=[
        table_spec(
            OUTCOMES,
            [neighbours(FORECASTS, hours_around()), neighbours(LABELS_1S, hours_around())],
            may_skip=True,
        )
    ],
    partitions_def=MATURED_HOURS,
    backfill_policy=SINGLE_RUN,
)
def outcomes(context: dg.AssetExecutionContext, store: LakeResource) -> Results:
    """Forecasts matched with matured labels, for the hours that have forecasts."""
    from cryptovol_dagster.build import build_outcomes
    from cryptovol_dagster.inspect_rows import outcome_scores
    from cryptovol_dagster.picture import show_outcomes

    lake = store.open()
    forecast = set(lake.hours(FORECASTS))
    hours = [hour for hour in hours_of_run(context, MATURED_HOURS) if hour in forecast]
    if not hours:
        context.log.info("none of these hours has forecasts, nothing to match")
        return
    built = build_outcomes(lake, hours)
    yield materialized(
        context,
        OUTCOMES,
        built,
        lambda: {
            "plot": show_outcomes(lake, sorted(built)),
            "scores": outcome_scores(lake, sorted(built)),
        },
    )


GOLD: Final = (features, labels, forecasts, outcomes)
