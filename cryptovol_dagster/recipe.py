"""What every hour of every table is computed from; the one place look-backs are written down.

`bars_1s` of H reads quotes and trades of H-1 and H. `features_1s` reads the bars of H-2, H-1, H.
`labels_1s` reads the features of H and of H+1 (the longest horizon is an hour) and, for the spike
threshold, of the 30 days before. Build, plan and sensor all ask here, so they cannot disagree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from data_lake.chain import BronzeFile
from data_lake.lake import Lake
from data_lake.layout import hour_after, input_name
from data_lake.manifest import Manifest
from data_lake.tables import (
    BARS_1S,
    FEATURES_1S,
    FORECASTS,
    GAPS,
    LABELS_1S,
    OUTCOMES,
    QUOTES,
    TRADES,
    Table,
)
from volatility.errors import LakeError

HISTORY_HOURS: Final = 30 * 24
"""How far back the spike threshold looks."""

Built = dict[str, Manifest]
"""Manifests of the hours that were built, by hour key."""

Trades = dict[str, tuple[int, int]]
"""Newest trade by product: (trade_id, ts_event)."""


@dataclass(frozen=True)
class Read:
    """An hour reads `table` from `back` hours before it to `ahead` hours after it."""

    table: Table
    back: int = 0
    ahead: int = 0

    def hours(self, hour: str) -> list[str]:
        """The hours read, oldest first."""
        return [hour_after(hour, n) for n in range(-self.back, self.ahead + 1)]


READS: Final[dict[str, tuple[Read, ...]]] = {
    GAPS.path: (Read(TRADES),),
    BARS_1S.path: (Read(QUOTES, back=1), Read(TRADES, back=1)),
    FEATURES_1S.path: (Read(BARS_1S, back=2),),
    LABELS_1S.path: (Read(FEATURES_1S, ahead=1),),
    FORECASTS.path: (Read(FEATURES_1S),),
    OUTCOMES.path: (Read(FORECASTS), Read(LABELS_1S)),
}
"""Reads of every table but trades and quotes, which read bronze."""

ORDER: Final = (TRADES, QUOTES, GAPS, BARS_1S, FEATURES_1S, LABELS_1S, FORECASTS, OUTCOMES)
"""Hourly tables in dependency order."""


class Ledger:
    """The manifests of a lake, each read once; what we build is noted here."""

    def __init__(self, lake: Lake) -> None:
        """Start without knowing anything about `lake`."""
        self.lake = lake
        self._hours: dict[str, list[str]] = {}
        self._known: dict[tuple[str, str], Manifest | None] = {}
        self._before: dict[str, Trades] | None = None

    def hours(self, table: Table) -> list[str]:
        """Hours of `table` that were built, oldest first."""
        if table.path not in self._hours:
            self._hours[table.path] = self.lake.hours(table)
        return self._hours[table.path]

    def manifest(self, table: Table, hour: str) -> Manifest | None:
        """The hour's manifest; None where it was never built, or its file is broken."""
        place = (table.path, hour)
        if place not in self._known:
            try:
                self._known[place] = self.lake.manifest(table, hour)
            except LakeError:
                self._known[place] = None
        return self._known[place]

    def note(self, table: Table, manifest: Manifest) -> None:
        """Remember what was just built."""
        self._known[table.path, manifest.hour] = manifest
        if table is TRADES:
            self._before = None
        known = self.hours(table)
        if manifest.hour not in known:
            known.append(manifest.hour)
            known.sort()

    def fingerprint(self, table: Table, hour: str) -> str:
        """Digest of the hour's rows; empty text where there are none."""
        manifest = self.manifest(table, hour)
        return manifest.sha256 if manifest else ""

    def newest_trades(self, hour: str) -> Trades:
        """The newest trade of each product before `hour`, from manifests, never from rows."""
        if self._before is None:
            self._before = self._walk()
        earlier = [each for each in self.hours(TRADES) if each < hour]
        return self._before[earlier[-1]] if earlier else {}

    def _walk(self) -> dict[str, Trades]:
        """Newest trades by product after every hour, in one pass."""
        after: dict[str, Trades] = {}
        newest: Trades = {}
        for hour in self.hours(TRADES):
            manifest = self.manifest(TRADES, hour)
            for product, span in (manifest.spans if manifest else {}).items():
                if span.last_trade_id is not None and span.last_trade_ts is not None:
                    trade = (span.last_trade_id, span.last_trade_ts)
                    newest = newest | {product: max(trade, newest.get(product, trade))}
            after[hour] = newest
        return after


def by_hour(files: Sequence[BronzeFile]) -> dict[str, list[BronzeFile]]:
    """Bronze files by the event-time hours they touch."""
    touching: dict[str, list[BronzeFile]] = {}
    for file in files:
        for hour in file.hours:
            touching.setdefault(hour, []).append(file)
    return touching


def fingerprints(ledger: Ledger, table: Table, hour: str) -> dict[str, str]:
    """Inputs of one hour, as its manifest records them; for tables made of other tables.

    What reaches far back is one digest named `<table>/before`: the newest earlier trades behind
    gaps, thirty days of features behind a label's threshold.
    """
    inputs = {
        input_name(read.table, each): ledger.fingerprint(read.table, each)
        for read in READS[table.path]
        for each in read.hours(hour)
    }
    if table is GAPS:
        newest = sorted(ledger.newest_trades(hour).items())
        inputs[f"{TRADES.path}/before"] = _digest(f"{p} {i} {ts}" for p, (i, ts) in newest)
    if table is LABELS_1S:
        inputs[f"{FEATURES_1S.path}/before"] = _digest(
            f"{each} {ledger.fingerprint(FEATURES_1S, each)}" for each in history(ledger, hour)
        )
    return inputs


def history(ledger: Ledger, hour: str) -> list[str]:
    """The hours of features within 30 days before `hour`, oldest first."""
    first = hour_after(hour, -HISTORY_HOURS)
    return [each for each in ledger.hours(FEATURES_1S) if first <= each < hour]


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
