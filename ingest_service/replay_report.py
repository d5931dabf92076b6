"""What a replay did, as figures, as JSON and as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from ingest_service.account import Outcome

if TYPE_CHECKING:
    from rich.console import RenderableType


class FileCount(msgspec.Struct, kw_only=True):
    """One recording: lines = rows + duplicates + control + rejected, empty lines aside."""

    file: str
    lines: int = 0
    frames: int = 0  # lines that held a frame
    rows: int = 0  # frames that made at least one new row
    duplicates: int = 0  # frames all of whose rows were there before
    control: int = 0  # lines and frames that make no row by nature
    rejected: int = 0  # lines and frames that could not be understood
    partly_rejected: int = 0  # of rows and duplicates: frames that also held bytes we could not use
    first_recv_ns: int | None = None
    last_recv_ns: int | None = None
    report: str | None = None  # where the rejected lines are listed

    def add(self, recv_ns: int) -> None:
        """Count one frame."""
        self.frames += 1
        self.first_recv_ns = min(recv_ns, self.first_recv_ns or recv_ns)
        self.last_recv_ns = max(recv_ns, self.last_recv_ns or recv_ns)

    @property
    def unexplained(self) -> int:
        """Lines in no column; zero, or we have a bug."""
        return self.lines - self.rows - self.duplicates - self.control - self.rejected


class ReplayReport(msgspec.Struct, kw_only=True, frozen=True):
    """A whole replay. Trades, quotes and gaps are those of its files, whatever the lake held."""

    files: list[FileCount]
    kinds: dict[str, int]  # frames by kind
    tickers: int
    trades: int  # distinct
    quotes: int  # distinct
    gaps: int
    missing: int  # trades missing in the gaps
    first_event_ns: int | None
    last_event_ns: int | None

    @classmethod
    def of(cls, files: Sequence[FileCount], outcome: Outcome) -> ReplayReport:
        """The report of files whose lines are counted and whose frames came to `outcome`."""
        for number, count in enumerate(files):
            count.rows = outcome.rows[number]
            count.duplicates = outcome.duplicates[number]
            count.control += outcome.control[number]
            count.rejected = outcome.rejected[number]
            count.partly_rejected = outcome.partly_rejected[number]
        return cls(
            files=list(files),
            kinds=dict(outcome.kinds.most_common()),
            tickers=outcome.kinds["ticker"],
            trades=outcome.trades,
            quotes=outcome.quotes,
            gaps=outcome.gaps,
            missing=outcome.missing,
            first_event_ns=outcome.first_event_ns,
            last_event_ns=outcome.last_event_ns,
        )

    @property
    def total(self) -> FileCount:
        """All files together."""
        figures = ("lines", "frames", "rows", "duplicates", "control", "rejected")
        sums = {n: sum(getattr(f, n) for f in self.files) for n in (*figures, "partly_rejected")}
        return FileCount(file="all", **sums)

    def to_json(self) -> bytes:
        """The report as one JSON object."""
        return msgspec.json.encode(self)

    def render(self) -> RenderableType:
        """The report as tables for a terminal."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table(title="Replay: lines = rows + duplicates + control + rejected")
        table.add_column("recording", overflow="fold")
        for name in ("lines", "rows", "duplicates", "control", "rejected"):
            table.add_column(name, justify="right")
        table.add_column("received (UTC)")
        for count in [*self.files, *([self.total] if len(self.files) > 1 else [])]:
            table.add_row(*_cells(count))
        lines = [
            f"{self.tickers:,} tickers, {self.trades:,} distinct trades, "
            f"{self.quotes:,} distinct quotes; {self.gaps:,} gaps, {self.missing:,} trades missing"
        ]
        partly = self.total.partly_rejected
        lines += [f"{partly:,} lines partly rejected"] if partly else []
        lines += [f"rejected lines: {f.report}" for f in self.files if f.report]
        return Group(table, Text("\n".join(lines)))


def _cells(count: FileCount) -> list[str]:
    figures = (count.lines, count.rows, count.duplicates, count.control, count.rejected)
    from rich.markup import escape

    name = escape(count.file.rpartition("/")[2])
    return [name, *(f"{figure:,}" for figure in figures), _span(count)]


def _span(count: FileCount) -> str:
    if count.first_recv_ns is None or count.last_recv_ns is None:
        return ""
    first = datetime.fromtimestamp(count.first_recv_ns // 10**9, UTC)
    last = datetime.fromtimestamp(count.last_recv_ns // 10**9, UTC)
    form = "%H:%M:%S" if first.date() == last.date() else "%Y-%m-%d %H:%M:%S"
    return f"{first:%Y-%m-%d %H:%M:%S} to {last.strftime(form)}"
