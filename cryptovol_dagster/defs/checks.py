"""Asset checks on every table; each judges the hours of its run, or the newest ones by hand.

They run in the step that builds the table: as steps of their own Dagster would list every
partition since 2021 for each of them, a second a check.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import dagster as dg

from cryptovol_dagster.check import ABOUT, JUDGES, Judge, is_current, keeps_contract
from cryptovol_dagster.defs.partitions import partitions_of
from cryptovol_dagster.run_tag import hours_of_tags
from data_lake.lake import Lake
from data_lake.tables import Table

HOURS_JUDGED: Final = 48
"""Newest hours of a run that are judged; a backfill of years is `cryptovol verify`'s business."""

WARNINGS: Final = ("is_current", "is_known")
"""Checks whose failure is worth a look, not an alarm."""


def judges_of(table: Table) -> dict[str, Judge]:
    """Every judgement a table is held to, by name."""
    return {
        "keeps_contract": keeps_contract(table),
        "is_current": is_current(table, partitions_of(table).has_partition_key),
        **JUDGES[table.path],
    }


def check_specs(table: Table) -> list[dg.AssetCheckSpec]:
    """What Dagster is told about the checks of a table."""
    key = dg.AssetKey(table.path.split("/"))
    return [
        dg.AssetCheckSpec(name, asset=key, description=ABOUT[name]) for name in judges_of(table)
    ]


def judged(
    context: dg.AssetExecutionContext, lake: Lake, table: Table
) -> Iterator[dg.AssetCheckResult]:
    """Results of the table's selected checks, over the hours of this run that exist."""
    hours = _judged_hours(context.run.tags, lake.hours(table))
    judges = judges_of(table)
    for key in sorted(context.selected_asset_check_keys):
        if "/".join(key.asset_key.path) != table.path:
            continue
        found = judges[key.name](lake, hours)
        yield dg.AssetCheckResult(
            passed=found.holds,
            asset_key=key.asset_key,
            check_name=key.name,
            severity=_severity(key.name),
            description=found.why,
            metadata={"hours": len(hours), **found.figures},
        )


def _severity(name: str) -> dg.AssetCheckSeverity:
    return dg.AssetCheckSeverity.WARN if name in WARNINGS else dg.AssetCheckSeverity.ERROR


def _judged_hours(tags: Mapping[str, str], built: list[str]) -> list[str]:
    """The hours of this run that were built; the newest ones where the run has no partition."""
    run = set(hours_of_tags(tags))
    return [hour for hour in built if not run or hour in run][-HOURS_JUDGED:]
