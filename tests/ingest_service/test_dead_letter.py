"""Bytes nobody could use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data_lake.chain import chain, read_frames
from data_lake.clock import ManualClock
from data_lake.lake import Lake
from ingest_service.dead_letter import DeadLetter
from ingest_service.topic import DEAD_LETTER
from ingest_service.transport import Transport
from volatility.frame import Frame
from volatility.normalise import normalise


def letter(payload: bytes) -> DeadLetter:
    frame = Frame(
        recv_ns=1_762_932_011_000_000_000,
        source="live",
        feed="exchange",
        conn="c",
        frame=3,
        product=None,
        payload=payload,
    )
    return DeadLetter(frame, "not JSON", "wss://x")


@pytest.mark.parametrize(
    ("payload", "spelled"), [(b"{oops", {"text": "{oops"}), (b"\xff\xfe", {"base64": "//4="})]
)
def test_in_direct_mode_a_letter_is_a_fact_in_a_chain_of_its_own(
    tmp_path: Path, payload: bytes, spelled: dict[str, str]
) -> None:
    letters = Transport(str(tmp_path)).open_dead_letters(ManualClock(0))
    letters.put(letter(payload))
    letters.close()
    lake = Lake(str(tmp_path))
    assert [file.topic for file in chain(lake)] == [DEAD_LETTER]
    (row,) = read_frames(lake).to_pylist()
    assert row["feed"] == "ingestor"
    body = json.loads(row["payload"])
    assert (body["reason"], body["origin"]) == ("not JSON", "wss://x")
    assert spelled.items() <= body.items()


def test_a_letter_in_the_lake_is_never_taken_for_market_data(tmp_path: Path) -> None:
    letters = Transport(str(tmp_path)).open_dead_letters(ManualClock(0))
    letters.put(letter(b'{"type":"ticker"}'))
    letters.close()
    done = normalise(read_frames(Lake(str(tmp_path))))
    assert done.verdict.to_pylist() == ["control"]
    assert done.trades.num_rows == done.quotes.num_rows == 0


def test_nothing_is_opened_while_there_is_no_letter(tmp_path: Path) -> None:
    Transport(str(tmp_path / "lake")).open_dead_letters(ManualClock(0)).close()
    assert not (tmp_path / "lake").exists()
