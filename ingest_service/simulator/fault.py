"""Fault scripts: what shall go wrong on the simulated exchange, and when.

Syntax: `kind@seconds[:key=value]…`, comma separated, seconds since the market's start.

    drop@600:trades=20:product=BTC-USD   the next 20 trades are never sent (a trade-id gap)
    disconnect@1200:code=1001:outage=30  hang up on everybody, send nothing for 30 simulated s
    error@1800                           an error frame to every subscriber
    malformed@2400:count=3               frames no client can use
    duplicate@3000:trades=5              the next 5 trades are sent twice

`disconnect` with code 1006 breaks the connection without a closing handshake.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from volatility.errors import ProductError, SettingError
from volatility.product import check_product

DEFAULTS: Final[dict[str, dict[str, int | str]]] = {
    "drop": {"trades": 10, "product": ""},
    "duplicate": {"trades": 5, "product": ""},
    "error": {"count": 1},
    "malformed": {"count": 1},
    "disconnect": {"code": 1001, "outage": 5},
}
"""Kinds of fault, and their options with defaults; an empty product means every product."""

_CLOSE_CODES: Final = {1000, 1001, 1006, *range(1008, 1015), *range(3000, 5000)}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One scripted fault; options a kind does not have are empty."""

    kind: str
    at_s: float  # simulated seconds since the market's start
    trades: int = 0
    product: str = ""  # empty: every product
    count: int = 0  # frames
    code: int = 0  # websocket close code
    outage: int = 0  # simulated seconds


def parse_faults(script: str) -> tuple[Fault, ...]:
    """The faults of a script, in order of time.

    Raises:
        SettingError: an entry is not `kind@seconds[:key=value]…`; it shows the entry and the rule.
    """
    entries = [entry.strip() for entry in script.split(",") if entry.strip()]
    return tuple(sorted((_parse(entry) for entry in entries), key=lambda fault: fault.at_s))


def _parse(entry: str) -> Fault:
    head, *pairs = entry.split(":")
    kind, _, at = head.partition("@")
    if kind not in DEFAULTS:
        raise SettingError("faults", entry, f"the kind must be one of {', '.join(DEFAULTS)}")
    try:
        at_s = float(at)
    except ValueError as exc:
        raise SettingError("faults", entry, f"write {kind}@SECONDS") from exc
    if not 0 <= at_s < math.inf:
        raise SettingError("faults", entry, "seconds must be finite and not negative")
    options = DEFAULTS[kind] | dict(_option(entry, kind, pair) for pair in pairs)
    return Fault(kind=kind, at_s=at_s, **options)  # type: ignore[arg-type]


def _option(entry: str, kind: str, pair: str) -> tuple[str, int | str]:
    key, _, text = pair.partition("=")
    if key not in DEFAULTS[kind]:
        raise SettingError("faults", entry, f"{kind} takes {', '.join(DEFAULTS[kind])}")
    try:
        if key == "product":
            return key, check_product(text)
        number = int(text)
    except (ProductError, ValueError) as exc:
        raise SettingError("faults", entry, f"{text!r} is no {key}") from exc
    if number < 0 or (key == "code" and number not in _CLOSE_CODES):
        raise SettingError("faults", entry, f"{text!r} is no usable {key}")
    return key, number
