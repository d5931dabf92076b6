"""A table of forecasts turned into figures by model, all on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volatility.array import Flags, Ints, Vector
from volatility.column import codes_in, flags, floats, known, named_ints
from volatility.comparison import bootstrap_gain, diebold_mariano
from volatility.metric import (
    brier,
    brier_skill,
    calibration_error,
    coverage,
    gain,
    qlike,
    r2_log,
)
from volatility.model import REFERENCE
from volatility.ranking import Refusal, count_episodes, count_independent, rank_spikes
from volatility.timescale import rv_floor


@dataclass(frozen=True, eq=False)
class Scored:
    """One model's forecasts beside what happened, sorted by (ts, product); realised rv floored."""

    horizon_s: int
    product: Ints  # [n] codes, the same for every model of a table
    ts: Ints  # [n] ns UTC
    forecast: Vector  # [n]
    rv: Vector  # [n] realised
    lo: Vector  # [n] NaN where no interval was given
    hi: Vector  # [n]
    p_spike: Vector  # [n] NaN where no probability was given
    spike: Flags  # [n]
    onset: Flags  # [n]
    rated: Flags  # [n] every model gave a probability, and the spike label exists

    @property
    def loss(self) -> Vector:
        """QLIKE of each row, float64 [n]."""
        return qlike(self.rv, self.forecast)

    @property
    def n_independent(self) -> int:
        """Label windows that cannot overlap."""
        return count_independent(self.ts, self.horizon_s)


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """One model's scores. Dimensionless unless said; None where not stated, `refusal` says why."""

    model: str
    n: int  # scored decisions
    n_independent: int  # label windows that cannot overlap
    n_episodes: int  # separate spike episodes of the product with most
    base_rate: float | None  # share of spikes
    qlike: float  # mean loss, less is better
    gain: float | None  # share of log-HAR's QLIKE saved
    gain_lo: float | None  # 5 % bound of the block bootstrap
    gain_hi: float | None  # 95 % bound
    dm_t: float | None  # Diebold-Mariano against log-HAR, negative is better
    r2_log: float | None  # of log rv, within product, own mean error removed
    pr_auc: float | None
    onset_pr_auc: float | None  # on rows whose past horizon was no spike
    brier: float | None
    brier_skill: float | None  # against always saying the base rate
    ece: float | None  # calibration error in ten bins
    coverage: float | None  # share of outcomes in the 90 % interval
    refusal: str | None  # why no PR-AUC is stated


def read_scored(forecasts: Any) -> dict[str, Scored]:
    """Split a table of `evaluate.FORECASTS_SCHEMA` by model.

    Raises:
        ValueError: no rows, several horizons, a row twice, or models on different rows.
    """
    if forecasts.num_rows == 0:
        raise ValueError("there are no scored forecasts")
    horizons = pc.unique(forecasts["horizon_s"]).to_pylist()
    if len(horizons) != 1:
        raise ValueError(f"forecasts of several horizons: {sorted(horizons)}")
    products = tuple(sorted(pc.unique(forecasts["product"]).to_pylist()))
    models = sorted(pc.unique(forecasts["model"]).to_pylist())
    split = {name: _ordered(forecasts, name, products) for name in models}
    _refuse_different_rows(split)
    rated = np.logical_and.reduce(
        [np.isfinite(floats(part["p_spike"])) & _known(part) for part in split.values()]
    )
    return {name: _scored(part, products, rated) for name, part in split.items()}


