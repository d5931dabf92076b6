"""Training through the registry: champion zero, the gate, refreshes, and what is logged."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import msgspec
import pytest
from rich.console import Console

from cryptovol_dagster.champion import champions, find_champion
from cryptovol_dagster.materialize import materialize_hours
from cryptovol_dagster.register import TrainingResult
from cryptovol_dagster.run import persistent_instance
from cryptovol_dagster.train import run_drift_report, run_training
from cryptovol_dagster.training import decision_step
from data_lake.lake import Lake
from data_lake.layout import HOUR_NS, hour_bounds
from data_lake.model_version import model_name
from data_lake.registry import CHALLENGER, CHAMPION, Registry
from data_lake.settings import Settings
from volatility.errors import LakeError, ModelError, SettingError
from volatility.frame import Frame

Hour = Callable[[int], str]
Market = Callable[..., list[Frame]]
Record = Callable[[Lake, Iterable[Frame]], None]


@pytest.fixture
def own_home(trained_home: Settings, tmp_path: Path) -> Settings:
    """A lake like the trained one, without any model yet."""
    shutil.copytree(trained_home.home / "lake", tmp_path / "own" / "lake")
    return trained_home.model_copy(update={"home": tmp_path / "own"})


def test_the_first_training_makes_champion_zero(trained_home: Settings) -> None:
    """Gamma-HAR+ forecasts until another earns its place; the challenger is kept beside it."""
    registry = Registry.of(trained_home)
    for horizon_s in (60, 300):
        model = model_name(horizon_s)
        champion, challenger = registry.find(model, CHAMPION), registry.find(model, CHALLENGER)
        assert champion is not None
        assert challenger is not None
        assert champion.tags["model"] == "gamma_har"
        assert challenger.tags["model"] == "geometric_mean"
        assert challenger.tags["verdict"] == "keep"
        assert champion.tags["sources"] == "sim"
    assert [label for label, _ in champions(registry)] == [
        "volatility_1s_60s/1",
        "volatility_1s_300s/1",
    ]


def test_a_run_holds_parameters_figures_and_the_decision(trained_home: Settings) -> None:
    """Everything needed to understand a model is with its MLflow run, below the home folder."""
    registry = Registry.of(trained_home)
    version = registry.find(model_name(300), CHAMPION)
    assert version is not None
    folder = Path(version.source.removeprefix("file://"))
    assert folder.is_relative_to(trained_home.home / "mlflow" / "artifacts")
    logged = {p.name for p in folder.parent.parent.iterdir()}
    assert logged == {
        "bundle",
        "decision.json",
        "decision.md",
        "evaluation.md",
        "forecasts.parquet",
    }
    assert not [p for p in folder.rglob("*") if p.suffix in {".pkl", ".pickle"}]


def test_no_training_row_reaches_past_the_end_asked_for(trained_home: Settings, hour: Hour) -> None:
    found = find_champion(Registry.of(trained_home), 300)
    assert found is not None
    assert found[1].train_end <= hour_bounds(hour(5))[0]
    assert found[1].sources == ("sim",)


def test_training_again_keeps_the_champion(own_home: Settings) -> None:
    """Few windows, no promotion: the gate says why, and only a challenger is added."""
    first = run_training(own_home, horizons_s=(60,)).results[0]
    assert first.action == "first"
    assert first.champion == "volatility_1s_60s/1"
    fits: list[tuple[str, int, int]] = []
    again = run_training(own_home, horizons_s=(60,), progress=lambda *said: fits.append(said))
    second = again.results[0]
    assert second.action == "kept"
    assert second.champion == "volatility_1s_60s/1"
    assert second.challenger == "volatility_1s_60s/3"
    assert second.decision.verdict == "keep"
    assert "needed" in second.decision.reason
    assert fits[-1][1] == fits[-1][2] > 0
    assert not again.failed_checks
    console = Console(width=120)
    with console.capture() as shown:
        console.print(again.render())
    assert "gamma_har (champion)" in shown.get()
    assert "source: sim" in shown.get()


def test_results_survive_the_way_through_dagster(own_home: Settings) -> None:
    """A result is read back from the event it was reported with, field by field."""
    result = run_training(own_home, horizons_s=(60,)).results[0]
    assert msgspec.convert(result.plain(), TrainingResult) == result
    assert "criterion" in result.markdown


def test_too_short_a_history_is_refused_in_one_line(
    home: Settings, hour: Hour, market: Market, record: Record
) -> None:
    with pytest.raises(LakeError, match="no hour has labels"):
        run_training(home, horizons_s=(60,))
    record(Lake(home.lake_root), market([0], every_s=30))
    materialize_hours(home)
    with pytest.raises(LakeError, match=r"training job, model__volatility_1s: .*no decision"):
        run_training(home, horizons_s=(60,))


def test_a_recording_that_begins_within_the_hour_is_refused_like_any_short_one(
    home: Settings, hour: Hour, market: Market, record: Record
) -> None:
    """Label rows before the first quote have no source; that is no reason to fall over."""
    half = hour_bounds(hour(0))[0] + HOUR_NS // 2
    late = [each for each in market([0, 1], every_s=5) if each.recv_ns > half]
    record(Lake(home.lake_root), late)
    materialize_hours(home)
    with pytest.raises(LakeError, match=r"training job, model__volatility_1s: .*record longer"):
        run_training(home, horizons_s=(60,))


def test_a_registry_nobody_answers_for_is_named_within_seconds(home: Settings) -> None:
    lost = home.model_copy(update={"mlflow_tracking_uri": "http://127.0.0.1:1"})
    began = time.monotonic()
    for ask in (run_training, run_drift_report):
        with pytest.raises(SettingError, match=r"MLFLOW_TRACKING_URI='http://127.0.0.1:1': .*refu"):
            ask(lost)
    assert time.monotonic() - began < 5


def test_a_server_that_is_no_registry_is_told_with_its_answer(home: Settings) -> None:
    """Something answers, so the job starts, and fails before its first step: it says why."""
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        uri = f"http://127.0.0.1:{server.server_port}"
        wrong = home.model_copy(update={"mlflow_tracking_uri": uri})
        with pytest.raises(LakeError, match=rf"^training job: .*{uri}"):
            run_training(wrong, horizons_s=(60,))
        server.shutdown()


def test_an_altered_champion_is_refused_and_told(own_home: Settings, hour: Hour) -> None:
    """Nothing is forecast with it, and what was forecast before stays."""
    run_training(own_home, horizons_s=(60,))
    registry = Registry.of(own_home)
    version = registry.find(model_name(60), CHAMPION)
    assert version is not None
    path = Path(version.source.removeprefix("file://")) / "forecaster.json"
    path.write_bytes(path.read_bytes().replace(b"0", b"1", 1))
    with pytest.raises(ModelError, match="altered"):
        champions(registry)
    with pytest.raises(ModelError, match="altered"):
        materialize_hours(own_home)


def test_the_drift_report_is_a_page_and_a_reasoned_decision(trained_home: Settings) -> None:
    """Three reference hours are too few for a noise band: it says so instead of guessing."""
    found = run_drift_report(trained_home)
    assert found.path.parent == trained_home.home / "reports" / "drift"
    assert found.path.name == "2026-03-02.html"
    assert "<html" in found.path.read_text()[:2000].lower()
    assert "reference windows" in found.reason
    assert not found.retrain


def test_without_a_champion_there_is_no_drift_report(own_home: Settings) -> None:
    with pytest.raises(LakeError, match="no champion to compare with"):
        run_drift_report(own_home)


def test_decisions_are_as_far_apart_as_the_history_allows() -> None:
    assert decision_step(hours=24 * 30, products=2) == 300
    assert decision_step(hours=24 * 3, products=2) == 60
    assert decision_step(hours=6, products=1) == 10


def test_a_failed_training_ends_its_mlflow_run(home: Settings) -> None:
    """The hook closes it as failed; none is left running."""
    with pytest.raises(LakeError):
        run_training(home, horizons_s=(60,))
    from mlflow import MlflowClient

    registry = Registry.of(home)
    client = MlflowClient(registry.tracking_uri)
    runs = client.search_runs([registry.ensure()])
    assert [run.info.status for run in runs] == ["FAILED"]
    with persistent_instance(home) as instance:
        assert instance.get_runs_count() == 1
