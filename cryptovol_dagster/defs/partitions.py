"""The partitions of the 1 s scale: UTC hours from one start for every asset.

An hour exists once it has closed. Labels look up to an hour ahead, so theirs exist one hour later:
without that the newest hour would silently materialise before its future is known.
"""

from __future__ import annotations

from typing import Final

import dagster as dg

from data_lake.environment import third_party_warnings_ignored
from data_lake.settings import settings
from data_lake.tables import LABELS_1S, OUTCOMES, Table

HOURS: Final = dg.HourlyPartitionsDefinition(settings().partitions_start, timezone="UTC")
"""Closed hours: silver, features, forecasts."""

MATURED_HOURS: Final = dg.HourlyPartitionsDefinition(
    settings().partitions_start, timezone="UTC", end_offset=-1
)
"""Hours whose following hour has closed too: labels, outcomes."""


MATURED_TABLES: Final = (LABELS_1S.path, OUTCOMES.path)
"""Tables that need the hour after theirs."""


def partitions_of(table: Table) -> dg.TimeWindowPartitionsDefinition:
    """The hours a table has."""
    return MATURED_HOURS if table.path in MATURED_TABLES else HOURS


def hours_around(back: int = 0, ahead: int = 0) -> dg.TimeWindowPartitionMapping:
    """An hour reads the `back` hours before it and the `ahead` hours after it, where they exist."""
    with third_party_warnings_ignored():  # the last parameter is marked beta
        return dg.TimeWindowPartitionMapping(
            start_offset=-back, end_offset=ahead, allow_nonexistent_upstream_partitions=True
        )