def figures(
    name: str, scored: Scored, reference: Scored | None = None, *, seed: int = 0
) -> Figures:
    """Every score of one model; gains against `reference` where one is given."""
    loss = scored.loss
    versus = _versus(scored, reference, loss, seed)
    ranked = rank_spikes(*_rated(scored), scored.horizon_s)
    onset = rank_spikes(*_rated(scored, onset=True), scored.horizon_s)
    refused = isinstance(ranked, Refusal)
    _, _, spike, p = _rated(scored)
    bounded = np.isfinite(scored.lo)
    return Figures(
        model=name,
        n=len(scored.ts),
        n_independent=scored.n_independent,
        n_episodes=count_episodes(*_rated(scored)[:3], scored.horizon_s),
        base_rate=_stated(float(spike.mean())) if len(spike) else None,
        qlike=float(loss.mean()),
        **versus,
        r2_log=_stated(r2_log(scored.rv, scored.forecast, scored.product)),
        pr_auc=None if isinstance(ranked, Refusal) else ranked.pr_auc,
        onset_pr_auc=None if isinstance(onset, Refusal) else onset.pr_auc,
        brier=brier(spike, p) if len(p) else None,
        brier_skill=_stated(brier_skill(spike, p)) if len(p) else None,
        ece=calibration_error(spike, p) if len(p) else None,
        coverage=coverage(scored.rv[bounded], scored.lo[bounded], scored.hi[bounded])
        if bounded.any()
        else None,
        refusal=str(ranked) if refused else None,
    )


def summary(forecasts: Any, *, reference: str = REFERENCE, seed: int = 0) -> list[Figures]:
    """Figures of every model in the table, best QLIKE first; gains are against `reference`.

    Raises:
        ValueError: see `read_scored`.
    """
    scored = read_scored(forecasts)
    against = scored.get(reference)
    every = [figures(name, s, against, seed=seed) for name, s in scored.items()]
    return sorted(every, key=lambda f: f.qlike)


def _versus(
    scored: Scored, reference: Scored | None, loss: Vector, seed: int
) -> Mapping[str, float | None]:
    if reference is None or reference is scored:
        return dict.fromkeys(("gain", "gain_lo", "gain_hi", "dm_t"))
    theirs = reference.loss
    lo, hi = np.quantile(bootstrap_gain(scored.ts, loss, theirs, seed=seed), [0.05, 0.95])
    return {
        "gain": gain(loss, theirs),
        "gain_lo": float(lo),
        "gain_hi": float(hi),
        "dm_t": _stated(diebold_mariano(scored.ts, loss, theirs, scored.horizon_s)),
    }


def _rated(scored: Scored, *, onset: bool = False) -> tuple[Ints, Ints, Flags, Vector]:
    keep = scored.rated & scored.onset if onset else scored.rated
    return scored.product[keep], scored.ts[keep], scored.spike[keep], scored.p_spike[keep]


def _stated(figure: float) -> float | None:
    return figure if np.isfinite(figure) else None


def _ordered(forecasts: Any, model: str, products: tuple[str, ...]) -> Any:
    part = forecasts.filter(pc.equal(forecasts["model"], model))
    order = np.lexsort((codes_in(part["product"], products), named_ints(part, "ts")))
    return part.take(pa.array(order))


def _refuse_different_rows(split: Mapping[str, Any]) -> None:
    first = next(iter(split))
    for name, part in split.items():
        for key in ("product", "ts"):
            if not part[key].equals(split[first][key]):
                raise ValueError(f"{name} and {first} were not scored on the same rows")
        distinct = part.select(["product", "ts"]).group_by(["product", "ts"]).aggregate([])
        if distinct.num_rows != part.num_rows:
            raise ValueError(f"{name} has a decision twice")


def _known(part: Any) -> Flags:
    return known(part["spike"])


def _scored(part: Any, products: tuple[str, ...], rated: Flags) -> Scored:
    horizon_s = int(part["horizon_s"][0].as_py())
    return Scored(
        horizon_s=horizon_s,
        product=codes_in(part["product"], products),
        ts=named_ints(part, "ts"),
        forecast=np.maximum(floats(part["rv"]), rv_floor(horizon_s)),
        rv=np.maximum(floats(part["label"]), rv_floor(horizon_s)),
        lo=floats(part["lo"]),
        hi=floats(part["hi"]),
        p_spike=floats(part["p_spike"]),
        spike=flags(part["spike"]),
        onset=flags(part["onset"]),
        rated=rated,
    )
