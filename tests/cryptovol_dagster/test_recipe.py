"""What every hour is computed from."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cryptovol_dagster.build import build_bars_1s, build_features_1s
from cryptovol_dagster.recipe import ORDER, READS, Ledger, Read, by_hour, fingerprints, history
from cryptovol_dagster.ticks import build_ticks
from data_lake.chain import chain
from data_lake.lake import Lake
from data_lake.tables import BARS_1S, FEATURES_1S, GAPS, LABELS_1S, QUOTES, TABLES, TRADES
from volatility.frame import Frame

Hour = Callable[[int], str]
Market = Callable[..., list[Frame]]
Record = Callable[[Lake, Iterable[Frame]], None]


def test_every_hourly_table_has_a_place_in_the_order() -> None:
    """Upstream comes first, and no table of the lake is forgotten."""
    assert {t.path for t in ORDER} == {t.path for t in TABLES.values() if t.layout == "hour"}
    for place, table in enumerate(ORDER):
        assert all(read.table in ORDER[:place] for read in READS.get(table.path, ()))


def test_a_read_names_its_hours_oldest_first() -> None:
    assert Read(BARS_1S, back=2).hours("2026-03-02-01:00") == [
        "2026-03-01-23:00",
        "2026-03-02-00:00",
        "2026-03-02-01:00",
    ]
    assert Read(FEATURES_1S, ahead=1).hours("2025-12-31-23:00") == [
        "2025-12-31-23:00",
        "2026-01-01-00:00",
    ]


def test_newest_earlier_trades_come_from_manifests_across_holes(
    lake: Lake, hour: Hour, market: Market, record: Record
) -> None:
    """Hour 3 follows hour 0: nothing was recorded between."""
    record(lake, market([0, 3], every_s=60))
    build_ticks(lake, [hour(0), hour(3)])
    ledger = Ledger(lake)
    assert ledger.newest_trades(hour(0)) == {}
    before = ledger.newest_trades(hour(3))
    assert {p: i for p, (i, _) in before.items()} == {"BTC-USD": 60, "ETH-USD": 60}
    assert ledger.newest_trades(hour(9))["BTC-USD"][0] == 240


def test_a_ledger_notes_what_is_built(
    lake: Lake, hour: Hour, market: Market, record: Record
) -> None:
    """Asked before and after, without looking at the lake again."""
    record(lake, market([0, 1], every_s=60))
    made = build_ticks(lake, [hour(0)]).built[TRADES.path]
    ledger = Ledger(lake)
    assert ledger.newest_trades(hour(2)) == ledger.newest_trades(hour(1))
    later = build_ticks(lake, [hour(1)]).built[TRADES.path]
    ledger.note(TRADES, later[hour(1)])
    assert ledger.hours(TRADES) == [hour(0), hour(1)]
    assert ledger.newest_trades(hour(2)) != ledger.newest_trades(hour(1))
    assert ledger.fingerprint(TRADES, hour(0)) == made[hour(0)].sha256
    assert ledger.fingerprint(TRADES, hour(7)) == ""


def test_fingerprints_name_every_hour_read(
    lake: Lake, hour: Hour, market: Market, record: Record
) -> None:
    record(lake, market([0, 1], every_s=60))
    build_ticks(lake, [hour(0), hour(1)])
    found = fingerprints(Ledger(lake), BARS_1S, hour(1))
    assert set(found) == {
        f"{table.path}/{each}" for table in (QUOTES, TRADES) for each in (hour(0), hour(1))
    }
    assert all(found.values())
    assert f"{TRADES.path}/before" in fingerprints(Ledger(lake), GAPS, hour(1))


def test_a_label_depends_on_thirty_days_of_features(
    lake: Lake, hour: Hour, market: Market, record: Record
) -> None:
    """An hour built inside the window changes the fingerprint, one outside does not."""
    record(lake, market([0, 5, 800], every_s=60))
    hours = [hour(0), hour(5), hour(800)]
    build_ticks(lake, hours)
    build_bars_1s(lake, hours)
    build_features_1s(lake, [hour(0)])
    bare = fingerprints(Ledger(lake), LABELS_1S, hour(722))
    build_features_1s(lake, [hour(5)])
    ledger = Ledger(lake)
    assert history(ledger, hour(722)) == [hour(5)]
    assert fingerprints(ledger, LABELS_1S, hour(722)) != bare


def test_bronze_files_are_found_by_the_hours_they_touch(
    lake: Lake, hour: Hour, market: Market, record: Record
) -> None:
    record(lake, market([0, 1], every_s=60))
    record(lake, market([1, 2], every_s=60))
    touching = by_hour(chain(lake))
    assert {h: len(files) for h, files in touching.items()} == {hour(0): 1, hour(1): 2, hour(2): 1}
