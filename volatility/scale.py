"""One power-of-ten scale per product and table: choosing it, and bringing tables to the same.

A product's prices are kept at 8 fraction digits, or more (up to 12) when its text carries more,
as long as its largest value still fits. Sizes likewise, on their own. Twice a price must fit
int64, because mids are kept as bid + ask.
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


def choose_scales(products: int, columns: Sequence[tuple[Ints, Ints, Ints]], limit: int) -> Ints:
    """The scale of each product code in `range(products)`.

    The most digits any value has, but no more than its largest value can be held at.

    Args:
        products: how many product codes there are.
        columns: (product code, mantissa, fraction digits) of every column of the unit.
        limit: the largest fixed-point integer allowed.
    """
    wanted = np.full(products, MIN_SCALE, np.int64)
    ceiling = np.full(products, MAX_SCALE, np.int64)
    if all(digits.max(initial=0) <= MIN_SCALE for _, _, digits in columns):
        return wanted
    thresholds = (limit // POWERS)[::-1]
    for code, mantissa, digits in columns:
        headroom = POWERS.size - 1 - np.searchsorted(thresholds, mantissa, "left")
        cap = digits + headroom
        usable = (cap >= MIN_SCALE) & (digits <= np.minimum(cap, MAX_SCALE))
        np.maximum.at(wanted, code[usable], digits[usable])
        np.minimum.at(ceiling, code[usable], cap[usable])
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


def tighten(table: Any) -> Any:
    """The same rows, each product at the smallest scale (at least 8) that holds them exactly.

    Makes a partition's integers depend on its own rows alone, not on what was parsed beside them.
    """
    code, _ = encode(table["product"])
    scales = {}
    for i, (name, now) in enumerate(scales_of(table).items()):
        if max(now) > MIN_SCALE:
            rows = table.take(from_numbers(np.flatnonzero(code == i), pa.int64()))
            scales[name] = (_least(rows, PRICES, now[0]), _least(rows, SIZES, now[1]))
    return rescale(table, scales) if scales else table


def _least(rows: Any, names: Sequence[str], scale: int) -> int:
    """The smallest scale that holds the columns `names` of one product, now at `scale`."""
    columns = [
        np.where(known(rows[n]), numbers(rows[n]), 0) for n in names if n in rows.schema.names
    ]
    while scale > MIN_SCALE and all((column % 10 == 0).all() for column in columns):
        columns = [column // 10 for column in columns]
        scale -= 1
    return scale
