"""Running counts of an ingest, read by the report, the log and the metrics."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """What an ingest has seen so far."""

    frames: int = 0  # from the exchange; facts of our own not counted
    payload_bytes: int = 0
    facts: int = 0
    dead_letters: int = 0
    queue_waits: int = 0  # times the socket waited for the sink
    queued: int = 0  # frames between socket and sink now
    last_frame_ns: int = 0  # receive time of the newest frame; 0: none yet
    kinds: Counter[str] = field(default_factory=Counter)  # frames by kind
    products: Counter[str] = field(default_factory=Counter)  # frames by product
    refused: dict[str, str] = field(default_factory=dict)  # products left out, and why
    last_error: str = ""  # what the exchange's newest error frame says
    closes: Counter[str] = field(default_factory=Counter)  # ended connections by close code

    @property
    def reconnects(self) -> int:
        """Connections that ended otherwise than by our own shutdown."""
        return self.closes.total()

    def summary(self) -> dict[str, int]:
        """The figures worth a line in the log."""
        return {
            "frames": self.frames,
            "payload_bytes": self.payload_bytes,
            "reconnects": self.reconnects,
            "dead_letters": self.dead_letters,
            "queued": self.queued,
            "queue_waits": self.queue_waits,
        }
