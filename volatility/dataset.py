"""Features and labels joined into one matrix at the instants a decision is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volatility.array import Flags, Ints, Matrix, Vector
from volatility.column import codes_in, flags, floats, named_floats, named_ints
from volatility.timescale import SCALE_1S, TimeScale, rv_floor

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, eq=False)
class Dataset:
    """n decisions of all products, sorted by (ts, product); k features known at ts."""

    scale: TimeScale
    horizon_s: int
    step_s: int
    names: tuple[str, ...]  # the k columns of x
    products: tuple[str, ...]  # sorted; `product` points into it
    sources: tuple[str, ...]  # where the rows came from: live, replay, sim, rest
    product: Ints  # [n] position in products
    ts: Ints  # [n] decision time, ns UTC; features end and the label starts here
    label_end: Ints  # [n] ts + horizon, ns UTC
    x: Matrix  # [n, k], NaN where a feature is null
    rv: Vector  # [n] realised variance over (ts, label_end]
    threshold: Vector  # [n] spike threshold known at ts, NaN where none is
    spike: Flags  # [n] rv > threshold; False where the threshold is unknown
    warm_up: Flags  # [n] threshold rests on less than 7 days
    dropped: Mapping[str, int]  # decisions left out, by reason

    @property
    def n(self) -> int:
        """Decisions."""
        return len(self.ts)

    @property
    def floor(self) -> float:
        """Least realised variance of the horizon."""
        return rv_floor(self.horizon_s)

    @property
    def target(self) -> Vector:
        """Realised variance, floored: what forecasts are scored against, float64 [n]."""
        return np.maximum(self.rv, self.floor)

    @property
    def has_threshold(self) -> Flags:
        """Decisions whose spike label exists, bool [n]."""
        return np.isfinite(self.threshold)

    @property
    def past_rv(self) -> Vector:
        """Realised variance of the horizon that ended at ts, float64 [n]."""
        return self.x[:, self.names.index(self.scale.rv_column(self.horizon_s))]

    def take(self, rows: Ints | Flags) -> Dataset:
        """The decisions at positions `rows`, in that order."""
        columns = ("product", "ts", "label_end", "x", "rv", "threshold", "spike", "warm_up")
        return replace(self, **{name: getattr(self, name)[rows] for name in columns})


def feature_matrix(features: Any, names: Sequence[str]) -> Matrix:
    """The columns `names` of a feature table as float64 [n, k], null as NaN, contiguous by row.

    Raises:
        ValueError: a column is absent.
    """
    absent = [name for name in names if name not in features.column_names]
    if absent:
        raise ValueError(f"features lack {', '.join(absent[:5])} ({len(absent)} in all)")
    x = np.empty((features.num_rows, len(names)))
    for j, name in enumerate(names):
        x[:, j] = floats(features[name])
    return x


def dataset(
    features: Any,
    labels: Any,
    horizon_s: int,
    step_s: int,
    *,
    scale: TimeScale = SCALE_1S,
    names: Sequence[str] | None = None,
) -> Dataset:
    """Join features and labels by (product, ts) at every instant divisible by `step_s`.

    A decision whose label is null (not matured, or touched by a gap), whose features are missing
    or lack a variance window or EWMA is dropped and counted in `dropped`.

    Args:
        features: `gold/features_1s` rows, any order, each (product, ts) once.
        labels: `gold/labels_1s` rows of any horizons, each (product, ts, horizon_s) once.
        horizon_s: the label's horizon, seconds.
        step_s: distance of decisions on the UTC clock, seconds.
        scale: which column means what.
        names: columns to keep; all of the scale's by default.

    Raises:
        ValueError: step or horizon is impossible, or a column is absent.
    """
    if step_s < scale.bar_s or step_s % scale.bar_s:
        raise ValueError(f"step_s={step_s} is not a positive multiple of the {scale.bar_s} s bar")
    scale.rv_column(horizon_s)
    wanted = tuple(names) if names is not None else scale.features
    labels = _on_the_clock(labels, step_s)
    labels = labels.filter(pc.equal(labels["horizon_s"], pa.scalar(horizon_s, pa.int32())))
    features = _on_the_clock(features, step_s)
    products = tuple(sorted(set(pc.unique(labels["product"]).to_pylist())))
    left, right = _matches(features, labels, products)
    dropped = {"no features": labels.num_rows - len(right)}
    joined = labels.take(pa.array(right))
    x = feature_matrix(features.take(pa.array(left)), wanted)
    whole = _assemble(joined, x, wanted, products, scale, horizon_s, step_s)
    return _drop_incomplete(whole, joined["source"], dropped)


def _on_the_clock(table: Any, step_s: int) -> Any:
    return table.filter(pa.array(named_ints(table, "ts") % (step_s * SECOND_NS) == 0))


def _matches(features: Any, labels: Any, products: tuple[str, ...]) -> tuple[Ints, Ints]:
    """Positions of the (product, ts) both tables have, sorted by (ts, product)."""
    left, right, keys = [], [], []
    ts, label_ts = named_ints(features, "ts"), named_ints(labels, "ts")
    product, label_product = (
        codes_in(features["product"], products),
        codes_in(labels["product"], products),
    )
    for code in range(len(products)):
        mine, theirs = np.flatnonzero(product == code), np.flatnonzero(label_product == code)
        both, i, j = np.intersect1d(ts[mine], label_ts[theirs], return_indices=True)
        left.append(mine[i])
        right.append(theirs[j])
        keys.append(both)
    none = np.empty(0, np.int64)
    order = np.argsort(np.concatenate([none, *keys]), kind="stable")
    return np.concatenate([none, *left])[order], np.concatenate([none, *right])[order]


def _assemble(
    labels: Any,
    x: Matrix,
    names: tuple[str, ...],
    products: tuple[str, ...],
    scale: TimeScale,
    horizon_s: int,
    step_s: int,
) -> Dataset:
    ts = named_ints(labels, "ts")
    threshold = named_floats(labels, "threshold")
    return Dataset(
        scale=scale,
        horizon_s=horizon_s,
        step_s=step_s,
        names=names,
        products=products,
        sources=(),
        product=codes_in(labels["product"], products),
        ts=ts,
        label_end=ts + horizon_s * SECOND_NS,
        x=x,
        rv=named_floats(labels, "rv"),
        threshold=threshold,
        spike=flags(labels["spike"]) & np.isfinite(threshold),
        warm_up=flags(labels["warm_up"]),
        dropped={},
    )


def _drop_incomplete(whole: Dataset, source: Any, dropped: dict[str, int]) -> Dataset:
    """The decisions that can be scored, and their sources: a row before any quote has none."""
    essential = [whole.names.index(c) for c in whole.scale.essential if c in whole.names]
    unlabelled = ~np.isfinite(whole.rv)
    blind = ~np.isfinite(whole.x[:, essential]).all(axis=1) & ~unlabelled
    counts = dropped | {"null label": int(unlabelled.sum()), "null variance": int(blind.sum())}
    kept = ~unlabelled & ~blind
    sources = pc.unique(source.filter(pa.array(kept))).drop_null().to_pylist()
    return replace(whole.take(kept), sources=tuple(sorted(sources)), dropped=counts)
