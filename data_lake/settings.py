"""Settings: environment variables read once into one typed, frozen object."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from volatility.errors import SettingError

_HOUR: Final = "%Y-%m-%d-%H:00"


class Settings(BaseSettings):
    """Every setting, its variable, default and meaning; the README table is made from this."""

    model_config = SettingsConfigDict(
        env_prefix="CRYPTOVOL_", frozen=True, extra="ignore", populate_by_name=True
    )

    home: Path = Field(
        default=Path("data_lake/store"),
        description="the one folder everything is written under; delete it for a full reset",
    )
    lake: str = Field(
        default="", description="lake root when not `<home>/lake`: a folder or `s3://bucket/prefix`"
    )
    kafka_servers: str = Field(
        default="",
        validation_alias="KAFKA_SERVERS",
        description="Kafka bootstrap servers; unset means direct mode, no broker",
    )
    host: str = Field(default="127.0.0.1", description="address servers and UIs bind to")
    dagster_port: int = Field(default=3000, ge=0, le=65535, description="port of the Dagster UI")
    mlflow_port: int = Field(default=5001, ge=0, le=65535, description="port of the MLflow UI")
    mlflow_tracking_uri: str = Field(
        default="",
        validation_alias="MLFLOW_TRACKING_URI",
        description="MLflow server; unset means sqlite under `<home>/mlflow`",
    )
    partitions_start: str = Field(
        default="2021-01-01-00:00", description="first hourly partition, UTC"
    )

    @field_validator("home", mode="before")
    @classmethod
    def _home_is_named(cls, given: object) -> object:
        """An empty path would be the folder one happens to stand in."""
        if isinstance(given, str) and not given.strip():
            raise ValueError("empty; name a folder, or unset it for the default")
        return given

    @field_validator("partitions_start")
    @classmethod
    def _start_is_an_hour(cls, given: str) -> str:
        with suppress(ValueError):
            if datetime.strptime(given, _HOUR).replace(tzinfo=UTC).strftime(_HOUR) == given:
                return given
        raise ValueError("not an hour of the form YYYY-MM-DD-HH:00")

    @property
    def lake_root(self) -> str:
        """Where Parquet goes: a folder or an object-store url."""
        return self.lake or str(self.home.absolute() / "lake")

    @property
    def tracking_uri(self) -> str:
        """Where MLflow keeps runs and models."""
        return (
            self.mlflow_tracking_uri or f"sqlite:///{self.home.absolute() / 'mlflow' / 'mlflow.db'}"
        )


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Read the environment once.

    Raises:
        SettingError: a variable holds a value we cannot use; it names the variable.
    """
    try:
        return Settings()
    except ValidationError as exc:
        first = exc.errors()[0]
        field = str(first["loc"][0])
        name = field if field.isupper() else f"CRYPTOVOL_{field.upper()}"
        rule = first["msg"].removeprefix("Value error, ")
        raise SettingError(name, first["input"], rule) from exc
