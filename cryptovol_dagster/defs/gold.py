"""Gold: features, labels, forecasts, and what came of them."""

from typing import Final

import dagster as dg

from cryptovol_dagster.defs.partitions import hours_around
from cryptovol_dagster.defs.resources import LakeResource, RegistryResource
from cryptovol_dagster.defs.table_asset import (
    Results,
    hourly_tables,
    hours_to_build,
    neighbours,
    report,
    table_spec,
)
from data_lake.tables import BARS_1S, FEATURES_1S, FORECASTS, LABELS_1S, OUTCOMES

MODEL: Final = dg.AssetKey(["model", "volatility_1s"])


@hourly_tables(
    "features_1s", table_spec(FEATURES_1S, [neighbours(BARS_1S, hours_around(back=2))], "numba")
)
def features(context: dg.AssetExecutionContext, store: LakeResource) -> Results:
    """One row per bar; formulas and units live in volatility/kernel.py."""
    from cryptovol_dagster.build import build_features_1s
    from cryptovol_dagster.inspect_rows import null_shares
    from cryptovol_dagster.picture import show_features

    lake = store.open()
    built = build_features_1s(lake, hours_to_build(context, FEATURES_1S))
    hours = sorted(built)
    yield from report(
        context,
        lake,
        FEATURES_1S,
        built,
        lambda: {"plot": show_features(lake, hours), "null_shares": null_shares(lake, hours)},
    )


@hourly_tables("labels_1s", table_spec(LABELS_1S, [neighbours(FEATURES_1S, hours_around(ahead=1))]))
def labels(context: dg.AssetExecutionContext, store: LakeResource) -> Results:
    """What happened after each row; needs the next hour, and 30 days back for the threshold."""
    from cryptovol_dagster.build import build_labels_1s
    from cryptovol_dagster.inspect_rows import label_shares

    lake = store.open()
    built = build_labels_1s(lake, hours_to_build(context, LABELS_1S))
    yield from report(
        context, lake, LABELS_1S, built, lambda: {"labels": label_shares(lake, sorted(built))}
    )


@hourly_tables(
    "forecasts", table_spec(FORECASTS, [neighbours(FEATURES_1S, hours_around()), MODEL], "lightgbm")
)
def forecasts(
    context: dg.AssetExecutionContext, store: LakeResource, registry: RegistryResource
) -> Results:
    """What the champions say about each row; skipped until there is one."""
    from cryptovol_dagster.build import build_forecasts
    from cryptovol_dagster.champion import champions
    from cryptovol_dagster.picture import show_forecasts

    lake, hours = store.open(), hours_to_build(context, FORECASTS)
    models = champions(registry.open()) if hours else []
    if hours and not models:
        context.log.info("no champion yet, nothing to forecast with: run the training job first")
    built = build_forecasts(lake, hours, models) if models else {}
    yield from report(
        context,
        lake,
        FORECASTS,
        built,
        lambda: {
            "models": ", ".join(label for label, _ in models),
            "plot": show_forecasts(lake, sorted(built)),
        },
    )


@hourly_tables(
    "outcomes",
    table_spec(
        OUTCOMES, [neighbours(FORECASTS, hours_around()), neighbours(LABELS_1S, hours_around())]
    ),
)
def outcomes(context: dg.AssetExecutionContext, store: LakeResource) -> Results:
    """Forecasts matched with matured labels, for the hours that have forecasts."""
    from cryptovol_dagster.build import build_outcomes
    from cryptovol_dagster.inspect_rows import outcome_scores
    from cryptovol_dagster.picture import show_outcomes

    lake = store.open()
    forecast = set(lake.hours(FORECASTS))
    hours = [hour for hour in hours_to_build(context, OUTCOMES) if hour in forecast]
    built = build_outcomes(lake, hours)
    yield from report(
        context,
        lake,
        OUTCOMES,
        built,
        lambda: {"plot": show_outcomes(lake, hours), "scores": outcome_scores(lake, hours)},
    )


GOLD: Final = (features, labels, forecasts, outcomes)
