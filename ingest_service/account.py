"""Account for every frame of a replay: new rows, duplicates, control or rejected.

The same normalising and deduplicating that builds silver runs over the frames as they pass, so
what the account says is what silver will hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa

from data_lake.batch import Stored, rows_of
from data_lake.layout import HOUR_NS, hour_key
from volatility.array import Ints
from volatility.dedupe import distinct_quote_rows, distinct_trade_rows
from volatility.errors import ContractError
from volatility.frame import Frame
from volatility.gap import find_gaps
from volatility.normalise import Normalised, normalise
from volatility.scale import concat_scaled

CHUNK: Final = 16_384
"""Frames normalised at a time."""

Prior = Callable[[list[str]], Iterable[Any]]
"""Tables of frames that were in the lake before, for the event-time hours given."""

_TRADE_COLUMNS: Final = ["product", "trade_id", "ts_event", "ts_recv", "offset"]
_QUOTE_COLUMNS: Final = [
    *("product", "bid", "ask", "bid_size", "ask_size", "price_scale", "size_scale"),
    *("ts_event", "ts_recv", "sequence", "offset"),
]


@dataclass(frozen=True)
class Origin:
    """Where a frame stood: which file (by number in the replay) and which line."""

    file: int
    line: int


@dataclass(frozen=True)
class Refusal:
    """A line nobody understood, or a frame that broke its wire format, wholly or `partly: …`."""

    origin: Origin
    reason: str
    payload: bytes


@dataclass(frozen=True)
class Outcome:
    """What the frames of a replay came to; per-file figures by number of the file."""

    rows: Counter[int]  # frames that made at least one row nobody had made before
    duplicates: Counter[int]  # frames all of whose rows were there
    control: Counter[int]
    rejected: Counter[int]
    partly_rejected: Counter[int]  # of those with rows, new or not: frames that lost some
    kinds: Counter[str]  # frames by kind
    trades: int  # distinct in these files
    quotes: int
    gaps: int  # holes in the trade ids of these files
    missing: int  # trades in them
    first_event_ns: int | None
    last_event_ns: int | None


@dataclass
class _Pile:
    """Rows of one table, with the number of the frame each came from in `offset`."""

    columns: list[str]
    parts: list[Any] = field(default_factory=list)

    def add(self, rows: Any) -> None:
        if rows.num_rows:
            self.parts.append(rows.select(self.columns))

    def joined(self, empty: Any, before: list[Any]) -> Any:
        """All rows, those of `before` included, at common scales where there are some."""
        parts = [*before, *self.parts] or [empty.select(self.columns)]
        if "price_scale" not in self.columns:
            return pa.concat_tables(parts)
        try:
            return concat_scaled(parts)
        except ContractError:  # no scale holds all: equal prices at unlike scales stay two
            return pa.concat_tables(parts)


class Account:
    """Takes frames one by one; `finish` says what they came to."""

    def __init__(self, on_refusal: Callable[[Refusal], None]) -> None:
        self._on_refusal = on_refusal
        self._frames: list[Frame] = []
        self._origins: list[Origin] = []
        self._files: list[int] = []  # file of every frame that made rows, by frame number
        self._with_rows: list[Ints] = []  # numbers of the frames that made rows
        self._counted = 0
        self._trades, self._quotes = _Pile(_TRADE_COLUMNS), _Pile(_QUOTE_COLUMNS)
        self._control: Counter[int] = Counter()
        self._rejected: Counter[int] = Counter()
        self._partly: Counter[int] = Counter()
        self._refusals: list[Refusal] = []
        self._kinds: Counter[str] = Counter()
        self._empty: Normalised | None = None

    def add(self, frame: Frame, origin: Origin) -> None:
        """Take one frame."""
        self._frames.append(frame)
        self._origins.append(origin)
        if len(self._frames) >= CHUNK:
            self._digest()

    def refuse(self, refusal: Refusal) -> None:
        """Take a line that held no frame; it is told in its place among refused frames."""
        self._rejected[refusal.origin.file] += 1
        self._refusals.append(refusal)
        if len(self._refusals) >= CHUNK:
            self._digest()

    def finish(self, prior: Prior | None = None) -> Outcome:
        """The account of everything added; `prior` tells what the lake held before."""
        self._digest()
        empty = self._empty or normalise(_table([], 0))
        trades = self._trades.joined(empty.trades, [])
        quotes = self._quotes.joined(empty.quotes, [])
        kept_trades, kept_quotes = distinct_trade_rows(trades), distinct_quote_rows(quotes)
        gaps = find_gaps(trades.take(pa.array(kept_trades)), {})
        events = _span(trades, quotes)
        fresh = self._fresh(prior, empty, _hours(trades, quotes))
        files = np.array(self._files, np.int64)
        with_rows = np.concatenate(self._with_rows or [np.empty(0, np.int64)])
        old = np.setdiff1d(with_rows, fresh, assume_unique=True)
        return Outcome(
            rows=Counter(files[fresh].tolist()),
            duplicates=Counter(files[old].tolist()),
            control=self._control,
            rejected=self._rejected,
            partly_rejected=self._partly,
            kinds=self._kinds,
            trades=len(kept_trades),
            quotes=len(kept_quotes),
            gaps=gaps.num_rows,
            missing=int(np.sum(gaps["missing"].to_numpy())),
            first_event_ns=events[0],
            last_event_ns=events[1],
        )

    def _digest(self) -> None:
        if self._frames:
            self._normalise()
        for refusal in sorted(self._refusals, key=lambda r: (r.origin.file, r.origin.line)):
            self._on_refusal(refusal)
        self._refusals = []

    def _normalise(self) -> None:
        done = normalise(_table(self._frames, self._counted))
        self._trades.add(done.trades)
        self._quotes.add(done.quotes)
        self._empty = self._empty or done
        verdicts = done.verdict.to_pylist()
        rows = [i for i, verdict in enumerate(verdicts) if verdict == "rows"]
        self._with_rows.append(np.array(rows, np.int64) + self._counted)
        self._files += [origin.file for origin in self._origins]
        self._kinds.update(done.kind.to_pylist())
        for i, verdict in enumerate(verdicts):
            origin = self._origins[i]
            if verdict == "control":
                self._control[origin.file] += 1
            elif verdict == "rejected":
                reason = done.reason[i].as_py()
                self._rejected[origin.file] += 1
                self._refusals.append(Refusal(origin, reason, self._frames[i].payload))
        for i in np.flatnonzero(done.partly_rejected).tolist():
            origin, reason = self._origins[i], f"partly: {done.reason[i].as_py()}"
            self._partly[origin.file] += 1
            self._refusals.append(Refusal(origin, reason, self._frames[i].payload))
        self._counted += len(self._frames)
        self._frames, self._origins = [], []

    def _fresh(self, prior: Prior | None, empty: Normalised, hours: list[str]) -> Ints:
        """Numbers of the frames that made a row nobody had made before."""
        before = [normalise(_behind(frames)) for frames in (prior(hours) if prior else ())]
        trades = self._trades.joined(
            empty.trades, [n.trades.select(_TRADE_COLUMNS) for n in before]
        )
        quotes = self._quotes.joined(
            empty.quotes, [n.quotes.select(_QUOTE_COLUMNS) for n in before]
        )
        numbers = [
            trades["offset"].to_numpy()[distinct_trade_rows(trades)],
            quotes["offset"].to_numpy()[distinct_quote_rows(quotes)],
        ]
        made = np.unique(np.concatenate(numbers))
        return made[made >= 0]


def _table(frames: list[Frame], first: int) -> Any:
    """Frames as `normalise` wants them, numbered from `first`."""
    return rows_of([Stored(number, f.recv_ns, f) for number, f in enumerate(frames, first)])


def _behind(frames: Any) -> Any:
    """Frames of the lake, numbered below zero: of equal rows theirs came first."""
    at = frames.schema.get_field_index("offset")
    numbers = pa.array(np.arange(-frames.num_rows, 0, dtype=np.int64))
    return frames.set_column(at, frames.schema.field(at), numbers)


def _events(trades: Any, quotes: Any) -> Ints:
    return np.concatenate([trades["ts_event"].to_numpy(), quotes["ts_event"].to_numpy()])


def _span(trades: Any, quotes: Any) -> tuple[int | None, int | None]:
    events = _events(trades, quotes)
    return (int(events.min()), int(events.max())) if events.size else (None, None)


def _hours(trades: Any, quotes: Any) -> list[str]:
    hours: Iterator[int] = iter(np.unique(_events(trades, quotes) // HOUR_NS).tolist())
    return [hour_key(hour * HOUR_NS) for hour in hours]
