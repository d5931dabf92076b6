"""Read a recording, plain or gzip, line by line; every line is accounted for.

lines = framed + control + rejected, empty lines aside. One bad line costs that line; a file in
which no line is understood is refused as a whole.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Final, cast

import msgspec

from ingest_service.line import Control, Framed, Line, Rejected
from ingest_service.shape import Content, Note, explain
from volatility.errors import MessageError, RecordingError
from volatility.frame import Feed, Frame
from volatility.peek import peek

MAX_LINE: Final = 40 << 20
"""Bytes in the longest line read whole: a 16 MiB frame, escaped. A longer one is rejected."""

PATIENCE: Final = 1000
"""Lines we look at before saying that no format explains the file."""

_GZIP: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"


def read_recording(path: Path) -> Iterator[Line]:
    """Yield every non-empty line of a recording as frame, control or rejected, in order.

    Receive times are the recording's, exact to the nanosecond; where it has none, the frame's
    own time stands in, and for a frame without one the frame before it. Payload bytes are as
    recorded.

    Raises:
        RecordingError: the file cannot be read, is empty, or no known format explains it.
    """
    try:
        with path.open("rb") as file:
            yield from _trusted(path, _timed(_explained(path, _numbered(_opened(file)))))
    except OSError as exc:
        raise RecordingError(str(path), 0, exc.strerror or str(exc)) from exc


def _opened(file: IO[bytes]) -> IO[bytes]:
    """The file, decompressed when it is gzip."""
    head = file.read(len(_GZIP))
    file.seek(0)
    return cast(IO[bytes], gzip.open(file)) if head == _GZIP else file


def _numbered(file: IO[bytes]) -> Iterator[tuple[int, bytes] | Rejected]:
    """Non-empty lines with their numbers; what cannot be read is rejected."""
    number = 0
    try:
        while line := file.readline(MAX_LINE):
            number += 1
            if len(line) == MAX_LINE and not line.endswith(b"\n"):
                _skip_line(file)
                yield Rejected(number, f"longer than {MAX_LINE} bytes", line[:200])
                continue
            text = (line.removeprefix(_BOM) if number == 1 else line).strip()
            if text:
                yield number, text
    except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
        yield Rejected(number + 1, f"the gzip stream breaks off: {exc}", b"")


def _skip_line(file: IO[bytes]) -> None:
    while (rest := file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
        pass


class _Untimed(Framed, frozen=True):
    """A frame that waits for the first time known in the file."""


def _explained(path: Path, lines: Iterator[tuple[int, bytes] | Rejected]) -> Iterator[Line]:
    """Lines with their meaning; a frame takes what it does not say from the frames before it."""
    name = path.name.removesuffix(".gz")
    opened, ordinal, recv_ns = 0, 0, 0
    feed: Feed = "exchange"
    for line in lines:
        if isinstance(line, Rejected):
            yield line
            continue
        number, text = line
        try:
            said = explain(text)
        except MessageError as exc:
            yield Rejected(number, str(exc), text)
            continue
        if isinstance(said, Note):
            if said.opens_connection:
                opened, ordinal = opened + 1, 0
            yield Control(number, said.reason)
            continue
        feed = said.feed or feed
        recv_ns = said.recv_ns or recv_ns
        conn = f"{name}#{opened}" if opened else name
        frame = _frame(said, feed, recv_ns, conn, ordinal)
        ordinal += 1
        yield Framed(number, frame) if recv_ns else _Untimed(number, frame)


def _frame(said: Content, feed: Feed, recv_ns: int, conn: str, ordinal: int) -> Frame:
    return Frame(
        recv_ns=recv_ns,
        source=said.source,
        feed=feed,
        conn=said.conn or conn,
        frame=ordinal if said.frame is None else said.frame,
        product=said.product or peek(said.payload, feed).product,
        payload=said.payload,
    )


def _timed(lines: Iterator[Line]) -> Iterator[Line]:
    """Give leading frames without a time the time of the first frame that has one."""
    waiting: list[Line] = []
    for line in lines:
        if isinstance(line, Framed) and not isinstance(line, _Untimed):
            yield from (_at(w, line.frame.recv_ns) for w in waiting)
            yield line
            yield from lines
            return
        waiting.append(line)
    yield from (
        Rejected(w.number, "no time in the line, nor anywhere in the file", w.frame.payload)
        if isinstance(w, _Untimed)
        else w
        for w in waiting
    )


def _at(line: Line, recv_ns: int) -> Line:
    if not isinstance(line, _Untimed):
        return line
    return Framed(line.number, msgspec.structs.replace(line.frame, recv_ns=recv_ns))


def _trusted(path: Path, lines: Iterator[Line]) -> Iterator[Line]:
    """Hold rejected lines back until one line is understood; refuse a file that has none."""
    rejected: list[Rejected] = []
    for line in lines:
        if not isinstance(line, Rejected):
            yield from chain(rejected, [line], lines)
            return
        rejected.append(line)
        if len(rejected) == PATIENCE:
            break
    if not rejected:
        raise RecordingError(str(path), 0, "no lines")
    raise RecordingError(str(path), rejected[0].number, rejected[0].reason)
