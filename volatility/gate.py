"""The promotion gate: every criterion with its figure, and a verdict. Rows in, decision out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import numpy as np

from volatility.comparison import bootstrap_gain, diebold_mariano, periods
from volatility.metric import gain
from volatility.model import BASELINES, CHAMPION_ZERO
from volatility.ranking import MIN_EPISODES, MIN_WINDOWS, count_independent
from volatility.scorecard import Figures, Scored, figures, read_scored

Outcome = Literal["passed", "failed", "not testable"]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a challenger must reach."""

    min_windows: int = MIN_WINDOWS  # independent label windows
    min_episodes: int = MIN_EPISODES  # separate spike episodes
    gain: float = 0.01  # share of the opponent's QLIKE saved
    dm_t: float = -1.65  # Diebold-Mariano, one-sided 5 %
    gain_bound: float = 0.0  # 5 % bound of the block bootstrap of the gain
    worst_period: float = -0.05  # gain in the worst quarter
    period_windows: int = 50  # independent windows a quarter needs to count
    ece: float = 0.03  # calibration error
    pr_auc_loss: float = 0.01  # how far PR-AUC may fall below the champion's
    coverage: tuple[float, float] = (0.85, 0.95)  # of the 90 % interval
    alarm: float = 0.90  # an R^2 or PR-AUC above it is a leak until proven otherwise


