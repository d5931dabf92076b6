"""Faults applied to blocks."""

from __future__ import annotations

import numpy as np
import pytest

from ingest_service.simulator.fault import parse_faults
from ingest_service.simulator.market import CHANNELS, MATCHES, Block, Market, MarketConfig
from ingest_service.simulator.mischief import MALFORMED, Mischief
from ingest_service.simulator.truth import Hole, Truth

SECOND = 1_000_000_000
CONFIG = MarketConfig(duration_s=600.0)
START = CONFIG.start_ns


def play(script: str) -> tuple[list[Block], list[Block], Truth, Mischief]:
    mischief = Mischief(parse_faults(script), CONFIG.products, START)
    truth = Truth(CONFIG.products)
    plain = list(Market(CONFIG))
    struck = [mischief.apply(block) for block in plain]
    for block in struck:
        truth.record(block)
    return plain, struck, truth, mischief


def sent(blocks: list[Block]) -> list[bytes]:
    return [
        frame
        for block in blocks
        for frame, visible in zip(block.frames, block.visible, strict=True)
        if visible
    ]


def matches(frames: list[bytes]) -> int:
    return sum(frame.startswith(b'{"type":"match"') for frame in frames)


def missing(truth: Truth) -> int:
    """Trades of the holes, the opening trades aside: those are for snapshots."""
    return sum(hole.to_trade_id - hole.from_trade_id + 1 for hole in truth.holes()) - 3


def test_no_fault_changes_nothing() -> None:
    plain, struck, _, mischief = play("")
    assert sent(plain) == sent(struck)
    assert mischief.happened == []


def test_a_drop_withholds_the_next_trades_whole() -> None:
    plain, struck, truth, _ = play("drop@100:trades=20:product=ETH-USD")
    gone = set(sent(plain)) - set(sent(struck))
    assert len(gone) == 40  # match and ticker
    assert all(b'"ETH-USD"' in frame for frame in gone)
    assert missing(truth) == 20
    assert [h.product for h in truth.holes()].count("ETH-USD") == 2


def test_a_long_drop_goes_on_in_the_next_minutes() -> None:
    _, _, truth, mischief = play("drop@50:trades=400")
    assert missing(truth) == 400
    assert len(mischief.happened) == 1


def test_a_drop_of_a_product_not_listed_never_finds_its_trades() -> None:
    plain, struck, _, _ = play("drop@50:product=XRP-USD")
    assert sent(plain) == sent(struck)


def test_duplicates_follow_their_originals() -> None:
    plain, struck, truth, _ = play("duplicate@100:trades=7")
    frames = sent(struck)
    assert len(frames) == len(sent(plain)) + 14
    assert matches(frames) == matches(sent(plain)) + 7
    doubled = [i for i in range(len(frames) - 3) if frames[i : i + 2] == frames[i + 2 : i + 4]]
    assert len(doubled) == 7
    assert missing(truth) == 0


@pytest.mark.parametrize("count", [1, 6])
def test_malformed_frames_go_to_everybody_at_their_time(count: int) -> None:
    plain, struck, _, _ = play(f"malformed@123:count={count}")
    extra = [frame for frame in sent(struck) if frame in MALFORMED]
    assert extra == [MALFORMED[i % len(MALFORMED)] for i in range(count)]
    assert [frame for frame in sent(struck) if frame not in MALFORMED] == sent(plain)
    block = struck[2]
    first = next(i for i, frame in enumerate(block.frames) if frame in MALFORMED)
    assert block.topic[first] == len(CHANNELS) * len(CONFIG.products)
    assert (
        (block.ts_event[first - 1] - START) / SECOND
        < 123
        <= (block.ts_event[first] - START) / SECOND
    )


def test_an_error_frame_is_one_more_frame() -> None:
    plain, struck, _, _ = play("error@300")
    (extra,) = set(sent(struck)) - set(sent(plain))
    assert extra == b'{"type":"error","message":"Internal error"}'


def test_a_disconnection_notes_its_row_and_silences_the_outage() -> None:
    plain, struck, truth, _ = play("disconnect@110:code=1012:outage=30")
    ((row, code),) = struck[1].closes
    assert code == 1012
    assert struck[1].ts_event[row - 1] < START + 110 * SECOND <= struck[1].ts_event[row]
    for before, after in zip(plain, struck, strict=True):
        silent = (after.ts_event >= START + 110 * SECOND) & (after.ts_event < START + 140 * SECOND)
        assert not after.visible[silent].any()
        assert (after.visible[~silent] == before.visible[~silent]).all()
    outage = (np.concatenate([b.tapes[0].ts_event for b in plain]) - START) / SECOND
    expected = int(((outage >= 110) & (outage < 140)).sum())
    hole = [h for h in truth.holes() if h.product == "BTC-USD"][-1]
    assert hole.to_trade_id - hole.from_trade_id + 1 == expected


def test_rows_of_a_disconnection_stand_when_other_faults_insert() -> None:
    _, struck, _, _ = play("malformed@61:count=5,disconnect@110,duplicate@70:trades=9,error@62")
    ((row, _),) = struck[1].closes
    assert struck[1].ts_event[row - 1] < START + 110 * SECOND <= struck[1].ts_event[row]


def test_what_a_snapshot_shows_is_no_hole() -> None:
    _, struck, truth, _ = play("drop@100:trades=9:product=SOL-USD")
    hole = [h for h in truth.holes() if h.product == "SOL-USD"][-1]
    truth.shown("SOL-USD", hole.to_trade_id)
    assert truth.holes()[-1] == Hole("SOL-USD", hole.from_trade_id, hole.to_trade_id - 1)
    rows = truth.trades().num_rows
    assert truth.sent_trades().num_rows == rows - missing(truth) - 3
    total = sum(int((b.topic % 3 == MATCHES)[b.trade_id > 0].sum()) for b in struck)
    assert rows == total
