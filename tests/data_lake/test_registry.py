"""Versions, aliases and bundles, over a real sqlite registry."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from data_lake.registry import CHALLENGER, CHAMPION, Registry
from data_lake.settings import Settings
from volatility.errors import ModelError, SettingError

FILES = {"model.json": b'{"a": 1}', "manifest.json": b'{"sha": "x"}'}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the database is: migrations cost seconds, so they run once."""
    return tmp_path_factory.mktemp("registry")


@pytest.fixture(scope="module")
def registry(folder: Path) -> Registry:
    """An empty registry."""
    made = Registry.of(settings(folder))
    made.ensure()
    return made


@pytest.fixture
def model(request: pytest.FixtureRequest) -> str:
    """A name of this test's own."""
    return f"model_{request.node.name}"


def settings(home: Path, tracking_uri: str = "") -> Settings:
    """Settings whatever the environment says."""
    return Settings(home=home, lake="", kafka_servers="", mlflow_tracking_uri=tracking_uri)


def register(registry: Registry, model: str, number: int = 0) -> int:
    """One more version, with a run of its own."""
    run_id = registry.start_run(f"{model} {number}")
    files = FILES | {"number.txt": str(number).encode()}
    return registry.register(model, files, run_id=run_id, tags={"n": str(number)}).version


def test_a_bundle_comes_back_as_it_was_stored(registry: Registry, model: str, folder: Path) -> None:
    register(registry, model, 5)
    version = registry.find(model, CHALLENGER)
    assert version is not None
    assert registry.read(version) == FILES | {"number.txt": b"5"}
    assert version.label == f"{model}/1"
    assert version.aliases == (CHALLENGER,)
    assert version.tags["n"] == "5"
    assert version.source.startswith((folder / "mlflow" / "artifacts").as_uri())


def test_nothing_is_found_where_nothing_was_registered(registry: Registry, model: str) -> None:
    assert registry.find(model, CHAMPION) is None
    assert registry.versions(model) == []
    register(registry, model)
    assert registry.find(model, CHAMPION) is None
    with pytest.raises(ModelError, match="not found"):
        registry.version(model, 7)


def test_promotion_moves_the_alias_and_rollback_gives_it_back(
    registry: Registry, model: str
) -> None:
    """Step by step, as far as there were champions."""
    for number in range(3):
        registry.promote(model, register(registry, model, number))
    assert [v.version for v in registry.versions(model)] == [3, 2, 1]
    champion = registry.find(model, CHAMPION)
    assert champion is not None
    assert set(champion.aliases) == {CHAMPION, CHALLENGER}
    assert registry.rollback(model).version == 2
    assert registry.rollback(model).version == 1
    with pytest.raises(ModelError, match="version 1 replaced nothing"):
        registry.rollback(model)
    assert registry.promote(model, 3).version == 3
    assert registry.rollback(model).version == 1


def test_promoting_the_champion_again_changes_nothing(registry: Registry, model: str) -> None:
    """It does not become its own predecessor."""
    first, second = register(registry, model), register(registry, model)
    registry.promote(model, first)
    registry.promote(model, second)
    registry.promote(model, second)
    assert registry.rollback(model).version == first


def test_there_is_nothing_to_roll_back_without_a_champion(registry: Registry, model: str) -> None:
    with pytest.raises(ModelError, match="no champion to roll back from"):
        registry.rollback(model)


def test_a_lost_artifact_is_a_model_error(registry: Registry, model: str) -> None:
    register(registry, model)
    version = registry.find(model, CHALLENGER)
    assert version is not None
    stored = Path(version.source.removeprefix("file://"))
    for path in stored.iterdir():
        path.unlink()
    stored.rmdir()
    with pytest.raises(ModelError, match="registry sqlite"):
        registry.read(version)


def test_everything_lies_under_home(
    registry: Registry, model: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No `mlruns` appears in the working directory."""
    monkeypatch.chdir(tmp_path)
    register(registry, model)
    assert list(tmp_path.iterdir()) == []
    assert {p.name for p in folder.iterdir()} == {"mlflow"}
    assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"


def test_a_broken_database_is_a_model_error(tmp_path: Path) -> None:
    (tmp_path / "mlflow").mkdir()
    (tmp_path / "mlflow" / "mlflow.db").write_bytes(b"not a database" * 100)
    with pytest.raises(ModelError, match=r"model volatility: registry sqlite"):
        Registry.of(settings(tmp_path)).ensure()


def test_a_server_that_is_down_is_said_so() -> None:
    with pytest.raises(ModelError, match=r"registry http://127\.0\.0\.1:9/: "):
        Registry("http://127.0.0.1:9/", None).ensure()


def test_a_password_in_an_address_is_refused_and_not_shown() -> None:
    """Addresses appear in logs, in Dagster and in errors; passwords have variables of their own."""
    with pytest.raises(SettingError, match="MLFLOW_TRACKING_PASSWORD") as caught:
        Registry("http://user:secret@127.0.0.1:5001", None)
    assert "http://127.0.0.1:5001" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_server_keeps_its_own_artifacts(tmp_path: Path) -> None:
    served = Registry.of(settings(tmp_path, "http://127.0.0.1:5001"))
    assert served.artifact_root is None
    assert served.tracking_uri == "http://127.0.0.1:5001"
