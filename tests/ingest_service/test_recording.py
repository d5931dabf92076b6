"""Reading whole recordings: every line is accounted for."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest_service.line import Control, Framed, Rejected
from ingest_service.recording import MAX_LINE, PATIENCE, read_recording
from volatility.errors import RecordingError

Write = Callable[..., Path]
TICKER = b'{"type":"ticker","product_id":"BTC-USD","time":"2025-11-12T07:20:11.615272Z"}'
SNAPSHOT = b'{"type":"snapshot","product_id":"BTC-USD"}'
RECV_NS = 1762932011615272000


def frames(path: Path) -> list[Framed]:
    return [line for line in read_recording(path) if isinstance(line, Framed)]


def test_connection_and_ordinal_are_the_files_where_the_line_says_nothing(
    write_lines: Write,
) -> None:
    read = frames(write_lines(TICKER, b"", TICKER))
    assert [(f.number, f.frame.conn, f.frame.frame) for f in read] == [
        (1, "recording.ndjson", 0),
        (3, "recording.ndjson", 1),
    ]
    assert {f.frame.source for f in read} == {"replay"}


def test_each_opened_connection_counts_anew(write_lines: Write) -> None:
    opened = b"wss://x <-> 1618677816.8"
    path = write_lines(opened, b"1618677817.1: " + TICKER, opened, b"1618677818.1: " + TICKER)
    assert [(f.frame.conn, f.frame.frame) for f in frames(path)] == [
        ("recording.ndjson#1", 0),
        ("recording.ndjson#2", 0),
    ]


def test_gzip_is_told_by_content(tmp_path: Path) -> None:
    path = tmp_path / "plain-looking.ndjson"
    path.write_bytes(gzip.compress(TICKER + b"\n" + TICKER))
    assert len(frames(path)) == 2


def test_a_gzip_stream_that_breaks_off_costs_only_its_end(tmp_path: Path) -> None:
    path = tmp_path / "torn.gz"
    lines = b"".join(
        b'{"type":"ticker","time":"2025-11-12T07:20:11Z","n":%d}\n' % n for n in range(9999)
    )
    path.write_bytes(gzip.compress(lines)[:-2000])
    *read, last = read_recording(path)
    assert len(read) > 1000
    assert all(isinstance(line, Framed) for line in read)
    assert isinstance(last, Rejected)
    assert "breaks off" in last.reason


def test_windows_line_ends_and_a_byte_order_mark_are_not_payload(tmp_path: Path) -> None:
    path = tmp_path / "windows.ndjson"
    path.write_bytes(b"\xef\xbb\xbf" + TICKER + b"\r\n" + TICKER + b"\r\n")
    assert [f.frame.payload for f in frames(path)] == [TICKER, TICKER]


def test_a_bad_line_costs_that_line(write_lines: Write) -> None:
    kinds = [type(line) for line in read_recording(write_lines(b"oops", TICKER, b"{", TICKER))]
    assert kinds == [Rejected, Framed, Rejected, Framed]


def test_a_rejected_line_tells_number_reason_and_text(write_lines: Write) -> None:
    first, _ = read_recording(write_lines(b"oops", TICKER))
    assert first == Rejected(1, "no recording format starts like this", b"oops")


def test_a_line_too_long_for_a_frame_is_rejected_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "long.ndjson"
    path.write_bytes(b"x" * (2 * MAX_LINE + 5) + b"\n" + TICKER)
    first, second = read_recording(path)
    assert isinstance(first, Rejected)
    assert len(first.text) == 200
    assert isinstance(second, Framed)
    assert second.number == 2


def test_a_frame_without_time_takes_that_of_the_frame_before(write_lines: Write) -> None:
    read = frames(write_lines(TICKER, SNAPSHOT))
    assert [f.frame.recv_ns for f in read] == [RECV_NS, RECV_NS]


def test_leading_frames_without_time_take_that_of_the_first_with_one(write_lines: Write) -> None:
    read = frames(write_lines(SNAPSHOT, SNAPSHOT, TICKER))
    assert [f.frame.recv_ns for f in read] == [RECV_NS] * 3
    assert [f.frame.frame for f in read] == [0, 1, 2]


def test_a_file_without_any_time_is_refused(write_lines: Write) -> None:
    with pytest.raises(RecordingError, match="no time"):
        list(read_recording(write_lines(SNAPSHOT)))


@pytest.mark.parametrize(
    ("name", "reason"), [("none.ndjson", "No such file"), (".", "Is a directory")]
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(RecordingError, match=reason):
        list(read_recording(tmp_path / name))


def test_an_empty_file_is_refused(write_lines: Write) -> None:
    with pytest.raises(RecordingError, match="no lines"):
        list(read_recording(write_lines(b"", b" ")))


def test_a_file_no_format_explains_is_refused_at_its_first_line(write_lines: Write) -> None:
    path = write_lines(b"", b"time,price", b"1,2")
    with pytest.raises(RecordingError) as caught:
        list(read_recording(path))
    assert (caught.value.file, caught.value.line) == (str(path), 2)


def test_patience_with_a_strange_file_ends(write_lines: Write) -> None:
    path = write_lines(*[b"strange"] * PATIENCE, TICKER)
    with pytest.raises(RecordingError):
        list(read_recording(path))


LINES = st.sampled_from(
    [TICKER, SNAPSHOT, b"", b"oops", b"{", b"wss://x <-> 1.5", b"1.5: {}", b'{"type":"subscribe"}']
)


@given(lines=st.lists(LINES, max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_line_is_frame_control_or_rejected(write_lines: Write, lines: list[bytes]) -> None:
    path = write_lines(TICKER, *lines)
    read = Counter(type(line) for line in read_recording(path))
    assert read[Framed] + read[Control] + read[Rejected] == 1 + sum(1 for line in lines if line)


EXPECTED = {
    "exchange_ticker_btc_2025-11-12.ndjson": (6000, 6000, 0),
    "advanced_ticker_envelope_btc_2026-04-05.ndjson": (5971, 5971, 0),
    "advanced_ticker_flat_btc_eth_2026-04-04.ndjson": (2500, 2500, 0),
    "advanced_ticker_flat_btc_2026-04-04_65min.ndjson": (10881, 10881, 0),
    "exchange_all_channels_10_products_2021-04-17.rec": (9950, 9946, 4),
    "exchange_rest_products_2021-04-17.rec": (2, 0, 2),
}


@pytest.mark.shared_data
@pytest.mark.parametrize("name", EXPECTED)
def test_real_recordings_are_understood_line_by_line(shared_data: Path, name: str) -> None:
    """Lines, frames and control lines; not one rejected."""
    read = Counter(type(line) for line in read_recording(shared_data / "coinbase" / name))
    assert (read.total(), read[Framed], read[Control]) == EXPECTED[name]
    assert not read[Rejected]
