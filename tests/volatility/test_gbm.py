"""Trees correct Gamma-HAR+, deterministically, and never see what they are stopped by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from volatility.dataset import Dataset
from volatility.gbm import blend, fit_gbm, read_booster
from volatility.har import fit_gamma_har
from volatility.metric import qlike
from volatility.split import tail


def test_half_the_weight_is_the_geometric_mean_with_the_linear_model(day: Dataset) -> None:
    rows = np.arange(day.n)
    har = fit_gamma_har(day, rows)
    trees = fit_gbm(day, rows, har)
    mean = np.sqrt(har.forecast(day.x) * trees.forecast(day.x))
    assert blend(trees).forecast(day.x) == pytest.approx(mean)


def test_the_same_seed_gives_the_same_text(day: Dataset) -> None:
    rows = np.arange(day.n)
    har = fit_gamma_har(day, rows)
    assert fit_gbm(day, rows, har, seed=3).booster == fit_gbm(day, rows, har, seed=3).booster
    assert fit_gbm(day, rows, har, seed=3).booster != fit_gbm(day, rows, har, seed=4).booster


def test_trees_find_what_a_linear_model_cannot(day: Dataset) -> None:
    """A product of two features' signs doubles or halves the outcome."""
    i, j = day.names.index("ofi_10s"), day.names.index("spread_bps_60s")
    generator = np.random.default_rng(0)
    x = day.x.copy()
    x[:, [i, j]] = generator.standard_normal((day.n, 2))
    lever = np.where(x[:, i] * x[:, j] > 0.0, 3.0, 1.0 / 3.0)
    planted = replace(day, x=x, rv=day.rv * lever)
    early, late = np.arange(day.n * 2 // 3), np.arange(day.n * 2 // 3 + 20, day.n)
    har = fit_gamma_har(planted, early)
    trees = fit_gbm(planted, early, har)
    linear, boosted = (
        qlike(planted.target[late], model.forecast(x[late])).mean() for model in (har, trees)
    )
    assert boosted < 0.8 * linear


def test_trees_are_not_fitted_on_labels_that_reach_the_held_out_part(day: Dataset) -> None:
    """Spoiling labels between the purged head and the tail changes nothing."""
    rows = np.arange(day.n)
    late = tail(day.ts, rows)
    between = (day.label_end > day.ts[late].min()) & (day.ts < day.ts[late].min())
    assert between.any()
    spoiled = replace(day, rv=np.where(between, 1.0, day.rv))
    har = fit_gamma_har(day, rows)
    assert fit_gbm(spoiled, rows, har).booster == fit_gbm(day, rows, har).booster


def test_no_rows_are_no_forecasts(day: Dataset) -> None:
    rows = np.arange(day.n)
    trees = fit_gbm(day, rows, fit_gamma_har(day, rows))
    assert trees.forecast(day.x[:0]).shape == (0,)


def test_one_text_is_read_once(day: Dataset) -> None:
    rows = np.arange(day.n)
    text = fit_gbm(day, rows, fit_gamma_har(day, rows)).booster
    assert read_booster(text) is read_booster(str(text))


def test_rows_too_few_to_hold_any_out_are_refused(day: Dataset) -> None:
    har = fit_gamma_har(day, np.arange(day.n))
    with pytest.raises(ValueError, match="too few to hold any out"):
        fit_gbm(day, np.arange(4), har)
