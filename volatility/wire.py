"""What the wire formats share: kinds, verdicts, and the text rows decoders hand to the parser.

A decoder turns a batch of payloads into `TradeText` and `QuoteText` (columns still as text, one
block per message shape) and says of every frame what it was. `volatility/parse.py` turns text
into integers; `volatility/normalise.py` joins the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, Final

import msgspec

KINDS: Final = (
    "unknown",  # a type nobody told us about, or bytes that could not be read at all
    "ticker",
    "ticker_batch",
    "match",
    "last_match",
    "market_trades",
    "heartbeat",
    "subscriptions",
    "subscribe",
    "level2",
    "status",
    "candles",
    "full",
    "auction",
    "rfq_match",
    "error",
    "ingestor",
)
"""Every kind of frame; a code is an index into this."""

KIND_CODE: Final = {kind: code for code, kind in enumerate(KINDS)}

DECODE_ERRORS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""All that msgspec raises on bytes it does not like."""

TRADE_KEYS: Final = {"price": "price", "size": "size", "taker": "side"}
"""Our columns of a trade: what most feeds call them on the wire."""

QUOTE_KEYS: Final = {
    "bid": "best_bid",
    "ask": "best_ask",
    "bid_size": "best_bid_size",
    "ask_size": "best_ask_size",
}
"""Our columns of a quote: what most feeds call them on the wire."""

REASON_LENGTH: Final = 200
Payload = bytes | memoryview


@dataclass(frozen=True)
class Failure:
    """A payload that is no message of its feed; `kind` is what it claimed to be."""

    kind: str
    reason: str


@dataclass
class TradeText:
    """Trades of one message shape, columns of equal length; `names` are the wire's keys."""

    names: dict[str, str]  # our column: key on the wire, for reasons
    frame: list[int] = field(default_factory=list)
    product: list[str] = field(default_factory=list)
    trade_id: list[int | None] = field(default_factory=list)
    price: list[str | None] = field(default_factory=list)
    size: list[str | None] = field(default_factory=list)
    taker: list[int] = field(default_factory=list)  # 1 buy, 0 sell, -1 neither
    time: list[str | None] = field(default_factory=list)
    sequence: list[int | None] = field(default_factory=list)
    path: list[str] | None = None  # "$.events[0].trades[3]" by row; None means "$"


@dataclass
class QuoteText:
    """Quotes of one message shape, columns of equal length; `names` are the wire's keys."""

    names: dict[str, str]
    frame: list[int] = field(default_factory=list)
    product: list[str] = field(default_factory=list)
    bid: list[str | None] = field(default_factory=list)
    ask: list[str | None] = field(default_factory=list)
    bid_size: list[str | None] = field(default_factory=list)
    ask_size: list[str | None] = field(default_factory=list)
    time: list[str | None] = field(default_factory=list)  # None: receive time stands in
    sequence: list[int | None] = field(default_factory=list)
    path: list[str] | None = None


@dataclass
class Notes:
    """What is to be said about frames: `faults` are bytes we could not understand."""

    by_frame: dict[int, list[str]] = field(default_factory=dict)
    faults: set[int] = field(default_factory=set)

    def say(self, frame: int, reason: str) -> None:
        """Remark something ordinary: an empty book, a zero time."""
        said = self.by_frame.setdefault(frame, [])
        if reason not in said and len(said) < 4:
            said.append(one_line(reason))

    def fault(self, frame: int, reason: str) -> None:
        """Record that a part of the frame broke the format."""
        self.faults.add(frame)
        self.say(frame, reason)

    def reason(self, frame: int) -> str | None:
        """Everything said about `frame` in one line, or None."""
        said = self.by_frame.get(frame)
        return one_line("; ".join(said)) if said else None


@dataclass
class Decoded:
    """A decoder's answer for one batch. Frames are counted from the start of the whole table."""

    trades: list[TradeText] = field(default_factory=list)
    quotes: list[QuoteText] = field(default_factory=list)
    kinds: dict[str, list[int]] = field(default_factory=dict)  # kind: frames
    products: list[tuple[int, str]] = field(default_factory=list)  # of frames without rows


def tag(message: Any) -> str:
    """The tag that tells a message class apart on the wire."""
    return str(message.__struct_config__.tag)


def one_line(reason: str) -> str:
    """`reason` without line breaks and no longer than `REASON_LENGTH`."""
    flat = " ".join(reason.split())
    return flat if len(flat) <= REASON_LENGTH else flat[: REASON_LENGTH - 1] + "…"


def decode_all(
    payloads: Sequence[Payload],
    decode: Callable[[Any], Any],
    fallback: Callable[[Payload, str], Any],
) -> list[Any]:
    """Decode every payload; where `decode` raises, `fallback(payload, reason)` stands in."""
    messages: list[Any] = []
    rest = iter(payloads)
    while len(messages) < len(payloads):
        try:
            messages.extend(map(decode, rest))  # keeps what it decoded before it raised
        except DECODE_ERRORS as exc:
            messages.append(fallback(payloads[len(messages)], str(exc)))
    return messages


def by_type(messages: list[Any], frames: list[int]) -> dict[type, tuple[list[Any], list[int]]]:
    """Messages and their frames, grouped by class, each in order."""
    classes = list(map(type, messages))
    distinct = set(classes)
    if len(distinct) == 1:
        return {classes[0]: (messages, frames)}
    groups = {}
    for cls in distinct:
        here = [c is cls for c in classes]
        groups[cls] = list(compress(messages, here)), list(compress(frames, here))
    return groups


def note_failures(failures: Iterable[tuple[Failure, int]], out: Decoded, notes: Notes) -> None:
    """Book frames no decoder understood."""
    for failure, frame in failures:
        out.kinds.setdefault(failure.kind, []).append(frame)
        notes.fault(frame, failure.reason)
