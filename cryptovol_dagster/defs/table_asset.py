"""What every table asset shares: its spec from the table's contract, and what it reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import dagster as dg

from cryptovol_dagster.recipe import Built
from data_lake.tables import Table

Dep = dg.AssetDep | dg.AssetKey
Extra = Mapping[str, Any] | Callable[[], Mapping[str, str]]
"""More facts about a run: metadata, or Markdown made only when something was built."""

SINGLE_RUN: Final = dg.BackfillPolicy.single_run()


def asset_key(table: Table) -> dg.AssetKey:
    """`silver/trades` is the key `["silver", "trades"]`."""
    return dg.AssetKey(table.path.split("/"))


def table_spec(
    table: Table, deps: Sequence[Dep], *kinds: str, may_skip: bool = False
) -> dg.AssetSpec:
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
        skippable=may_skip,
    )


def neighbours(table: Table, mapping: dg.TimeWindowPartitionMapping) -> dg.AssetDep:
    """A dependency on the hours around, as `partitions.hours_around` says."""
    return dg.AssetDep(asset_key(table), partition_mapping=mapping)


def hours_of_run(
    context: dg.AssetExecutionContext, partitions: dg.PartitionsDefinition[str]
) -> list[str]:
    """The hours this run is for, oldest first, without those that do not exist yet.

    A run over a range carries its ends as tags, which Dagster does not check against the
    definition: the newest hours of a range could be ones that have not closed.
    """
    return [hour for hour in context.partition_keys if partitions.has_partition_key(hour)]


def materialized(
    context: dg.AssetExecutionContext,
    table: Table,
    built: Built,
    extra: Extra | None = None,
) -> dg.MaterializeResult[None]:
    """Report each hour by itself (rows, span, products), and `extra` with the newest one."""
    key, newest = asset_key(table), max(built, default=None)
    for hour, manifest in built.items():
        facts = hour_facts(built, [hour]) | {"content": manifest.sha256[:12]}
        if hour == newest:
            facts |= {"run_rows": sum(m.rows for m in built.values())} | _facts(extra)
        context.add_asset_metadata(facts, asset_key=key, partition_key=hour)
    return dg.MaterializeResult(asset_key=key)


def _facts(extra: Extra | None) -> dict[str, Any]:
    if callable(extra):
        return {name: dg.MetadataValue.md(text) for name, text in extra().items()}
    return dict(extra or {})


def hour_facts(built: Built, hours: Iterable[str]) -> dict[str, Any]:
    """Rows, time span and products of some hours, as Dagster metadata."""
    manifests = [built[hour] for hour in hours]
    spans = [span for m in manifests for span in m.spans.values()]
    products = sorted({product for m in manifests for product in m.spans})
    facts: dict[str, Any] = {
        "dagster/partition_row_count": sum(m.rows for m in manifests),
        "products": ", ".join(products) or "none",
    }
    if spans:
        facts["first"] = dg.MetadataValue.timestamp(min(s.first_ts for s in spans) / 1e9)
        facts["last"] = dg.MetadataValue.timestamp(max(s.last_ts for s in spans) / 1e9)
    if manifests:
        facts["code_version"] = manifests[-1].code_version
    return facts
