"""The drift report: Evidently renders, the rule of `volatility/drift.py` decides."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from cryptovol_dagster.markdown import table
from data_lake.environment import third_party_warnings_ignored
from data_lake.lake import Lake
from data_lake.layout import HOUR_NS, hour_bounds
from data_lake.tables import FEATURES_1S
from volatility.array import Matrix
from volatility.column import numbers
from volatility.dataset import feature_matrix
from volatility.drift import DriftDecision, assess
from volatility.errors import LakeError
from volatility.feature import FEATURES
from volatility.forecaster import Forecaster

NAMES: Final = tuple(name for name in FEATURES if not name.startswith("tod_"))
"""Features that are judged; time of day moves by nature."""

CURRENT_HOURS: Final = 3
"""Newest windows judged, an hour each."""

REFERENCE_HOURS: Final = 30 * 24
"""At most so many of the champion's training hours are compared with, the newest."""

SAMPLE_S: Final = 60
"""One row a minute: rows closer than that say the same again."""


@dataclass(frozen=True)
class DriftReport:
    """What was compared, the decision, and where the rendered report is."""

    date: str  # of the newest hour, YYYY-MM-DD
    model_version: str
    reference: tuple[str, str]  # first and last hour
    current: tuple[str, str]
    decision: DriftDecision
    path: Path

    @property
    def markdown(self) -> str:
        """The decision and the features that moved most."""
        moved = sorted(self.decision.features, key=lambda f: -f.psi / f.band)[:20]
        rows = [(f.feature, f.psi, f.band, f"{f.null_share:.0%}", f.drifted) for f in moved]
        spans = (
            f"{self.model_version}: hours {self.current[0]} to {self.current[1]} against "
            f"{self.reference[0]} to {self.reference[1]}"
        )
        header = ["feature", "PSI", "noise band", "null", "drifted"]
        return f"**{self.decision.reason}**\n\n{spans}\n\n{table(header, rows)}"


def report_drift(lake: Lake, model_version: str, champion: Forecaster, folder: Path) -> DriftReport:
    """Compare the newest hours with the champion's training window; write the HTML report.

    Raises:
        LakeError: there are too few hours of features to compare.
    """
    hours = lake.hours(FEATURES_1S)
    current = hours[-CURRENT_HOURS:]
    trained = [h for h in hours if _within(h, champion) and h not in current]
    reference = trained[-REFERENCE_HOURS:]
    if not current or not reference:
        raise LakeError(FEATURES_1S.path, "no features to compare: materialize more hours first")
    before = [_sample(lake, hour) for hour in reference]
    now = [_sample(lake, hour) for hour in current]
    since_s = (hour_bounds(current[-1])[1] - champion.train_end) / 1e9
    decision = assess(NAMES, before, now, since_training_s=max(since_s, 0.0))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{current[-1][:10]}.html"
    render(np.concatenate(before), np.concatenate(now), path)
    return DriftReport(
        date=current[-1][:10],
        model_version=model_version,
        reference=(reference[0], reference[-1]),
        current=(current[0], current[-1]),
        decision=decision,
        path=path,
    )


def render(reference: Matrix, current: Matrix, path: Path) -> None:
    """Write Evidently's data drift preset by PSI as one self-contained HTML file."""
    with third_party_warnings_ignored():
        import pandas as pd
        from evidently import DataDefinition, Dataset, Report
        from evidently.presets import DataDriftPreset

        shown = [i for i in range(len(NAMES)) if _both_known(reference, current, i)]
        names = [NAMES[i] for i in shown]
        definition = DataDefinition(numerical_columns=names)
        sets = [
            Dataset.from_pandas(pd.DataFrame(rows[:, shown], columns=names), definition)
            for rows in (current, reference)
        ]
        preset = DataDriftPreset(method="psi")
        Report([preset]).run(current_data=sets[0], reference_data=sets[1]).save_html(str(path))


def _within(hour: str, champion: Forecaster) -> bool:
    start, end = hour_bounds(hour)
    return start >= champion.train_start - HOUR_NS and end <= champion.train_end


def _sample(lake: Lake, hour: str) -> Matrix:
    rows: Any = lake.read(FEATURES_1S, hour, ["ts", *NAMES])
    on_minute = numbers(rows.column("ts")) % (SAMPLE_S * 1_000_000_000) == 0
    return feature_matrix(rows.filter(pa.array(on_minute)), NAMES)


def _both_known(reference: Matrix, current: Matrix, column: int) -> bool:
    return all(np.isfinite(rows[:, column]).any() for rows in (reference, current))
