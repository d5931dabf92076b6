"""Small pictures for asset pages: PNG inside Markdown, so the UI needs no server for them."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from data_lake.environment import third_party_warnings_ignored

Vector = npt.NDArray[np.float64]

MOST_POINTS: Final = 1200
"""Points drawn per line; more cannot be seen at this width."""

MOST_LINES: Final = 5


@dataclass(frozen=True)
class Panel:
    """One set of axes: lines by name, each (ts in ns UTC, value)."""

    label: str
    lines: Mapping[str, tuple[npt.NDArray[np.int64], Vector]]
    log: bool = False


def picture(title: str, panels: Sequence[Panel]) -> str:
    """Draw panels above each other over one time axis; return Markdown holding the PNG."""
    with third_party_warnings_ignored():
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 1.2 + 1.8 * len(panels)), dpi=80, layout="constrained")
        axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axis, panel in zip(axes, panels, strict=True):
            _draw(axis, panel)
        axes[0].set_title(title, fontsize=10)
        axes[0].legend(loc="upper left", fontsize=7, ncols=MOST_LINES, frameon=False)
        figure.autofmt_xdate(rotation=0, ha="center")
        png = io.BytesIO()
        FigureCanvasAgg(figure).print_png(png)
    text = base64.b64encode(png.getvalue()).decode("ascii")
    return f"![{title}](data:image/png;base64,{text})"


def _draw(axis: Any, panel: Panel) -> None:
    for name, (ts, values) in list(panel.lines.items())[:MOST_LINES]:
        step = max(1, -(-len(ts) // MOST_POINTS))
        axis.plot(ts[::step].astype("datetime64[ns]"), values[::step], lw=0.9, label=name)
    axis.set_ylabel(panel.label, fontsize=8)
    axis.tick_params(labelsize=7)
    axis.grid(alpha=0.25)
    if panel.log:
        axis.set_yscale("log", nonpositive="mask")
