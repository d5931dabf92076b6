"""The gate's decision and the evaluation behind it, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from cryptovol_dagster.markdown import table
from volatility.gate import Decision
from volatility.scorecard import Figures


def show_decision(decision: Decision) -> str:
    """Verdict, reason, and every criterion with its figure."""
    rows = [(c.name, c.figure, c.rule, c.outcome, c.note) for c in decision.criteria]
    criteria = table(["criterion", "figure", "rule", "outcome", "note"], rows)
    compared = (
        f"{decision.n:,} decisions, {decision.n_independent:,} independent windows, "
        f"{decision.products} products"
    )
    return f"**{decision.verdict}**: {decision.reason}\n\n{compared}\n\n{criteria}"


def show_figures(figures: Sequence[Figures]) -> str:
    """Every model on the same unseen rows, best QLIKE first."""
    header = ["model", "QLIKE", "gain", "DM t", "R2 log", "PR-AUC", "Brier skill", "ECE", "covered"]
    rows = [
        (f.model, f.qlike, f.gain, f.dm_t, f.r2_log, f.pr_auc, f.brier_skill, f.ece, f.coverage)
        for f in figures
    ]
    refusal = next((f.refusal for f in figures if f.refusal), None)
    note = f"\n\nNo PR-AUC: {refusal}" if refusal else ""
    return table(header, rows) + note
