"""Switches of the libraries we stand on."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest

from data_lake.environment import (
    SWITCHES,
    apply_switches,
    dagster_home,
    third_party_warnings_ignored,
)


def test_switches_are_set_unless_the_user_did(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SWITCHES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_LOGGING_LEVEL", "DEBUG")
    apply_switches()
    assert os.environ["MLFLOW_LOGGING_LEVEL"] == "DEBUG"
    assert os.environ["DAGSTER_DISABLE_TELEMETRY"] == "1"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert os.environ["ITERATIVE_DO_NOT_TRACK"] == "1"


def test_pickle_stays_off_whatever_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true")
    apply_switches()
    assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"


def test_a_dagster_home_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With telemetry off; what the user changes in it stays."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    folder = dagster_home(tmp_path)
    assert os.environ["DAGSTER_HOME"] == str(folder) == str(tmp_path / "dagster")
    assert "telemetry:\n  enabled: false" in (folder / "dagster.yaml").read_text()
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    dagster_home(tmp_path)
    assert (folder / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"


def test_only_warnings_inside_the_block_are_ignored() -> None:
    with third_party_warnings_ignored():
        warnings.warn("a library about itself", DeprecationWarning, stacklevel=1)
    with pytest.raises(UserWarning, match="ours"):
        warnings.warn("ours", UserWarning, stacklevel=1)
