"""What the ingestor itself observes, as frames: the ledger can be rebuilt from the log alone.

A fact's payload is `{"type": "ingestor", "fact": <name>, …}`:

| fact | says |
|---|---|
| `connected` | a socket is open: `url`, `products` |
| `acked` | the exchange states its current set: `channels`, and what is `missing` of the request |
| `refused` | the exchange will not have these `products`, `reason`: they are asked for no more |
| `closed` | the socket is gone: `code`, `reason`, `by` (peer, us, watchdog, shutdown), `frames` |
| `failed` | no socket could be opened: `url`, `reason` |
| `dead_letter` | bytes nobody could use, in the dead-letter chain: `reason`, `origin`, `text` |
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from volatility.frame import Frame, Source

FactName = Literal["connected", "acked", "refused", "closed", "failed", "dead_letter"]


def fact(
    name: FactName, *, recv_ns: int, source: Source, conn: str, frame: int, **details: Any
) -> Frame:
    """A fact as a frame; `details` are its JSON fields."""
    body = {"type": "ingestor", "fact": name, **details}
    return Frame(
        recv_ns=recv_ns,
        source=source,
        feed="ingestor",
        conn=conn,
        frame=frame,
        product=None,
        payload=msgspec.json.encode(body, order="deterministic"),
    )
