"""Lakes in a folder and in memory, and rows to put in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from data_lake.bronze import BronzeWriter
from data_lake.clock import ManualClock
from data_lake.lake import Lake
from data_lake.layout import hour_bounds
from data_lake.tables import BARS_1S, QUOTES, TRADES, Table
from volatility.frame import Frame

FIRST_HOUR = "2025-11-12-07:00"
_SECOND_NS = 1_000_000_000

MakeRows = Callable[..., Any]
MakeFrame = Callable[..., Frame]


@pytest.fixture(params=["folder", "memory"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """An empty lake; every behaviour holds on each kind of store."""
    return Lake(str(tmp_path / "lake") if request.param == "folder" else "memory:///")


@pytest.fixture
def folder_lake(tmp_path: Path) -> Lake:
    """An empty lake in a folder, for what only a local disk has."""
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def clock() -> ManualClock:
    """A clock at the start of the first hour."""
    return ManualClock(hour_bounds(FIRST_HOUR)[0])


def _rows(table: Table, count: int, **columns: object) -> Any:
    """`count` rows, constants repeated and lists as they are, in the table's schema."""
    arrays = [
        pa.array(cells if isinstance(cells, list) else [cells] * count, column.type)
        for column in table.columns
        for cells in [columns[column.name]]
    ]
    return pa.table(arrays, schema=table.schema)


@pytest.fixture
def make_trades() -> MakeRows:
    """A maker of an hour's trades: `count` of one product, one a second, ids from `first_id`."""

    def make(
        hour: str = FIRST_HOUR, count: int = 10, first_id: int = 1, product: str = "BTC-USD"
    ) -> Any:
        start = hour_bounds(hour)[0]
        times = [start + n * _SECOND_NS + 123_456_789 for n in range(count)]
        return _rows(
            TRADES,
            count,
            product=product,
            trade_id=[first_id + n for n in range(count)],
            price=[10_347_228_000_000 + n for n in range(count)],
            size=[68_754 + n for n in range(count)],
            price_scale=8,
            size_scale=8,
            taker_side="buy",
            maker_side="sell",
            ts_event=times,
            ts_recv=[ns + 1_000_000 for ns in times],
            sequence=[None if n % 3 == 0 else n for n in range(count)],
            source="sim",
            feed="exchange",
            offset=list(range(count)),
        )

    return make


@pytest.fixture
def make_quotes() -> MakeRows:
    """A maker of an hour's quotes: `count` of one product, one a second, half a second early."""

    def make(hour: str = FIRST_HOUR, count: int = 10, product: str = "BTC-USD") -> Any:
        start = hour_bounds(hour)[0]
        return _rows(
            QUOTES,
            count,
            product=product,
            bid=[100_00 + n for n in range(count)],
            ask=[100_02 + n for n in range(count)],
            bid_size=[5] * count,
            ask_size=[None] * count,
            price_scale=2,
            size_scale=0,
            ts_event=[start + n * _SECOND_NS for n in range(count)],
            ts_recv=[start + n * _SECOND_NS for n in range(count)],
            sequence=list(range(count)),
            source="sim",
            feed="exchange",
            offset=list(range(count)),
        )

    return make


@pytest.fixture
def make_bars() -> MakeRows:
    """A maker of an hour's first `count` one-second bars of one product."""

    def make(hour: str = FIRST_HOUR, count: int = 120, product: str = "BTC-USD") -> Any:
        start = hour_bounds(hour)[0]
        mids = [2_001 + n for n in range(count)]
        return _rows(
            BARS_1S,
            count,
            product=product,
            ts=[start + (n + 1) * _SECOND_NS for n in range(count)],
            mid2_open=mids,
            mid2_high=[mid + 4 for mid in mids],
            mid2_low=[mid - 4 for mid in mids],
            mid2_close=mids,
            price_scale=2,
            r=[None] + [0.001] * (count - 1),
            n_quotes=2,
            n_trades=1,
            volume=0.5,
            signed_volume=-0.5,
            spread_bps=1.0,
            imbalance=0.0,
            ofi=0.0,
            age_ns=0,
            observed=True,
            source="sim",
        )

    return make


@pytest.fixture
def make_frame() -> MakeFrame:
    """A maker of the `n`th ticker frame, one a second; `text` replaces the payload."""

    def make(n: int, hour: str = FIRST_HOUR, text: str | None = None) -> Frame:
        start = hour_bounds(hour)[0]
        ticker = (
            f'{{"type":"ticker","product_id":"BTC-USD","trade_id":{n},"price":"1.5",'
            f'"time":"{hour[:10]}T{hour[11:13]}:{n // 60 % 60:02d}:{n % 60:02d}.5Z"}}'
        )
        return Frame(
            recv_ns=start + n * _SECOND_NS,
            source="sim",
            feed="exchange",
            conn="c1",
            frame=n,
            product="BTC-USD",
            payload=(ticker if text is None else text).encode(),
        )

    return make


@pytest.fixture
def make_writer(clock: ManualClock) -> Callable[..., BronzeWriter]:
    """A maker of archivers: writers that fence each other on one Kafka partition."""

    def make(lake: Lake, **options: Any) -> BronzeWriter:
        chosen: dict[str, Any] = {
            "topic": "ticks.raw",
            "epoch": "XqmLYcrVTE-9yNhSJXcDCA",
            "partition": 0,
        }
        return BronzeWriter(lake, **(chosen | options), clock=clock)

    return make
