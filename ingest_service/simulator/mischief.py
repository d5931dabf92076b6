"""Applying a fault script to the market's blocks: pure, so what was withheld is known exactly."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ingest_service.simulator.fault import DEFAULTS, Fault
from ingest_service.simulator.market import CHANNELS, MATCHES, Block
from ingest_service.simulator.pit import SECOND
from ingest_service.simulator.wire import error_frame
from volatility.array import Ints

MALFORMED: Final = (
    b'{"type":"ticker","product_id":"BTC-USD","price":"100',
    b"no JSON at all",
    b'{"type":"match","trade_id":"many","price":null,"product_id":7,"time":"yesterday"}',
    b'{"type":"ticker","trade_id":1,"price":"1e999","product_id":"../../etc","time":[]}',
)
"""Frames nobody can use, sent in turn."""


@dataclass
class _Pending:
    """A fault that has not finished yet."""

    fault: Fault
    at_ns: int
    trades: int  # still to come


class Mischief:
    """Rewrites blocks as the script demands; what it must remember crosses block borders."""

    def __init__(self, faults: tuple[Fault, ...], products: tuple[str, ...], start_ns: int) -> None:
        # disconnections last: they note row numbers, which insertions would shift
        ranked = sorted(faults, key=lambda fault: list(DEFAULTS).index(fault.kind))
        self._pending = [_Pending(f, start_ns + round(f.at_s * SECOND), f.trades) for f in ranked]
        self._products = products
        self._outages: list[tuple[int, int]] = []  # [from, until), ns
        self.happened: list[Fault] = []

    def apply(self, block: Block) -> Block:
        """The block with every fault that falls into it."""
        for pending in list(self._pending):
            row = int(np.searchsorted(block.ts_event, pending.at_ns))
            if row < len(block.frames):
                block = self._strike(block, pending, row)
        return self._silence(block)

    def _strike(self, block: Block, pending: _Pending, row: int) -> Block:
        fault = pending.fault
        if fault not in self.happened:
            self.happened.append(fault)
        if fault.kind in {"drop", "duplicate"}:
            trades = self._next_trades(block, pending, row)
            pending.trades -= len(trades)
            if not pending.trades:
                self._pending.remove(pending)
            return _hide(block, trades) if fault.kind == "drop" else _repeat(block, trades)
        self._pending.remove(pending)
        if fault.kind == "disconnect":
            self._outages.append((pending.at_ns, pending.at_ns + fault.outage * SECOND))
            return replace(block, closes=(*block.closes, (row, fault.code)))
        return self._interject(block, fault, row)

    def _next_trades(self, block: Block, pending: _Pending, row: int) -> Ints:
        """Match rows of the next trades a fault wants, at most as many as it still wants."""
        wanted = (block.topic % len(CHANNELS) == MATCHES) & (block.trade_id > 0) & block.visible
        if pending.fault.product:
            known = pending.fault.product in self._products
            index = self._products.index(pending.fault.product) if known else -1
            wanted &= block.topic // len(CHANNELS) == index
        wanted[:row] = False
        return np.flatnonzero(wanted)[: pending.trades]

    def _interject(self, block: Block, fault: Fault, row: int) -> Block:
        everybody = len(CHANNELS) * len(self._products)
        for number in reversed(range(fault.count)):
            spoiled = MALFORMED[number % len(MALFORMED)]
            frame = error_frame("Internal error") if fault.kind == "error" else spoiled
            block = block.insert(row, everybody, frame)
        return block

    def _silence(self, block: Block) -> Block:
        """Hide what happens during outages."""
        visible = block.visible
        for from_ns, until_ns in self._outages:
            visible = visible & ((block.ts_event < from_ns) | (block.ts_event >= until_ns))
        return replace(block, visible=visible)


def _hide(block: Block, matches: Ints) -> Block:
    visible = block.visible.copy()
    visible[matches] = visible[matches + 1] = False
    return replace(block, visible=visible)


def _repeat(block: Block, matches: Ints) -> Block:
    """Each trade's match and ticker once more, right after the ticker."""
    rows = np.arange(len(block.frames))
    pairs = np.stack((matches, matches + 1), axis=1).ravel()
    return block.take(np.insert(rows, np.repeat(matches + 2, 2), pairs))
