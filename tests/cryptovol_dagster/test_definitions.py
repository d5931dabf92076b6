"""The asset graph, and what loading it costs."""

from __future__ import annotations

import subprocess
import sys

import dagster as dg
import pytest

from cryptovol_dagster.definitions import defs
from data_lake.tables import TABLES

GRAPH = {
    "coinbase/feed": set[str](),
    "kafka/ticks_raw": {"coinbase/feed"},
    "bronze/frames": {"coinbase/feed", "kafka/ticks_raw"},
    "silver/trades": {"bronze/frames"},
    "silver/quotes": {"bronze/frames"},
    "silver/gaps": {"silver/trades"},
    "silver/bars_1s": {"silver/quotes", "silver/trades"},
    "gold/features_1s": {"silver/bars_1s"},
    "gold/labels_1s": {"gold/features_1s"},
    "gold/forecasts": {"gold/features_1s", "model/volatility_1s"},
    "gold/outcomes": {"gold/forecasts", "gold/labels_1s"},
    "model/volatility_1s": {"gold/features_1s", "gold/labels_1s"},
    "report/drift": {"gold/features_1s", "model/volatility_1s"},
}
"""Lineage from the feed to the drift report: asset to what it is made from."""

HEAVY = ("mlflow", "evidently", "lightgbm", "sklearn", "numba", "pandas", "matplotlib", "scipy")


@pytest.fixture(scope="module")
def graph() -> dg.AssetGraph:
    """The graph Dagster makes of the definitions."""
    return defs.resolve_asset_graph()


def test_the_graph_is_the_one_we_drew(graph: dg.AssetGraph) -> None:
    """A snapshot: whoever changes lineage changes it here too."""
    drawn = {
        key.to_user_string(): {parent.to_user_string() for parent in graph.get(key).parent_keys}
        for key in graph.get_all_asset_keys()
    }
    assert drawn == GRAPH


def test_every_table_is_an_asset_in_the_group_of_its_zone(graph: dg.AssetGraph) -> None:
    for path, table in TABLES.items():
        node = graph.get(dg.AssetKey(path.split("/")))
        assert node.group_name == table.zone
        assert node.description
        assert "parquet" in node.kinds


def test_every_table_is_checked(graph: dg.AssetGraph) -> None:
    """Contract and currency on each, and what is special to it."""
    checks = {(k.asset_key.to_user_string(), k.name) for k in graph.asset_check_keys}
    for path, table in TABLES.items():
        if table.layout == "hour":
            assert {(path, "keeps_contract"), (path, "is_current")} <= checks
    assert ("silver/gaps", "explains_holes") in checks
    assert ("gold/features_1s", "is_known") in checks
    assert ("gold/labels_1s", "is_matured") in checks
    assert ("model/volatility_1s", "champions_load") in checks


def test_partitioned_assets_run_many_hours_at_once(graph: dg.AssetGraph) -> None:
    """One run for a backfill, one start for all, labels an hour behind."""
    for path in (p for p, table in TABLES.items() if table.layout == "hour"):
        node = graph.get(dg.AssetKey(path.split("/")))
        assert node.backfill_policy == dg.BackfillPolicy.single_run()
        assert isinstance(node.partitions_def, dg.TimeWindowPartitionsDefinition)
        behind = -1 if path in ("gold/labels_1s", "gold/outcomes") else 0
        assert node.partitions_def.end_offset == behind
        assert node.partitions_def.get_first_partition_key() == "2021-01-01-00:00"


def test_look_backs_are_those_of_the_recipe(graph: dg.AssetGraph) -> None:
    """Dagster's partition mappings and the builders read the same hours."""
    from cryptovol_dagster.recipe import READS

    for path, reads in READS.items():
        node = graph.get(dg.AssetKey(path.split("/")))
        for read in reads:
            mapping = node.partition_mappings[dg.AssetKey(read.table.path.split("/"))]
            assert isinstance(mapping, dg.TimeWindowPartitionMapping)
            assert (mapping.start_offset, mapping.end_offset) == (-read.back, read.ahead)


def test_jobs_schedules_and_sensors_are_there_and_on() -> None:
    repository = defs.get_repository_def()
    assert {"hourly", "matured", "training", "drift"} <= set(repository.job_names)
    crons = {s.name: s.cron_schedule for s in repository.schedule_defs}
    assert crons == {
        "hourly": "3 * * * *",
        "nightly_training": "0 2 * * *",
        "daily_drift": "30 1 * * *",
    }
    assert {s.name for s in repository.sensor_defs} == {
        "bronze_arrivals",
        "hours_built",
        "drift_found",
    }
    assert all(s.default_status.value == "RUNNING" for s in repository.schedule_defs)
    assert all(s.default_status.value == "RUNNING" for s in repository.sensor_defs)


def test_loading_imports_nothing_heavy() -> None:
    """Each costs seconds; they are imported when an asset runs."""
    code = (
        "import sys; from cryptovol_dagster.definitions import defs; "
        "defs.get_repository_def().load_all_definitions(); "
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    loaded = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], check=True, capture_output=True, text=True
    )
    assert loaded.stdout.strip() == "[]"
