"""The front door: the command line. The only module that sees everything; imports lazily.

A command parses its flags, calls one entry point of one package and renders what comes back.
Whatever goes wrong is one line on stderr and a non-zero exit status: 1 for a domain error,
2 for a flag we cannot use.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer._click.exceptions import ClickException  # typer bundles click and re-exports no base

from data_lake.settings import Settings, settings
from volatility.errors import CryptovolError, SettingError

if TYPE_CHECKING:
    from data_lake.lake import Lake

app = typer.Typer(
    name="cryptovol",
    help="Record crypto markets without silent loss; forecast their volatility without leaks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
kafka_app = typer.Typer(help="A real single-node Apache Kafka for development (Java 17+, Maven).")
app.add_typer(kafka_app, name="kafka", no_args_is_help=True)

Products = Annotated[str, typer.Option(help="Comma-separated pairs, e.g. BTC-USD,ETH-USD.")]
Start = Annotated[str | None, typer.Option(help="First instant, UTC, e.g. 2025-11-12T07:00.")]
End = Annotated[str | None, typer.Option(help="End, exclusive, UTC.")]


def main() -> None:
    """Run the command line; every failure is one line and a non-zero status."""
    from data_lake.environment import quiet

    quiet()
    try:
        status = app(standalone_mode=False)
    except CryptovolError as exc:
        _fail(str(exc), 1)
    except ClickException as exc:
        command = getattr(getattr(exc, "ctx", None), "command_path", "cryptovol")
        _fail(f"{exc.format_message()} (see `{command} --help`)", 2)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted", 130)
    sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str, status: int) -> None:
    line = " ".join(message.split())
    sys.stderr.write(f"cryptovol: {line}\n")
    sys.exit(status)


def _console() -> Any:
    from rich.console import Console

    return Console(highlight=False)


def _lake(config: Settings) -> Lake:
    from data_lake.lake import Lake

    return Lake(config.lake_root)


def _instant(flag: str, text: str | None) -> int | None:
    """Parse a UTC instant of the command line into ns since epoch."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise SettingError(flag, text, "not a UTC instant such as 2025-11-12T07:00") from exc
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return int(moment.timestamp()) * 1_000_000_000
