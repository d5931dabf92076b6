"""The demo: from a simulated exchange to a drift report, over the very path live frames take.

The market of a seed is the same every time and has a day of its own, so a second run with the
same seed replays the same frames (silver does not change) and another seed adds another day.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from data_lake.clock import Clock
from data_lake.layout import HOUR_NS
from data_lake.settings import Settings
from volatility.errors import FeedError, SettingError

if TYPE_CHECKING:
    from cryptovol_dagster.materialize import Materialized
    from cryptovol_dagster.train import DriftSummary, TrainingSummary
    from ingest_service.ingest import IngestReport
    from ingest_service.tally import Tally

FIRST_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)
HELD_BACK: Final = 0.25
"""Share of the hours the models never see: forecasts and drift are shown on these."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Market:
    """What the demo's exchange plays."""

    products: tuple[str, ...]
    hours: int
    seed: int

    @property
    def start_ns(self) -> int:
        """Each seed has a day of its own, so that two markets never share an instant."""
        return (int(FIRST_DAY.timestamp()) + self.seed * 4 * 86_400) * 1_000_000_000

    @property
    def end_ns(self) -> int:
        """When the market is over."""
        return self.start_ns + self.hours * HOUR_NS

    @property
    def faults(self) -> str:
        """A silent loss and a dropped connection, so that the gap ledger has something to show."""
        third = self.hours * 1200
        first = self.products[0]
        return f"drop@{third}:trades=25:product={first},disconnect@{2 * third}:code=1001:outage=20"

    @property
    def train_end_ns(self) -> int:
        """Whole hour by which training labels have matured; ns UTC."""
        return self.end_ns - max(1, round(self.hours * HELD_BACK)) * HOUR_NS


