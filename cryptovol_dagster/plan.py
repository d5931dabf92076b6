"""What to build: hours that are missing, or were made from inputs that have changed since."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cryptovol_dagster.recipe import ORDER, READS, Ledger, by_hour, fingerprints
from data_lake.chain import BronzeFile, fingerprint
from data_lake.layout import hour_after, input_name
from data_lake.tables import FORECASTS, FRAMES, LABELS_1S, OUTCOMES, QUOTES, TRADES, Table

REACH_HOURS: Final = 3
"""How far a changed hour is felt: bars one hour on, features of three (two hours of bars)."""

Exists = Callable[[str], bool]
"""Says whether an hour is a partition yet."""


@dataclass(frozen=True)
class Bounds:
    """Which hours may be built at all."""

    closed: Exists  # the hour has closed
    matured: Exists  # the hour after it has closed too
    start: str = ""  # first hour key
    end: str = "9"  # first hour key that is not built any more


def stale_hours(
    ledger: Ledger,
    files: Sequence[BronzeFile],
    bounds: Bounds,
    *,
    tables: Sequence[Table] = ORDER,
    forecasting: bool = True,
    rebuild: bool = False,
) -> dict[str, list[str]]:
    """Hours to build, oldest first, by table path in dependency order; tables with none left out.

    An hour is stale when it is missing, has another schema version, has inputs that differ from
    those its manifest records, or reads an hour that is itself about to be built.

    Args:
        ledger: manifests of the lake.
        files: the bronze chain; an hour no frame touches is never built.
        bounds: which hours may be built.
        tables: what to look at.
        forecasting: whether there is a champion to forecast with.
        rebuild: take every hour for stale, as after a change of code.
    """
    touching = by_hour(files)
    candidates = [
        h for h in sorted(touching) if bounds.start <= h < bounds.end and bounds.closed(h)
    ]
    found: dict[str, list[str]] = {}
    for table in (table for table in ORDER if table in tables):
        if table is FORECASTS and not forecasting:
            continue
        matures = table in (LABELS_1S, OUTCOMES)
        hours = [
            hour
            for hour in candidates
            if (bounds.matured(hour) or not matures)
            and (table is not OUTCOMES or _is_forecast(ledger, found, hour))
            and (rebuild or _is_stale(ledger, found, touching, table, hour))
        ]
        if hours:
            found[table.path] = hours
    return found


def stale_ticks(ledger: Ledger, files: Sequence[BronzeFile], hours: Iterable[str]) -> list[str]:
    """Those of `hours` whose trades or quotes are not made from the frames there are now."""
    touching = by_hour(files)
    return [
        hour
        for hour in sorted(set(hours))
        if any(_is_stale(ledger, {}, touching, table, hour) for table in (TRADES, QUOTES))
    ]


def with_dependants(hours: Iterable[str], built: Iterable[str]) -> list[str]:
    """The hours, and those after them, built already, that were computed from them."""
    own, known = set(hours), set(built)
    after = {hour_after(hour, n) for hour in own for n in range(1, REACH_HOURS + 1)}
    return sorted(own | (after & known))


def ranges(hours: Iterable[str]) -> list[tuple[str, str]]:
    """First and last of every run of consecutive hours, oldest first."""
    runs: list[tuple[str, str]] = []
    for hour in sorted(set(hours)):
        if runs and hour_after(runs[-1][1]) == hour:
            runs[-1] = (runs[-1][0], hour)
        else:
            runs.append((hour, hour))
    return runs


def _is_stale(
    ledger: Ledger,
    planned: Mapping[str, Sequence[str]],
    touching: Mapping[str, Sequence[BronzeFile]],
    table: Table,
    hour: str,
) -> bool:
    manifest = ledger.manifest(table, hour)
    if manifest is None or manifest.schema_version != table.version:
        return True
    if table.path not in READS:
        frames = {input_name(FRAMES, hour): fingerprint(touching.get(hour, ()), hour)}
        return manifest.inputs != frames
    about_to_change = any(
        each in planned.get(read.table.path, ())
        for read in READS[table.path]
        for each in read.hours(hour)
    )
    return about_to_change or manifest.inputs != fingerprints(ledger, table, hour)


def _is_forecast(ledger: Ledger, planned: Mapping[str, Sequence[str]], hour: str) -> bool:
    if hour in planned.get(FORECASTS.path, ()):
        return True
    return ledger.manifest(FORECASTS, hour) is not None
