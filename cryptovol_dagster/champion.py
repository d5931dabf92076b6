"""The models that forecast now: champions of every horizon, loaded and verified."""

from __future__ import annotations

from data_lake.model_version import ModelVersion, model_name
from data_lake.registry import CHAMPION, Registry
from volatility import bundle
from volatility.feature import FEATURES, HORIZONS_S
from volatility.forecaster import Forecaster


def load_model(registry: Registry, version: ModelVersion) -> Forecaster:
    """Read a registered bundle back; refuse one that is altered or was made for other features.

    Raises:
        ModelError: the registry cannot be reached, or the bundle is not the one that was signed.
    """
    return bundle.load(registry.read(version), tuple(FEATURES))


def find_champion(registry: Registry, horizon_s: int) -> tuple[ModelVersion, Forecaster] | None:
    """The champion of one horizon, None where there is none yet.

    Raises:
        ModelError: see `load_model`.
    """
    version = registry.find(model_name(horizon_s), CHAMPION)
    return None if version is None else (version, load_model(registry, version))


def champions(registry: Registry) -> list[tuple[str, Forecaster]]:
    """Every champion as (model version, forecaster), by horizon.

    Raises:
        ModelError: see `load_model`.
    """
    found = (find_champion(registry, horizon_s) for horizon_s in HORIZONS_S)
    return [(version.label, forecaster) for version, forecaster in filter(None, found)]
