"""What really happened on the simulated exchange, for tests: a recording must equal this."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa

from ingest_service.simulator.market import CHANNELS, MATCHES, Block
from ingest_service.simulator.tape import Tape
from ingest_service.simulator.wire import MAKER_SIDE, TAKER_SIDE
from volatility.array import Ints

PRICE_DIGITS: Final = 8
"""Prices of the truth are integers in 1e-8 quote currency, whatever the product's tick."""


_TEXT: Final = frozenset({"product", "taker_side", "maker_side"})


def _schema(*names: str) -> Any:
    return pa.schema([(name, pa.string() if name in _TEXT else pa.int64()) for name in names])


_TRADES: Final = _schema(
    "product", "trade_id", "price", "size", "taker_side", "maker_side", "ts_event", "sequence"
)
_QUOTES: Final = _schema("product", "bid", "ask", "bid_size", "ask_size", "ts_event", "sequence")


@dataclass(frozen=True)
class Hole:
    """A run of trades that no subscriber was ever sent."""

    product: str
    from_trade_id: int  # first missing
    to_trade_id: int  # last missing


class Truth:
    """Every trade and every quote generated, and which trades were withheld.

    Complete once the exchange has finished; before that it may be a minute ahead of the wire.
    """

    def __init__(self, products: tuple[str, ...]) -> None:
        self._products = products
        self._tapes: list[Tape] = []
        self._hidden: dict[str, set[int]] = {product: set() for product in products}

    def record(self, block: Block) -> None:
        """Remember a block, faults applied."""
        self._tapes += (replace(tape, order_ids="") for tape in block.tapes)
        hidden = ~block.visible & (block.trade_id > 0) & (block.topic % len(CHANNELS) == MATCHES)
        for row in np.flatnonzero(hidden).tolist():
            product = self._products[int(block.topic[row]) // len(CHANNELS)]
            self._hidden[product].add(int(block.trade_id[row]))

    def shown(self, product: str, trade_id: int) -> None:
        """A snapshot told a subscriber about a trade, withheld or not."""
        self._hidden[product].discard(trade_id)

    def holes(self) -> list[Hole]:
        """Runs of trade ids never sent, by product in the market's order, then by id."""
        return [
            Hole(product, run[0], run[-1])
            for product in self._products
            for run in _runs(sorted(self._hidden[product]))
        ]

    def trades(self) -> Any:
        """Every trade, a `pa.Table` sorted by product and trade id.

        Columns as in silver: product, trade_id, price, size (both at scale 8), taker_side,
        maker_side, ts_event, sequence.
        """
        return _stack(_TRADES, [_trades(tape) for tape in self._tapes], "trade_id")

    def sent_trades(self) -> Any:
        """`trades` without the holes: what a subscriber that never missed a frame knows."""
        trades = self.trades()
        hidden = {(p, trade_id) for p, ids in self._hidden.items() for trade_id in ids}
        keys = zip(trades["product"].to_pylist(), trades["trade_id"].to_pylist(), strict=True)
        return trades.filter(pa.array([key not in hidden for key in keys], pa.bool_()))

    def quotes(self) -> Any:
        """The book after every trade, a `pa.Table` sorted by product and sequence.

        Columns as in silver, at scale 8: product, bid, ask, bid_size, ask_size, ts_event, sequence.
        """
        return _stack(_QUOTES, [_quotes(tape) for tape in self._tapes], "sequence")


def _runs(ids: list[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for trade_id in ids:
        if runs and runs[-1][-1] == trade_id - 1:
            runs[-1].append(trade_id)
        else:
            runs.append([trade_id])
    return runs


def _stack(schema: Any, parts: list[Any], then: str) -> Any:
    rows = pa.concat_tables([schema.empty_table(), *parts])
    return rows.sort_by([("product", "ascending"), (then, "ascending")])


def _units(tape: Tape, ticks: Ints) -> Ints:
    return ticks * int(10 ** (PRICE_DIGITS - tape.listing.price_digits))


def _trades(tape: Tape) -> Any:
    signs = tape.fills.taker_sign.tolist()
    return pa.table(
        {
            "product": [tape.listing.product] * len(signs),
            "trade_id": tape.trade_id,
            "price": _units(tape, tape.fills.price),
            "size": tape.fills.size,
            "taker_side": [TAKER_SIDE[sign] for sign in signs],
            "maker_side": [MAKER_SIDE[sign] for sign in signs],
            "ts_event": tape.ts_event,
            "sequence": tape.sequence,
        },
        _TRADES,
    )


def _quotes(tape: Tape) -> Any:
    return pa.table(
        {
            "product": [tape.listing.product] * len(tape.trade_id),
            "bid": _units(tape, tape.fills.bid),
            "ask": _units(tape, tape.fills.ask),
            "bid_size": tape.fills.bid_size,
            "ask_size": tape.fills.ask_size,
            "ts_event": tape.ts_event,
            "sequence": tape.sequence,
        },
        _QUOTES,
    )
