"""An operating-system lock: held by one process, freed when that dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from volatility.errors import LakeError


class FolderLock:
    """An exclusive lock held from construction until `release` or the end of the process."""

    def __init__(self, file: Path, purpose: str) -> None:
        """Take the lock `file`, creating it if need be.

        Raises:
            LakeError: another process holds it, and the message tells which; or the file cannot
                be made or written, as on a read-only disk.
        """
        try:
            self._take(file, purpose)
        except OSError as exc:
            raise LakeError(str(file), f"cannot be locked: {exc.strerror or exc}") from exc

    def _take(self, file: Path, purpose: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._handle: IO[str] = file.open("a+", encoding="ascii")
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            self._handle.seek(0)
            holder = self._handle.read().strip() or "unknown"
            self._handle.close()
            raise LakeError(str(file), f"process {holder} is already {purpose}") from exc
        self._handle.truncate(0)
        self._handle.write(f"{os.getpid()}\n")
        self._handle.flush()

    def release(self) -> None:
        """Give the lock up; doing so twice is harmless."""
        self._handle.close()
