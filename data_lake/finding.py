"""What a verification found: one line per fact, and a verdict over all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Severity = Literal["wrong", "stale", "note"]
"""`wrong`: data lost, doubled or altered. `stale`: build it again. `note`: good to know."""


class Finding(NamedTuple):
    """One fact about one place in the lake."""

    severity: Severity
    place: str  # a path, an hour or a chain
    reason: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.place}: {self.reason}"


@dataclass
class Report:
    """All findings, and how much was looked at."""

    findings: list[Finding] = field(default_factory=list)
    files: int = 0
    rows: int = 0
    bytes: int = 0

    @property
    def ok(self) -> bool:
        """Nothing is wrong and nothing is stale."""
        return not any(finding.severity != "note" for finding in self.findings)

    @property
    def sound(self) -> bool:
        """Nothing is wrong; partitions may wait to be built again."""
        return not any(finding.severity == "wrong" for finding in self.findings)

    def add(self, severity: Severity, place: str, reason: str) -> None:
        """Note one finding."""
        self.findings.append(Finding(severity, place, reason))

    def lines(self) -> Iterator[str]:
        """The findings, worst first, then one line of figures."""
        order: tuple[Severity, ...] = ("wrong", "stale", "note")
        yield from map(str, sorted(self.findings, key=lambda found: order.index(found.severity)))
        counts = Counter(finding.severity for finding in self.findings)
        found = ", ".join(f"{counts[severity]} {severity}" for severity in order)
        yield f"{self.files} files, {self.rows} rows, {self.bytes} bytes read: {found}"
