"""Tapes and control messages as bytes, key order and number format as Coinbase sends them.

`price`, `size`, `last_size` and the day's prices carry no trailing zeros; best bid and ask have
the tick's digits; volumes and sizes in the book have eight.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from ingest_service.simulator.listing import SIZE_DIGITS
from ingest_service.simulator.tape import Tape

SECOND: Final = 1_000_000_000

MAKER_SIDE: Final = {1: "sell", -1: "buy"}
"""Side of a match frame by the taker's sign: the maker's, opposite to the ticker's."""

TAKER_SIDE: Final = {1: "buy", -1: "sell"}


def fixed(units: Iterable[int], digits: int) -> list[str]:
    """Integers in 10^-digits as decimal text with exactly `digits` digits."""
    if not digits:
        return [str(unit) for unit in units]
    scale = 10**digits
    return [f"{unit // scale}.{unit % scale:0{digits}d}" for unit in units]


def trimmed(units: Iterable[int], digits: int) -> list[str]:
    """Integers in 10^-digits as decimal text without trailing zeros."""
    if not digits:
        return [str(unit) for unit in units]
    return [text.rstrip("0").rstrip(".") for text in fixed(units, digits)]


def rfc3339(ts_ns: Iterable[int]) -> list[str]:
    """Nanoseconds since epoch as UTC text with six fraction digits."""
    faces: dict[int, str] = {}
    texts = []
    for ts in ts_ns:
        second, ns = divmod(ts, SECOND)
        face = faces.get(second)
        if face is None:
            face = faces[second] = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        texts.append(f"{face}.{ns // 1000:06d}Z")
    return texts


def trade_frames(tape: Tape) -> list[bytes]:
    """A match and a ticker frame per trade, in that order: `[match, ticker, match, …]`."""
    frames = [b""] * (2 * len(tape.trade_id))
    times = rfc3339(tape.ts_event.tolist())
    prices = trimmed(tape.fills.price.tolist(), tape.listing.price_digits)
    sizes = trimmed(tape.fills.size.tolist(), SIZE_DIGITS)
    frames[0::2] = _matches(tape, times, prices, sizes)
    frames[1::2] = _tickers(tape, times, prices, sizes)
    return frames


def _matches(tape: Tape, times: list[str], prices: list[str], sizes: list[str]) -> Iterator[bytes]:
    product = tape.listing.product
    ids = _uuids(tape.order_ids)
    takers = ids[len(times) :]
    rows = zip(
        tape.trade_id.tolist(),
        ids,
        tape.fills.order.tolist(),
        tape.fills.taker_sign.tolist(),
        sizes,
        prices,
        tape.sequence.tolist(),
        times,
        strict=False,  # ids has the takers' too
    )
    for trade_id, maker, order, sign, size, price, sequence, time in rows:
        yield (
            f'{{"type":"match","trade_id":{trade_id},"maker_order_id":"{maker}",'
            f'"taker_order_id":"{takers[order]}","side":"{MAKER_SIDE[sign]}","size":"{size}",'
            f'"price":"{price}","product_id":"{product}","sequence":{sequence},"time":"{time}"}}'
        ).encode()


def _tickers(tape: Tape, times: list[str], prices: list[str], sizes: list[str]) -> Iterator[bytes]:
    product, digits = tape.listing.product, tape.listing.price_digits
    rows = zip(
        tape.sequence.tolist(),
        prices,
        trimmed(tape.day.open_24h.tolist(), digits),
        fixed(tape.day.volume_24h.tolist(), SIZE_DIGITS),
        trimmed(tape.day.low_24h.tolist(), digits),
        trimmed(tape.day.high_24h.tolist(), digits),
        fixed(tape.day.volume_30d.tolist(), SIZE_DIGITS),
        fixed(tape.fills.bid.tolist(), digits),
        fixed(tape.fills.bid_size.tolist(), SIZE_DIGITS),
        fixed(tape.fills.ask.tolist(), digits),
        fixed(tape.fills.ask_size.tolist(), SIZE_DIGITS),
        tape.fills.taker_sign.tolist(),
        times,
        tape.trade_id.tolist(),
        sizes,
        strict=True,
    )
    for (seq, price, open_, vol, low, high, vol_30d, bid, bid_size, ask, ask_size, sign, time,
         trade_id, size) in rows:  # fmt: skip
        yield (
            f'{{"type":"ticker","sequence":{seq},"product_id":"{product}","price":"{price}",'
            f'"open_24h":"{open_}","volume_24h":"{vol}","low_24h":"{low}","high_24h":"{high}",'
            f'"volume_30d":"{vol_30d}","best_bid":"{bid}","best_bid_size":"{bid_size}",'
            f'"best_ask":"{ask}","best_ask_size":"{ask_size}","side":"{TAKER_SIDE[sign]}",'
            f'"time":"{time}","trade_id":{trade_id},"last_size":"{size}"}}'
        ).encode()


def _uuids(digits: str) -> list[str]:
    """32 hex digits each, as version 4 UUIDs."""
    starts = range(0, len(digits), 32)
    return [
        f"{digits[i : i + 8]}-{digits[i + 8 : i + 12]}-4{digits[i + 13 : i + 16]}"
        f"-a{digits[i + 17 : i + 20]}-{digits[i + 20 : i + 32]}"
        for i in starts
    ]


def heartbeat_frames(tape: Tape) -> list[bytes]:
    """One heartbeat frame per second of the tape."""
    beats, product = tape.heartbeats, tape.listing.product
    times = rfc3339(beats.ts_event.tolist())
    rows = zip(beats.sequence.tolist(), beats.last_trade_id.tolist(), times, strict=True)
    return [
        f'{{"type":"heartbeat","sequence":{sequence},"last_trade_id":{trade_id},'
        f'"product_id":"{product}","time":"{time}"}}'.encode()
        for sequence, trade_id, time in rows
    ]


def last_match(match: bytes) -> bytes:
    """A match frame as the snapshot sent on subscription."""
    return match.replace(b'"match"', b'"last_match"', 1)


def subscriptions_frame(channels: Mapping[str, Sequence[str]]) -> bytes:
    """The ack: the full current set, products by channel."""
    return msgspec.json.encode(
        {
            "type": "subscriptions",
            "channels": [
                {"name": name, "product_ids": products, "account_ids": None}
                for name, products in channels.items()
            ],
        }
    )


def error_frame(message: str, reason: str = "") -> bytes:
    """What the exchange says when it refuses something."""
    return msgspec.json.encode(
        {"type": "error", "message": message} | ({"reason": reason} if reason else {})
    )
