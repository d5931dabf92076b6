"""Who wants to hear how far a build has come: set by the command line, told by the builders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

Progress = Callable[[str, int, int], None]
"""`progress("silver/trades", hours done, hours of this run)`; a training counts fits, not hours."""

_listener: Final[ContextVar[Progress | None]] = ContextVar("progress", default=None)


@contextmanager
def listening(progress: Progress | None) -> Iterator[None]:
    """Send what builders tell inside the block to `progress`; in-process runs only."""
    token = _listener.set(progress)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(what: str, done: int, total: int) -> None:
    """Say that `done` of `total` are finished; nobody may be listening."""
    progress = _listener.get()
    if progress is not None:
        progress(what, done, total)


@contextmanager
def bars(console: Any) -> Iterator[Progress]:
    """A listener that draws one bar per thing under way on a `rich.console.Console`."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description:<18}"), BarColumn(), MofNCompleteColumn())
    with Bars(*columns, TimeElapsedColumn(), console=console) as shown:
        tasks: dict[str, Any] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks or shown.tasks[tasks[what]].finished:
                tasks[what] = shown.add_task(what, total=total)
            shown.update(tasks[what], completed=done, total=total)

        yield progress
