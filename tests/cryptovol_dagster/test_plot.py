"""Pictures inside Markdown."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from cryptovol_dagster.picture import annual_volatility
from cryptovol_dagster.plot import Panel, picture


def test_a_picture_is_a_png_inside_markdown() -> None:
    """Drawn without a display, however long the lines are."""
    ts = 1_700_000_000_000_000_000 + np.arange(50_000, dtype=np.int64) * 1_000_000_000
    wave = np.abs(np.sin(np.linspace(0.0, 9.0, len(ts)))) + 0.1
    lines = {"BTC-USD": (ts, wave), "quiet": (ts, np.full(len(ts), np.nan))}
    made = picture("Mid", [Panel("a", lines), Panel("b", lines, log=True)])
    head, _, text = made.partition("base64,")
    assert head == "![Mid](data:image/png;"
    png = base64.b64decode(text.removesuffix(")"))
    assert png.startswith(b"\x89PNG")
    assert len(png) < 200_000


def test_nothing_to_draw_is_still_a_picture() -> None:
    assert picture("Nothing", [Panel("a", {})]).startswith("![Nothing]")


def test_volatility_is_annualised_in_percent() -> None:
    """One percent a day is about 19 % a year."""
    assert annual_volatility(np.array([0.01**2]), 86_400)[0] == pytest.approx(365**0.5)
