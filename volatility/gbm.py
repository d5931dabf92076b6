"""Gradient-boosted trees with a gamma loss on the ratio of rv to the Gamma-HAR+ forecast.

Trees correct the linear model where it errs; with nothing to correct, early stopping leaves it
almost alone.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Final

import msgspec
import numpy as np

from volatility.array import Ints, Matrix, Vector
from volatility.dataset import Dataset
from volatility.har import GammaHar, season_columns
from volatility.split import purged_head, tail

ROUNDS: Final = 400
"""Most trees."""
PATIENCE: Final = 30
"""Trees without progress on the held-out end of train before stopping."""

PARAMETERS: Final[dict[str, object]] = {
    "objective": "gamma",
    "metric": "gamma_deviance",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "max_bin": 63,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
"""LightGBM's settings but the seed and the leaf size."""


class Gbm(msgspec.Struct, frozen=True, tag="lightgbm"):
    """F = Gamma-HAR+ forecast * trees(features), to the power `weight`."""

    har: GammaHar
    columns: tuple[int, ...]  # positions in x that the trees see
    windows: tuple[tuple[int, float], ...]  # (position in x, window in seconds) of each rv
    horizon_s: int
    booster: str  # LightGBM's text format; kept in a file of its own in a bundle
    floor: float  # least forecast
    weight: float = 1.0  # 1: the trees in full; 0.5: geometric mean with Gamma-HAR+

    def inputs(self, x: Matrix, har: Vector) -> Matrix:
        """What the trees see, float64 [n, inputs]: features, and each rv against the forecast."""
        rate = har / self.horizon_s
        relative = [x[:, j] / (window * rate) for j, window in self.windows]
        return np.column_stack([x[:, list(self.columns)], np.log(rate), *relative])

    def forecast(self, x: Matrix) -> Vector:
        """Forecast rv, float64 [n], from features [n, k]."""
        har = self.har.forecast(x)
        if len(x) == 0:
            return har
        ratio = read_booster(self.booster).predict(self.inputs(x, har), num_threads=1)
        forecast: Vector = np.maximum(har * np.exp(self.weight * np.log(ratio)), self.floor)
        return forecast


def fit_gbm(dataset: Dataset, rows: Ints, har: GammaHar, seed: int = 0) -> Gbm:
    """Boost on the older part of `rows`, stop by the newest 15 %, purged; nothing else is seen."""
    import lightgbm

    season = {column for pair in dataset.scale.season for column in pair}
    keep = season if season_columns(dataset, rows) else set()
    columns = tuple(j for j, n in enumerate(dataset.names) if n not in season or n in keep)
    windows = tuple((dataset.names.index(n), float(w)) for w, n in dataset.scale.rv.items())
    blank = Gbm(har, columns, windows, dataset.horizon_s, "", dataset.floor)
    late = tail(dataset.ts, rows)
    early = purged_head(dataset.ts, dataset.label_end, rows, late)
    if len(early) == 0:
        raise ValueError("training rows are too few to hold any out for early stopping")
    train, valid = (_lightgbm_set(blank, dataset, part) for part in (early, late))
    valid.reference = train
    leaf = max(20, math.isqrt(len(early)))
    booster = lightgbm.train(
        {**PARAMETERS, "seed": seed, "min_data_in_leaf": leaf},
        train,
        num_boost_round=ROUNDS,
        valid_sets=[valid],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )
    text = booster.model_to_string(num_iteration=booster.best_iteration)
    return msgspec.structs.replace(blank, booster=text)


def blend(gbm: Gbm) -> Gbm:
    """The geometric mean of the trees' forecast and of Gamma-HAR+."""
    return msgspec.structs.replace(gbm, weight=0.5)


@lru_cache(maxsize=16)
def read_booster(text: str) -> Any:
    """LightGBM's booster from its text; the same object for the same text."""
    import lightgbm

    return lightgbm.Booster(model_str=text)


def _lightgbm_set(gbm: Gbm, dataset: Dataset, rows: Ints) -> Any:
    import lightgbm

    har = gbm.har.forecast(dataset.x[rows])
    inputs = gbm.inputs(dataset.x[rows], har)
    return lightgbm.Dataset(inputs, label=dataset.target[rows] / har, free_raw_data=False)
