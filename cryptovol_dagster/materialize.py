"""Build what is missing or stale: the entry behind `cryptovol materialize`, the demo and replay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import dagster as dg
import numpy as np

from cryptovol_dagster.champion import champions
from cryptovol_dagster.defs.external import BRONZE, FEED, TOPIC
from cryptovol_dagster.defs.jobs import HOURLY_TABLES, keys
from cryptovol_dagster.defs.partitions import HOURS, MATURED_HOURS, MATURED_TABLES
from cryptovol_dagster.plan import Bounds, ranges, stale_hours
from cryptovol_dagster.progress import Progress, listening
from cryptovol_dagster.reach import require_registry
from cryptovol_dagster.recipe import ORDER, Ledger, by_hour
from cryptovol_dagster.run import (
    CheckResult,
    check_results,
    failed_checks,
    notes,
    persistent_instance,
    run_job,
)
from cryptovol_dagster.run_tag import range_tags
from data_lake.chain import BronzeFile, chain
from data_lake.lake import Lake
from data_lake.layout import DIRECT_TOPIC, HOUR_NS, hour_key
from data_lake.settings import Settings
from data_lake.tables import TABLES, Table
from volatility.errors import LakeError, SettingError

if TYPE_CHECKING:
    from rich.console import RenderableType

SILVER_TICKS: Final = ("silver/trades", "silver/quotes", "silver/gaps")
"""What a recording itself says, before anything is computed from it."""

SHOWN_HOURS: Final = 6
"""Hours named one by one in a line; more are shown as a range."""

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
    """What was built, and what there is now, of the tables selected."""

    tables: tuple[TableSummary, ...]
    runs: int  # Dagster runs
    failed_checks: tuple[str, ...]
    notes: tuple[str, ...]  # checks that did not hold, but are only worth a look
    open_hours: tuple[str, ...]  # recorded, but not closed yet: built later
    before_first: tuple[str, ...]  # recorded, but before the first partition: not built

    def rows(self, table: str) -> int:
        """Rows of a table, 0 where it has none or was not selected."""
        return sum(each.rows for each in self.tables if each.table == table)

    def render(self) -> RenderableType:
        """A table for the terminal."""
        from rich.console import Group
        from rich.table import Table as RichTable

        shown = RichTable("table", "hours built", "hours", "rows", title="Materialised")
        for each in self.tables:
            shown.add_row(each.table, f"{each.built:,}", f"{each.hours:,}", f"{each.rows:,}")
        lines = [f"check failed: {text}" for text in self.failed_checks]
        lines += [f"note: {text}" for text in self.notes]
        if self.open_hours:
            lines.append(f"not closed yet, built later: {_shortened(self.open_hours)}")
        if self.before_first:
            why = "before CRYPTOVOL_PARTITIONS_START, not built"
            lines.append(f"{why}: {_shortened(self.before_first)}")
        return Group(shown, *lines)


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
        SettingError: `select` names an unknown table, the range is empty, or nobody answers at
            `MLFLOW_TRACKING_URI`.
        LakeError: no frames are recorded in the range, the lake is broken, or a step failed.
        ModelError: there is a champion that cannot be trusted.
    """
    lake, tables = Lake(settings.lake_root), _selected(select)
    _check_range(start_ns, end_ns)
    files = chain(lake)
    bounds = Bounds(
        HOURS.has_partition_key,
        MATURED_HOURS.has_partition_key,
        "" if start_ns is None else hour_key(start_ns),
        "9" if end_ns is None else hour_key(end_ns + HOUR_NS - 1),
    )
    recorded = sorted(h for h in by_hour(files) if bounds.start <= h < bounds.end)
    if not recorded:
        raise LakeError(settings.lake_root, _nothing_recorded(start_ns, end_ns))
    forecasting = "gold/forecasts" in {t.path for t in tables} and bool(_champions(settings))
    plan = stale_hours(
        Ledger(lake), files, bounds, tables=tables, forecasting=forecasting, rebuild=rebuild
    )
    runs, checks = 0, dict[str, CheckResult]()
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
    first = HOURS.get_first_partition_key() or "9"
    return Materialized(
        _summary(lake, tables, plan),
        runs,
        failed_checks(checks),
        notes(checks),
        open_hours=tuple(h for h in recorded if h >= first and not bounds.closed(h)),
        before_first=tuple(h for h in recorded if h < first),
    )


def _selected(select: Sequence[str]) -> tuple[Table, ...]:
    unknown = [path for path in select if TABLES.get(path) not in ORDER]
    if unknown:
        known = ", ".join(table.path for table in ORDER)
        raise SettingError("--select", ",".join(unknown), f"tables are {known}")
    return tuple(table for table in ORDER if not select or table.path in select)


def _check_range(start_ns: int | None, end_ns: int | None) -> None:
    if start_ns is not None and end_ns is not None and start_ns >= end_ns:
        raise SettingError("--end", _minute(end_ns), f"not after --start, {_minute(start_ns)}")


def _nothing_recorded(start_ns: int | None, end_ns: int | None) -> str:
    if start_ns is not None and end_ns is not None:
        return f"no frames recorded between {_minute(start_ns)} and {_minute(end_ns)}"
    if start_ns is not None:
        return f"no frames recorded since {_minute(start_ns)}"
    if end_ns is not None:
        return f"no frames recorded before {_minute(end_ns)}"
    return "no frames recorded yet: `cryptovol ingest` or `cryptovol replay` first"


def _minute(ns: int) -> str:
    return str(np.datetime64(ns, "ns").astype("datetime64[m]"))


def _shortened(hours: Sequence[str]) -> str:
    """A few hours by name; of many, the first, the last and how many there are."""
    if len(hours) <= SHOWN_HOURS:
        return ", ".join(hours)
    return f"{hours[0]} to {hours[-1]}, {len(hours):,} hours"


def _champions(settings: Settings) -> list[Any]:
    """The champions, without creating a registry where none was ever used."""
    if not settings.mlflow_tracking_uri and not (settings.home / "mlflow" / "mlflow.db").exists():
        return []
    return champions(require_registry(settings))


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


def _summary(
    lake: Lake, tables: Sequence[Table], plan: dict[str, list[str]]
) -> tuple[TableSummary, ...]:
    ledger = Ledger(lake)
    return tuple(
        TableSummary(
            table.path,
            len(plan.get(table.path, ())),
            len(ledger.hours(table)),
            sum(m.rows for h in ledger.hours(table) if (m := ledger.manifest(table, h))),
        )
        for table in tables
    )
