"""A small market in bronze, and homes in which the whole chain was run over it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from data_lake.bronze import BronzeWriter
from data_lake.clock import ManualClock
from data_lake.lake import Lake
from data_lake.layout import HOUR_NS, hour_bounds, hour_key
from data_lake.settings import Settings
from volatility.frame import Frame

SECOND_NS = 1_000_000_000
FIRST = "2026-03-02-00:00"
PRODUCTS = {"BTC-USD": 60_000.0, "ETH-USD": 3_000.0}

Hour = Callable[[int], str]
Market = Callable[..., list[Frame]]
Record = Callable[[Lake, Iterable[Frame]], None]


def _hour(number: int) -> str:
    return hour_key(hour_bounds(FIRST)[0] + number * HOUR_NS)


def _ticker(product: str, trade_id: int, ts: int, price: float) -> bytes:
    """One ticker frame of the Exchange feed."""
    time = str(np.datetime64(ts, "ns").astype("datetime64[us]")) + "Z"
    return msgspec.json.encode(
        {
            "type": "ticker",
            "sequence": trade_id * 3,
            "product_id": product,
            "price": f"{price:.2f}",
            "best_bid": f"{price - 0.01:.2f}",
            "best_bid_size": "1.5",
            "best_ask": f"{price + 0.01:.2f}",
            "best_ask_size": "0.5",
            "side": "buy" if trade_id % 2 else "sell",
            "time": time,
            "trade_id": trade_id,
            "last_size": "0.01",
        }
    )


def _market(
    hours: Iterable[int], *, every_s: float = 5.0, products: Iterable[str] = PRODUCTS
) -> list[Frame]:
    """Tickers of some hours; an hour's frames are the same whichever others are asked for."""
    frames: list[Frame] = []
    for number in hours:
        start = hour_bounds(_hour(number))[0]
        for code, product in enumerate(products):
            generator = np.random.default_rng([number, code])
            count = int(3600 / every_s)
            pace = 2e-4 * np.exp(np.cumsum(generator.normal(0, 0.05, count)).clip(-1, 1))
            walk = np.exp(np.cumsum(pace * generator.normal(size=count)))
            for i in range(count):
                ts = start + int((i + 0.5 * generator.random()) * every_s * SECOND_NS)
                trade_id = 1 + number * count + i
                price = PRODUCTS[product] * float(walk[i])
                frames.append(_frame(_ticker(product, trade_id, ts, price), ts, len(frames)))
    return sorted(frames, key=lambda f: f.recv_ns)


def _frame(payload: bytes, ts: int, number: int = 0) -> Frame:
    """A simulated frame received 20 ms after `ts`."""
    return Frame(
        recv_ns=ts + 20_000_000,
        source="sim",
        feed="exchange",
        conn="test",
        frame=number,
        product=None,
        payload=payload,
    )


def _record(lake: Lake, frames: Iterable[Frame]) -> None:
    """Put frames into bronze, as one more file of the direct chain."""
    writer = BronzeWriter(lake, clock=ManualClock(0))
    for each in frames:
        writer.append(each)
    writer.flush()
    writer.close()


def _settings_of(home: Path) -> Settings:
    """Settings with everything under `home`, whatever the environment says."""
    return Settings(home=home, lake="", kafka_servers="", mlflow_tracking_uri="")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An empty lake."""
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """Settings with everything under an empty folder."""
    return _settings_of(tmp_path / "home")


@pytest.fixture(scope="session")
def hour() -> Hour:
    """`hour(n)`: key of the market's hour n."""
    return _hour


@pytest.fixture(scope="session")
def market() -> Market:
    """`market(hours, every_s=…, products=…)`: tickers of the market's hours."""
    return _market


@pytest.fixture(scope="session")
def frame() -> Callable[..., Frame]:
    """`frame(product, trade_id, ts, price)`: one ticker as a frame."""
    return lambda product, trade_id, ts, price: _frame(_ticker(product, trade_id, ts, price), ts)


@pytest.fixture(scope="session")
def record() -> Record:
    """`record(lake, frames)`: frames into bronze, as one more file of the direct chain."""
    return _record


@pytest.fixture(scope="session")
def trained_home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Six hours recorded, built, trained on, forecast and reported; read only."""
    from cryptovol_dagster.materialize import materialize_hours
    from cryptovol_dagster.train import run_drift_report, run_training

    settings = _settings_of(tmp_path_factory.mktemp("home"))
    _record(Lake(settings.lake_root), _market(range(6)))
    materialize_hours(settings)
    run_training(settings, train_end_ns=hour_bounds(_hour(5))[0], horizons_s=(60, 300))
    materialize_hours(settings)
    run_drift_report(settings)
    return settings
