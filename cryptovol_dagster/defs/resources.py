"""What assets are given: the lake, the registry, and one MLflow run per training run.

`dagster_mlflow` imports mlflow and pandas (seconds), so its resource and hook are wrapped: they
are imported when a training run starts, not when definitions load.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from data_lake.environment import third_party_warnings_ignored
from data_lake.lake import Lake
from data_lake.registry import EXPERIMENT, Registry
from data_lake.settings import Settings


class LakeResource(dg.ConfigurableResource["LakeResource"]):
    """Where tables live: a folder or an object-store url."""

    root: str

    def open(self) -> Lake:
        """The lake under `root`."""
        return Lake(self.root)


class RegistryResource(dg.ConfigurableResource["RegistryResource"]):
    """Where models live; `artifact_root` is empty where the tracking server keeps files."""

    tracking_uri: str
    artifact_root: str = ""

    def open(self) -> Registry:
        """The registry at `tracking_uri`."""
        return Registry(self.tracking_uri, Path(self.artifact_root) if self.artifact_root else None)


class HomeResource(dg.ConfigurableResource["HomeResource"]):
    """The folder reports are written under."""

    path: str

    def folder(self, *parts: str) -> Path:
        """A folder below home, created where absent."""
        where = Path(self.path).joinpath(*parts)
        where.mkdir(parents=True, exist_ok=True)
        return where


@dg.resource(
    config_schema={
        "experiment_name": str,
        "mlflow_tracking_uri": str,
        "artifact_root": str,
        "env": dict,
        "extra_tags": dict,
    },
    description="One MLflow run per Dagster run: dagster-mlflow's resource, imported late.",
)
def mlflow_run(context: dg.InitResourceContext) -> Iterator[Any]:
    """Open the MLflow run of this Dagster run.

    The experiment is made first: MLflow would give it `./mlruns` for its artifacts.
    """
    root = context.resource_config["artifact_root"]
    tracking_uri = context.resource_config["mlflow_tracking_uri"]
    Registry(tracking_uri, Path(root) if root else None).ensure()
    with third_party_warnings_ignored():
        from dagster_mlflow import mlflow_tracking

        yield from mlflow_tracking.resource_fn(context)


def _end_run(context: dg.HookContext, events: Sequence[Any]) -> Any:
    with third_party_warnings_ignored():
        from dagster_mlflow import end_mlflow_on_run_finished

        return end_mlflow_on_run_finished.hook_fn(context, events)


end_mlflow_run = dg.HookDefinition(
    name="end_mlflow_on_run_finished", hook_fn=_end_run, required_resource_keys={"mlflow"}
)
"""Closes the MLflow run with the status of the Dagster run."""


def resources(settings: Settings) -> dict[str, Any]:
    """Every resource, configured from the settings."""
    registry = Registry.of(settings)
    return {
        "store": LakeResource(root=settings.lake_root),
        "registry": RegistryResource(
            tracking_uri=registry.tracking_uri, artifact_root=str(registry.artifact_root or "")
        ),
        "home": HomeResource(path=str(settings.home.absolute())),
        "mlflow": mlflow_run.configured(
            {
                "experiment_name": EXPERIMENT,
                "mlflow_tracking_uri": registry.tracking_uri,
                "artifact_root": str(registry.artifact_root or ""),
                "env": {},
                "extra_tags": {},
            }
        ),
    }
