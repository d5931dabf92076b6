"""Walk-forward evaluation: every model refitted on every fold, forecasting the same unseen rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from volatility.array import Ints, Matrix, Vector
from volatility.calibration import Platt, fit_platt, spike_score
from volatility.column import flag_column, float_column, int_column, text_column
from volatility.dataset import Dataset
from volatility.interval import Offsets, adaptive_intervals
from volatility.model import ROSTER, Fit, Fitted
from volatility.split import Fold, check_folds

Progress = Callable[[str, int, int], None]
"""`progress(model, fold, folds)`, called after each fit."""

FORECASTS_SCHEMA: Final = pa.schema(
    [
        pa.field("product", pa.string(), False),
        pa.field("ts", pa.int64(), False),  # decision time, ns UTC
        pa.field("horizon_s", pa.int32(), False),
        pa.field("model", pa.string(), False),
        pa.field("fold", pa.int32(), False),  # number of the refit, from 1
        pa.field("rv", pa.float64(), False),  # forecast of the sum of r^2 over the horizon
        pa.field("log_rv", pa.float64()),  # forecast of ln rv
        pa.field("lo", pa.float64()),  # lower end of the 90 % interval of rv
        pa.field("hi", pa.float64()),  # upper end
        pa.field("p_spike", pa.float64()),
        pa.field("label", pa.float64(), False),  # what happened, rv, not floored
        pa.field("spike", pa.bool_()),  # what happened; null where no threshold was known
        pa.field("onset", pa.bool_()),  # the horizon that ended at ts was no spike
    ]
)
"""The table of out-of-sample forecasts, one row per decision and model."""


@dataclass(frozen=True, eq=False)
class Track:
    """One model's out-of-sample forecasts, aligned with `Evaluation.rows`; and its calibration."""

    rv: Vector
    p_spike: Vector  # NaN where not calibrated yet or no threshold
    offsets: Matrix  # [n, 3]: lo, centre, hi of ln rv - ln F; NaN where not known yet
    platt: Platt | None  # from every out-of-sample row: for the next forecast to come
    interval: Offsets | None  # likewise


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Forecasts of every model on the same rows; fold 0 calibrates and is not scored."""

    rows: Dataset  # the out-of-sample decisions, fold 0 included
    fold: Ints  # [n] fold number of each
    tracks: Mapping[str, Track]

    def table(self) -> Any:
        """The scored forecasts as a `pa.Table` of `FORECASTS_SCHEMA`, by model, ts, product."""
        scored = np.flatnonzero(self.fold > 0)
        parts = [self._part(name, track, scored) for name, track in sorted(self.tracks.items())]
        return pa.concat_tables(parts) if parts else FORECASTS_SCHEMA.empty_table()

    def _part(self, name: str, track: Track, scored: Ints) -> Any:
        rows, none = self.rows.take(scored), np.zeros(len(scored), np.int64)
        rv, (lo, centre, hi) = track.rv[scored], track.offsets[scored].T
        columns = [
            text_column(rows.product, rows.products),
            int_column(rows.ts, pa.int64()),
            int_column(none + rows.horizon_s, pa.int32()),
            text_column(none, [name]),
            int_column(self.fold[scored], pa.int32()),
            float_column(rv),
            float_column(np.log(rv) + centre),
            float_column(rv * np.exp(lo)),
            float_column(rv * np.exp(hi)),
            float_column(track.p_spike[scored]),
            float_column(rows.rv),
            flag_column(rows.spike, rows.has_threshold),
            flag_column(rows.past_rv <= rows.threshold, rows.has_threshold),
        ]
        return pa.Table.from_arrays(columns, schema=FORECASTS_SCHEMA)


def evaluate(
    dataset: Dataset,
    folds: list[Fold],
    *,
    roster: Mapping[str, Fit] = ROSTER,
    progress: Progress | None = None,
) -> Evaluation:
    """Fit every model of the roster on every fold's train rows and forecast its test rows.

    A model sees the test rows' features only. Spike probabilities of a fold come from a Platt
    scaling of earlier folds, intervals from residuals matured by then.

    Raises:
        ModelError: the folds are too few or too small, see `split.check_folds`.
    """
    check_folds(dataset, folds)
    test = np.concatenate([fold.test for fold in folds])
    number = np.concatenate([np.full(len(fold.test), fold.number) for fold in folds])
    forecasts: dict[str, list[Vector]] = {name: [] for name in roster}
    for fold in folds:
        fitted: dict[str, Fitted] = {}
        for name, fit in roster.items():
            fitted[name] = fit(dataset, fold.train, fitted)
            forecasts[name].append(fitted[name].forecast(dataset.x[fold.test]))
            if progress is not None:
                progress(name, fold.number, len(folds))
    rows = dataset.take(test)
    starts = {fold.number: fold.start for fold in folds}
    tracks = {
        name: _calibrate(rows, number, starts, np.concatenate(parts))
        for name, parts in forecasts.items()
    }
    return Evaluation(rows, number, tracks)


def _calibrate(rows: Dataset, number: Ints, starts: Mapping[int, int], rv: Vector) -> Track:
    score = np.where(rows.has_threshold, spike_score(rv, rows.threshold), np.nan)
    p_spike = np.full(rows.n, np.nan)
    for fold, start in starts.items():
        matured = (number < fold) & (rows.label_end <= start)
        platt = fit_platt(score[matured], rows.spike[matured])
        mine = number == fold
        if platt is not None:
            p_spike[mine] = platt.probability(rv[mine], rows.threshold[mine])
    offsets, last = adaptive_intervals(rows.ts, rows.label_end, np.log(rows.target), np.log(rv))
    return Track(rv, p_spike, offsets, fit_platt(score, rows.spike), last)
