"""Small tables about rows, for asset pages."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow.compute as pc

from cryptovol_dagster.markdown import table
from data_lake.lake import Lake
from data_lake.tables import FEATURES_1S, OUTCOMES
from volatility.feature import FEATURES


def null_shares(lake: Lake, hours: Sequence[str]) -> str:
    """Markdown: the share of rows in which each feature is null, largest first."""
    rows = lake.read_hours(FEATURES_1S, hours, list(FEATURES))
    total = max(rows.num_rows, 1)
    shares = [(name, rows.column(name).null_count / total) for name in FEATURES]
    shares.sort(key=lambda pair: -pair[1])
    return table(["feature", "null", "what"], [(n, f"{s:.1%}", FEATURES[n]) for n, s in shares])


def outcome_scores(lake: Lake, hours: Sequence[str]) -> str:
    """Markdown: mean QLIKE and interval coverage by model version, in and out of sample."""
    columns = ["model_version", "in_sample", "qlike", "covered"]
    rows = lake.read_hours(OUTCOMES, hours, columns)
    rows = rows.set_column(3, "covered", pc.cast(rows["covered"], "float64"))
    scored = rows.group_by(columns[:2]).aggregate(
        [("qlike", "count"), ("qlike", "mean"), ("covered", "mean")]
    )
    lines = [
        (r["model_version"], r["in_sample"], r["qlike_count"], r["qlike_mean"], r["covered_mean"])
        for r in scored.sort_by("model_version").to_pylist()
    ]
    return table(["model", "in sample", "rows", "QLIKE", "covered, 90 % wanted"], lines)
