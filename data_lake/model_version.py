"""One version of a registered model, and how models are named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ModelVersion:
    """One registered version; `created_ms` is ms since epoch UTC."""

    model: str
    version: int
    aliases: tuple[str, ...]
    created_ms: int
    run_id: str | None
    source: str  # artifact uri of the bundle folder
    tags: Mapping[str, str]

    @property
    def label(self) -> str:
        """`volatility_1s_300s/3`: the `model_version` of forecasts."""
        return f"{self.model}/{self.version}"


def model_name(horizon_s: int, scale: str = "1s") -> str:
    """The registered name of the model that forecasts `horizon_s` seconds ahead."""
    return f"volatility_{scale}_{horizon_s}s"


def read_version(made: Any, aliases: Mapping[str, Any]) -> ModelVersion:
    """The record of MLflow's own version object; `aliases` are those of the whole model."""
    held = tuple(sorted(a for a, v in aliases.items() if str(v) == str(made.version)))
    return ModelVersion(
        model=str(made.name),
        version=int(made.version),
        aliases=held,
        created_ms=int(made.creation_timestamp),
        run_id=made.run_id or None,
        source=str(made.source),
        tags=dict(made.tags),
    )
