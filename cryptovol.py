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

# typer bundles click and exports only some of its errors
from typer._click.exceptions import ClickException, NoArgsIsHelpError

from data_lake.environment import apply_switches
from data_lake.settings import Settings, settings
from volatility.errors import CryptovolError, SettingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data_lake.clock import Clock
    from data_lake.lake import Lake
    from ingest_service.transport import Transport

app = typer.Typer(
    name="cryptovol",
    help="Record crypto markets without silent loss; forecast their volatility without leaks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
kafka_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(
    kafka_app, name="kafka", help="A real single-node Apache Kafka on this machine (Java 17+)."
)

Products = Annotated[str, typer.Option(help="Comma-separated pairs, e.g. BTC-USD,ETH-USD.")]
Start = Annotated[str | None, typer.Option(help="First instant, UTC, e.g. 2025-11-12T07:00.")]
End = Annotated[str | None, typer.Option(help="End, exclusive, UTC.")]
Feed = Annotated[Literal["exchange", "advanced"], typer.Option(help="Which public feed.")]
Topic = Annotated[str, typer.Option(help="Kafka topic.")]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; every failure is one line and a non-zero status."""
    apply_switches()
    _log_to_stderr("INFO")
    try:
        status = app(args=arguments, standalone_mode=False)
    except CryptovolError as exc:
        _fail(str(exc), 1)
    except OSError as exc:  # a disk that is full or read-only, wherever it is met
        _fail(f"{exc.filename or 'this machine'}: {exc.strerror or exc}", 1)
    except NoArgsIsHelpError as exc:
        sys.stdout.write(exc.format_message() + "\n")
        sys.exit(2)
    except ClickException as exc:
        context = getattr(exc, "ctx", None)
        command = context.command_path if context else "cryptovol"
        _fail(f"{exc.format_message()} See `{command} --help`.", 2)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted", 130)
    sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str, status: int) -> None:
    sys.stderr.write(f"cryptovol: {' '.join(message.split())}\n")
    sys.exit(status)


@app.command()
def demo(
    hours: Annotated[int, typer.Option(min=6, max=72, help="Simulated hours.")] = 12,
    products: Products = "BTC-USD,ETH-USD,SOL-USD",
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another market.")] = 7,
    kafka: Annotated[bool, typer.Option("--kafka", help="Through a real local broker.")] = False,
) -> None:
    """A simulated market recorded, modelled and reported, end to end; clearly simulated."""
    from cryptovol_demo import Market, run_demo
    from volatility.product import parse_products

    _log_to_stderr("ERROR")  # the progress bars say what happens
    market = Market(parse_products(products), hours, seed)
    run_demo(settings(), _clock(), _console(), market=market, kafka=kafka)


@app.command()
def up(
    live: Annotated[bool, typer.Option("--live", help="Coinbase's public feed.")] = False,
    products: Products = "BTC-USD,ETH-USD",
) -> None:
    """The stack on this machine: feed, ingestor, Dagster UI and daemon, MLflow UI.

    Without --live the feed is a simulated exchange at real speed.
    """
    from cryptovol_stack import run_stack
    from volatility.product import parse_products

    run_stack(settings(), _console(), live=live, products=parse_products(products))


@app.command()
def ingest(
    feed: Feed = "exchange",
    products: Products = "BTC-USD",
    url: Annotated[str, typer.Option(help="Instead of the feed's public address.")] = "",
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Then stop.")] = None,
    source: Annotated[
        Literal["live", "sim"], typer.Option(help="`sim` where the other end is simulated.")
    ] = "live",
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Prometheus on this machine.")
    ] = None,
) -> None:
    """Record a feed: to Kafka when KAFKA_SERVERS is set, else straight to the lake."""
    from ingest_service.ingest import run_ingest
    from ingest_service.plan import Plan
    from volatility.product import parse_products

    plan = Plan(feed, parse_products(products), url, source)
    report = run_ingest(
        plan, _transport(settings()), _clock(), minutes=minutes, metrics_port=metrics_port
    )
    _console().print(report.render())


@app.command()
def archive(
    topic: Topic = "ticks.raw",
    accept_gap: Annotated[
        bool, typer.Option("--accept-gap", help="Go on where the log begins, recording the hole.")
    ] = False,
    until_caught_up: Annotated[
        bool, typer.Option("--until-caught-up", help="Stop at the log's present end.")
    ] = False,
) -> None:
    """Kafka to bronze, each frame exactly once."""
    from ingest_service.archive import run_archive

    config = settings()
    report = run_archive(
        _servers(config),
        config.lake_root,
        _clock(),
        topic=topic,
        accept_gap=accept_gap,
        until_caught_up=until_caught_up,
    )
    _console().print(report.render())


@app.command()
def replay(
    files: Annotated[list[Path], typer.Argument(help="Recordings, plain or gzip.")],
    speed: Annotated[str, typer.Option(help="`max`, or times real time.")] = "max",
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
    materialize: Annotated[
        bool, typer.Option(help="Build silver for the hours touched, in direct mode.")
    ] = True,
) -> None:
    """Recordings through the same path as live frames, keeping their receive times."""
    from ingest_service.replay import parse_speed, run_replay

    config = settings()
    report = run_replay(
        files,
        _transport(config),
        _clock(),
        reports=config.home / "reports" / "rejected",
        speed=parse_speed(speed),
    )
    if as_json:
        _say(report.to_json().decode())
    else:
        _console().print(report.render())
    if materialize and not config.kafka_servers and report.first_event_ns is not None:
        from cryptovol_dagster.materialize import SILVER_TICKS, materialize_hours

        end_ns = (report.last_event_ns or 0) + 1
        built = materialize_hours(config, report.first_event_ns, end_ns, select=SILVER_TICKS)
        if not as_json:
            _console().print(built.render())


@app.command()
def simulate(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8765,
    products: Products = "BTC-USD,ETH-USD,SOL-USD",
    seed: Annotated[int, typer.Option(min=0, help="The same seed prints the same market.")] = 7,
    speed: Annotated[str, typer.Option(help="`max`, or times real time.")] = "1",
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Simulated; then stop.")] = None,
    start: Start = None,
    faults: Annotated[str, typer.Option(help="E.g. drop@600:trades=20,disconnect@1200.")] = "",
    wait: Annotated[
        bool, typer.Option("--wait", help="Time stands still while nobody subscribes.")
    ] = False,
) -> None:
    """A local exchange that speaks the Coinbase Exchange protocol; prints its address."""
    import asyncio

    from ingest_service.simulator.pace import parse_speed
    from ingest_service.simulator.run import run_simulator
    from volatility.product import parse_products

    config = settings()
    asyncio.run(
        run_simulator(
            config.host,
            port,
            parse_products(products),
            seed=seed,
            speed=parse_speed(speed),
            duration_s=None if minutes is None else minutes * 60,
            start_ns=_instant("--start", start),
            faults=faults,
            wait_for_subscriber=wait,
            clock=_clock(),
            ready=lambda exchange: _say(f"listening on {exchange.url}"),
        )
    )


@app.command()
def check(
    topic: Topic = "ticks.raw",
    minimum: Annotated[int, typer.Option("--min", min=1, help="Messages to wait for.")] = 20,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds until we give up.")] = 60.0,
) -> None:
    """Consume frames and print `messages_seen=20 seconds=3.3`."""
    from ingest_service.check import run_check

    result = run_check(_transport(settings()), topic=topic, minimum=minimum, timeout_s=timeout)
    _say(str(result))


@app.command("export-slice")
def export_slice(
    out: Annotated[Path, typer.Argument(help="File to write, OUT.ndjson.")],
    minutes: Annotated[float, typer.Option(min=0.01, help="Back from the newest frame.")] = 10.0,
) -> None:
    """A replayable sample of the raw record."""
    from ingest_service.export_slice import export_slice as write_slice

    _console().print(write_slice(_transport(settings()), out, minutes=minutes).render())


@app.command()
def materialize(
    start: Start = None,
    end: End = None,
    select: Annotated[
        str, typer.Option(help="Comma-separated tables, e.g. silver/trades,silver/quotes.")
    ] = "",
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Also what is up to date, e.g. after a code change.")
    ] = False,
) -> None:
    """Build what is missing or stale, in dependency order."""
    from cryptovol_dagster.materialize import materialize_hours
    from cryptovol_dagster.progress import bars

    first_ns, end_ns = _instant("--start", start), _instant("--end", end)
    tables = tuple(filter(None, select.split(",")))
    with bars(_console()) as progress:
        summary = materialize_hours(
            settings(), first_ns, end_ns, select=tables, rebuild=rebuild, progress=progress
        )
    _console().print(summary.render())


@app.command()
def train(
    scale: Annotated[Literal["1s"], typer.Option(help="Bar scale.")] = "1s",
    train_end: Annotated[
        str | None, typer.Option(help="Last label instant used, UTC; by default all matured.")
    ] = None,
) -> None:
    """Evaluate every model, let the gate decide, register the result."""
    from cryptovol_dagster.progress import bars
    from cryptovol_dagster.train import run_training

    with bars(_console()) as progress:
        summary = run_training(
            settings(), train_end_ns=_instant("--train-end", train_end), progress=progress
        )
    _console().print(summary.render())


@app.command()
def sql(
    query: Annotated[str | None, typer.Argument(help="A SELECT; without one, a shell.")] = None,
    style: Annotated[
        Literal["table", "csv", "json", "parquet"],
        typer.Option("--format", help="Of what is printed; parquet goes to stdout as bytes."),
    ] = "table",
) -> None:
    """DuckDB over the lake, read-only: schemas bronze, silver and gold."""
    from data_lake.sql import run, shell

    if query is None:
        shell(_lake(settings()), input, _say, interactive=sys.stdin.isatty())
    else:
        run(_lake(settings()), query, style, sys.stdout.buffer)


@app.command()
def verify() -> None:
    """Prove the lake: chains, duplicates, checksums, gaps, lineage; fails if anything is wrong."""
    from data_lake.verify import verify as prove

    report = prove(_lake(settings()))
    for line in report.lines():
        _say(line)
    if not report.ok:
        raise typer.Exit(1)


@app.command()
def doctor() -> None:
    """What is installed, reachable and configured, and what to do about what is not."""
    from cryptovol_doctor import diagnose

    findings = diagnose(settings())
    for finding in findings:
        _say(str(finding))
    if any(finding.broken for finding in findings):
        raise typer.Exit(1)


@kafka_app.command("start")
def kafka_start(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 9092,
) -> None:
    """Start the broker and create the topics; one that runs already stays."""
    from ingest_service.broker import start

    _say(f"export KAFKA_SERVERS={start(_kafka_folder(settings()), port).servers}")


@kafka_app.command("stop")
def kafka_stop() -> None:
    """Stop the broker; its log stays."""
    from ingest_service.broker import stop

    _say("stopped" if stop(_kafka_folder(settings())) else "no broker was running")


@kafka_app.command("status")
def kafka_status() -> None:
    """Whether the broker runs, and where; fails when it does not."""
    from ingest_service.broker import status

    found = status(_kafka_folder(settings()))
    if not found.running:
        _say("not running; `cryptovol kafka start` starts one")
        raise typer.Exit(1)
    _say(f"running at {found.servers}, pid {found.pid}, Apache Kafka {found.version}")


@kafka_app.command("fetch")
def kafka_fetch() -> None:
    """Fetch the broker's jars with Maven, once per machine."""
    from ingest_service.kafka_jars import ensure_jars

    _say(str(ensure_jars()))


def _log_to_stderr(level: str) -> None:
    """Logs go to stderr, so that stdout is only ever the answer; libraries speak up from errors."""
    import logging

    import structlog

    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what matters comes as BrokerError
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _console() -> Any:
    from rich.console import Console

    return Console(highlight=False)


def _clock() -> Clock:
    from data_lake.clock import SystemClock

    return SystemClock()


def _lake(config: Settings) -> Lake:
    from data_lake.lake import Lake

    return Lake(config.lake_root)


def _transport(config: Settings) -> Transport:
    from ingest_service.transport import Transport

    return Transport(config.lake_root, config.kafka_servers)


def _servers(config: Settings) -> str:
    if not config.kafka_servers:
        raise SettingError("KAFKA_SERVERS", "", "not set; in direct mode there is no log to read")
    return config.kafka_servers


def _kafka_folder(config: Settings) -> Path:
    return config.home.absolute() / "kafka"


def _instant(flag: str, text: str | None) -> int | None:
    """A UTC instant of the command line, ns since epoch."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise SettingError(flag, text, "not a UTC instant such as 2025-11-12T07:00") from exc
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return int(moment.timestamp()) * 1_000_000_000


if __name__ == "__main__":
    main()
