"""A trained model ready to forecast: fitted on everything, with its calibration and its origin."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from volatility.array import Matrix, Vector
from volatility.calibration import Platt
from volatility.dataset import Dataset
from volatility.errors import ModelError
from volatility.evaluate import Evaluation
from volatility.feature import FEATURES
from volatility.interval import Offsets
from volatility.model import Fitted, fit_model


@dataclass(frozen=True, eq=False)
class Forecast:
    """Forecasts of n decisions; all in units of rv but the probability. NaN: no forecast."""

    rv: Vector  # [n] expected sum of squared log returns over the horizon
    lo: Vector  # [n] lower end of the 90 % interval
    hi: Vector  # [n] upper end
    p_spike: Vector  # [n] NaN where not calibrated or the threshold is unknown


class Forecaster(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one needs to forecast, and to know where the model came from."""

    model: str  # name in the roster
    fitted: Fitted
    scale: str  # "1s"
    horizon_s: int
    features: tuple[str, ...]  # columns of the matrix, in order
    essential: tuple[int, ...]  # columns without which there is no forecast
    feature_version: str  # see `feature_version`
    platt: Platt | None  # spike probability; None with too few spikes to calibrate
    offsets: Offsets | None  # 90 % interval in logs; None with too few outcomes
    products: tuple[str, ...]  # trained on
    sources: tuple[str, ...]  # of the training rows: live, replay, sim or rest
    n_rows: int  # training decisions
    step_s: int  # seconds between them
    train_start: int  # first training decision, ns UTC
    train_end: int  # end of the last training label, ns UTC: rows before are in sample

    def forecast(self, x: Matrix, threshold: Vector | None = None) -> Forecast:
        """Forecast from features.

        Args:
            x: float64 [n, k], columns as `features`; NaN for null.
            threshold: spike thresholds, float64 [n]; NaN or left out where unknown.

        Returns:
            A `Forecast`; rows that lack an essential feature are NaN throughout.

        Raises:
            ModelError: x has another number of columns.
        """
        if x.ndim != 2 or x.shape[1] != len(self.features):
            raise ModelError(self.model, f"wants [n, {len(self.features)}] features, got {x.shape}")
        seen = np.isfinite(x[:, list(self.essential)]).all(axis=1)
        rv = np.where(seen, self.fitted.forecast(x), np.nan)
        unknown = np.full(len(x), np.nan)
        lo, hi, p_spike = unknown, unknown, unknown
        if self.offsets is not None:
            lo, hi = rv * np.exp(self.offsets.lo), rv * np.exp(self.offsets.hi)
        if self.platt is not None and threshold is not None:
            p_spike = self.platt.probability(rv, threshold)
        return Forecast(rv, lo, hi, p_spike)


def train(model: str, dataset: Dataset, evaluation: Evaluation) -> Forecaster:
    """Fit `model` on every row of `dataset`; calibrate it as its out-of-sample forecasts ask.

    Raises:
        ModelError: the evaluation does not know the model.
    """
    if model not in evaluation.tracks:
        raise ModelError(model, f"was not evaluated; {', '.join(evaluation.tracks)} were")
    track = evaluation.tracks[model]
    scale = dataset.scale
    return Forecaster(
        model=model,
        fitted=fit_model(model, dataset, np.arange(dataset.n)),
        scale=scale.name,
        horizon_s=dataset.horizon_s,
        features=dataset.names,
        essential=tuple(dataset.names.index(name) for name in scale.essential),
        feature_version=feature_version(dataset.names),
        platt=track.platt,
        offsets=track.interval,
        products=dataset.products,
        sources=dataset.sources,
        n_rows=dataset.n,
        step_s=dataset.step_s,
        train_start=int(dataset.ts.min()),
        train_end=int(dataset.label_end.max()),
    )


def feature_version(names: Sequence[str]) -> str:
    """A hash of the features' names, order and definitions; it changes when any of them does."""
    text = "\n".join(f"{name}: {FEATURES.get(name, '')}" for name in names)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
