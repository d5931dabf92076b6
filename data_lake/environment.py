"""Environment switches of the libraries we stand on; set before any of them is imported.

Nothing here talks to a network: telemetry off, progress bars off, no pickle, no chatter.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

SWITCHES: Final[dict[str, str]] = {
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "ITERATIVE_DO_NOT_TRACK": "1",  # evidently
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # a server that is down is said so within seconds
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "GIT_PYTHON_REFRESH": "quiet",  # mlflow asks for git at import, and warns where there is none
}
"""Variable to value; what the user has set stays, but for the pickle switch."""

DAGSTER_YAML: Final = """\
telemetry:
  enabled: false
nux:
  enabled: false
run_queue:
  max_concurrent_runs: 1
"""
"""The instance a checkout uses: runs follow each other, so an hour is built before its labels."""

_NEVER_OVERRIDDEN: Final = ("MLFLOW_ALLOW_PICKLE_DESERIALIZATION",)


def apply_switches() -> None:
    """Set every switch the user has not set; pickle stays off whatever they say."""
    for name, text in SWITCHES.items():
        os.environ.setdefault(name, text)
    for name in _NEVER_OVERRIDDEN:
        os.environ[name] = SWITCHES[name]


def dagster_home(home: Path) -> Path:
    """Create `<home>/dagster` with its `dagster.yaml`, point `DAGSTER_HOME` at it, return it."""
    folder = home.absolute() / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "dagster.yaml"
    if not config.exists():
        config.write_text(DAGSTER_YAML, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(folder)
    return folder


@contextmanager
def third_party_warnings_ignored() -> Iterator[None]:
    """Silence warnings of libraries about themselves while we import or call them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
