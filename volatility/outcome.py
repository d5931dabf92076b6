"""Forecasts as rows of a table, and forecasts matched with what then happened."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volatility.array import Flags, Vector
from volatility.column import flag_column, float_column, floats, int_column, named_ints
from volatility.dataset import feature_matrix
from volatility.forecaster import Forecaster
from volatility.metric import qlike
from volatility.timescale import rv_floor

_MATCH = ("product", "ts", "horizon_s")


def forecast_rows(
    features: Any, thresholds: Any, forecaster: Forecaster, model_version: str
) -> Any:
    """Forecast at every feature row; a row that lacks an essential feature has no forecast.

    A row is in sample when its label may overlap a training label: decided before the training
    data ended.

    Args:
        features: gold/features_1s rows, sorted by (product, ts).
        thresholds: gold/labels_1s rows that hold the spike thresholds known at those instants.
        forecaster: the model.
        model_version: registry name and version.

    Returns:
        gold/forecasts rows, sorted by key.
    """
    known = _thresholds(features, thresholds, forecaster.horizon_s)
    said = forecaster.forecast(feature_matrix(features, forecaster.features), known)
    count, ts = features.num_rows, named_ints(features, "ts")
    rows = pa.table(
        {
            "product": features["product"],
            "ts": features["ts"],
            "horizon_s": _constant(count, forecaster.horizon_s),
            "model_version": pa.repeat(model_version, count),
            "rv": float_column(said.rv),
            "lo": float_column(said.lo),
            "hi": float_column(said.hi),
            "p_spike": float_column(said.p_spike),
            "in_sample": flag_column(ts < forecaster.train_end),
            "latency_ns": pa.nulls(count, pa.int64()),
            "source": features["source"],
        }
    )
    return rows.filter(pc.is_valid(rows["rv"]))


def outcome_rows(forecasts: Any, labels: Any) -> Any:
    """Match forecasts with matured labels; forecasts whose label is null have no outcome yet.

    Args:
        forecasts: gold/forecasts rows.
        labels: gold/labels_1s rows.

    Returns:
        gold/outcomes rows, sorted by key.
    """
    happened = labels.filter(pc.is_valid(labels["rv"])).select([*_MATCH, "rv", "spike"])
    happened = happened.rename_columns([*_MATCH, "rv_realised", "spike"])
    both = forecasts.join(happened, keys=list(_MATCH), join_type="inner")
    both = both.sort_by([(name, "ascending") for name in (*_MATCH, "model_version")])
    rv, realised = floats(both["rv"]), floats(both["rv_realised"])
    floor = _floors(both)
    lo, hi = floats(both["lo"]), floats(both["hi"])
    scored = {
        "qlike": float_column(qlike(np.maximum(realised, floor), np.maximum(rv, floor))),
        "covered": flag_column(_between(lo, realised, hi), np.isfinite(lo) & np.isfinite(hi)),
    }
    for name, column in scored.items():
        both = both.append_column(name, column)
    named = [name for name in forecasts.column_names if name != "source"]
    columns = [*named, "rv_realised", "spike", *scored, "source"]
    return both.select(columns).combine_chunks()


def _thresholds(features: Any, labels: Any, horizon_s: int) -> Vector:
    """The spike threshold at every feature row, NaN where none is known."""
    ours = labels.filter(pc.equal(labels["horizon_s"], pa.scalar(horizon_s, pa.int32())))
    place = pa.table(
        {
            "product": features["product"],
            "ts": features["ts"],
            "row": int_column(np.arange(features.num_rows), pa.int64()),
        }
    )
    found = place.join(
        ours.select(["product", "ts", "threshold"]), ["product", "ts"], None, "inner"
    )
    known = np.full(features.num_rows, np.nan)
    known[named_ints(found, "row")] = floats(found["threshold"])
    return known


def _floors(rows: Any) -> Vector:
    return np.array([rv_floor(1.0)]) * named_ints(rows, "horizon_s")


def _between(lo: Vector, inside: Vector, hi: Vector) -> Flags:
    within: Flags = (lo <= inside) & (inside <= hi)
    return within


def _constant(count: int, number: int) -> Any:
    return int_column(np.full(count, number), pa.int32())
