"""The promotion gate: every criterion with its figure, and a verdict. Rows in, decision out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from volatility.array import Vector
from volatility.comparison import bootstrap_gain, diebold_mariano, periods
from volatility.decision import Criterion, Decision, Limits, short
from volatility.metric import gain
from volatility.model import BASELINES, CHAMPION_ZERO
from volatility.ranking import count_independent
from volatility.scorecard import Figures, Scored, figures, read_scored


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

    Promoted is who passes every criterion, against the champion and against the best baseline. A
    criterion that cannot be tested on so few rows is not passed.

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
    scored = read_scored(forecasts)
    for name in (challenger, champion):
        if name not in scored:
            raise ValueError(f"no forecasts of {name}; there are {', '.join(scored)}")
    every = {name: figures(name, rows, seed=seed) for name, rows in scored.items()}
    best = _best_baseline(every, challenger, champion)
    duel = _Duel(scored, every, challenger, champion, best, limits or Limits(), seed)
    criteria = [*duel.criteria(), *_leaks(leak_tests)]
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
        figures=tuple(every[name] for name in dict.fromkeys((challenger, champion, best))),
    )


class _Duel:
    """Challenger, champion and best baseline on the same rows, and what is asked of them."""

    def __init__(
        self,
        scored: Mapping[str, Scored],
        every: Mapping[str, Figures],
        challenger: str,
        champion: str,
        best: str,
        limits: Limits,
        seed: int,
    ) -> None:
        self._scored, self._every, self._limits, self._seed = scored, every, limits, seed
        self._rows, self._ours, self._theirs = (
            scored[challenger],
            every[challenger],
            every[champion],
        )
        self._opponents = dict.fromkeys((champion, best))

    def criteria(self) -> list[Criterion]:
        """Every question but the leak tests."""
        losses = [c for opponent in self._opponents for c in self._losses(opponent)]
        return [*self._sample(), *losses, *self._probabilities(), self._coverage(), self._alarm()]

    def _sample(self) -> list[Criterion]:
        windows = f"independent {self._rows.horizon_s} s windows"
        return [
            _at_least(windows, self._ours.n_independent, self._limits.min_windows),
            _at_least("spike episodes", self._ours.n_episodes, self._limits.min_episodes),
        ]

    def _losses(self, opponent: str) -> list[Criterion]:
        rows, limits, over = self._rows, self._limits, f"against {opponent}"
        loss, theirs = rows.loss, self._scored[opponent].loss
        draws = bootstrap_gain(rows.ts, loss, theirs, seed=self._seed)
        t = diebold_mariano(rows.ts, loss, theirs, rows.horizon_s)
        bound = float(np.quantile(draws, 0.05))
        return [
            _at_least(f"QLIKE gain {over}", gain(loss, theirs), limits.gain),
            _at_most(f"Diebold-Mariano t {over}", t, limits.dm_t),
            _judge(
                f"5 % bootstrap bound of the gain {over}",
                bound,
                f"> {limits.gain_bound:g}",
                bound > limits.gain_bound,
            ),
            self._worst_period(loss, theirs, over),
        ]

    def _worst_period(self, loss: Vector, theirs: Vector, over: str) -> Criterion:
        name, least, ts = f"worst quarter {over}", self._limits.worst_period, self._rows.ts
        enough = self._limits.period_windows
        gains = {
            period: gain(loss[rows], theirs[rows])
            for period, rows in periods(ts).items()
            if count_independent(ts[rows], self._rows.horizon_s) >= enough
        }
        if not gains:
            note = f"no quarter holds {enough} independent windows"
            return Criterion(name, None, f">= {least:g}", "not testable", note)
        worst = min(gains, key=lambda period: gains[period])
        return _at_least(name, gains[worst], least, worst)

    def _probabilities(self) -> list[Criterion]:
        ours, theirs = self._ours.pr_auc, self._theirs.pr_auc
        lost = None if ours is None or theirs is None else theirs - ours
        note = self._ours.refusal or f"{short(ours)} against {short(theirs)}"
        return [
            _at_most("calibration error (ECE)", self._ours.ece, self._limits.ece),
            _at_most("PR-AUC lost to the champion", lost, self._limits.pr_auc_loss, note),
        ]

    def _coverage(self) -> Criterion:
        low, high = self._limits.coverage
        share = self._ours.coverage
        inside = share is not None and low <= share <= high
        return _judge("coverage of the 90 % interval", share, f"{low:g} to {high:g}", inside)

    def _alarm(self) -> Criterion:
        """A score too good to be true, of any model on these rows, is taken for a leak."""
        found = {f"R^2 of {f.model}": f.r2_log for f in self._every.values()}
        found |= {f"PR-AUC of {f.model}": f.pr_auc for f in self._every.values()}
        stated = {name: figure for name, figure in found.items() if figure is not None}
        highest = max(stated, key=lambda name: stated[name], default="nothing is stated")
        return _at_most("leak alarm", stated.get(highest), self._limits.alarm, highest)


def _best_baseline(every: Mapping[str, Figures], challenger: str, champion: str) -> str:
    """The baseline of least QLIKE that is not the challenger; the champion where there is none."""
    losses = {name: every[name].qlike for name in BASELINES if name in every and name != challenger}
    return min(losses, key=lambda name: losses[name]) if losses else champion


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
        return f"promote {challenger}: {saved.name} {short(saved.figure)}; every criterion passed"
    first, others = bad[0], f"; {len(bad) - 1} more not passed" if len(bad) > 1 else ""
    return f"keep {champion}: {first.name} {short(first.figure)}, {first.rule} needed{others}"


def _at_least(name: str, figure: float, least: float, note: str = "") -> Criterion:
    return _judge(name, figure, f">= {least:g}", figure >= least, note)


def _at_most(name: str, figure: float | None, most: float, note: str = "") -> Criterion:
    return _judge(name, figure, f"<= {most:g}", figure is not None and figure <= most, note)


def _judge(name: str, figure: float | None, rule: str, passed: bool, note: str = "") -> Criterion:
    if figure is None or not np.isfinite(figure):
        return Criterion(name, None, rule, "not testable", note)
    return Criterion(name, float(figure), rule, "passed" if passed else "failed", note)
