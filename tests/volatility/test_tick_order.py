"""The kernel's order of ticks, whatever order the table has."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from volatility.tick_order import TickOrder, in_order

keys = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=12)


@given(rows=keys)
def test_a_row_is_in_order_when_its_key_is_greater_than_the_one_before(
    rows: list[tuple[int, int]],
) -> None:
    columns = np.array(rows, np.int64).reshape(-1, 2).T
    found = in_order(*columns).tolist()
    assert found == [now > before for before, now in pairwise(rows)]


def test_quotes_go_by_time_and_then_by_sequence(new_tape: Any) -> None:
    """Never by arrival: a late frame would change one bar in twelve."""
    tape = new_tape()
    for at, sequence in ((2.0, 5), (1.0, 9), (2.0, 4), (1.0, 8), (3.0, 1)):
        tape.quote(at, 99.0, 101.0, sequence=sequence)
    rows = TickOrder(tape.quotes()).between(0, 2**62)
    assert rows.position.tolist() == [3, 1, 2, 0, 4]
    assert rows.last().position.tolist() == [4]


def test_trades_go_by_second_and_then_by_trade_id(new_tape: Any) -> None:
    tape = new_tape()
    for at, trade_id in ((1.9, 1), (1.1, 2), (2.1, 0), (0.5, 9)):
        tape.trade(at, 1.0, trade_id=trade_id)
    assert TickOrder(tape.trades()).between(0, 2**62).position.tolist() == [3, 0, 1, 2]


def test_rows_outside_the_span_are_left_out_product_by_product(new_tape: Any) -> None:
    tape, start = new_tape(), new_tape.START_NS
    for at, product in ((1.0, "ETH-USD"), (2.0, "BTC-USD"), (3.0, "ETH-USD"), (4.0, "XRP-USD")):
        tape.quote(at, 99.0, 101.0, product=product)
    rows = TickOrder(tape.quotes()).between(start + 2 * 10**9, start + 4 * 10**9)
    found = {product: rows.position[part].tolist() for product, part in rows.group.items()}
    assert found == {"BTC-USD": [1], "ETH-USD": [2]}
