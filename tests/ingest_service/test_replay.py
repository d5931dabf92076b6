"""Recordings through the path of live frames, accounted for line by line."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from data_lake.chain import chain, read_frames
from data_lake.clock import ManualClock
from data_lake.lake import Lake
from ingest_service.dead_letter import MemoryDeadLetters
from ingest_service.replay import Replay, parse_speed, run_replay
from ingest_service.replay_report import ReplayReport
from ingest_service.sink import MemorySink
from ingest_service.transport import Transport
from volatility.errors import RecordingError, SettingError

Write = Callable[..., Path]
CLOCK = ManualClock(1_800_000_000_000_000_000)


def ticker(trade_id: int, second: int = 11, price: str = "100.5") -> bytes:
    return json.dumps(
        {
            "type": "ticker",
            "sequence": trade_id * 2,
            "product_id": "BTC-USD",
            "price": price,
            "best_bid": "100.4",
            "best_bid_size": "1",
            "best_ask": "100.6",
            "best_ask_size": "2",
            "side": "buy",
            "time": f"2025-11-12T07:20:{second:02d}.615272Z",
            "trade_id": trade_id,
            "last_size": "0.1",
        }
    ).encode()


def test_lines_are_rows_duplicates_control_or_rejected(write_lines: Write, tmp_path: Path) -> None:
    path = write_lines(
        ticker(1),
        ticker(1),
        b'{"type":"subscriptions","channels":[]}',
        b'{"type":"subscribe"}',
        ticker(2, price="nonsense"),
        b"oops",
        ticker(5),
    )
    sink, letters = MemorySink(), MemoryDeadLetters()
    report = Replay(sink, letters, clock=CLOCK, reports=tmp_path / "rejected").run([path])
    count = report.total
    figures = (count.lines, count.rows, count.duplicates, count.control, count.rejected)
    assert figures == (7, 3, 1, 2, 1)
    assert count.unexplained == 0
    assert len(sink.frames) == count.frames == 5


def test_holes_in_the_trade_ids_are_counted(write_lines: Write, tmp_path: Path) -> None:
    path = write_lines(ticker(1), ticker(4), ticker(5), ticker(105))
    report = Replay(MemorySink(), MemoryDeadLetters(), clock=CLOCK, reports=tmp_path).run([path])
    assert (report.trades, report.gaps, report.missing) == (4, 2, 101)


def test_a_duplicate_counts_across_files(write_lines: Write, tmp_path: Path) -> None:
    paths = [write_lines(ticker(1), ticker(2), name=name) for name in ("a", "b")]
    report = Replay(MemorySink(), MemoryDeadLetters(), clock=CLOCK, reports=tmp_path).run(paths)
    assert [(f.rows, f.duplicates) for f in report.files] == [(2, 0), (0, 2)]


def test_rejected_lines_are_listed_and_become_dead_letters(
    write_lines: Write, tmp_path: Path
) -> None:
    path = write_lines(
        ticker(1), b"oops \xff", b'{"type":"ticker","product_id":1}', name="r.ndjson"
    )
    letters = MemoryDeadLetters()
    reports = tmp_path / "reports"
    report = Replay(MemorySink(), letters, clock=CLOCK, reports=reports).run([path])
    listed = [json.loads(line) for line in (reports / "r.ndjson.ndjson").read_text().splitlines()]
    assert [entry["line"] for entry in listed] == [2, 3]
    assert all(entry["reason"] for entry in listed)
    assert [(letter.payload, letter.origin) for letter in letters.letters] == [
        (b"oops \xff", "r.ndjson:2"),
        (b'{"type":"ticker","product_id":1}', "r.ndjson:3"),
    ]
    assert report.files[0].report == str(reports / "r.ndjson.ndjson")


def test_a_line_understood_in_part_is_counted_listed_and_a_dead_letter(
    write_lines: Write, tmp_path: Path
) -> None:
    half = ticker(2, price="NaN")
    path = write_lines(ticker(1), half, name="r")
    letters = MemoryDeadLetters()
    report = Replay(MemorySink(), letters, clock=CLOCK, reports=tmp_path / "reports").run([path])
    count = report.total
    assert (count.lines, count.rows, count.rejected, count.partly_rejected) == (2, 2, 0, 1)
    assert count.unexplained == 0
    (listed,) = map(json.loads, (tmp_path / "reports" / "r.ndjson").read_text().splitlines())
    assert (listed["line"], listed["text"]) == (2, half.decode())
    assert listed["reason"] == "partly: 'NaN' is not a plain decimal - at `$.price`"
    assert [letter.payload for letter in letters.letters] == [half]
    assert "1 lines partly rejected" in shown(report)
    assert json.loads(report.to_json())["files"][0]["partly_rejected"] == 1


def test_files_of_one_name_have_reports_of_their_own_in_line_order(
    write_lines: Write, tmp_path: Path
) -> None:
    for folder in "abc":
        (tmp_path / folder).mkdir()
    bad_frame = b'{"type":"ticker","product_id":1}'
    paths = [
        write_lines(ticker(1), bad_frame, b"oops", name="a/r"),
        write_lines(ticker(2), name="b/r"),
        write_lines(ticker(3), b"oops", bad_frame, b"oops", name="c/r"),
    ]
    reports = tmp_path / "reports"
    report = Replay(MemorySink(), MemoryDeadLetters(), clock=CLOCK, reports=reports).run(paths)
    places = [file.report for file in report.files]
    assert places == [str(reports / "r.ndjson"), None, str(reports / "r-3.ndjson")]
    for place, lines in ((places[0], [2, 3]), (places[2], [2, 3, 4])):
        listed = Path(place or "").read_text().splitlines()
        assert [json.loads(line)["line"] for line in listed] == lines


def test_frames_keep_receive_time_and_bytes(write_lines: Write, tmp_path: Path) -> None:
    sink = MemorySink()
    Replay(sink, MemoryDeadLetters(), clock=CLOCK, reports=tmp_path).run(
        [write_lines(b"1618677817.0208309: " + ticker(1))]
    )
    assert sink.frames[0].payload == ticker(1)
    assert sink.frames[0].recv_ns == 1618677817020830900


def test_speed_stretches_the_time_between_frames(write_lines: Write, tmp_path: Path) -> None:
    clock, slept = ManualClock(0), list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.ns += round(seconds * 1e9)

    replay = Replay(
        MemorySink(), MemoryDeadLetters(), clock=clock, reports=tmp_path, speed=2.0, sleep=sleep
    )
    replay.run([write_lines(ticker(1, 10), ticker(2, 14), ticker(3, 15))])
    assert slept == [2.0, 0.5]


@pytest.mark.parametrize(("text", "speed"), [("max", None), ("1", 1.0), ("0.5", 0.5)])
def test_speed_is_max_or_a_factor(text: str, speed: float | None) -> None:
    assert parse_speed(text) == speed


@pytest.mark.parametrize("text", ["", "fast", "0", "-1", "inf", "nan"])
def test_other_speeds_are_refused(text: str) -> None:
    with pytest.raises(SettingError, match="speed="):
        parse_speed(text)


def test_a_missing_file_stops_before_anything_is_written(
    write_lines: Write, tmp_path: Path
) -> None:
    lake = tmp_path / "lake"
    paths = [write_lines(ticker(1)), tmp_path / "none"]
    with pytest.raises(RecordingError, match="no such file"):
        run_replay(paths, Transport(str(lake)), CLOCK, reports=tmp_path)
    assert not chain(Lake(str(lake)))


def test_a_file_no_format_explains_stops_before_anything_is_written(
    write_lines: Write, tmp_path: Path
) -> None:
    lake = tmp_path / "lake"
    paths = [write_lines(ticker(1)), write_lines(b"\x00\x01", name="bad.bin")]
    with pytest.raises(RecordingError, match=r"bad\.bin"):
        run_replay(paths, Transport(str(lake)), CLOCK, reports=tmp_path)
    assert not chain(Lake(str(lake)))


@pytest.mark.parametrize("path", [Path("/dev/null"), Path("/")])
def test_what_is_no_regular_file_is_called_so(path: Path, tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="not a regular file"):
        run_replay([path], Transport(str(tmp_path / "lake")), CLOCK, reports=tmp_path)


def test_replaying_into_a_lake_twice_finds_only_duplicates(
    write_lines: Write, tmp_path: Path
) -> None:
    transport, path = Transport(str(tmp_path / "lake")), write_lines(ticker(1), ticker(3))
    first = run_replay([path], transport, CLOCK, reports=tmp_path)
    second = run_replay([path], transport, CLOCK, reports=tmp_path)
    assert (first.total.rows, first.total.duplicates) == (2, 0)
    assert (second.total.rows, second.total.duplicates) == (0, 2)
    assert (second.trades, second.gaps, second.missing) == (2, 1, 1)
    frames = read_frames(Lake(transport.lake_root))
    assert frames["offset"].to_pylist() == [0, 1, 2, 3]
    assert set(frames["payload"].to_pylist()) == {ticker(1), ticker(3)}


def shown(report: ReplayReport, width: int = 160) -> str:
    """What a terminal shows."""
    console = Console(record=True, width=width, file=io.StringIO())
    console.print(report.render())
    return console.export_text()


def test_the_report_renders_and_is_json(write_lines: Write, tmp_path: Path) -> None:
    report = Replay(MemorySink(), MemoryDeadLetters(), clock=CLOCK, reports=tmp_path).run(
        [write_lines(ticker(1), ticker(3))]
    )
    text = shown(report)
    assert "2 distinct trades" in text
    assert "1 trades missing" in text
    assert "partly rejected" not in text
    assert json.loads(report.to_json())["missing"] == 1


def test_names_of_recordings_are_shown_whole(write_lines: Write, tmp_path: Path) -> None:
    """However narrow the terminal, and whatever rich takes for markup."""
    names = ["[bold]x", "long" * 30 + "end"]
    paths = [write_lines(ticker(n), name=name) for n, name in enumerate(names, 1)]
    report = Replay(MemorySink(), MemoryDeadLetters(), clock=CLOCK, reports=tmp_path).run(paths)
    assert names[0] in shown(report)
    cells = [line[1:].partition("│")[0].strip() for line in shown(report, 100).splitlines()]
    assert names[1] in "".join(cells)


@pytest.mark.shared_data
def test_the_real_ticker_recording_is_explained_to_the_last_line(
    shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "coinbase" / "exchange_ticker_btc_2025-11-12.ndjson"
    report = run_replay([path], Transport(str(tmp_path / "lake")), CLOCK, reports=tmp_path)
    count = report.total
    assert (count.lines, count.rows, count.duplicates, count.control) == (6000, 5996, 0, 4)
    assert (report.tickers, report.trades) == (5996, 5996)
    assert (report.gaps, report.missing) == (3, 1_290_149)


@pytest.mark.shared_data
def test_every_line_of_every_real_recording_is_explained(shared_data: Path, tmp_path: Path) -> None:
    paths = sorted((shared_data / "coinbase").iterdir())
    report = run_replay(paths, Transport(str(tmp_path / "lake")), CLOCK, reports=tmp_path)
    assert [file.unexplained for file in report.files] == [0] * len(paths)
    assert report.total.rejected == 0
