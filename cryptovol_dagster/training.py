"""Train, evaluate, decide: everything of one horizon but where it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from cryptovol_dagster.progress import tell
from data_lake.lake import Lake
from data_lake.layout import hour_bounds
from data_lake.tables import FEATURES_1S, LABELS_1S
from volatility.column import numbers
from volatility.dataset import SECOND_NS, Dataset, dataset
from volatility.decision import Decision
from volatility.errors import ModelError
from volatility.evaluate import evaluate
from volatility.forecaster import Forecaster, train
from volatility.gate import decide
from volatility.leak import leak_tests
from volatility.model import CHALLENGER, CHAMPION_ZERO, ROSTER
from volatility.scorecard import Figures, summary
from volatility.split import plan

STEPS_S: Final = (300, 60, 30, 10)
"""Distances of decisions, seconds; the longest that leaves ENOUGH_DECISIONS is taken."""

ENOUGH_DECISIONS: Final = 5_000

REFRESH_NS: Final = 7 * 86_400 * SECOND_NS
"""A champion that keeps its place is refitted once its data is this much older than the newest."""

CANDIDATES: Final = (CHALLENGER, "lightgbm", CHAMPION_ZERO)
"""Who challenges: the first that is not the champion already."""


@dataclass(frozen=True)
class Trained:
    """One horizon: what was compared, what was decided, and the models refitted on everything."""

    rows: Dataset
    folds: int
    figures: list[Figures]  # of every model, best QLIKE first
    forecasts: Any  # out-of-sample forecasts, a pa.Table of evaluate.FORECASTS_SCHEMA
    decision: Decision
    challenger: Forecaster
    champion: Forecaster | None  # a refit of the champion's kind, where it is due

    @property
    def sources(self) -> str:
        """Where the rows came from, so that nobody takes a simulation for a market."""
        return ", ".join(self.rows.sources)


def load_rows(lake: Lake, until_ns: int | None) -> tuple[Any, Any, int]:
    """Features and labels at decision times, and the seconds between them.

    Args:
        lake: where the tables are.
        until_ns: labels must have matured by then, ns UTC; None takes all there are.

    Raises:
        ModelError: no hour has labels.
    """
    hours = [h for h in lake.hours(LABELS_1S) if until_ns is None or hour_bounds(h)[0] < until_ns]
    if not hours:
        raise ModelError("volatility_1s", "no hour has labels: materialize gold/labels_1s first")
    newest = lake.manifest(LABELS_1S, hours[-1])
    products = max(len(newest.spans) if newest else 0, 1)
    step_s = decision_step(len(hours), products)
    features, labels = (
        pa.concat_tables([_on_the_clock(lake.read(table, hour), step_s) for hour in hours])
        for table in (FEATURES_1S, LABELS_1S)
    )
    if until_ns is not None:
        labels = labels.filter(pa.array(numbers(labels.column("label_end")) <= until_ns))
    return features, labels, step_s


def decision_step(hours: int, products: int) -> int:
    """Seconds between decisions: the longest step that leaves enough of them."""
    seconds = hours * 3600 * products
    return next((s for s in STEPS_S if seconds // s >= ENOUGH_DECISIONS), STEPS_S[-1])


def train_horizon(
    features: Any, labels: Any, horizon_s: int, step_s: int, champion: Forecaster | None
) -> Trained:
    """Walk forward with every model, put the challenger to the gate, refit on everything.

    Raises:
        ModelError: the history is too short for an honest figure.
    """
    rows = dataset(features, labels, horizon_s, step_s)
    folds = plan(rows)
    fits: list[str] = []

    def note(model: str, _: int, total: int) -> None:
        fits.append(model)
        tell(f"model {horizon_s} s", len(fits), total * len(ROSTER))

    evaluation = evaluate(rows, folds, progress=note)
    forecasts = evaluation.table()
    kind = champion.model if champion else CHAMPION_ZERO
    challenger = next(name for name in CANDIDATES if name != kind)
    decision = decide(forecasts, challenger, kind, leak_tests=leak_tests(rows, folds))
    newest = int(rows.label_end.max())
    due = champion is None or newest - champion.train_end > REFRESH_NS
    return Trained(
        rows=rows,
        folds=len(folds),
        figures=summary(forecasts),
        forecasts=forecasts,
        decision=decision,
        challenger=train(challenger, rows, evaluation),
        champion=train(kind, rows, evaluation) if due else None,
    )


def _on_the_clock(rows: Any, step_s: int) -> Any:
    on_step = numbers(rows.column("ts")) % (step_s * SECOND_NS) == 0
    return rows.filter(pa.array(np.asarray(on_step)))
