"""Files that prove themselves."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_lake.lake import Lake
from data_lake.layout import hour_path
from data_lake.tables import BARS_1S, TRADES
from volatility.errors import LakeError

HOUR = "2025-11-12-07:00"
MakeRows = Callable[..., Any]


def _file(lake: Lake) -> Path:
    assert lake.storage.folder is not None
    return lake.storage.folder / hour_path(TRADES, HOUR)


def _flips(path: Path, count: int, seed: int) -> Iterator[str]:
    """Flip one bit after the other, each in an otherwise sound file; name each."""
    sound, chance = path.read_bytes(), random.Random(seed)
    for _ in range(count):
        bit = chance.randrange(len(sound) * 8)
        flipped = bytearray(sound)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        yield f"bit {bit} of {path.name}, seed {seed}"
    path.write_bytes(sound)


def test_every_flipped_bit_is_caught(folder_lake: Lake, make_trades: MakeRows) -> None:
    """300 bits anywhere: data, page headers, statistics, footer."""
    folder_lake.replace(TRADES, HOUR, make_trades(HOUR, count=3_000), {})
    for flip in _flips(_file(folder_lake), 300, seed=20_251_112):
        with pytest.raises(LakeError) as caught:
            folder_lake.read(TRADES, HOUR)
        assert caught.value.path == hour_path(TRADES, HOUR), flip
    assert folder_lake.read(TRADES, HOUR).num_rows == 3_000


def test_some_columns_are_right_or_refused_whatever_bit_flips(
    folder_lake: Lake, make_trades: MakeRows
) -> None:
    """A reader of one column does not read, hence not prove, the rest of the file."""
    rows = make_trades(HOUR, count=3_000)
    folder_lake.replace(TRADES, HOUR, rows, {})
    refused = 0
    for flip in _flips(_file(folder_lake), 300, seed=7):
        try:
            prices = folder_lake.read(TRADES, HOUR, ["price"])
        except LakeError:
            refused += 1
        else:
            assert prices.equals(rows.select(["price"])), flip
    assert refused > 60


@pytest.mark.parametrize("keep", [0, 1, 3, 4, 8, 100, 0.25, 0.5, 0.9, -9, -8, -4, -1])
def test_a_truncated_file_is_refused(folder_lake: Lake, make_trades: MakeRows, keep: float) -> None:
    folder_lake.replace(TRADES, HOUR, make_trades(HOUR), {})
    path = _file(folder_lake)
    sound = path.read_bytes()
    path.write_bytes(sound[: int(keep * len(sound)) if isinstance(keep, float) else keep])
    with pytest.raises(LakeError, match="torn or altered"):
        folder_lake.read(TRADES, HOUR)
    with pytest.raises(LakeError, match="torn or altered"):
        folder_lake.manifest(TRADES, HOUR)


def test_a_file_of_somebody_else_is_refused(folder_lake: Lake, make_trades: MakeRows) -> None:
    folder_lake.replace(TRADES, HOUR, make_trades(HOUR), {})
    pq.write_table(make_trades(HOUR), _file(folder_lake))
    with pytest.raises(LakeError, match="not the ones that were written"):
        folder_lake.read(TRADES, HOUR)
    with pytest.raises(LakeError, match="footer"):
        folder_lake.manifest(TRADES, HOUR)


def test_rows_changed_under_a_kept_footer_are_refused(
    folder_lake: Lake, make_trades: MakeRows
) -> None:
    """Another program rewrites the rows and carries our metadata over."""
    folder_lake.replace(TRADES, HOUR, make_trades(HOUR), {})
    path = _file(folder_lake)
    ours = pq.ParquetFile(path).metadata.metadata
    rows = make_trades(HOUR)
    prices = [price + 1 for price in rows.column("price").to_pylist()]
    forged = rows.set_column(2, TRADES.schema.field("price"), [pa.array(prices)])
    kept = {key: text for key, text in ours.items() if key.startswith(b"cryptovol")}
    pq.write_table(forged.replace_schema_metadata(kept), path)
    with pytest.raises(LakeError, match="not the ones that were written"):
        folder_lake.read(TRADES, HOUR)
    with pytest.raises(LakeError, match="column price is not what was written"):
        folder_lake.read(TRADES, HOUR, ["price"])
    assert folder_lake.read(TRADES, HOUR, ["size"]).num_rows == 10


def test_other_readers_see_the_same_rows(folder_lake: Lake, make_trades: MakeRows) -> None:
    rows = make_trades(HOUR)
    folder_lake.replace(TRADES, HOUR, rows, {})
    assert pq.ParquetFile(_file(folder_lake)).read().equals(rows)


def test_pages_are_zstd_with_checksums_and_row_groups_end_with_products(
    folder_lake: Lake, make_trades: MakeRows
) -> None:
    products = ["BTC-USD", "ETH-USD", "SOL-USD", "XRP-USD"]
    counts = [3_599, 10, 5, 3_000]
    rows = pa.concat_tables(
        make_trades(HOUR, count=count, product=product)
        for product, count in zip(products, counts, strict=True)
    )
    rows = pa.concat_tables([rows])
    folder_lake.replace(TRADES, HOUR, rows, {})
    metadata = pq.ParquetFile(_file(folder_lake), page_checksum_verification=True).metadata
    assert metadata.row_group(0).column(0).compression == "ZSTD"
    groups = [metadata.row_group(n) for n in range(metadata.num_row_groups)]
    assert sum(group.num_rows for group in groups) == sum(counts)
    assert [group.column(0).statistics.max for group in groups] == ["XRP-USD"]


def test_a_large_product_has_row_groups_of_its_own(folder_lake: Lake, make_bars: MakeRows) -> None:
    products = ["BTC-USD", "ETH-USD", "SOL-USD", "XRP-USD", "ZEC-USD"]
    rows = pa.concat_tables(make_bars(HOUR, 3_600, product) for product in products)
    folder_lake.replace(BARS_1S, HOUR, rows, {})
    assert folder_lake.storage.folder is not None
    path = folder_lake.storage.folder / hour_path(BARS_1S, HOUR)
    metadata = pq.ParquetFile(path).metadata
    assert [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)] == [
        7_200, 7_200, 3_600,
    ]  # fmt: skip


def test_an_unknown_column_is_an_error_of_the_caller(lake: Lake, make_trades: MakeRows) -> None:
    lake.replace(TRADES, HOUR, make_trades(HOUR), {})
    with pytest.raises(ValueError, match="no column nope"):
        lake.read(TRADES, HOUR, ["nope"])
