"""Small tables about rows, for asset pages; over the newest hours of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow.compute as pc

from cryptovol_dagster.markdown import table
from data_lake.lake import Lake
from data_lake.tables import FEATURES_1S, GAPS, LABELS_1S, OUTCOMES
from volatility.feature import FEATURES

HOURS_SHOWN: Final = 24


def list_gaps(lake: Lake, hours: Sequence[str]) -> str:
    """Markdown: the twenty largest holes."""
    rows = lake.read_hours(GAPS, hours).sort_by([("missing", "descending")]).slice(0, 20)
    lines = [
        (r["product"], r["kind"], r["missing"], _time(r["from_ts"]), _time(r["to_ts"]), r["status"])
        for r in rows.to_pylist()
    ]
    return table(["product", "kind", "trades missing", "from", "to", "status"], lines)


def null_shares(lake: Lake, hours: Sequence[str]) -> str:
    """Markdown: the share of rows in which each feature is null, largest first."""
    rows = lake.read_hours(FEATURES_1S, hours[-HOURS_SHOWN:], list(FEATURES))
    total = max(rows.num_rows, 1)
    shares = [(name, rows.column(name).null_count / total) for name in FEATURES]
    shares.sort(key=lambda pair: -pair[1])
    return table(["feature", "null", "what"], [(n, f"{s:.1%}", FEATURES[n]) for n, s in shares])


def label_shares(lake: Lake, hours: Sequence[str]) -> str:
    """Markdown: by horizon, how many labels are known, are spikes, are warm-up."""
    columns = ["horizon_s", "rv", "spike", "warm_up"]
    rows = lake.read_hours(LABELS_1S, hours[-HOURS_SHOWN:], columns)
    for name in ("spike", "warm_up"):
        rows = _as_number(rows, name)
    found = rows.group_by("horizon_s").aggregate(
        [("rv", "count"), ("spike", "mean"), ("warm_up", "mean")]
    )
    lines = [
        (f"{r['horizon_s']} s", r["rv_count"], r["spike_mean"], r["warm_up_mean"])
        for r in found.sort_by("horizon_s").to_pylist()
    ]
    return table(["horizon", "known", "share of spikes", "share in warm-up"], lines)


def outcome_scores(lake: Lake, hours: Sequence[str]) -> str:
    """Markdown: mean QLIKE and interval coverage by model version, in and out of sample."""
    columns = ["model_version", "in_sample", "qlike", "covered"]
    rows = _as_number(lake.read_hours(OUTCOMES, hours[-HOURS_SHOWN:], columns), "covered")
    scored = rows.group_by(columns[:2]).aggregate(
        [("qlike", "count"), ("qlike", "mean"), ("covered", "mean")]
    )
    lines = [
        (r["model_version"], r["in_sample"], r["qlike_count"], r["qlike_mean"], r["covered_mean"])
        for r in scored.sort_by("model_version").to_pylist()
    ]
    return table(["model", "in sample", "rows", "QLIKE", "covered, 90 % wanted"], lines)


def _as_number(rows: Any, name: str) -> Any:
    place = rows.column_names.index(name)
    return rows.set_column(place, name, pc.cast(rows[name], "float64"))


def _time(ts: int) -> str:
    return str(np.datetime64(ts, "ns").astype("datetime64[s]"))
