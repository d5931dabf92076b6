"""A home that a short demo has filled, shared by what looks at a finished lake."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The home after `make demo`, and what it printed."""
    home = tmp_path_factory.mktemp("home")
    done = subprocess.run(
        ["make", "demo", "DEMO=--hours 6 --products BTC-USD,ETH-USD"],
        cwd=ROOT,
        env={**os.environ, "CRYPTOVOL_HOME": str(home), "COLUMNS": "160"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return home, done.stdout
