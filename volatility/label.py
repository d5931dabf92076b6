"""Forward labels on the 1 s scale: what happened after a row, and whether it was a spike.

The label at t with horizon h is the backward feature rv_h at t + h: one definition, shifted. It is
null until t + h is known, and wherever that feature is (a gap, too little observed).

A spike is `rv > threshold`. The threshold at t is the 90 % quantile of rv_h at the whole minutes m
in (t - 30 days, t]: windows that had ended by t, never the future and never the whole sample. It
is a warm-up threshold on less than 7 days' worth of known minutes, and null on less than 30.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from volatility.array import Flags, Ints, Matrix, Vector
from volatility.column import (
    codes,
    flag_column,
    float_column,
    floats,
    int_column,
    ints,
    text_column,
)
from volatility.feature import HORIZONS_S
from volatility.quantile import TrailingQuantile
from volatility.source import ranks, source_column
from volatility.tick import DAY_NS, SECOND_NS
from volatility.timescale import rv_floor

MINUTE_NS: Final = 60 * SECOND_NS
LOOKBACK_NS: Final = 30 * DAY_NS
"""How far back the threshold looks."""

SPIKE_QUANTILE: Final = 0.9
WARM_MINUTES: Final = 7 * DAY_NS // MINUTE_NS
LEAST_MINUTES: Final = 30

_LABEL: Final = np.dtype(
    [
        ("product", np.int64),
        ("ts", np.int64),
        ("horizon_s", np.int64),
        ("label_end", np.int64),
        ("rv", np.float64),
        ("threshold", np.float64),
        ("warm_up", np.int64),
        ("rank", np.int64),
    ]
)

INPUTS: Final = ("product", "ts", *(f"rv_{h}s" for h in HORIZONS_S), "source")
"""Columns of gold/features_1s that labels are made from."""


@dataclass(frozen=True)
class Threshold:
    """Spike thresholds at successive minutes, each of shape (minutes,)."""

    value: Vector  # sum of squared log returns; NaN where too little is known
    warm_up: Flags  # rests on less than 7 days


class SpikeThreshold:
    """Trailing threshold of one product and horizon, fed minute by minute; batch and live alike."""

    def __init__(self) -> None:
        self._quantile = TrailingQuantile(
            SPIKE_QUANTILE, lookback_ns=LOOKBACK_NS, capacity=LOOKBACK_NS // MINUTE_NS
        )

    def load(self, minute_ns: Ints, rv: Vector) -> None:
        """Start from a history of whole minutes, increasing, as `extend` would one by one."""
        self._quantile.load(minute_ns, rv)

    def extend(self, minute_ns: Ints, rv: Vector) -> Threshold:
        """Thresholds in force from each minute, after adding the rv window that ended on it.

        Args:
            minute_ns: whole minutes, increasing, ns since epoch UTC; shape (n,).
            rv: backward rv of the horizon at those minutes, NaN where null; shape (n,).
        """
        value, count = self._quantile.extend(minute_ns, rv)
        return Threshold(np.where(count < LEAST_MINUTES, np.nan, value), count < WARM_MINUTES)


def labels_1s(features: Any, start_ns: int, end_ns: int) -> Any:
    """Labels at every feature row in (`start_ns`, `end_ns`], for each horizon.

    Args:
        features: `INPUTS` of gold/features_1s, in any order, distinct in (product, ts): all rows
            in (start, end + 1 h] as far as they exist, and of the 30 days up to start at least
            the rows on whole minutes.
        start_ns: ns since epoch UTC; on a minute.
        end_ns: ns since epoch UTC.

    Returns:
        gold/labels_1s rows, sorted by key.

    Raises:
        ValueError: start is off the minute, or a source is unknown.
    """
    if start_ns % MINUTE_NS:
        raise ValueError(f"labels want start on a minute: {start_ns}")
    code, words = codes(features["product"])
    ts, rank = ints(features["ts"]), ranks(features["source"])
    rv = np.stack([floats(features[f"rv_{h}s"]) for h in HORIZONS_S], axis=1)
    blocks = []
    for _, c in sorted((word, c) for c, word in enumerate(words)):
        mine = np.flatnonzero((code == c) & (ts > start_ns - LOOKBACK_NS))
        mine = mine[np.argsort(ts[mine], kind="stable")]
        blocks.append(_label_product(c, ts[mine], rv[mine], rank[mine], start_ns, end_ns))
    return _table(np.concatenate(blocks) if blocks else np.zeros(0, _LABEL), words)


def _label_product(
    code: int, ts: Ints, rv: Matrix, rank: Ints, start_ns: int, end_ns: int
) -> NDArray[np.void]:
    """Labels of one product as records, by (ts, horizon); `rv` is (rows, horizons)."""
    decisions = np.flatnonzero((ts > start_ns) & (ts <= end_ns))
    labels = np.empty((len(decisions), len(HORIZONS_S)), _LABEL)
    labels["product"], labels["ts"] = code, ts[decisions, None]
    minute = (ts[decisions] - start_ns) // MINUTE_NS
    for j, horizon_s in enumerate(HORIZONS_S):
        ahead = ts[decisions] + horizon_s * SECOND_NS
        at = np.minimum(np.searchsorted(ts, ahead), len(ts) - 1)
        known = ts[at] == ahead
        threshold = _thresholds(ts, rv[:, j], start_ns, end_ns)
        labels["horizon_s"][:, j], labels["label_end"][:, j] = horizon_s, ahead
        labels["rv"][:, j] = np.where(known, rv[at, j], np.nan)
        labels["threshold"][:, j] = threshold.value[minute]
        labels["warm_up"][:, j] = threshold.warm_up[minute]
        labels["rank"][:, j] = np.where(
            known, np.maximum(rank[at], rank[decisions]), rank[decisions]
        )
    return labels.ravel()


def _thresholds(ts: Ints, rv: Vector, start_ns: int, end_ns: int) -> Threshold:
    """Thresholds in force from each whole minute of [start, end], out of rows ordered by `ts`."""
    minutes = np.arange(start_ns, end_ns + 1, MINUTE_NS)
    whole = (ts % MINUTE_NS == 0) & (ts <= end_ns)
    past, present = whole & (ts < start_ns), whole & (ts >= start_ns)
    trailing = SpikeThreshold()
    trailing.load(ts[past], rv[past])
    on_grid = np.full(len(minutes), np.nan)
    on_grid[(ts[present] - start_ns) // MINUTE_NS] = rv[present]
    return trailing.extend(minutes, on_grid)


def _table(labels: NDArray[np.void], words: list[str]) -> Any:
    """Label records as gold/labels_1s rows."""
    rv, threshold, horizon_s = labels["rv"], labels["threshold"], labels["horizon_s"]
    floors = np.tile([rv_floor(h) for h in HORIZONS_S], len(labels) // len(HORIZONS_S))
    columns = {
        "product": text_column(labels["product"], words),
        "ts": int_column(labels["ts"], pa.int64()),
        "horizon_s": int_column(horizon_s, pa.int32()),
        "label_end": int_column(labels["label_end"], pa.int64()),
        "rv": float_column(rv),
        "log_rv": float_column(np.log(np.maximum(rv, floors))),
        "threshold": float_column(threshold),
        "spike": flag_column(rv > threshold, ~np.isnan(rv) & ~np.isnan(threshold)),
        "warm_up": flag_column(labels["warm_up"] == 1),
        "source": source_column(labels["rank"]),
    }
    return pa.table(columns)
