"""The evaluation behind a decision, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from cryptovol_dagster.markdown import table
from volatility.scorecard import Figures


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
