"""Models ask the scale for columns, so every column it names must exist."""

from __future__ import annotations

import pytest

from volatility.feature import FEATURES, HORIZONS_S
from volatility.timescale import SCALE_1S, rv_floor


def test_every_column_the_scale_names_is_a_feature() -> None:
    season = {column for pair in SCALE_1S.season for column in pair}
    assert {*SCALE_1S.rv.values(), *SCALE_1S.ewma.values(), *season} <= set(FEATURES)
    assert set(SCALE_1S.har_s) <= set(SCALE_1S.rv)


def test_every_horizon_has_a_window_that_looks_back_as_far() -> None:
    assert [SCALE_1S.rv_column(h) for h in HORIZONS_S] == ["rv_60s", "rv_300s", "rv_3600s"]


def test_a_horizon_without_a_window_is_refused() -> None:
    with pytest.raises(ValueError, match="no rv window of 7 s"):
        SCALE_1S.rv_column(7)


def test_the_floor_is_1e_9_a_minute() -> None:
    assert rv_floor(60) == 1e-9
    assert rv_floor(3_600) == pytest.approx(6e-8)
