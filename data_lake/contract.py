"""A table's contract, checked on every write: what passes can be trusted by every reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from data_lake.layout import hour_bounds
from data_lake.tables import Table
from volatility.errors import ContractError, ProductError
from volatility.frame import FEEDS, SOURCES
from volatility.product import check_product

MAX_SCALE: Final = 12
"""Most decimal digits of a price or size; SQL shows every value exactly as DECIMAL(32,12)."""

_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "source": SOURCES,
    "feed": FEEDS,
    "taker_side": ("buy", "sell"),
    "maker_side": ("buy", "sell"),
    "status": ("open", "repaired"),
}


def conform(table: Table, hour: str, rows: Any) -> Any:
    """Return `rows`, a `pa.Table`, in the table's exact schema when it keeps its contract.

    Raises:
        ContractError: names the first column that breaks a rule, the rule and how many rows do.
    """
    rows = _typed(table, rows)
    for column in table.columns:
        _check_words(table, column.name, rows)
    for scale in {"price_scale", "size_scale"} & set(rows.column_names):
        _refuse(table, scale, f"0 <= scale <= {MAX_SCALE}", rows, _bad_scales)
    _check_products(table, rows)
    _check_key(table, rows)
    _check_hour(table, hour, rows)
    return rows


def _typed(table: Table, rows: Any) -> Any:
    expected = [c.name for c in table.columns]
    if rows.column_names != expected:
        wrong = sorted(set(expected) ^ set(rows.column_names)) or ["(their order)"]
        rule = f"columns are {', '.join(expected)}"
        raise ContractError(table.path, ", ".join(wrong), rule, rows.num_rows)
    for column in table.columns:
        found = rows.column(column.name)
        if found.type != column.type:
            rule = f"type is {column.type}, not {found.type}"
            raise ContractError(table.path, column.name, rule, rows.num_rows)
        if found.null_count and not column.nullable:
            raise ContractError(table.path, column.name, "not null", found.null_count)
    return pa.table([rows.column(name) for name in expected], schema=table.schema)


def _refuse(table: Table, name: str, rule: str, rows: Any, bad: Callable[[Any], Any]) -> None:
    """Raise when the mask `bad(column)` marks any row."""
    count = pc.sum(bad(rows.column(name))).as_py() or 0
    if count:
        raise ContractError(table.path, name, rule, count)


def _bad_scales(column: Any) -> Any:
    return pc.or_(pc.less(column, 0), pc.greater(column, MAX_SCALE))


def _check_words(table: Table, name: str, rows: Any) -> None:
    words = _WORDS.get(name)
    if words:
        allowed = pa.array(words)
        _refuse(
            table, name, f"one of {', '.join(words)}", rows,
            lambda column: pc.invert(pc.is_in(column.drop_null(), value_set=allowed)),
        )  # fmt: skip


def _check_products(table: Table, rows: Any) -> None:
    for product in pc.unique(rows.column("product")).to_pylist():
        try:
            check_product(product)
        except ProductError as exc:
            count = pc.sum(pc.equal(rows.column("product"), product)).as_py()
            raise ContractError(table.path, "product", str(exc), count) from exc


def _check_key(table: Table, rows: Any) -> None:
    """Rows must strictly increase in the key: that is sorted and unique in one comparison.

    A null in a key column (a gap without trade ids) sorts first and equals another null.
    """
    if rows.num_rows < 2:
        return
    rising, tied = pa.scalar(False), pa.scalar(True)
    for name in table.key:
        column = rows.column(name)
        if column.null_count:
            column = pc.fill_null(column, -1)
        before, after = column.slice(0, len(column) - 1), column.slice(1)
        rising = pc.or_(rising, pc.and_(tied, pc.less(before, after)))
        tied = pc.and_(tied, pc.equal(before, after))
    doubled = pc.sum(tied).as_py() or 0
    if doubled:
        raise ContractError(table.path, ", ".join(table.key), "key is unique", doubled)
    unsorted = pc.sum(pc.invert(rising)).as_py() or 0
    if unsorted:
        raise ContractError(table.path, ", ".join(table.key), "rows are sorted by key", unsorted)


def _check_hour(table: Table, hour: str, rows: Any) -> None:
    start, end = hour_bounds(hour)
    if table.edge == "opens":
        rule = f"{hour} <= {table.time} < {hour} + 1 h"
        first, last = start, end - 1
    else:
        rule = f"{hour} < {table.time} <= {hour} + 1 h"
        first, last = start + 1, end
    _refuse(
        table, table.time, rule, rows,
        lambda column: pc.or_(pc.less(column, first), pc.greater(column, last)),
    )  # fmt: skip
