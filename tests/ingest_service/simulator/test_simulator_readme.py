"""The documentation of the simulator runs as written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from ingest_service.simulator.fault import DEFAULTS

README = Path(__file__).parents[3] / "ingest_service" / "simulator" / "README.md"


def test_the_example_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    subprocess.run([sys.executable, "-W", "error", "-c", example], check=True, timeout=60)


def test_every_fault_is_documented_with_its_defaults() -> None:
    rows = {row.split("`")[1]: row for row in README.read_text().splitlines() if "| `" in row[:3]}
    for kind, options in DEFAULTS.items():
        for option, default in options.items():
            assert f"`{option}={default}`" in rows[kind]
