"""What one archiver did, as figures and as a table for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass
class ArchiveReport:
    """What one archiver did."""

    rows: int = 0  # made durable by us
    files: int = 0
    fenced: int = 0  # flushes another archiver had made before
    next_offsets: dict[int, int] = field(default_factory=dict)  # by partition

    def render(self) -> RenderableType:
        """The report as a table for a terminal."""
        from rich.table import Table

        table = Table(title="Archived", show_header=False)
        table.add_column("what")
        table.add_column("figure", justify="right")
        table.add_row("frames", f"{self.rows:,}")
        table.add_row("files", f"{self.files:,}")
        table.add_row("flushes another archiver had made", f"{self.fenced:,}")
        for partition, offset in sorted(self.next_offsets.items()):
            table.add_row(f"next offset of partition {partition}", f"{offset:,}")
        return table
