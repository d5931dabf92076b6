"""Which hours newly arrived bronze files touch, late ones too.

Files of one chain (topic, epoch, partition) arrive in offset order, files of different chains do
not, and their hours come in any order: so there is one watermark per chain, and an hour stays on
the list until it has been built from everything that touches it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from data_lake.chain import BronzeFile
from volatility.errors import SettingError


class Cursor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the sensor remembers between two looks."""

    seen: dict[str, int] = {}  # chain -> first offset not seen yet
    waiting: tuple[str, ...] = ()  # hours touched that are not closed, or not built yet

    @classmethod
    def parse(cls, text: str | None) -> Cursor:
        """Read a cursor back; nothing means the very beginning.

        Raises:
            SettingError: somebody set the cursor by hand, wrongly.
        """
        try:
            return msgspec.json.decode(text, type=cls) if text else cls()
        except msgspec.MsgspecError as exc:
            raise SettingError("cursor", text, str(exc)) from exc

    def text(self) -> str:
        """The cursor as Dagster stores it."""
        return msgspec.json.encode(self).decode()


def look(
    files: Sequence[BronzeFile],
    cursor: Cursor,
    *,
    closed: Callable[[str], bool],
    stale: Callable[[Sequence[str]], list[str]],
) -> tuple[list[str], Cursor]:
    """Hours to build now, oldest first, and what to remember.

    Args:
        files: the bronze chain.
        cursor: what was remembered last time.
        closed: says whether an hour is a partition yet.
        stale: those of some hours that are not built from the present frames.
    """
    touched = set(cursor.waiting)
    seen = dict(cursor.seen)
    for file in files:
        name = "/".join(str(part) for part in file.chain)
        if file.last_offset >= cursor.seen.get(name, 0):
            touched |= set(file.hours)
        seen[name] = max(seen.get(name, 0), file.last_offset + 1)
    hours = stale(sorted(hour for hour in touched if closed(hour)))
    waiting = {hour for hour in touched if not closed(hour)} | set(hours)
    return hours, Cursor(seen=seen, waiting=tuple(sorted(waiting)))
