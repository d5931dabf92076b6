"""Asset checks on every table; each judges the hours of its run, or the newest ones by hand."""

from collections.abc import Iterator, Mapping
from typing import Final

import dagster as dg

from cryptovol_dagster.check import ABOUT, JUDGES, Judge, is_current, keeps_contract
from cryptovol_dagster.defs.gold import MODEL
from cryptovol_dagster.defs.jobs import MATURED_TABLES
from cryptovol_dagster.defs.partitions import HOURS, MATURED_HOURS
from cryptovol_dagster.defs.resources import LakeResource, RegistryResource
from cryptovol_dagster.defs.table_asset import asset_key
from cryptovol_dagster.recipe import ORDER
from cryptovol_dagster.run_tag import hours_of_tags
from data_lake.tables import Table

HOURS_JUDGED: Final = 48
"""Newest hours of a run that are judged; a backfill of years is `cryptovol verify`'s business."""

WARNINGS: Final = ("is_current", "is_known")
"""Checks whose failure is worth a look, not an alarm."""


def judges_of(table: Table) -> dict[str, Judge]:
    """Every judgement a table is held to, by name."""
    partitions = MATURED_HOURS if table.path in MATURED_TABLES else HOURS
    return {
        "keeps_contract": keeps_contract(table),
        "is_current": is_current(table, partitions.has_partition_key),
        **JUDGES[table.path],
    }


def table_checks(table: Table) -> dg.AssetChecksDefinition:
    """The checks of one table, in one step."""
    judges = judges_of(table)
    specs = [
        dg.AssetCheckSpec(name, asset=asset_key(table), description=ABOUT[name]) for name in judges
    ]

    @dg.multi_asset_check(name=f"check_{table.name}", specs=specs, can_subset=True)
    def judge(
        context: dg.AssetCheckExecutionContext, store: LakeResource
    ) -> Iterator[dg.AssetCheckResult]:
        lake = store.open()
        hours = _judged(context.run.tags, lake.hours(table))
        for key in sorted(context.selected_asset_check_keys):
            found = judges[key.name](lake, hours)
            yield dg.AssetCheckResult(
                passed=found.holds,
                asset_key=key.asset_key,
                check_name=key.name,
                severity=_severity(key.name),
                description=found.why,
                metadata={"hours": len(hours), **found.figures},
            )

    return judge


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


def _severity(name: str) -> dg.AssetCheckSeverity:
    return dg.AssetCheckSeverity.WARN if name in WARNINGS else dg.AssetCheckSeverity.ERROR


def _judged(tags: Mapping[str, str], built: list[str]) -> list[str]:
    """The hours of this run that were built; the newest ones where the run has no partition."""
    run = set(hours_of_tags(tags))
    return [hour for hour in built if not run or hour in run][-HOURS_JUDGED:]


CHECKS: Final = (*(table_checks(table) for table in ORDER), champions_load)
