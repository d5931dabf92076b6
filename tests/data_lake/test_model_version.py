"""Names of models and their versions."""

from __future__ import annotations

from data_lake.model_version import ModelVersion, model_name


def test_names_say_scale_and_horizon() -> None:
    assert model_name(300) == "volatility_1s_300s"
    assert model_name(900, scale="1m") == "volatility_1m_900s"


def test_a_label_is_what_forecasts_carry() -> None:
    version = ModelVersion("volatility_1s_300s", 3, (), 0, None, "file:///x", {})
    assert version.label == "volatility_1s_300s/3"
