"""The record of a promotion decision: criteria, figures, verdict; as JSON or as Markdown."""

from __future__ import annotations

from typing import Final, Literal

import msgspec
import numpy as np

from volatility.ranking import MIN_EPISODES, MIN_WINDOWS
from volatility.scorecard import Figures

Outcome = Literal["passed", "failed", "not testable"]
Verdict = Literal["promote", "keep"]


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

    verdict: Verdict
    winner: str  # the model that forecasts from now on
    reason: str  # one line
    challenger: str
    champion: str
    best_baseline: str
    horizon_s: int
    n: int  # decisions compared
    n_independent: int  # label windows that cannot overlap
    first_ts: int  # first decision, ns UTC
    last_ts: int  # last decision, ns UTC
    products: int  # how many
    criteria: tuple[Criterion, ...]
    figures: tuple[Figures, ...]  # of challenger, champion and best baseline

    def to_json(self) -> bytes:
        """The decision as indented JSON, field by field."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1)

    def to_markdown(self) -> str:
        """The verdict, the rows compared and a table of the criteria."""
        span = " to ".join(_instant(ts) for ts in (self.first_ts, self.last_ts))
        lines = [
            f"**{self.verdict}**: {self.reason}",
            "",
            f"{self.challenger} against {self.champion}, {self.horizon_s} s ahead, {self.n} "
            f"decisions of {self.products} products from {span} UTC.",
            "",
            "| criterion | figure | rule | outcome | note |",
            "|---|---|---|---|---|",
            *(_row(c) for c in self.criteria),
        ]
        return "\n".join(lines) + "\n"


MARKS: Final[dict[Outcome, str]] = {"passed": "✓", "failed": "✗", "not testable": "?"}


def _row(c: Criterion) -> str:
    cells = (c.name, short(c.figure), c.rule, f"{MARKS[c.outcome]} {c.outcome}", c.note)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def short(figure: float | None) -> str:
    """A figure to four digits, or `unknown`."""
    return "unknown" if figure is None else f"{figure:.4g}"


def _instant(ts: int) -> str:
    return str(np.datetime64(ts, "ns").astype("datetime64[s]"))
