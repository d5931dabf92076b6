"""One power-of-ten scale per product and hour: choosing it, and bringing tables to the same.

A product's prices of one hour are kept at 8 fraction digits, or more (up to 12) when their text
carries more, as long as the largest of them still fits. Sizes likewise, on their own. Twice a
price must fit int64, because mids are kept as bid + ask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from volatility.array import Flags, Ints
from volatility.column import encode, from_numbers, known, numbers
from volatility.errors import ContractError
from volatility.record import PRICES, SIZES

MIN_SCALE: Final = 8
MAX_SCALE: Final = 12
PRICE_LIMIT: Final = 2**62 - 1
SIZE_LIMIT: Final = 2**63 - 1
POWERS: Final[Ints] = 10 ** np.arange(19, dtype=np.int64)

Scales = Mapping[str, tuple[int, int]]
"""Product to (price scale, size scale)."""


def choose_scales(groups: int, columns: Sequence[tuple[Ints, Ints, Ints]], limit: int) -> Ints:
    """The scale of each group in `range(groups)`; a group is a product within an hour.

    The most digits any value has, but no more than its largest value can be held at.

    Args:
        groups: how many groups there are.
        columns: (group, mantissa, fraction digits) of every column of the unit.
        limit: the largest fixed-point integer allowed.
    """
    wanted = np.full(groups, MIN_SCALE, np.int64)
    ceiling = np.full(groups, MAX_SCALE, np.int64)
    thresholds = (limit // POWERS)[::-1]
    for group, mantissa, digits in columns:
        headroom = POWERS.size - 1 - np.searchsorted(thresholds, mantissa, "left")
        cap = digits + headroom
        usable = (cap >= MIN_SCALE) & (digits <= np.minimum(cap, MAX_SCALE))
        np.maximum.at(wanted, group[usable], digits[usable])
        np.minimum.at(ceiling, group[usable], cap[usable])
    return np.clip(np.minimum(wanted, ceiling), MIN_SCALE, MAX_SCALE)


def to_scale(mantissa: Ints, digits: Ints, scale: Ints, limit: int) -> tuple[Ints, Flags]:
    """`mantissa / 10**digits` as integers at `scale`, and which of them could be held exactly."""
    up = scale - digits
    power = POWERS[np.clip(up, 0, POWERS.size - 1)]
    fits = (up >= 0) & (mantissa <= limit // power)
    return np.where(fits, mantissa, 0) * power, fits


def scales_of(table: Any) -> dict[str, tuple[int, int]]:
    """The largest scales each product has in a table of trades or quotes."""
    code, names = encode(table["product"])
    most = np.zeros((2, len(names)), np.int64)
    np.maximum.at(most[0], code, numbers(table["price_scale"]))
    np.maximum.at(most[1], code, numbers(table["size_scale"]))
    return {name: (int(most[0, i]), int(most[1, i])) for i, name in enumerate(names)}


def rescale(table: Any, scales: Scales) -> Any:
    """The same trades or quotes, each product in `scales` at the scales given; others as are.

    Raises:
        ContractError: a value cannot be held exactly at the new scale.
    """
    code, names = encode(table["product"])
    columns = {name: table[name] for name in table.column_names}
    for unit, (scale_column, value_columns, limit) in enumerate(
        (("price_scale", PRICES, PRICE_LIMIT), ("size_scale", SIZES, SIZE_LIMIT))
    ):
        now = numbers(table[scale_column]).astype(np.int64)
        target = np.array([scales.get(n, (-1, -1))[unit] for n in names], np.int64)[code]
        target = np.where(target < 0, now, target)
        if np.array_equal(target, now):
            continue
        for name in value_columns:
            if name in columns:
                columns[name] = _shifted(name, columns[name], target - now, limit)
        columns[scale_column] = from_numbers(target.astype(np.int8), pa.int8())
    return pa.Table.from_arrays(list(columns.values()), schema=table.schema)


def _shifted(name: str, column: Any, shift: Ints, limit: int) -> Any:
    """`column` times `10**shift`, exactly."""
    valid = known(column)
    value = np.where(valid, numbers(column), 0)
    up, down = POWERS[np.clip(shift, 0, 18)], POWERS[np.clip(-shift, 0, 18)]
    bad = (value > limit // up) | (value % down != 0)
    if bad.any():
        raise ContractError("rescale", name, "held exactly at the product's scale", int(bad.sum()))
    return from_numbers(value // down * up, pa.int64(), valid)


def concat_scaled(tables: Sequence[Any]) -> Any:
    """One table of all rows, each product at the largest scale it has in any of `tables`.

    Raises:
        ContractError: a value cannot be held at that scale.
    """
    merged: dict[str, tuple[int, int]] = {}
    for table in tables:
        for name, (price, size) in scales_of(table).items():
            before = merged.get(name, (0, 0))
            merged[name] = (max(price, before[0]), max(size, before[1]))
    return pa.concat_tables([rescale(table, merged) for table in tables])
