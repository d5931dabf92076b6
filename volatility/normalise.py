"""Frames to trades and quotes: every frame explained, every row exact.

Each frame gets a kind, a verdict and, where there is something to say, a reason:

========== ==============================================================================
`rows`     it made at least one trade or quote; a reason tells of a part that made none,
           `partly_rejected` whether that part broke the wire format
`control`  it makes none by nature: subscriptions, heartbeats, an empty book, unknown types
`rejected` it, or all that could have made rows, broke the wire format
========== ==============================================================================

Nothing a frame holds can raise out of here. Rows are as observed: see `dedupe` for distinct ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from volatility import advanced_rows, exchange_rows, flat
from volatility.array import Flags, Ints
from volatility.assemble import quotes_table, scaled, trades_table
from volatility.column import binaries, encode, numbers, text_column
from volatility.parse import Columns, Parser, Products
from volatility.wire import KIND_CODE, KINDS, Decoded, Notes, Payload

BATCH_ROWS: Final = 2048
"""Frames decoded at a time: bounds memory, keeps columns in cache."""

VERDICTS: Final = ("control", "rejected", "rows")

_READERS: Final[dict[str, Callable[[list[int], Sequence[Payload], Notes], Decoded]]] = {
    "exchange": exchange_rows.read,
    "advanced": advanced_rows.read,
    "flat": flat.read,
}


@dataclass(frozen=True)
class Normalised:
    """Rows as observed, in frame order, and the account of every frame.

    `kind`, `verdict` and `reason` (null: nothing to say) are `pa.StringArray`s with one value per
    frame; `trade_frame` and `quote_frame` give, per row, the index of the frame it came from.
    `partly_rejected` tells of each frame whether it made rows and also held some we could not
    understand: an empty book or a zero time is nothing lost.
    """

    trades: Any  # pa.Table, schema record.TRADES
    quotes: Any  # pa.Table, schema record.OBSERVED_QUOTES
    kind: Any
    verdict: Any
    reason: Any
    partly_rejected: Flags
    trade_frame: Ints
    quote_frame: Ints

    def counts(self) -> dict[tuple[str, str], int]:
        """Frames by (kind, verdict)."""
        pairs = zip(self.kind.to_pylist(), self.verdict.to_pylist(), strict=True)
        return dict(Counter(pairs))


@dataclass
class _Work:
    """What has been parsed so far of one table of frames."""

    recv_ns: Ints
    kind: NDArray[np.uint8]
    products: Products = field(default_factory=Products)
    notes: Notes = field(default_factory=Notes)
    trades: list[Columns] = field(default_factory=list)
    quotes: list[Columns] = field(default_factory=list)


def normalise(frames: Any) -> Normalised:
    """Read every frame of `frames`, a `pa.Table` with the columns of `bronze/frames`.

    Trades and quotes of one product and hour share a price scale and a size scale.
    """
    work = _Work(numbers(frames["recv_ts"]), np.zeros(frames.num_rows, np.uint8))
    for feed, where, payloads in _batches(frames):
        _read_batch(feed, where, payloads, work)
    trades, quotes = scaled(work.trades, work.quotes, work.notes)
    faulty = np.zeros(frames.num_rows, np.bool_)
    faulty[np.fromiter(work.notes.faults, np.int64)] = True
    verdict = _verdicts(faulty, trades["frame"], quotes["frame"])
    return Normalised(
        trades=trades_table(trades, frames, work.products.names),
        quotes=quotes_table(quotes, frames, work.products.names),
        kind=text_column(work.kind, KINDS),
        verdict=text_column(verdict, VERDICTS),
        reason=_reasons(work),
        partly_rejected=faulty & (verdict == VERDICTS.index("rows")),
        trade_frame=trades["frame"],
        quote_frame=quotes["frame"],
    )


def _batches(frames: Any) -> Iterator[tuple[str, list[int], Sequence[Payload]]]:
    """Runs of one feed: (feed, indices of the frames, their payloads)."""
    code, feeds = encode(frames["feed"])
    start = 0
    for chunk in frames["payload"].chunks:
        for at in range(0, len(chunk), BATCH_ROWS):
            payloads = binaries(chunk.slice(at, BATCH_ROWS))
            first, last = start + at, start + at + len(payloads)
            here = code[first:last]
            for feed in np.unique(here).tolist():
                rows = np.flatnonzero(here == feed)
                if rows.size == len(payloads):
                    yield feeds[feed], list(range(first, last)), payloads
                else:
                    some = [payloads[row] for row in rows.tolist()]
                    yield feeds[feed], (rows + first).tolist(), some
        start += len(chunk)


def _read_batch(feed: str, where: list[int], payloads: Sequence[Payload], work: _Work) -> None:
    """Decode and parse one batch of one feed into `work`."""
    reader = _READERS.get(feed)
    if reader is None:
        work.kind[np.asarray(where)] = KIND_CODE["ingestor" if feed == "ingestor" else "unknown"]
        if feed != "ingestor":
            for frame in where:
                work.notes.fault(frame, f"feed {feed!r} is not known")
        return
    decoded = reader(where, payloads, work.notes)
    for kind, kind_frames in decoded.kinds.items():
        work.kind[np.asarray(kind_frames, np.int64)] = KIND_CODE[kind]
    parser = Parser(work.products, work.notes, work.recv_ns)
    parser.check_products(decoded.products)
    work.trades += [parser.trades(block) for block in decoded.trades if block.frame]
    work.quotes += [parser.quotes(block) for block in decoded.quotes if block.frame]


def _verdicts(faulty: Flags, trade_frame: Ints, quote_frame: Ints) -> NDArray[np.uint8]:
    verdict = np.full(faulty.size, VERDICTS.index("control"), np.uint8)
    verdict[faulty] = VERDICTS.index("rejected")
    verdict[trade_frame] = VERDICTS.index("rows")
    verdict[quote_frame] = VERDICTS.index("rows")
    return verdict


def _reasons(work: _Work) -> Any:
    """One string per frame, null where there is nothing to say."""
    said = sorted(work.notes.by_frame)
    position = np.full(work.kind.size, -1, np.int32)
    position[np.array(said, np.int64)] = np.arange(len(said), dtype=np.int32)
    return text_column(position, [work.notes.reason(frame) for frame in said])