class Criterion(msgspec.Struct, frozen=True):
    """One question of the gate."""

    name: str
    figure: float | None  # None where it could not be computed
    rule: str  # ">= 0.01"
    outcome: Outcome
    note: str = ""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What was compared, on which rows, each criterion, and who forecasts from now on."""

    verdict: Literal["promote", "keep"]
    winner: str  # the model that forecasts from now on
    reason: str  # one line
    challenger: str
    champion: str
    best_baseline: str
    horizon_s: int
    n: int  # decisions compared
    n_independent: int
    first_ts: int  # first decision, ns UTC
    last_ts: int  # last decision, ns UTC
    products: int  # how many
    criteria: tuple[Criterion, ...]
    figures: tuple[Figures, ...]  # of challenger, champion and best baseline


def decide(
    forecasts: Any,
    challenger: str,
    champion: str = CHAMPION_ZERO,
    *,
    leak_tests: Mapping[str, bool],
    limits: Limits | None = None,
    seed: int = 0,
) -> Decision:
    """Decide whether `challenger` replaces `champion`, from their forecasts on the same rows.

    Args:
        forecasts: `evaluate.FORECASTS_SCHEMA` rows of challenger, champion and every baseline.
        challenger: the candidate's name in `forecasts`.
        champion: the name of the model that forecasts now.
        leak_tests: outcome of each leak test by name; without any, nothing is promoted.
        limits: what must be reached.
        seed: of the bootstrap.

    Raises:
        ValueError: a model has no rows, or the models' rows differ.
    """
    limits = limits or Limits()
    scored = read_scored(forecasts)
    for name in (challenger, champion):
        if name not in scored:
            raise ValueError(f"no forecasts of {name}; there are {', '.join(scored)}")
    best = _best_baseline(scored, challenger, champion)
    named = {
        n: figures(n, scored[n], seed=seed) for n in dict.fromkeys((challenger, champion, best))
    }
    criteria = [
        *_sample(named[challenger], limits),
        *_losses(scored, challenger, champion, limits, seed),
        *(_losses(scored, challenger, best, limits, seed) if best != champion else ()),
        *_probabilities(named[challenger], named[champion], limits),
        _coverage(named[challenger], limits),
        _alarm([figures(n, s, seed=seed) for n, s in scored.items()], limits),
        *_leaks(leak_tests),
    ]
    promote = all(c.outcome == "passed" for c in criteria)
    ours = scored[challenger]
    return Decision(
        verdict="promote" if promote else "keep",
        winner=challenger if promote else champion,
        reason=_reason(criteria, challenger, champion),
        challenger=challenger,
        champion=champion,
        best_baseline=best,
        horizon_s=ours.horizon_s,
        n=len(ours.ts),
        n_independent=ours.n_independent,
        first_ts=int(ours.ts.min()),
        last_ts=int(ours.ts.max()),
        products=len(np.unique(ours.product)),
        criteria=tuple(criteria),
        figures=tuple(named.values()),
    )


def _best_baseline(scored: Mapping[str, Scored], challenger: str, champion: str) -> str:
    """The baseline of least QLIKE that is not the challenger; the champion where there is none."""
    losses = {n: float(scored[n].loss.mean()) for n in BASELINES if n in scored and n != challenger}
    return min(losses, key=lambda name: losses[name]) if losses else champion


def _sample(ours: Figures, limits: Limits) -> list[Criterion]:
    return [
        _at_least("independent windows", ours.n_independent, limits.min_windows),
        _at_least("spike episodes", ours.n_episodes, limits.min_episodes),
    ]


def _losses(
    scored: Mapping[str, Scored], challenger: str, opponent: str, limits: Limits, seed: int
) -> list[Criterion]:
    ours, loss, theirs = scored[challenger], scored[challenger].loss, scored[opponent].loss
    ts, over = ours.ts, f"against {opponent}"
    bound = float(np.quantile(bootstrap_gain(ts, loss, theirs, seed=seed), 0.05))
    t = diebold_mariano(ts, loss, theirs, ours.horizon_s)
    return [
        _at_least(f"QLIKE gain {over}", gain(loss, theirs), limits.gain),
        _at_most(f"Diebold-Mariano t {over}", t, limits.dm_t),
        _above(f"5 % bootstrap bound of the gain {over}", bound, limits.gain_bound),
        _worst_period(ours, theirs, over, limits),
    ]


def _worst_period(ours: Scored, theirs: Any, over: str, limits: Limits) -> Criterion:
    name = f"worst quarter {over}"
    gains = {
        period: gain(ours.loss[rows], theirs[rows])
        for period, rows in periods(ours.ts).items()
        if count_independent(ours.ts[rows], ours.horizon_s) >= limits.period_windows
    }
    if not gains:
        note = f"no quarter holds {limits.period_windows} independent windows"
        return Criterion(name, None, f">= {limits.worst_period:g}", "not testable", note)
    worst = min(gains, key=lambda period: gains[period])
    return _at_least(name, gains[worst], limits.worst_period, worst)


def _probabilities(ours: Figures, theirs: Figures, limits: Limits) -> list[Criterion]:
    loss = None
    if ours.pr_auc is not None and theirs.pr_auc is not None:
        loss = theirs.pr_auc - ours.pr_auc
    note = ours.refusal or f"{_short(ours.pr_auc)} against {_short(theirs.pr_auc)}"
    return [
        _at_most("calibration error (ECE)", ours.ece, limits.ece),
        _at_most("PR-AUC lost to the champion", loss, limits.pr_auc_loss, note),
    ]


def _coverage(ours: Figures, limits: Limits) -> Criterion:
    low, high = limits.coverage
    passed = ours.coverage is not None and low <= ours.coverage <= high
    return _judge("coverage of the 90 % interval", ours.coverage, f"{low:g} to {high:g}", passed)


def _alarm(every: list[Figures], limits: Limits) -> Criterion:
    """A score too good to be true, of any model on these rows, is taken for a leak."""
    found = {f"R^2 of {f.model}": f.r2_log for f in every}
    found |= {f"PR-AUC of {f.model}": f.pr_auc for f in every}
    stated = {name: figure for name, figure in found.items() if figure is not None}
    if not stated:
        return Criterion("leak alarm", None, f"<= {limits.alarm:g}", "not testable")
    highest = max(stated, key=lambda name: stated[name])
    return _at_most("leak alarm", stated[highest], limits.alarm, highest)


def _leaks(leak_tests: Mapping[str, bool]) -> list[Criterion]:
    if not leak_tests:
        return [Criterion("leak tests", None, "green", "not testable", "none was run")]
    return [
        Criterion(f"leak test: {name}", float(green), "green", "passed" if green else "failed")
        for name, green in leak_tests.items()
    ]


def _reason(criteria: list[Criterion], challenger: str, champion: str) -> str:
    bad = [c for c in criteria if c.outcome != "passed"]
    if not bad:
        saved = next(c for c in criteria if c.name.startswith("QLIKE gain"))
        return f"promote {challenger}: {saved.name} {_short(saved.figure)}; every criterion passed"
    first = bad[0]
    why = f"{first.name} {_short(first.figure)}, {first.rule} needed"
    others = f"; {len(bad) - 1} more not passed" if len(bad) > 1 else ""
    return f"keep {champion}: {why}{others}"


def _at_least(name: str, figure: float, least: float, note: str = "") -> Criterion:
    return _judge(name, figure, f">= {least:g}", figure >= least, note)


def _above(name: str, figure: float, bound: float) -> Criterion:
    return _judge(name, figure, f"> {bound:g}", figure > bound)


def _at_most(name: str, figure: float | None, most: float, note: str = "") -> Criterion:
    return _judge(name, figure, f"<= {most:g}", figure is not None and figure <= most, note)


def _judge(name: str, figure: float | None, rule: str, passed: bool, note: str = "") -> Criterion:
    if figure is None or not np.isfinite(figure):
        return Criterion(name, None, rule, "not testable", note)
    return Criterion(name, float(figure), rule, "passed" if passed else "failed", note)


def _short(figure: float | None) -> str:
    return "unknown" if figure is None else f"{figure:.4g}"
