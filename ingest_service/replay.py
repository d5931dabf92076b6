"""Recordings through the same path as live frames, keeping their receive times."""

from __future__ import annotations

import itertools
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from data_lake.chain import BronzeFile, chain, read_frames
from data_lake.clock import Clock
from data_lake.lake import Lake
from ingest_service.account import Account, Origin, Prior, Refusal
from ingest_service.dead_letter import DeadLetter, DeadLetters
from ingest_service.line import Framed, Line, Rejected
from ingest_service.recording import read_recording
from ingest_service.rejected_lines import RejectedLines
from ingest_service.replay_report import FileCount, ReplayReport
from ingest_service.sink import Sink
from ingest_service.transport import Transport
from volatility.errors import RecordingError, SettingError
from volatility.frame import Frame

SECOND_NS: Final = 1_000_000_000
Sleep = Callable[[float], None]


def parse_speed(text: str) -> float | None:
    """`max` is None: as fast as possible; a number is how many times faster than it happened.

    Raises:
        SettingError: neither.
    """
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise SettingError("speed", text, "`max`, or how many times faster than it happened")
    return speed


class _Pace:
    """Waits so that frames follow each other as they did, `speed` times as fast."""

    def __init__(self, speed: float | None, clock: Clock, sleep: Sleep) -> None:
        self._speed, self._clock, self._sleep = speed, clock, sleep
        self._first_ns: int | None = None
        self._start_ns = 0

    def wait(self, recv_ns: int) -> None:
        if self._speed is None:
            return
        if self._first_ns is None:
            self._first_ns, self._start_ns = recv_ns, self._clock.now_ns()
        due_ns = self._start_ns + (recv_ns - self._first_ns) / self._speed
        early_s = (due_ns - self._clock.now_ns()) / SECOND_NS
        if early_s > 0:
            self._sleep(early_s)


class _File:
    """One recording on its way through: its counts, and its rejected lines."""

    def __init__(self, path: Path, reports: Path, name: str) -> None:
        """`name` is that of its rejected-lines report."""
        self.count = FileCount(file=str(path))
        self.name = name
        self.rejected = RejectedLines(reports, name)

    def close(self) -> None:
        report = self.rejected.close()
        self.count.report = None if report is None else str(report)


class Replay:
    """Takes recordings to a sink; every line of theirs ends in exactly one column of the report."""

    def __init__(
        self,
        sink: Sink,
        dead_letters: DeadLetters,
        *,
        clock: Clock,
        reports: Path,
        speed: float | None = None,
        sleep: Sleep = time.sleep,
        prior: Prior | None = None,
    ) -> None:
        """`reports` is the folder of rejected-lines reports; `prior` what the lake holds now."""
        self._sink, self._dead_letters, self._clock = sink, dead_letters, clock
        self._reports, self._prior = reports, prior
        self._pace = _Pace(speed, clock, sleep)
        self._account = Account(self._refuse)
        self._files: list[_File] = []

    def run(self, paths: Sequence[Path]) -> ReplayReport:
        """Replay the recordings one after the other, flush, and report.

        A recording no format explains stops the replay before any of its lines is taken; those
        before it are durable then. `check_recordings` tells beforehand.

        Raises:
            RecordingError: a recording cannot be read or explained.
            CryptovolError: the sink cannot take more.
        """
        try:
            for path in paths:
                self._replay_file(path)
        finally:
            self._sink.flush()
        outcome = self._account.finish(self._prior)
        for file in self._files:
            file.close()
        return ReplayReport.of([file.count for file in self._files], outcome)

    def _replay_file(self, path: Path) -> None:
        lines = read_recording(path)
        file = _File(path, self._reports, self._report_name(path))
        self._files.append(file)
        for line in lines:
            self._take(file, line)

    def _report_name(self, path: Path) -> str:
        """The recording's name, numbered where an earlier one is called the same."""
        taken = {file.name for file in self._files}
        numbered = (f"{path.name}-{n}" for n in itertools.count(2))
        return next(name for name in itertools.chain([path.name], numbered) if name not in taken)

    def _take(self, file: _File, line: Line) -> None:
        file.count.lines += 1
        if isinstance(line, Framed):
            file.count.add(line.frame.recv_ns)
            self._pace.wait(line.frame.recv_ns)
            self._sink.put(line.frame)
            self._account.add(line.frame, Origin(len(self._files) - 1, line.number))
        elif isinstance(line, Rejected):
            origin = Origin(len(self._files) - 1, line.number)
            self._account.refuse(Refusal(origin, line.reason, line.text))
        else:
            file.count.control += 1

    def _refuse(self, refusal: Refusal) -> None:
        """List a line and keep its bytes."""
        file = self._files[refusal.origin.file]
        number, reason, text = refusal.origin.line, refusal.reason, refusal.payload
        file.rejected.add(number, reason, text)
        name = Path(file.count.file).name
        frame = Frame(
            recv_ns=self._clock.now_ns(),
            source="replay",
            feed="exchange",
            conn=name,
            frame=number,
            product=None,
            payload=text,
        )
        self._dead_letters.put(DeadLetter(frame, reason, f"{name}:{number}"))


def check_recordings(paths: Sequence[Path]) -> None:
    """Look at the first lines of every recording, so that a bad one stops a replay at the start.

    Raises:
        RecordingError: one is missing, no regular file, cannot be read, or is explained by no
            format.
    """
    for path in paths:
        try:
            mode = path.stat().st_mode
        except FileNotFoundError as exc:
            raise RecordingError(str(path), 0, "no such file") from exc
        except OSError as exc:
            raise RecordingError(str(path), 0, exc.strerror or str(exc)) from exc
        if not stat.S_ISREG(mode):
            raise RecordingError(str(path), 0, "not a regular file")
        next(read_recording(path))


def lake_before(lake: Lake) -> Prior:
    """What the lake holds at this moment, to be asked for by hours later.

    Raises:
        LakeError: a bronze file is torn or altered.
    """
    files = chain(lake)

    def tables(hours: list[str]) -> Iterator[Any]:
        wanted = set(hours)
        for link in _touching(files, wanted):
            yield read_frames(lake, files=[link])

    return tables


def _touching(files: Iterable[BronzeFile], hours: set[str]) -> list[BronzeFile]:
    return [file for file in files if not hours.isdisjoint(file.hours)]


def run_replay(
    paths: Sequence[Path],
    transport: Transport,
    clock: Clock,
    *,
    reports: Path,
    speed: float | None = None,
) -> ReplayReport:
    """Replay recordings to where `transport` leads; see `Replay`.

    Raises:
        RecordingError: a recording is missing, or cannot be read or explained.
        BrokerError: Kafka cannot be reached or refuses.
        LakeError: the lake cannot be opened or written.
    """
    check_recordings(paths)
    prior = lake_before(Lake(transport.lake_root))
    sink, dead_letters = transport.open_sink(clock), transport.open_dead_letters(clock)
    try:
        replay = Replay(sink, dead_letters, clock=clock, reports=reports, speed=speed, prior=prior)
        return replay.run(paths)
    finally:
        try:
            dead_letters.close()
        finally:
            sink.close()
