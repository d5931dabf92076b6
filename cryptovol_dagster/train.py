"""Train and report drift from the command line, through the same jobs the schedules run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import msgspec

from cryptovol_dagster.defs.gold import MODEL
from cryptovol_dagster.defs.report import DRIFT
from cryptovol_dagster.progress import Progress, listening
from cryptovol_dagster.reach import require_registry
from cryptovol_dagster.register import TrainingResult
from cryptovol_dagster.run import (
    check_results,
    failed_checks,
    notes,
    persistent_instance,
    run_job,
)
from data_lake.layout import hour_key
from data_lake.settings import Settings
from volatility.feature import HORIZONS_S

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class TrainingSummary:
    """What every horizon's training came to."""

    results: tuple[TrainingResult, ...]
    too_short: dict[str, str]  # horizon in seconds to why there is no model
    failed_checks: tuple[str, ...]
    notes: tuple[str, ...] = ()  # checks that did not hold, but are only worth a look

    def render(self) -> RenderableType:
        """Model against each baseline, and the gate's verdict, for the terminal."""
        from rich.console import Group

        parts = [_render(result) for result in self.results]
        lines = [f"{h} s ahead: not trained: {why}" for h, why in self.too_short.items()]
        lines += [f"check failed: {text}" for text in self.failed_checks]
        lines += [f"note: {text}" for text in self.notes]
        return Group(*parts, *lines)


@dataclass(frozen=True)
class DriftSummary:
    """What the drift report said, and where it is."""

    reason: str
    drifted: bool
    retrain: bool
    path: Path

    def render(self) -> RenderableType:
        """One line for the terminal."""
        return f"drift: {self.reason}\nreport: {self.path}"


def run_training(
    settings: Settings,
    *,
    train_end_ns: int | None = None,
    horizons_s: Sequence[int] = HORIZONS_S,
    progress: Progress | None = None,
) -> TrainingSummary:
    """Run the training job: evaluate every model, let the gate decide, register the result.

    Args:
        settings: where lake, registry and Dagster instance are.
        train_end_ns: labels must have matured by the hour of this instant, ns UTC.
        horizons_s: seconds ahead; one model each.
        progress: told after every fit.

    Raises:
        SettingError: nobody answers at `MLFLOW_TRACKING_URI`.
        LakeError: the job failed; it says at which step and why.
    """
    require_registry(settings)
    config = {
        "train_end": "" if train_end_ns is None else hour_key(train_end_ns),
        "horizons_s": list(horizons_s),
    }
    with persistent_instance(settings) as instance, listening(progress):
        op = MODEL.to_python_identifier()
        result = run_job(settings, instance, "training", config={"ops": {op: {"config": config}}})
        facts = _facts(result, MODEL)
    too_short = facts["too_short"].value
    results = tuple(
        msgspec.convert(facts[f"result_{h}s"].value, TrainingResult)
        for h in horizons_s
        if str(h) not in too_short
    )
    checks = check_results(result)
    return TrainingSummary(results, dict(too_short), failed_checks(checks), notes(checks))


def run_drift_report(settings: Settings) -> DriftSummary:
    """Run the drift job: the newest hours against the champion's training window.

    Raises:
        SettingError: nobody answers at `MLFLOW_TRACKING_URI`.
        LakeError: there is no champion, or too little to compare.
    """
    require_registry(settings)
    with persistent_instance(settings) as instance:
        facts = _facts(run_job(settings, instance, "drift"), DRIFT)
    return DriftSummary(
        reason=str(facts["reason"].value),
        drifted=bool(facts["drifted"].value),
        retrain=bool(facts["retrain"].value),
        path=Path(str(facts["report"].value)),
    )


def _facts(result: dg.ExecuteInProcessResult, key: dg.AssetKey) -> dict[str, Any]:
    events = result.asset_materializations_for_node(key.to_python_identifier())
    return {name: value for event in events for name, value in event.metadata.items()}


def _render(result: TrainingResult) -> RenderableType:
    from rich.table import Table

    title = f"{result.horizon_s} s ahead: {result.action}, champion {result.champion}"
    caption = f"{result.decision.reason}\n{result.rows:,} decisions, source: {result.sources}"
    shown = Table("model", "QLIKE", "gain over log-HAR", "R2 log", "PR-AUC", title=title)
    shown.caption = caption
    for each in result.figures:
        mark = " (champion)" if each.model == result.champion_kind else ""
        gain = "" if each.gain is None else f"{each.gain:+.1%}"
        shown.add_row(
            each.model + mark, f"{each.qlike:.4f}", gain, _short(each.r2_log), _short(each.pr_auc)
        )
    return shown


def _short(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.3f}"
