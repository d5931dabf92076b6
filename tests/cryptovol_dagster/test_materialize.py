"""Through Dagster, into an instance that remembers: missing and stale hours, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import dagster as dg
import pytest
from rich.console import Console

from cryptovol_dagster.materialize import SILVER_TICKS, Materialized, materialize_hours
from cryptovol_dagster.run import persistent_instance
from data_lake.clock import SystemClock
from data_lake.lake import Lake
from data_lake.layout import HOUR_NS, hour_bounds, hour_key
from data_lake.settings import Settings
from data_lake.tables import FEATURES_1S, FORECASTS, OUTCOMES
from data_lake.verify import verify
from ingest_service.replay import run_replay
from ingest_service.transport import Transport
from volatility.errors import LakeError, SettingError
from volatility.frame import Frame

Hour = Callable[[int], str]
Market = Callable[..., list[Frame]]
Record = Callable[[Lake, Iterable[Frame]], None]


def built(done: Materialized) -> dict[str, int]:
    """Hours built now, by table, where any were."""
    return {each.table: each.built for each in done.tables if each.built}


def shown(done: Materialized) -> str:
    """What the terminal shows."""
    console = Console(width=200)
    with console.capture() as printed:
        console.print(done.render())
    return printed.get()


def test_what_is_missing_is_built_once(
    home: Settings, hour: Hour, market: Market, record: Record
) -> None:
    """A second call finds nothing to do, a late frame only what it touches."""
    record(Lake(home.lake_root), market([0, 1, 2], every_s=30))
    heard: list[tuple[str, int, int]] = []
    done = materialize_hours(home, progress=lambda *said: heard.append(said))
    assert done.rows("silver/trades") == 720
    assert done.rows("gold/features_1s") == 21_600
    assert done.runs == 2
    assert not done.failed_checks
    assert ("silver/trades", 3, 3) in heard
    assert ("gold/labels_1s", 3, 3) in heard
    assert materialize_hours(home).runs == 0
    assert verify(Lake(home.lake_root)).ok


def test_a_range_and_a_selection_are_kept(
    home: Settings, hour: Hour, market: Market, record: Record
) -> None:
    record(Lake(home.lake_root), market([0, 1, 2], every_s=60))
    start, end = hour_bounds(hour(1))
    done = materialize_hours(home, start, end, select=SILVER_TICKS)
    assert built(done) == dict.fromkeys(SILVER_TICKS, 1)
    assert Lake(home.lake_root).hours(FEATURES_1S) == []
    with pytest.raises(SettingError, match="tables are silver/trades"):
        materialize_hours(home, select=["silver/ticks"])


def test_a_range_must_end_after_it_starts(home: Settings, hour: Hour) -> None:
    start, _ = hour_bounds(hour(1))
    for end in (start, start - HOUR_NS):
        with pytest.raises(SettingError, match=r"--end='2026-03-02T0.:00': .*2026-03-02T01:00"):
            materialize_hours(home, start, end)


def test_a_range_nothing_was_recorded_in_is_said(
    home: Settings, hour: Hour, market: Market, record: Record
) -> None:
    """Before everything, after everything, or with one bound only."""
    record(Lake(home.lake_root), market([0], every_s=60))
    first, after = hour_bounds(hour(0))
    both = "no frames recorded between 2026-03-02T01:00 and 2026-03-02T02:00"
    with pytest.raises(LakeError, match=both):
        materialize_hours(home, after, after + HOUR_NS)
    with pytest.raises(LakeError, match="no frames recorded before 2026-03-02T00:00"):
        materialize_hours(home, None, first)
    with pytest.raises(LakeError, match="no frames recorded since 2026-03-02T01:00"):
        materialize_hours(home, after)


def test_an_empty_lake_is_told_what_to_do(home: Settings) -> None:
    with pytest.raises(LakeError, match="no frames recorded yet: `cryptovol ingest` or `"):
        materialize_hours(home)


def test_hours_before_the_first_partition_are_told_apart_from_open_ones(
    home: Settings, hour: Hour, frame: Callable[..., Frame], record: Record
) -> None:
    """They will not be built later, unless the setting is changed."""
    long_ago, now = hour(-60_000), SystemClock().now_ns()
    record(
        Lake(home.lake_root),
        [frame("BTC-USD", 1, hour_bounds(long_ago)[0], 9.0), frame("BTC-USD", 2, now, 9.0)],
    )
    done = materialize_hours(home)
    assert done.before_first == (long_ago,)
    assert done.open_hours == (hour_key(now),)
    said = shown(done)
    assert f"CRYPTOVOL_PARTITIONS_START, not built: {long_ago}" in said


def test_only_selected_tables_are_shown(
    home: Settings, hour: Hour, market: Market, record: Record
) -> None:
    record(Lake(home.lake_root), market([0], every_s=60))
    said = shown(materialize_hours(home, select=SILVER_TICKS))
    assert "silver/gaps" in said
    assert "gold" not in said
    assert "silver/bars_1s" not in said


def test_what_is_only_worth_a_look_is_a_note(
    home: Settings, hour: Hour, market: Market, record: Record
) -> None:
    """A minute of market has hardly any volatility yet: no failure of anybody."""
    record(Lake(home.lake_root), market([0], every_s=5)[:24])
    done = materialize_hours(home)
    assert not done.failed_checks
    assert [text.partition(":")[0] for text in done.notes] == ["gold/features_1s is_known"]
    assert "note: gold/features_1s is_known: rv_60s is null in" in shown(done)
    assert "check failed" not in shown(done)


def test_a_broken_hour_is_built_again_from_bronze(
    home: Settings, hour: Hour, market: Market, record: Record
) -> None:
    record(Lake(home.lake_root), market([0], every_s=60))
    materialize_hours(home, select=SILVER_TICKS)
    lake = Lake(home.lake_root)
    assert lake.storage.folder is not None
    path = next(lake.storage.folder.glob("silver/quotes/**/data.parquet"))
    path.write_bytes(path.read_bytes()[:-30])
    assert built(materialize_hours(home, select=SILVER_TICKS)) == {"silver/quotes": 1}
    assert verify(Lake(home.lake_root)).ok


def test_a_failed_step_says_which_and_why(
    home: Settings, hour: Hour, market: Market, record: Record
) -> None:
    """Bars without ticks: one line that names the step and what to build first."""
    record(Lake(home.lake_root), market([0], every_s=60))
    with pytest.raises(LakeError, match=r"hourly job, bars_1s: .*build first: silver/quotes"):
        materialize_hours(home, select=["silver/bars_1s"])


def test_every_hour_is_known_to_dagster_with_its_rows(trained_home: Settings, hour: Hour) -> None:
    """The UI shows each partition, lineage from the feed to the report, and what it holds."""
    with persistent_instance(trained_home) as instance:
        for path in ("silver/trades", "gold/features_1s", "gold/forecasts"):
            found = instance.get_materialized_partitions(dg.AssetKey(path.split("/")))
            assert found == {hour(n) for n in range(6)}
        for path in ("coinbase/feed", "bronze/frames", "model/volatility_1s", "report/drift"):
            assert instance.get_latest_materialization_event(dg.AssetKey(path.split("/")))
        newest = instance.get_latest_materialization_event(dg.AssetKey(["gold", "features_1s"]))
        assert newest is not None
        assert newest.asset_materialization is not None
        facts = newest.asset_materialization.metadata
        assert newest.asset_materialization.partition == hour(5)
        assert facts["dagster/partition_row_count"].value == 7200
        assert facts["products"].value == "BTC-USD, ETH-USD"
        assert str(facts["plot"].value).startswith("![Realised volatility](data:image/png;base64,")
        assert "rv_60s" in str(facts["null_shares"].value)


def test_telemetry_is_off_and_nothing_is_written_elsewhere(trained_home: Settings) -> None:
    assert "enabled: false" in (trained_home.home / "dagster" / "dagster.yaml").read_text()
    assert {p.name for p in trained_home.home.iterdir()} == {"lake", "dagster", "mlflow", "reports"}
    assert not Path("mlruns").exists()


def test_forecasts_follow_the_champion_and_outcomes_the_labels(
    trained_home: Settings, hour: Hour
) -> None:
    """The sixth hour was held back from training: its forecasts are out of sample."""
    lake = Lake(trained_home.lake_root)
    for number, inside in ((3, True), (5, False)):
        rows = lake.read(FORECASTS, hour(number))
        assert set(rows["in_sample"].to_pylist()) == {inside}
        assert set(rows["model_version"].to_pylist()) == {
            "volatility_1s_60s/1",
            "volatility_1s_300s/1",
        }
    outcomes = lake.read(OUTCOMES, hour(4))
    assert outcomes.num_rows > 7000
    assert min(outcomes["qlike"].to_pylist()) >= 0.0


@pytest.mark.shared_data
def test_a_real_recording_goes_through_the_chain(home: Settings, shared_data: Path) -> None:
    """5,996 trades, three holes of 1,290,149 trades, and a second replay changes nothing."""
    recording = shared_data / "coinbase" / "exchange_ticker_btc_2025-11-12.ndjson"
    for _ in range(2):
        run_replay(
            [recording],
            Transport(home.lake_root),
            SystemClock(),
            reports=home.home / "reports",
            speed=None,
        )
        done = materialize_hours(home)
        assert done.rows("silver/trades") == done.rows("silver/quotes") == 5_996
        assert done.rows("silver/gaps") == 3
        assert done.rows("silver/bars_1s") == done.rows("gold/features_1s") == 4 * 3600
        assert done.rows("gold/labels_1s") == 3 * 4 * 3600
        assert not done.failed_checks
    gaps = Lake(home.lake_root)
    from data_lake.tables import GAPS

    assert sum(gaps.read_hours(GAPS, gaps.hours(GAPS))["missing"].to_pylist()) == 1_290_149
