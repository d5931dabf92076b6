"""Findings and the verdict over them."""

from __future__ import annotations

import pytest

from data_lake.finding import Report, Severity


def test_findings_are_listed_worst_first_with_figures_last() -> None:
    report = Report(files=2, rows=30, bytes=400)
    for severity in ("note", "wrong", "stale"):
        report.add(severity, "silver/trades", "a reason")
    assert list(report.lines()) == [
        "wrong: silver/trades: a reason",
        "stale: silver/trades: a reason",
        "note: silver/trades: a reason",
        "2 files, 30 rows, 400 bytes read: 1 wrong, 1 stale, 1 note",
    ]


@pytest.mark.parametrize(
    ("severity", "ok", "sound"),
    [("note", True, True), ("stale", False, True), ("wrong", False, False)],
)
def test_the_verdict_follows_the_worst_finding(severity: Severity, ok: bool, sound: bool) -> None:
    report = Report()
    report.add(severity, "x", "y")
    assert (report.ok, report.sound) == (ok, sound)
