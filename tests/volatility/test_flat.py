"""Flat rows of other people's recorders."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from volatility.errors import MessageError
from volatility.flat import decode, event_ns, receive_ns
from volatility.normalise import normalise
from volatility.timestamp import parse_time

FrameTable = Callable[..., Any]
ROW = {"product_id": "BTC-USD", "price": "3", "best_bid": "1.5", "best_ask": "2.25"}
RECV_NS = 1_762_932_011_700_000_000


def quote(frame_table: FrameTable, **row: object) -> dict[str, Any]:
    """The only quote the row makes."""
    (found,) = normalise(frame_table([ROW | row], "flat", RECV_NS)).quotes.to_pylist()
    return dict(found)


@pytest.mark.parametrize(
    "row",
    [
        {"best_bid_size": "0.1", "best_ask_size": "0.2"},
        {"best_bid_quantity": "0.1", "best_ask_quantity": "0.2"},
        {"best_bid_qty": "0.1", "best_ask_qty": "0.2"},
        {"raw": {"best_bid_quantity": "0.1", "best_ask_quantity": "0.2"}},
        {"raw": {"best_bid_size": "0.1", "best_ask_size": "0.2"}},
        {"best_bid_qty": 0.1, "best_ask_qty": 0.2},
        {"raw": {"best_bid_size": 0.1, "best_ask_size": 2e-1}, "best_bid": 1.5},
    ],
)
def test_sizes_go_by_several_names(frame_table: FrameTable, row: dict[str, object]) -> None:
    found = quote(frame_table, **row)
    assert (found["bid_size"], found["ask_size"]) == (10_000_000, 20_000_000)


@pytest.mark.parametrize("row", [{}, {"raw": None}, {"raw": "text"}, {"best_bid_qty": ""}])
def test_sizes_may_be_absent(frame_table: FrameTable, row: dict[str, object]) -> None:
    found = quote(frame_table, **row)
    assert (found["bid_size"], found["ask_size"]) == (None, None)


@pytest.mark.parametrize(
    ("row", "event", "received"),
    [
        (
            {
                "ws_timestamp": "2026-04-04T03:19:18.799968001Z",
                "received_at": "2026-04-04T03:19:18.802320+00:00",
            },
            1_775_272_758_799_968_001,
            1_775_272_758_802_320_000,
        ),
        ({"timestamp": "2026-04-04T22:54:57.175677226Z"}, 1_775_343_297_175_677_226, None),
        ({"timestamp": "2026-04-04T22:54:57.5+00:00"}, 1_775_343_297_500_000_000, None),
        ({"timestamp": "2025-12-05T20:33:01.669201"}, None, 1_764_966_781_669_201_000),
        ({"ts": 1762932011.609013}, None, 1_762_932_011_609_013_000),
        ({"ts": "1762932011.609013"}, None, 1_762_932_011_609_013_000),
        ({"ts": 1762932011}, None, 1_762_932_011_000_000_000),
        ({"ts": "2025-12-05T20:33:01Z"}, None, 1_764_966_781_000_000_000),
        ({}, None, None),
    ],
)
def test_each_time_key_tells_one_clock(
    row: dict[str, object], event: int | None, received: int | None
) -> None:
    message = decode(json.dumps(ROW | row).encode())
    assert event_ns(message) == event
    assert receive_ns(message) == received


def test_without_the_exchanges_time_the_receipt_stands_in(frame_table: FrameTable) -> None:
    found = quote(frame_table, timestamp="2025-12-05T20:33:01.669201")
    assert found["ts_event"] == found["ts_recv"] == RECV_NS


def test_the_exchanges_time_is_the_event_and_the_frames_receipt_stays(
    frame_table: FrameTable,
) -> None:
    found = quote(frame_table, ws_timestamp="2026-04-04T03:19:18.799968001Z")
    assert found["ts_event"] == parse_time("2026-04-04T03:19:18.799968001Z")
    assert found["ts_recv"] == RECV_NS


def test_the_sequence_is_the_connections(frame_table: FrameTable) -> None:
    assert quote(frame_table, sequence_num=4)["sequence"] == 4
    assert quote(frame_table)["sequence"] is None


@given(st.integers(1, 10**12), st.integers(0, 8))
def test_json_numbers_are_read_as_the_decimals_they_spell(
    frame_table: FrameTable, mantissa: int, digits: int
) -> None:
    """A float would lose the last digits of a long one."""
    number = f"{mantissa:0{digits + 1}d}"
    number = f"{number[:-digits]}.{number[-digits:]}" if digits else number
    payload = b'{"product_id":"BTC-USD","best_bid":%s,"best_ask":"46116860184"}' % number.encode()
    found = normalise(frame_table([payload], "flat"))
    if mantissa <= 46_116_860_184 * 10**digits:
        assert found.quotes["bid"].to_pylist() == [mantissa * 10 ** (8 - digits)]
    else:
        assert found.reason[0].as_py()


def test_a_small_json_number_with_an_exponent_is_exact(frame_table: FrameTable) -> None:
    assert quote(frame_table, best_bid_size=1e-08, best_bid=1.5)["bid_size"] == 1


@pytest.mark.parametrize(
    "row", [{"product_id": 5}, {"best_bid": True}, {"sequence_num": -1}, {"best_bid": [1]}]
)
def test_a_row_of_wrong_types_is_a_domain_error(row: dict[str, object]) -> None:
    with pytest.raises(MessageError):
        decode(json.dumps(ROW | row).encode())
