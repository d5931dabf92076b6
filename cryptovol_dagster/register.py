"""From trained models to the registry: runs, artefacts, versions and aliases in MLflow."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import pyarrow.parquet as pq

from cryptovol_dagster.champion import find_champion
from cryptovol_dagster.scores import show_figures
from cryptovol_dagster.training import Trained, load_rows, train_horizon
from data_lake.environment import third_party_warnings_ignored
from data_lake.lake import Lake
from data_lake.layout import hour_bounds
from data_lake.manifest import code_version
from data_lake.model_version import ModelVersion, model_name
from data_lake.registry import Registry
from volatility import bundle
from volatility.decision import Decision
from volatility.errors import ModelError
from volatility.forecaster import Forecaster
from volatility.scorecard import Figures

Action = Literal["first", "promoted", "refreshed", "kept"]
"""What became of the champion: there was none; the challenger won; refitted; left alone."""


class TrainingResult(msgspec.Struct, frozen=True, kw_only=True):
    """One horizon's training, as the command line and the asset page show it."""

    horizon_s: int
    action: Action
    champion: str  # model version that forecasts from now on
    champion_kind: str  # its name in the roster
    challenger: str  # model version of the challenger
    rows: int  # decisions
    step_s: int  # seconds between decisions
    folds: int
    sources: str  # live, replay, sim, rest
    products: tuple[str, ...]
    train_end: int  # end of the last label, ns UTC
    decision: Decision
    figures: tuple[Figures, ...]  # every model on the same unseen rows, best QLIKE first
    run_id: str  # MLflow run

    @property
    def markdown(self) -> str:
        """Decision and evaluation for an asset page."""
        origin = f"{self.rows:,} decisions every {self.step_s} s, source: {self.sources}"
        return "\n\n".join([self.decision.to_markdown(), show_figures(self.figures), origin])

    def plain(self) -> dict[str, Any]:
        """As JSON-able builtins; `msgspec.convert` reads them back."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built


def train_all(
    lake: Lake,
    registry: Registry,
    mlflow: Any,
    horizons_s: Sequence[int],
    train_end: str | None,
) -> tuple[list[TrainingResult], dict[int, str]]:
    """Train, gate and register one model per horizon, each in an MLflow run below the active one.

    Returns what was trained, and by horizon why the others were not: an hour's history is enough
    for a minute ahead and too little for an hour ahead.

    Args:
        lake: where features and labels are.
        registry: where models go.
        mlflow: MLflow's fluent interface, with a run active.
        horizons_s: seconds ahead.
        train_end: hour key by which labels must have matured; None takes all there are.

    Raises:
        ModelError: the history is too short for every horizon, or the registry cannot be reached.
    """
    until_ns = None if train_end is None else hour_bounds(train_end)[0]
    features, labels, step_s = load_rows(lake, until_ns)
    results: list[TrainingResult] = []
    too_short: dict[int, str] = {}
    for horizon_s in horizons_s:
        standing = _standing(registry, horizon_s)
        champion = standing[1] if standing else None
        try:
            trained = train_horizon(features, labels, horizon_s, step_s, champion)
        except ModelError as exc:
            too_short[horizon_s] = exc.reason
            if len(too_short) == len(horizons_s):
                raise
            continue
        with (
            third_party_warnings_ignored(),
            mlflow.start_run(run_name=model_name(horizon_s), nested=True) as run,
        ):
            _log(mlflow, trained)
            results.append(_settle(registry, run.info.run_id, trained, standing))
    return results, too_short


def _standing(registry: Registry, horizon_s: int) -> tuple[ModelVersion, Forecaster] | None:
    """The champion; None where there is none, or it was made for features we no longer compute."""
    try:
        return find_champion(registry, horizon_s)
    except ModelError:
        registry.ensure()  # a registry that is down is not a champion that is unfit
        return None


def _settle(
    registry: Registry,
    run_id: str,
    trained: Trained,
    standing: tuple[ModelVersion, Forecaster] | None,
) -> TrainingResult:
    """Register what was trained and move the champion's alias where the decision says so."""
    model, decision = model_name(trained.rows.horizon_s), trained.decision
    action: Action = "kept"
    champion, kind = (standing[0], standing[1].model) if standing else (None, "")
    if trained.champion is not None:
        action = "refreshed" if standing else "first"
        kind = trained.champion.model
        champion = registry.promote(
            model, _register(registry, run_id, trained, trained.champion).version
        )
    challenger = _register(registry, run_id, trained, trained.challenger)
    if decision.verdict == "promote" or champion is None:
        action, kind = "promoted", trained.challenger.model
        champion = registry.promote(model, challenger.version)
    return TrainingResult(
        horizon_s=trained.rows.horizon_s,
        action=action,
        champion=champion.label,
        champion_kind=kind,
        challenger=challenger.label,
        rows=trained.rows.n,
        step_s=trained.rows.step_s,
        folds=trained.folds,
        sources=trained.sources,
        products=trained.rows.products,
        train_end=int(trained.rows.label_end.max()),
        decision=decision,
        figures=tuple(trained.figures),
        run_id=run_id,
    )


def _register(
    registry: Registry, run_id: str, trained: Trained, forecaster: Forecaster
) -> ModelVersion:
    files = bundle.dump(forecaster)
    tags = {
        "model": forecaster.model,
        "sha256": bundle.digest(files),
        "verdict": trained.decision.verdict,
        "reason": trained.decision.reason,
        "sources": trained.sources,
        "train_end": str(forecaster.train_end),
        "code_version": code_version(),
    }
    folder = f"bundle/{forecaster.model}"
    return registry.register(
        model_name(forecaster.horizon_s), files, run_id=run_id, tags=tags, folder=folder
    )


def _log(mlflow: Any, trained: Trained) -> None:
    """Parameters, every figure of every model, the decision and the forecasts behind it."""
    rows = trained.rows
    mlflow.log_params(
        {
            "horizon_s": rows.horizon_s,
            "step_s": rows.step_s,
            "rows": rows.n,
            "folds": trained.folds,
            "products": ",".join(rows.products),
            "sources": trained.sources,
            "train_start": int(rows.ts.min()),
            "train_end": int(rows.label_end.max()),
            "features": len(rows.names),
            "code_version": code_version(),
        }
    )
    mlflow.log_metrics(_metrics(trained.figures))
    mlflow.set_tags({"verdict": trained.decision.verdict, "sources": trained.sources})
    mlflow.log_text(show_figures(trained.figures), "evaluation.md")
    mlflow.log_text(trained.decision.to_markdown(), "decision.md")
    mlflow.log_text(trained.decision.to_json().decode(), "decision.json")
    with tempfile.TemporaryDirectory(prefix="cryptovol-") as folder:
        path = Path(folder) / "forecasts.parquet"
        pq.write_table(trained.forecasts, path, compression="zstd")
        mlflow.log_artifact(str(path))


def _metrics(figures: Sequence[Figures]) -> dict[str, float]:
    return {
        f"{name}.{scored.model}": float(figure)
        for scored in figures
        for name, figure in msgspec.structs.asdict(scored).items()
        if isinstance(figure, int | float) and math.isfinite(figure)
    }