@contextmanager
def exchange(market: Market) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The simulated exchange as a process of its own, and its address.

    Raises:
        FeedError: it did not come up.
    """
    start = datetime.fromtimestamp(market.start_ns / 1e9, UTC).isoformat()
    command = [sys.executable, "-m", "cryptovol", "simulate", "--port", "0", "--wait"]
    command += ["--products", ",".join(market.products), "--seed", str(market.seed)]
    command += ["--speed", "max", "--minutes", str(market.hours * 60), "--start", start]
    command += ["--faults", market.faults]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            said = child.stdout.readline().strip() if child.stdout else ""
            if "ws://" not in said:
                raise FeedError("the simulated exchange", said or "it did not come up")
            yield child, said.rpartition(" ")[2]
        finally:
            child.terminate()


def record(market: Market, config: Settings, clock: Clock, progress: Progress) -> IngestReport:
    """Record the whole market over a real websocket, to Kafka or straight to the lake."""
    from ingest_service.ingest import ingest
    from ingest_service.plan import Plan
    from ingest_service.transport import Transport

    transport = Transport(config.lake_root, config.kafka_servers)

    async def run(child: subprocess.Popen[str], url: str) -> IngestReport:
        plan = Plan("exchange", market.products, url, "sim")
        stop = asyncio.Event()
        tallies: list[Tally] = []
        recording = asyncio.create_task(
            ingest(plan, transport, clock, stop=stop, watch=tallies.append)
        )
        while child.poll() is None and not recording.done():
            await asyncio.sleep(0.2)
            progress("recording", *_simulated(market, tallies))
        stop.set()
        return await recording

    with exchange(market) as (child, url):
        return asyncio.run(run(child, url))


def _simulated(market: Market, tallies: Sequence[Tally]) -> tuple[int, int]:
    """Simulated seconds recorded and in all: every product has a heartbeat a second."""
    beats = tallies[0].kinds["heartbeat"] if tallies else 0
    return beats // len(market.products), market.hours * 3600


def run_demo(
    config: Settings, clock: Clock, console: Any, *, market: Market, kafka: bool = False
) -> None:
    """Record the market, build every table, train, forecast what was held back, report drift.

    With `kafka` the frames go through a real broker, started for the demo unless one is set.

    Raises:
        CryptovolError: a part of the line failed; what was recorded stays.
    """
    from cryptovol_dagster.progress import bars

    check_lake(config)
    console.print(
        f"[bold]{market.hours} hours of {', '.join(market.products)}, simulated[/bold]: "
        "these are not real prices, and every row says so.\n"
        "The first run compiles the feature kernel, which takes some seconds."
    )
    began = perf_counter()
    with bars(console) as progress, broker(config, kafka) as servers:
        recording = config.model_copy(update={"kafka_servers": servers})
        received = record(market, recording, clock, progress)
        if servers:
            progress("archiving", 0, 1)
            archive(recording, clock)
            progress("archiving", 1, 1)
        built, trained, drifted = model(config, market, progress)
    summarise(console, received, missing_trades(config), built, trained, drifted)
    console.print(f"\nDone in {perf_counter() - began:.0f} s. All of it is simulated.")


def model(
    config: Settings, market: Market, progress: Progress
) -> tuple[Materialized, TrainingSummary, DriftSummary]:
    """From bronze to the drift report; models are trained without the hours held back."""
    from cryptovol_dagster.materialize import materialize_hours
    from cryptovol_dagster.train import run_drift_report, run_training

    materialize_hours(config, progress=progress)
    trained = run_training(config, train_end_ns=market.train_end_ns, progress=progress)
    built = materialize_hours(config, progress=progress)
    progress("report/drift", 0, 1)
    drifted = run_drift_report(config)
    progress("report/drift", 1, 1)
    return built, trained, drifted


@contextmanager
def broker(config: Settings, wanted: bool) -> Iterator[str]:
    """Bootstrap servers, empty in direct mode; a broker started here is stopped again."""
    if config.kafka_servers or not wanted:
        yield config.kafka_servers
        return
    from ingest_service.broker import start, status, stop

    folder = config.home.absolute() / "kafka"
    ours = not status(folder).running
    try:
        yield start(folder).servers
    finally:
        if ours:
            stop(folder)


def archive(config: Settings, clock: Clock) -> None:
    """Take what is in the log to bronze."""
    from ingest_service.archive import run_archive

    run_archive(config.kafka_servers, config.lake_root, clock, until_caught_up=True)


def missing_trades(config: Settings) -> int:
    """How many trades the gap ledger says we never saw."""
    from data_lake.catalog import connect
    from data_lake.lake import Lake

    with connect(Lake(config.lake_root)) as connection:
        found = connection.sql("select coalesce(sum(missing), 0)::bigint from silver.gaps")
        return int(found.fetchall()[0][0])


def summarise(
    console: Any,
    received: IngestReport,
    missing: int,
    built: Materialized,
    trained: TrainingSummary,
    drifted: DriftSummary,
) -> None:
    """What was recorded, what was built, who won, and what to look at next."""
    from rich.table import Table

    table = Table("what", "figure", title="Simulated data, end to end")
    table.columns[1].justify = "right"
    table.add_row("frames received", f"{received.frames:,}")
    table.add_row("connections closed on us", f"{received.reconnects:,}")
    for each in built.tables:
        table.add_row(f"rows in {each.table}", f"{each.rows:,}")
    table.add_row("trades the gaps say are missing", f"{missing:,}")
    console.print(table)
    console.print(trained.render())
    for failed in built.failed_checks:
        console.print(f"check failed: {failed}")
    for note in built.notes:
        console.print(f"note: {note}")
    console.print(drifted.render())
    console.print(NEXT)


NEXT: Final = """
Three things to try next:
  1. the asset graph, runs and decisions:   .venv/bin/cryptovol up   then http://127.0.0.1:3000
  2. ask the lake:   .venv/bin/cryptovol sql "from silver.gaps"
  3. the real market:   CRYPTOVOL_HOME=live .venv/bin/cryptovol up --live"""


def check_lake(config: Settings) -> None:
    """Make sure simulated rows are not put among real ones.

    Raises:
        SettingError: the lake holds frames of another source.
    """
    from data_lake.catalog import connect
    from data_lake.lake import Lake

    with connect(Lake(config.lake_root)) as connection:
        others = connection.sql("select distinct source from bronze.frames where source != 'sim'")
        found = [row[0] for row in others.fetchall()]
    if found:
        rule = f"holds {', '.join(found)} data; give the demo a folder of its own"
        raise SettingError("CRYPTOVOL_HOME", str(config.home), rule)
