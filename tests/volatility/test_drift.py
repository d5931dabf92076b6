"""Drift is a size, measured against the noise of the reference itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from volatility.array import Matrix
from volatility.drift import DriftRule, assess, stability_index

NAMES = [f"feature_{i}" for i in range(8)]
DAY_S = 86_400.0


def windows(seed: int, count: int, *, shift: float = 0.0, memory: float = 0.98) -> list[Matrix]:
    """Windows of 60 rows cut from one autocorrelated path; `shift` moves every feature."""
    generator = np.random.default_rng(seed)
    state = generator.normal(size=len(NAMES))
    rows = np.empty((count * 60, len(NAMES)))
    for i in range(len(rows)):
        noise = generator.normal(size=len(NAMES))
        state = memory * state + np.sqrt(1 - memory**2) * noise
        rows[i] = state
    return [rows[60 * n : 60 * n + 60] + shift for n in range(count)]


def test_equal_shapes_have_no_drift() -> None:
    counts = np.array([[10.0, 20.0, 30.0, 0.0]])
    assert stability_index(1000 * counts, counts)[0] == pytest.approx(0.0, abs=0.02)


def test_psi_is_the_textbook_figure_on_large_samples() -> None:
    """Sum of (c - r) ln(c / r) over the bins."""
    r, c = np.array([0.1, 0.4, 0.5]), np.array([0.3, 0.3, 0.4])
    expected = float(((c - r) * np.log(c / r)).sum())
    assert stability_index(1e7 * r[None], 1e7 * c[None])[0] == pytest.approx(expected, rel=1e-4)


@given(
    counts=st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=12)
)
def test_psi_is_finite_and_never_negative(counts: list[tuple[int, int]]) -> None:
    """Whatever is empty."""
    reference = np.array([[float(r) for r, _ in counts]])
    current = np.array([[float(c) for _, c in counts]])
    psi = stability_index(reference, current)[0]
    assert np.isfinite(psi)
    assert psi >= -1e-12


def test_a_step_calls_for_a_retrain_after_two_windows() -> None:
    reference, moved = windows(1, 40), windows(2, 2, shift=6.0)
    once = assess(NAMES, reference, [windows(3, 1)[0], moved[0]], since_training_s=9 * DAY_S)
    assert once.drifted
    assert not once.retrain
    assert "waiting" in once.reason
    twice = assess(NAMES, reference, moved, since_training_s=9 * DAY_S)
    assert twice.retrain
    assert twice.shares == (1.0, 1.0)
    assert all(feature.drifted for feature in twice.features)
    assert [feature.feature for feature in twice.features] == NAMES


def test_a_cool_down_holds_a_retrain_back() -> None:
    """The champion was trained an hour ago: one retrain per step, not one per report."""
    moved = windows(2, 3, shift=6.0)
    found = assess(NAMES, windows(1, 40), moved, since_training_s=3600.0)
    assert found.drifted
    assert not found.retrain
    assert "cooling down" in found.reason


def test_stationary_markets_raise_few_alarms() -> None:
    """Two hundred pairs of fresh windows of the same autocorrelated process."""
    reference = windows(0, 60)
    alarms = 0
    for seed in range(1, 201):
        found = assess(NAMES, reference, windows(seed, 2), since_training_s=9 * DAY_S)
        alarms += found.retrain
    assert alarms <= 10


def test_autocorrelation_widens_the_band() -> None:
    """What p-values on independent rows would call drift is noise here."""
    quiet = assess(NAMES, windows(0, 40, memory=0.0), windows(1, 2), since_training_s=DAY_S)
    sticky = assess(NAMES, windows(0, 40, memory=0.995), windows(1, 2), since_training_s=DAY_S)
    bands = [np.mean([f.band for f in found.features]) for found in (quiet, sticky)]
    assert bands[1] > 2 * bands[0]


def test_vanished_features_are_drift() -> None:
    """Nulls are a bin of their own."""
    blind = windows(5, 2)
    for window in blind:
        window[:, :6] = np.nan
    found = assess(NAMES, windows(1, 40), blind, since_training_s=9 * DAY_S)
    assert found.retrain
    assert found.features[0].null_share == 1.0
    assert found.features[7].null_share == 0.0


def test_constant_and_unknown_features_do_not_drift_by_themselves() -> None:
    reference, current = windows(1, 40), windows(2, 2)
    for window in [*reference, *current]:
        window[:, 0] = 1.0
        window[:, 1] = np.nan
    found = assess(NAMES, reference, current, since_training_s=9 * DAY_S)
    assert found.features[0].psi == pytest.approx(0.0, abs=0.02)
    assert found.features[1].psi == pytest.approx(0.0, abs=0.02)


def test_too_little_reference_is_no_decision() -> None:
    """Said, not guessed."""
    found = assess(NAMES, windows(1, 5), windows(2, 2, shift=9.0), since_training_s=9 * DAY_S)
    assert not found.drifted
    assert not found.retrain
    assert found.reason.startswith("5 reference windows, 6 needed")
    nothing = assess(NAMES, windows(1, 40), [], since_training_s=0.0)
    assert "nothing to judge" in nothing.reason


def test_the_rule_is_a_parameter() -> None:
    lenient = DriftRule(consecutive=1, cool_down_s=0.0, least_share=0.99)
    moved = windows(2, 1, shift=6.0)
    assert assess(NAMES, windows(1, 40), moved, since_training_s=0.0, rule=lenient).retrain
