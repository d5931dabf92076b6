"""Jobs run in this process, recorded in the same Dagster instance the UI shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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


@dataclass(frozen=True)
class CheckResult:
    """One check's answer."""

    holds: bool
    why: str
    alarms: bool  # a failure is an error, not merely worth a look


def check_results(result: dg.ExecuteInProcessResult) -> dict[str, CheckResult]:
    """Every check of a run by name, `silver/gaps explains_holes`."""
    return {
        f"{check.asset_key.to_user_string()} {check.check_name}": CheckResult(
            check.passed,
            check.description or "failed",
            check.severity is dg.AssetCheckSeverity.ERROR,
        )
        for check in result.get_asset_check_evaluations()
    }


def failed_checks(results: Mapping[str, CheckResult]) -> tuple[str, ...]:
    """One line for each check that did not hold, and that should have."""
    return _lines(results, alarms=True)


def notes(results: Mapping[str, CheckResult]) -> tuple[str, ...]:
    """One line for each check that did not hold, but is only worth a look."""
    return _lines(results, alarms=False)


def _lines(results: Mapping[str, CheckResult], *, alarms: bool) -> tuple[str, ...]:
    found = ((name, r) for name, r in results.items() if not r.holds and r.alarms == alarms)
    return tuple(f"{name}: {each.why}" for name, each in found)


def _failure(job: str, result: dg.ExecuteInProcessResult) -> CryptovolError:
    """The error of the first failed step, or of what failed before any, in one line."""
    for event in result.get_step_failure_events():
        return LakeError(f"{job} job, {event.step_key}", _reason(event.step_failure_data.error))
    for event in result.filter_events(lambda e: e.event_type is dg.DagsterEventType.RUN_FAILURE):
        return LakeError(f"{job} job", _reason(event.job_failure_data.error))
    return LakeError(f"{job} job", "the run failed before its first step")


def _reason(error: Any) -> str:
    """First line of what a step raised; Dagster wraps it, and puts the class before our errors."""
    cause = error.cause if error and error.cause else error
    if not cause:
        return "failed"
    reason: str = cause.message.strip().splitlines()[0]
    return reason.partition(": ")[2] if hasattr(errors, cause.cls_name or "") else reason
