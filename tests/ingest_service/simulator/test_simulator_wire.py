"""Frames, byte for byte."""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.simulator.listing import listing
from ingest_service.simulator.tape import Day, Fills, Heartbeats, Tape
from ingest_service.simulator.wire import (
    error_frame,
    fixed,
    heartbeat_frames,
    last_match,
    rfc3339,
    subscriptions_frame,
    trade_frames,
    trimmed,
)


def column(*units: int) -> np.ndarray:
    return np.array(units, dtype=np.int64)


def tape() -> Tape:
    """A buy that meets a partial level, then a sell, one second later."""
    return Tape(
        listing=listing("BTC-USD"),
        trade_id=column(900701309, 900701310),
        ts_event=column(1_762_932_011_615_272_000, 1_762_932_012_000_000_000),
        sequence=column(115498669093, 115498669849),
        fills=Fills(
            order=column(0, 1),
            price=column(10347228, 10347200),
            size=column(68754, 100_000_000),
            taker_sign=column(1, -1),
            bid=column(10347227, 10347200),
            ask=column(10347228, 10347230),
            bid_size=column(4145138, 200_000_000),
            ask_size=column(2560996, 1),
        ),
        day=Day(
            open_24h=column(10476320, 10476320),
            low_24h=column(10242243, 10242243),
            high_24h=column(10550483, 10550000),
            volume_24h=column(546174127717, 546274127717),
            volume_30d=column(22213761075405, 22213861075405),
        ),
        heartbeats=Heartbeats(
            ts_event=column(1_762_932_012_464_459_000),
            sequence=column(115498669900),
            last_trade_id=column(900701310),
        ),
        order_ids="0123456789abcdef" * 8,
    )


def test_a_ticker_frame_is_byte_for_byte_the_real_one() -> None:
    """The expected text is in the form of the documented frame of 2025."""
    assert trade_frames(tape())[1] == (
        b'{"type":"ticker","sequence":115498669093,"product_id":"BTC-USD","price":"103472.28",'
        b'"open_24h":"104763.2","volume_24h":"5461.74127717","low_24h":"102422.43",'
        b'"high_24h":"105504.83","volume_30d":"222137.61075405","best_bid":"103472.27",'
        b'"best_bid_size":"0.04145138","best_ask":"103472.28","best_ask_size":"0.02560996",'
        b'"side":"buy","time":"2025-11-12T07:20:11.615272Z","trade_id":900701309,'
        b'"last_size":"0.00068754"}'
    )


def test_a_match_frame_is_byte_for_byte_the_real_one() -> None:
    assert trade_frames(tape())[0] == (
        b'{"type":"match","trade_id":900701309,'
        b'"maker_order_id":"01234567-89ab-4def-a123-456789abcdef",'
        b'"taker_order_id":"01234567-89ab-4def-a123-456789abcdef","side":"sell",'
        b'"size":"0.00068754","price":"103472.28","product_id":"BTC-USD",'
        b'"sequence":115498669093,"time":"2025-11-12T07:20:11.615272Z"}'
    )


def test_prices_and_sizes_lose_trailing_zeros_but_the_book_keeps_them() -> None:
    frame = trade_frames(tape())[3]
    assert b'"price":"103472"' in frame
    assert b'"last_size":"1"' in frame
    assert b'"best_bid":"103472.00","best_bid_size":"2.00000000"' in frame
    assert b'"high_24h":"105500"' in frame
    assert b'"time":"2025-11-12T07:20:12.000000Z"' in frame


def test_ticker_and_match_of_a_trade_have_opposite_sides() -> None:
    frames = [msgspec.json.decode(frame) for frame in trade_frames(tape())]
    for match, ticker in zip(frames[0::2], frames[1::2], strict=True):
        assert match["trade_id"] == ticker["trade_id"]
        assert match["sequence"] == ticker["sequence"]
        assert {match["side"], ticker["side"]} == {"buy", "sell"}
    assert [frame["side"] for frame in frames] == ["sell", "buy", "buy", "sell"]


def test_a_heartbeat_frame_is_byte_for_byte_as_documented() -> None:
    assert heartbeat_frames(tape()) == [
        b'{"type":"heartbeat","sequence":115498669900,"last_trade_id":900701310,'
        b'"product_id":"BTC-USD","time":"2025-11-12T07:20:12.464459Z"}'
    ]


def test_the_snapshot_of_a_match_differs_in_its_type_only() -> None:
    match = trade_frames(tape())[0]
    assert last_match(match) == match.replace(b'"type":"match"', b'"type":"last_match"')


def test_control_frames_are_byte_for_byte_the_real_ones() -> None:
    assert subscriptions_frame({"ticker": ["BTC-USD"]}) == (
        b'{"type":"subscriptions","channels":'
        b'[{"name":"ticker","product_ids":["BTC-USD"],"account_ids":null}]}'
    )
    assert error_frame("Failed to subscribe", "no") == (
        b'{"type":"error","message":"Failed to subscribe","reason":"no"}'
    )
    assert error_frame("Malformed JSON") == b'{"type":"error","message":"Malformed JSON"}'


def test_order_ids_are_version_4_uuids() -> None:
    frame = msgspec.json.decode(trade_frames(tape())[2])
    form = r"[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-a[\da-f]{3}-[\da-f]{12}"
    assert re.fullmatch(form, frame["maker_order_id"])
    assert re.fullmatch(form, frame["taker_order_id"])


@given(st.lists(st.integers(0, 10**18)), st.integers(0, 12))
def test_decimal_text_is_exact(units: list[int], digits: int) -> None:
    for unit, full, short in zip(units, fixed(units, digits), trimmed(units, digits), strict=True):
        assert Decimal(full) == Decimal(short) == Decimal(unit).scaleb(-digits)
        assert len(full.partition(".")[2]) == digits
        assert "e" not in short.lower()
        assert not (digits and "." in short and short.endswith(("0", ".")))


@pytest.mark.parametrize(
    ("ts", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1_709_164_799_999_999_000, "2024-02-28T23:59:59.999999Z"),
        (1_709_164_800_000_001_000, "2024-02-29T00:00:00.000001Z"),
    ],
)
def test_times_have_six_digits_and_end_in_z(ts: int, text: str) -> None:
    assert rfc3339([ts]) == [text]
