"""Build what is missing or stale: the entry behind `cryptovol materialize`, the demo and replay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import dagster as dg

from cryptovol_dagster.champion import champions
from cryptovol_dagster.defs.external import BRONZE, FEED, TOPIC
from cryptovol_dagster.defs.jobs import HOURLY_TABLES, keys
from cryptovol_dagster.defs.partitions import HOURS, MATURED_HOURS, MATURED_TABLES
from cryptovol_dagster.plan import Bounds, ranges, stale_hours
from cryptovol_dagster.progress import Progress, listening
from cryptovol_dagster.recipe import ORDER, Ledger, by_hour
from cryptovol_dagster.run import check_results, failed_checks, persistent_instance, run_job
from cryptovol_dagster.run_tag import range_tags
from data_lake.chain import BronzeFile, chain
from data_lake.lake import Lake
from data_lake.layout import DIRECT_TOPIC, HOUR_NS, hour_key
from data_lake.registry import Registry
from data_lake.settings import Settings
from data_lake.tables import TABLES, Table
from volatility.errors import SettingError

if TYPE_CHECKING:
    from rich.console import RenderableType

SILVER_TICKS: Final = ("silver/trades", "silver/quotes", "silver/gaps")
"""What a recording itself says, before anything is computed from it."""

_JOBS: Final = (("hourly", HOURLY_TABLES), ("matured", MATURED_TABLES))


@dataclass(frozen=True)
class TableSummary:
    """One table after a materialisation."""

    table: str  # zone/name
    built: int  # hours built now
    hours: int  # hours there are
    rows: int  # rows there are


@dataclass(frozen=True)
class Materialized:
    """What was built, and what there is now."""

    tables: tuple[TableSummary, ...]
    runs: int  # Dagster runs
    failed_checks: tuple[str, ...]
    open_hours: tuple[str, ...]  # recorded, but not closed yet: built later

    def rows(self, table: str) -> int:
        """Rows of a table, 0 where it has none."""
        return sum(each.rows for each in self.tables if each.table == table)

    def render(self) -> RenderableType:
        """A table for the terminal."""
        from rich.console import Group
        from rich.table import Table as RichTable

        shown = RichTable("table", "hours built", "hours", "rows", title="Materialised")
        for each in self.tables:
            shown.add_row(each.table, f"{each.built:,}", f"{each.hours:,}", f"{each.rows:,}")
        notes = [f"check failed: {text}" for text in self.failed_checks]
        if self.open_hours:
            notes.append(f"not closed yet, built later: {', '.join(self.open_hours)}")
        return Group(shown, *notes)


def materialize_hours(
    settings: Settings,
    start_ns: int | None = None,
    end_ns: int | None = None,
    *,
    select: Sequence[str] = (),
    rebuild: bool = False,
    progress: Progress | None = None,
) -> Materialized:
    """Build every hour that is missing or stale, in dependency order.

    Args:
        settings: where lake, registry and Dagster instance are.
        start_ns: nothing before the hour of this instant, ns UTC; None sets no bound.
        end_ns: nothing after the hour of the last instant before this one; None sets no bound.
        select: tables to build, `silver/trades`; all when empty.
        rebuild: build every recorded hour anew, fresh or not, as after a change of code.
        progress: told how far each table has come.

    Raises:
        SettingError: `select` names an unknown table.
        LakeError: the lake is broken, or a step failed.
        ModelError: there is a champion that cannot be trusted.
    """
    lake, tables = Lake(settings.lake_root), _selected(select)
    files = chain(lake)
    bounds = Bounds(
        HOURS.has_partition_key,
        MATURED_HOURS.has_partition_key,
        "" if start_ns is None else hour_key(start_ns),
        "9" if end_ns is None else hour_key(end_ns + HOUR_NS - 1),
    )
    forecasting = "gold/forecasts" in {t.path for t in tables} and bool(_champions(settings))
    plan = stale_hours(
        Ledger(lake), files, bounds, tables=tables, forecasting=forecasting, rebuild=rebuild
    )
    runs, checks = 0, dict[str, str]()
    with persistent_instance(settings) as instance, listening(progress):
        _report_bronze(instance, files)
        for job, of_job in _JOBS:
            wanted = {path: plan[path] for path in of_job if path in plan}
            for start, end in ranges(hour for hours in wanted.values() for hour in hours):
                some = tuple(p for p, hours in wanted.items() if _overlap(hours, start, end))
                result = run_job(
                    settings, instance, job, tags=range_tags(start, end), assets=keys(some)
                )
                runs += 1
                checks |= check_results(result)
    open_hours = sorted(h for h in by_hour(files) if not bounds.closed(h) and h < bounds.end)
    return Materialized(_summary(lake, plan), runs, failed_checks(checks), tuple(open_hours))


def _selected(select: Sequence[str]) -> tuple[Table, ...]:
    unknown = [path for path in select if TABLES.get(path) not in ORDER]
    if unknown:
        known = ", ".join(table.path for table in ORDER)
        raise SettingError("--select", ",".join(unknown), f"tables are {known}")
    return tuple(table for table in ORDER if not select or table.path in select)


def _champions(settings: Settings) -> list[Any]:
    """The champions, without creating a registry where none was ever used."""
    if not settings.mlflow_tracking_uri and not (settings.home / "mlflow" / "mlflow.db").exists():
        return []
    return champions(Registry.of(settings))


def _overlap(hours: Sequence[str], start: str, end: str) -> bool:
    return any(start <= hour <= end for hour in hours)


def _report_bronze(instance: dg.DagsterInstance, files: Sequence[BronzeFile]) -> None:
    """Tell Dagster about frames it did not write, once per new state of the chain."""
    frames = sum(file.rows for file in files)
    known = instance.get_latest_materialization_event(BRONZE)
    told = known.asset_materialization if known else None
    if not files or (told and told.metadata["frames"].value == frames):
        return
    facts = {"frames": frames, "files": len(files), "hours": len(by_hour(files))}
    through_kafka = any(file.topic != DIRECT_TOPIC for file in files)
    for key in (FEED, *((TOPIC,) if through_kafka else ()), BRONZE):
        instance.report_runless_asset_event(dg.AssetMaterialization(key, metadata=facts))


def _summary(lake: Lake, plan: dict[str, list[str]]) -> tuple[TableSummary, ...]:
    ledger = Ledger(lake)
    return tuple(
        TableSummary(
            table.path,
            len(plan.get(table.path, ())),
            len(ledger.hours(table)),
            sum(m.rows for h in ledger.hours(table) if (m := ledger.manifest(table, h))),
        )
        for table in ORDER
    )
