"""Jobs run in this process, recorded in the same Dagster instance the UI shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import dagster as dg

from cryptovol_dagster.definitions import definitions
from data_lake.environment import dagster_home, third_party_warnings_ignored
from data_lake.settings import Settings
from volatility import errors
from volatility.errors import CryptovolError, LakeError

QUIET: Final[dict[str, Any]] = {
    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
}
"""Run config that leaves the terminal to the command line; the UI still has every event."""


@contextmanager
def persistent_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The instance under `<home>/dagster`, made on first use; telemetry off.

    Raises:
        LakeError: its storage cannot be read or written.
    """
    from sqlalchemy.exc import OperationalError

    folder = str(dagster_home(settings.home))
    try:
        with third_party_warnings_ignored(), dg.DagsterInstance.from_config(folder) as instance:
            yield instance
    except OperationalError as exc:
        raise LakeError(folder, f"Dagster's storage: {exc.orig}") from exc


def run_job(
    settings: Settings,
    instance: dg.DagsterInstance,
    job: str,
    *,
    tags: Mapping[str, str] | None = None,
    assets: Sequence[dg.AssetKey] | None = None,
    config: Mapping[str, Any] | None = None,
) -> dg.ExecuteInProcessResult:
    """Run a job to its end, with `assets` only where given.

    Raises:
        LakeError: a step failed; it names job and step, and says why.
    """
    found = definitions(settings).resolve_job_def(job)
    result = found.execute_in_process(
        instance=instance,
        tags=dict(tags or {}),
        asset_selection=None if assets is None else list(assets),
        run_config={**QUIET, **(config or {})},
        raise_on_error=False,
    )
    if not result.success:
        raise _failure(job, result)
    return result


def check_results(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """Every check of a run: `silver/gaps explains_holes` to why it failed, empty where it held."""
    return {
        f"{check.asset_key.to_user_string()} {check.check_name}": ""
        if check.passed
        else check.description or "failed"
        for check in result.get_asset_check_evaluations()
    }


def failed_checks(results: Mapping[str, str]) -> tuple[str, ...]:
    """One line for each check that did not hold."""
    return tuple(f"{name}: {why}" for name, why in results.items() if why)


def _failure(job: str, result: dg.ExecuteInProcessResult) -> CryptovolError:
    """The error of the first failed step, in one line."""
    for event in result.get_step_failure_events():
        error = event.step_failure_data.error
        cause = error.cause if error and error.cause else error
        reason = cause.message.strip().splitlines()[0] if cause else "failed"
        if cause and cause.cls_name and hasattr(errors, cause.cls_name):
            reason = reason.partition(": ")[2]
        return LakeError(f"{job} job, {event.step_key}", reason)
    return LakeError(f"{job} job", "the run failed before its first step")
