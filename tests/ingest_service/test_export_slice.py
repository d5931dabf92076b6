"""The newest part of the record, replayable."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_lake.clock import ManualClock
from data_lake.lake import Lake
from ingest_service.direct_sink import DirectSink
from ingest_service.export_slice import MINUTE_NS, encode_line, export_slice
from ingest_service.line import Framed
from ingest_service.recording import read_recording
from ingest_service.shape import Content, explain
from ingest_service.transport import Transport
from volatility.errors import LakeError, RecordingError
from volatility.frame import Frame

NOW = 1_762_932_011_123_456_789
CLOCK = ManualClock(NOW)


def frame(n: int, *, minutes_ago: float = 0.0, payload: bytes = b"{}") -> Frame:
    return Frame(
        recv_ns=NOW - int(minutes_ago * MINUTE_NS),
        source="sim",
        feed="advanced",
        conn="c",
        frame=n,
        product="BTC-USD",
        payload=payload,
    )


def record(lake: Path, *frames: Frame, rows_per_file: int = 2) -> Transport:
    sink = DirectSink(Lake(str(lake)), CLOCK, max_rows=rows_per_file)
    for one in frames:
        sink.put(one)
    sink.close()
    return Transport(str(lake))


def test_a_slice_reads_back_as_the_very_frames(tmp_path: Path) -> None:
    frames = [frame(n, payload=b'{"n":%d,"\xe2\x82\xac":"\\n"}' % n) for n in range(5)]
    report = export_slice(record(tmp_path / "lake", *frames), tmp_path / "out.ndjson")
    read = [
        line.frame for line in read_recording(tmp_path / "out.ndjson") if isinstance(line, Framed)
    ]
    assert read == frames
    assert (report.frames, report.first_recv_ns, report.last_recv_ns) == (5, NOW, NOW)


def test_a_line_has_the_seeds_three_keys_first(tmp_path: Path) -> None:
    line = encode_line(frame(3))
    assert line is not None
    assert list(json.loads(line))[:3] == ["ts", "pair", "raw"]
    assert line.startswith(b'{"ts":1762932011.123456789,"pair":"BTC-USD","raw":"{}"')


def test_only_the_last_minutes_are_exported_counted_from_the_newest_frame(tmp_path: Path) -> None:
    ages = (40, 30, 20, 9, 8, 1, 0)
    frames = [frame(n, minutes_ago=age) for n, age in enumerate(ages)]
    transport = record(tmp_path / "lake", *frames)
    assert export_slice(transport, tmp_path / "out", minutes=10).frames == 4
    assert export_slice(transport, tmp_path / "out", minutes=1000).frames == 7


def test_bytes_that_are_no_text_are_skipped_and_counted(tmp_path: Path) -> None:
    transport = record(tmp_path / "lake", frame(0), frame(1, payload=b"\xff"))
    report = export_slice(transport, tmp_path / "out")
    assert (report.frames, report.skipped) == (1, 1)


def test_an_empty_lake_has_nothing_to_export(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="no frames yet"):
        export_slice(Transport(str(tmp_path / "lake")), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    transport = record(tmp_path / "lake", frame(0))
    with pytest.raises(RecordingError, match="No such file"):
        export_slice(transport, tmp_path / "nowhere" / "out")


def test_a_place_below_a_file_is_named(tmp_path: Path) -> None:
    transport = record(tmp_path / "lake", frame(0))
    (tmp_path / "file").write_text("in the way")
    out = tmp_path / "file" / "out"
    with pytest.raises(RecordingError, match="Not a directory") as caught:
        export_slice(transport, out)
    assert caught.value.file == str(out)


@given(st.text(), st.integers(1, 2**62), st.integers(0, 2**40))
def test_encoding_and_explaining_are_inverse(text: str, recv_ns: int, ordinal: int) -> None:
    payload = text.encode(errors="ignore")
    one = Frame(
        recv_ns=recv_ns,
        source="sim",
        feed="flat",
        conn="c",
        frame=ordinal,
        product=None,
        payload=payload,
    )
    line = encode_line(one)
    assert line is not None
    assert explain(line.removesuffix(b"\n")) == Content(
        payload=payload, recv_ns=recv_ns, feed="flat", source="sim", conn="c", frame=ordinal
    )
