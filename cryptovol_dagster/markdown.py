"""Markdown for asset pages and reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; floats with four significant digits, None and NaN as a dash."""
    lines = [header, ["---"] * len(header), *([_cell(c) for c in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(content: object) -> str:
    if content is None or content != content:  # NaN is the one value unequal to itself
        return "-"
    if isinstance(content, bool):
        return "yes" if content else "no"
    if isinstance(content, float):
        return f"{content:.4g}"
    return f"{content:,}" if isinstance(content, int) else str(content).replace("|", "\\|")
