"""Markdown for asset pages."""

from __future__ import annotations

from cryptovol_dagster.markdown import table


def test_a_table_is_readable_markdown() -> None:
    made = table(["name", "figure"], [("a|b", 1234567), ("c", 0.123456), ("d", None), ("e", True)])
    assert made.splitlines() == [
        "| name | figure |",
        "| --- | --- |",
        "| a\\|b | 1,234,567 |",
        "| c | 0.1235 |",
        "| d | - |",
        "| e | yes |",
    ]


def test_not_a_number_is_a_dash() -> None:
    assert table(["x"], [(float("nan"),)]).endswith("| - |")
