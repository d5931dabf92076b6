"""What every table asset shares: its spec from the table's contract, and what it reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from cryptovol_dagster.defs.checks import check_specs, judged
from cryptovol_dagster.defs.partitions import partitions_of
from cryptovol_dagster.recipe import Built
from data_lake.lake import Lake
from data_lake.manifest import Manifest
from data_lake.tables import TABLES, Table

Dep = dg.AssetDep | dg.AssetKey
Results = Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]
Compute = Callable[..., Results]
Extra = Callable[[], Mapping[str, str]]


def asset_key(table: Table) -> dg.AssetKey:
    """`silver/trades` is the key `["silver", "trades"]`."""
    return dg.AssetKey(table.path.split("/"))


def table_path(key: dg.AssetKey) -> str:
    """The key `["silver", "trades"]` is the path `silver/trades`."""
    return "/".join(key.path)


def table_spec(table: Table, deps: Sequence[Dep], *kinds: str) -> dg.AssetSpec:
    """The asset of a table: documentation, columns and units come from its contract."""
    columns = [
        dg.TableColumn(c.name, str(c.type), c.doc, dg.TableColumnConstraints(c.nullable))
        for c in table.columns
    ]
    return dg.AssetSpec(
        asset_key(table),
        deps=deps,
        description=table.doc,
        group_name=table.zone,
        kinds={"parquet", *kinds},
        metadata={"dagster/column_schema": dg.TableSchema(columns), "key": ", ".join(table.key)},
        code_version=str(table.version),
        skippable=True,
    )


def neighbours(table: Table, mapping: dg.TimeWindowPartitionMapping) -> dg.AssetDep:
    """A dependency on the hours around, as `partitions.hours_around` says."""
    return dg.AssetDep(asset_key(table), partition_mapping=mapping)


def hourly_tables(name: str, *specs: dg.AssetSpec) -> Callable[[Compute], dg.AssetsDefinition]:
    """Decorate a function that builds some tables, with their checks, hour by hour."""
    tables = [TABLES[table_path(spec.key)] for spec in specs]
    return dg.multi_asset(
        name=name,
        specs=specs,
        check_specs=[check for table in tables for check in check_specs(table)],
        partitions_def=partitions_of(tables[0]),
        backfill_policy=dg.BackfillPolicy.single_run(),
        can_subset=True,
    )


def hours_to_build(context: dg.AssetExecutionContext, table: Table) -> list[str]:
    """The hours this run builds of a table, oldest first; none when only checks are run.

    A run over a range carries its ends as tags, which Dagster does not check against the
    definition: the newest hours of a range could be ones that have not closed.
    """
    if asset_key(table) not in context.selected_asset_keys:
        return []
    partitions = partitions_of(table)
    return [hour for hour in context.partition_keys if partitions.has_partition_key(hour)]


def report(
    context: dg.AssetExecutionContext, lake: Lake, table: Table, built: Built, extra: Extra = dict
) -> Results:
    """Report what was built, each hour by itself, and judge it.

    `extra` makes Markdown that goes with the newest hour; it is asked when something was built.
    """
    key, newest = asset_key(table), max(built, default=None)
    for hour, manifest in built.items():
        facts = hour_facts(manifest)
        if hour == newest:
            facts["run_rows"] = sum(each.rows for each in built.values())
            facts |= {name: dg.MetadataValue.md(text) for name, text in extra().items()}
        context.add_asset_metadata(facts, asset_key=key, partition_key=hour)
    if built:
        yield dg.MaterializeResult(asset_key=key)
    yield from judged(context, lake, table)


def hour_facts(manifest: Manifest) -> dict[str, Any]:
    """Rows, time span, products and versions of an hour, as Dagster metadata."""
    spans = manifest.spans.values()
    facts: dict[str, Any] = {
        "dagster/partition_row_count": manifest.rows,
        "products": ", ".join(sorted(manifest.spans)) or "none",
        "content": manifest.sha256[:12],
        "code_version": manifest.code_version,
    }
    if spans:
        facts["first"] = dg.MetadataValue.timestamp(min(s.first_ts for s in spans) / 1e9)
        facts["last"] = dg.MetadataValue.timestamp(max(s.last_ts for s in spans) / 1e9)
    return facts
