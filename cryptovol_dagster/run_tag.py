"""The hours of a run, as Dagster's tags carry them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from data_lake.layout import hour_bounds, hours_between

START: Final = "dagster/asset_partition_range_start"
END: Final = "dagster/asset_partition_range_end"
ONE: Final = "dagster/partition"


def range_tags(start: str, end: str) -> dict[str, str]:
    """Tags of one run over the hours `start` to `end`, both included."""
    return {START: start, END: end}


def hours_of_tags(tags: Mapping[str, str]) -> list[str]:
    """The hours a run is for, oldest first; empty where it has no partition."""
    start = tags.get(START, tags.get(ONE))
    end = tags.get(END, start)
    if start is None or end is None:
        return []
    return hours_between(hour_bounds(start)[0], hour_bounds(end)[1])
