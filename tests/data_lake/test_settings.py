"""The environment, read once and typed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from data_lake.settings import Settings, settings
from volatility.errors import SettingError


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in (
        "CRYPTOVOL_HOME",
        "CRYPTOVOL_LAKE",
        "CRYPTOVOL_PARTITIONS_START",
        "KAFKA_SERVERS",
        "MLFLOW_TRACKING_URI",
    ):
        monkeypatch.delenv(name, raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_everything_lies_under_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CRYPTOVOL_HOME", str(tmp_path))
    found = settings()
    assert found.lake_root == str(tmp_path / "lake")
    assert found.tracking_uri == f"sqlite:///{tmp_path}/mlflow/mlflow.db"


def test_the_lake_alone_can_move(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRYPTOVOL_LAKE", "s3://bucket/prefix")
    assert settings().lake_root == "s3://bucket/prefix"


def test_kept_names_have_no_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_SERVERS", "kafka:9092")
    assert settings().kafka_servers == "kafka:9092"


def test_no_broker_is_the_default() -> None:
    assert settings().kafka_servers == ""


def test_a_bad_value_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRYPTOVOL_DAGSTER_PORT", "many")
    with pytest.raises(SettingError, match=r"^CRYPTOVOL_DAGSTER_PORT='many': "):
        settings()


@pytest.mark.parametrize("text", ["garbage", "2021-01-01", "2021-13-01-00:00", "2021-01-01-00:30"])
def test_the_first_partition_is_a_whole_hour(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("CRYPTOVOL_PARTITIONS_START", text)
    with pytest.raises(SettingError) as caught:
        settings()
    rule = "not an hour of the form YYYY-MM-DD-HH:00"
    assert str(caught.value) == f"CRYPTOVOL_PARTITIONS_START={text!r}: {rule}"


@pytest.mark.parametrize("text", ["", " "])
def test_an_empty_home_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """It would be the folder one happens to stand in."""
    monkeypatch.setenv("CRYPTOVOL_HOME", text)
    with pytest.raises(SettingError, match=r"^CRYPTOVOL_HOME='.*': empty"):
        settings()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        settings().host = "0.0.0.0"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_says_what_it_means(name: str) -> None:
    assert Settings.model_fields[name].description
