"""Flat ticker rows: one JSON object per quote, as other people's recorders write them.

Sizes go by several names or sit in `raw`, the ticker object as received. Numbers may be text or
JSON numbers; both are read as the decimals they spell. Time keys, by what they tell:

=============== ==================================================================
`ws_timestamp`  exchange time
`timestamp`     exchange time when it has `Z` or an offset, else receive time, UTC
`received_at`   receive time, UTC unless it says otherwise
`ts`            receive time: seconds since epoch, or RFC 3339
=============== ==================================================================
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from volatility.errors import MessageError
from volatility.exchange import Id
from volatility.timestamp import has_zone, parse_epoch, parse_time
from volatility.wire import (
    DECODE_ERRORS,
    QUOTE_KEYS,
    Decoded,
    Failure,
    Notes,
    Payload,
    QuoteText,
    by_type,
    decode_all,
    note_failures,
)


class RawTicker(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The sizes in the ticker object some recorders keep under `raw`."""

    best_bid_quantity: str | None = None
    best_ask_quantity: str | None = None
    best_bid_size: str | None = None
    best_ask_size: str | None = None


class FlatTicker(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Top of book of one product; the trade, if any, is not identified and not read."""

    timestamp: str | None = None
    product_id: str
    best_bid: str | None = None  # quote currency
    best_bid_size: str | None = None  # base currency
    best_bid_quantity: str | None = None
    best_bid_qty: str | None = None
    best_ask: str | None = None
    best_ask_size: str | None = None
    best_ask_quantity: str | None = None
    best_ask_qty: str | None = None
    raw: RawTicker | None = None
    ws_timestamp: str | None = None
    sequence_num: Id | None = None  # per connection, from 0
    received_at: str | None = None
    ts: str | None = None

    @property
    def bid_size(self) -> str | None:
        """Size at the bid under whichever name the recorder used."""
        raw = self.raw
        own = self.best_bid_size or self.best_bid_quantity or self.best_bid_qty
        return own or (raw and (raw.best_bid_quantity or raw.best_bid_size)) or None

    @property
    def ask_size(self) -> str | None:
        """Size at the ask under whichever name the recorder used."""
        raw = self.raw
        own = self.best_ask_size or self.best_ask_quantity or self.best_ask_qty
        return own or (raw and (raw.best_ask_quantity or raw.best_ask_size)) or None

    @property
    def exchange_time(self) -> str | None:
        """RFC 3339 text of the exchange's clock, or None where the row has only ours."""
        if self.ws_timestamp:
            return self.ws_timestamp
        return self.timestamp if self.timestamp and has_zone(self.timestamp) else None


_DECIMALS: Final = frozenset(name for name in FlatTicker.__struct_fields__ if "best_" in name) | {
    "ts"
}
_DECODE: Final[Any] = msgspec.json.Decoder(FlatTicker, strict=False).decode


def _spell_float(text: str) -> str:
    """A JSON number as plain decimal text where that is short (`1e-08`), else as it stands."""
    match = _FLOAT.fullmatch(text)
    return format(Decimal(text), "f") if match and abs(int(match[1] or 0)) <= 30 else text


_FLOAT: Final = re.compile(r"[0-9.]{1,40}(?:[eE]([+-]?[0-9]{1,3}))?")
_NUMBERS: Final[Any] = msgspec.json.Decoder(dict[str, Any], float_hook=_spell_float).decode


def decode(payload: Payload) -> FlatTicker:
    """One flat row.

    Raises:
        MessageError: not a flat ticker row; the reason carries msgspec's path.
    """
    try:
        return _DECODE(payload)  # type: ignore[no-any-return]
    except DECODE_ERRORS as exc:
        message = _fallback(payload, str(exc))
        if isinstance(message, Failure):
            raise MessageError(message.reason) from exc
        return message


def receive_ns(row: FlatTicker) -> int | None:
    """When the recorder received the row, ns since epoch UTC; None where it does not say.

    Raises:
        MessageError: the time is there and cannot be read.
    """
    if row.received_at:
        return parse_time(row.received_at)
    if row.timestamp and not has_zone(row.timestamp):
        return parse_time(row.timestamp)
    if row.ts:
        return parse_time(row.ts) if ":" in row.ts else parse_epoch(row.ts)
    return None


def event_ns(row: FlatTicker) -> int | None:
    """The exchange's time of the row, ns since epoch UTC; None where it does not say.

    Raises:
        MessageError: the time is there and cannot be read.
    """
    text = row.exchange_time
    return parse_time(text) if text else None


def _fallback(payload: Payload, reason: str) -> Failure | FlatTicker:
    """Read a row whose numbers are JSON numbers; the decimals they spell are kept exactly."""
    try:
        keys = _NUMBERS(payload)
        raw = keys.get("raw")
        keys = _spell(keys) | {"raw": _spell(raw) if isinstance(raw, dict) else None}
        return msgspec.convert(keys, FlatTicker, strict=False)
    except DECODE_ERRORS as exc:
        return Failure("unknown", str(exc) or reason)


def _spell(keys: dict[str, Any]) -> dict[str, Any]:
    """Integers as text too, where a decimal belongs."""
    return {
        key: str(value) if key in _DECIMALS and type(value) is int and value < 10**30 else value
        for key, value in keys.items()
    }


def read(frames: list[int], payloads: Sequence[Payload], notes: Notes) -> Decoded:
    """Quotes, as text, of a batch of flat rows; `frames` are their indices."""
    out = Decoded()
    groups = by_type(decode_all(payloads, _DECODE, _fallback), frames)
    if Failure in groups:
        failures, where = groups[Failure]
        note_failures(zip(failures, where, strict=True), out, notes)
    if FlatTicker in groups:
        rows, where = groups[FlatTicker]
        out.kinds["ticker"] = list(where)
        out.quotes.append(_quotes(rows, where))
    return out


def _quotes(rows: list[FlatTicker], frames: list[int]) -> QuoteText:
    return QuoteText(
        names=QUOTE_KEYS,
        frame=frames,
        product=[row.product_id for row in rows],
        bid=[row.best_bid for row in rows],
        ask=[row.best_ask for row in rows],
        bid_size=[row.bid_size for row in rows],
        ask_size=[row.ask_size for row in rows],
        time=[row.exchange_time for row in rows],
        sequence=[row.sequence_num for row in rows],
    )
