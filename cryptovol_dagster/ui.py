"""The Dagster UI over what was built here, on this machine only unless told otherwise."""

from __future__ import annotations

import os
import sys

from data_lake.environment import SWITCHES, dagster_home
from data_lake.settings import Settings


def webserver_command(settings: Settings) -> list[str]:
    """How to start the webserver alone: no daemon, so no schedules and sensors."""
    return [
        *(sys.executable, "-m", "dagster_webserver"),
        *("--host", settings.host, "--port", str(settings.dagster_port)),
        *("--module-name", "cryptovol_dagster.definitions"),
    ]


def dev_command(settings: Settings) -> list[str]:
    """How to start webserver and daemon together."""
    return [
        *(sys.executable, "-m", "dagster", "dev"),
        *("--host", settings.host, "--port", str(settings.dagster_port)),
        *("--module-name", "cryptovol_dagster.definitions"),
    ]


def ui_environment(settings: Settings) -> dict[str, str]:
    """The environment of either: this home, this instance, no telemetry."""
    return {
        **os.environ,
        **SWITCHES,
        "CRYPTOVOL_HOME": str(settings.home.absolute()),
        "DAGSTER_HOME": str(dagster_home(settings.home)),
    }
