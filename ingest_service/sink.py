"""Where frames go: the contract every transport keeps."""

from __future__ import annotations

from typing import Protocol

from volatility.frame import Frame


class Sink(Protocol):
    """Takes frames in order and makes them durable; used by one thread at a time."""

    def put(self, frame: Frame) -> None:
        """Take one frame; may block while the transport is full, never drops.

        Raises:
            CryptovolError: the transport can no longer take frames.
        """
        ...

    def tick(self) -> None:
        """Called about once a second, frames or not: write out what has waited long enough.

        Raises:
            CryptovolError: something put earlier could not be written.
        """
        ...

    def flush(self) -> None:
        """Return once everything put so far is durable.

        Raises:
            CryptovolError: something could not be written; says how much.
        """
        ...

    def close(self) -> None:
        """Flush, then release what the transport holds."""
        ...

    def stop(self) -> None:
        """Make a blocked `put` or `flush` give up soon; safe from any thread."""
        ...


class MemorySink:
    """Keeps frames in a list, in order: for embedding and for tests."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.closed = False

    def put(self, frame: Frame) -> None:
        """Take one frame."""
        self.frames.append(frame)

    def tick(self) -> None:
        """Do nothing: frames are where they belong."""

    def flush(self) -> None:
        """Do nothing: frames are where they belong."""

    def close(self) -> None:
        """Note that no more frames are expected."""
        self.closed = True

    def stop(self) -> None:
        """Do nothing: `put` never blocks."""
