"""The core's columns are the lake's."""

from __future__ import annotations

from typing import Any

import pytest

from data_lake import tables
from volatility import record


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (record.TRADES, tables.TRADES),
        (record.QUOTES, tables.QUOTES),
        (record.GAPS, tables.GAPS),
    ],
)
def test_names_types_order_and_nulls_are_the_contracts(ours: Any, theirs: tables.Table) -> None:
    assert ours.equals(theirs.schema.remove_metadata())


def test_only_the_sequence_may_be_missing_in_quotes_as_observed() -> None:
    differ = [
        one.name
        for one, other in zip(record.QUOTES, record.OBSERVED_QUOTES, strict=True)
        if not one.equals(other)
    ]
    assert differ == ["sequence"]
