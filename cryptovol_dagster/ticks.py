"""Bronze to trades and quotes: frames are parsed once for many hours and both tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa

from cryptovol_dagster.progress import tell
from cryptovol_dagster.recipe import Built, by_hour
from data_lake.chain import BronzeFile, chain, fingerprint, read_frames
from data_lake.lake import Lake
from data_lake.layout import HOUR_NS, hour_bounds, input_name
from data_lake.tables import FRAMES, QUOTES, TRADES, Table
from volatility.column import numbers
from volatility.dedupe import distinct_quotes, distinct_trades
from volatility.normalise import Normalised, normalise

DEAD_LETTERS: Final = "ticks.dead_letter"
"""The topic of frames already found unusable: kept in bronze, never read for rows."""

MAX_FRAMES: Final = 1_000_000
"""Frames parsed at once; more hours than hold that many are built in several steps."""


@dataclass
class Ticks:
    """What one parse of bronze gave. Frames of files that touch the hours, whatever their hour."""

    built: dict[str, Built] = field(default_factory=dict)  # by table path
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)  # frames by (kind, verdict)
    reasons: Counter[str] = field(default_factory=Counter)  # frames by what was odd about them
    partly_rejected: int = 0  # frames that made rows and lost some

    @property
    def rejected(self) -> int:
        """Frames that could not be understood."""
        return sum(n for (_, verdict), n in self.kinds.items() if verdict == "rejected")


def build_ticks(
    lake: Lake, hours: Sequence[str], tables: Sequence[Table] = (TRADES, QUOTES)
) -> Ticks:
    """Build trades and quotes (or one of them) of some hours from the frames that touch them.

    An hour no frame touches becomes an empty partition: nothing happened in it.
    """
    ticks = Ticks({table.path: {} for table in tables})
    touching = by_hour(chain(lake))
    for some in _steps(sorted(hours), touching):
        files = sorted({file for hour in some for file in touching.get(hour, ())})
        found = normalise(read_frames(lake, files=[f for f in files if f.topic != DEAD_LETTERS]))
        ticks.kinds.update(found.counts())
        ticks.reasons.update(reason for reason in found.reason.to_pylist() if reason)
        ticks.partly_rejected += int(found.partly_rejected.sum())
        for table in tables:
            for hour, part in _split(table, found, some):
                inputs = {input_name(FRAMES, hour): fingerprint(touching.get(hour, ()), hour)}
                ticks.built[table.path][hour] = lake.replace(table, hour, part, inputs)
                tell(table.path, len(ticks.built[table.path]), len(hours))
    return ticks


def build_trades(lake: Lake, hours: Sequence[str]) -> Built:
    """Build `silver/trades` of some hours from bronze; manifests by hour."""
    return build_ticks(lake, hours, (TRADES,)).built[TRADES.path]


def build_quotes(lake: Lake, hours: Sequence[str]) -> Built:
    """Build `silver/quotes` of some hours from bronze; manifests by hour."""
    return build_ticks(lake, hours, (QUOTES,)).built[QUOTES.path]


def _steps(
    hours: Sequence[str], touching: Mapping[str, Sequence[BronzeFile]]
) -> Iterator[list[str]]:
    """Hours in runs whose files hold at most MAX_FRAMES frames together, where one alone does."""
    step: list[str] = []
    files: dict[str, int] = {}
    for hour in hours:
        own = {file.path: file.rows for file in touching.get(hour, ())}
        if step and sum((files | own).values()) > MAX_FRAMES:
            yield step
            step, files = [], {}
        step.append(hour)
        files |= own
    if step:
        yield step


def _split(table: Table, found: Normalised, hours: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """The distinct rows of each hour [H, H + 1 h); what another hour holds does not count."""
    rows, distinct = (
        (found.trades, distinct_trades) if table is TRADES else (found.quotes, distinct_quotes)
    )
    number = numbers(rows.column(table.time)) // HOUR_NS
    for hour in hours:
        mine = pa.array(number == hour_bounds(hour)[0] // HOUR_NS)
        yield hour, distinct(rows.filter(mine)).combine_chunks()
