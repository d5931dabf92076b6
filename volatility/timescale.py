"""Which columns of a feature table mean what to a model: one record per time scale.

A model never names a column. It asks the scale for the realised-variance windows, the EWMAs and
the season, so the same models serve seconds and minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from volatility.feature import FEATURES, HALF_LIVES_S, WINDOWS_S

RV_FLOOR_PER_MINUTE: Final = 1e-9
"""Least variance a minute is taken to have; quiet products have whole seconds without a move."""


def rv_floor(window_s: float) -> float:
    """The least realised variance of a window of `window_s` seconds.

    It bounds realised values and forecasts alike, in QLIKE, in gamma targets and under logarithms.
    """
    return RV_FLOOR_PER_MINUTE * window_s / 60.0


@dataclass(frozen=True)
class TimeScale:
    """The columns of one feature table, by their meaning."""

    name: str  # "1s"
    bar_s: int  # length of a bar, seconds
    features: tuple[str, ...]  # every feature, in the table's order
    rv: Mapping[int, str]  # look-back in seconds -> column of the sum of r^2 over it
    ewma: Mapping[int, str]  # half-life in seconds -> column of the EWMA of r^2, per second
    har_s: tuple[int, ...]  # look-backs of log-HAR, seconds
    season: tuple[tuple[str, str], ...]  # (sine, cosine) columns of each period

    @property
    def longest_s(self) -> int:
        """The longest window, in seconds: the embargo that makes train and test independent."""
        return max(self.rv)

    @property
    def essential(self) -> tuple[str, ...]:
        """Columns without which no model forecasts: variance windows and EWMAs."""
        return (*self.rv.values(), *self.ewma.values())

    def rv_column(self, horizon_s: int) -> str:
        """The column that looks back as far as a label of `horizon_s` looks ahead.

        Raises:
            ValueError: no window has that length.
        """
        if horizon_s not in self.rv:
            raise ValueError(f"no rv window of {horizon_s} s; there are {sorted(self.rv)}")
        return self.rv[horizon_s]


SCALE_1S: Final = TimeScale(
    name="1s",
    bar_s=1,
    features=tuple(FEATURES),
    rv={w: f"rv_{w}s" for w in WINDOWS_S},
    ewma={h: f"ewma_var_{h}s" for h in HALF_LIVES_S},
    har_s=(60, 300, 3600),
    season=(("tod_sin", "tod_cos"),),
)
"""Features on 1 s bars, `gold/features_1s`."""
