"""The rejected-lines report: `<home>/reports/rejected/<name>.ndjson`, one object per line.

`{"line": 17, "reason": "…", "text": "…"}`, in line order; the reason of a line of which only a
part was unusable starts with `partly:`; bytes that are no UTF-8 are shown replaced, the dead
letter holds them exactly. The file appears only where there is something to report.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO

import msgspec


class RejectedLines:
    """Writes the report of one recording; an earlier report of the same name is replaced."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.ndjson"
        self._file: IO[bytes] | None = None

    def add(self, line: int, reason: str, text: bytes) -> None:
        """Report one line or the frame in it."""
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("wb")
        entry = {"line": line, "reason": reason, "text": text.decode(errors="replace")}
        self._file.write(msgspec.json.encode(entry) + b"\n")

    def close(self) -> Path | None:
        """Finish; says where the report is, None when there was nothing to report."""
        if self._file is None:
            self.path.unlink(missing_ok=True)  # of an earlier, worse version of the recording
            return None
        self._file.close()
        return self.path
