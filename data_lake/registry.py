"""The model registry: versions, and the aliases `champion` and `challenger`, kept by MLflow.

A model is a bundle of text files with a signed manifest (`volatility/bundle.py`), stored as plain
artifacts: nothing is ever unpickled. Promoting moves one alias; what it replaced is remembered on
the version itself, so a rollback needs no memory of its own.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from data_lake.environment import apply_switches, third_party_warnings_ignored
from data_lake.model_version import ModelVersion, read_version
from data_lake.settings import Settings
from volatility.errors import ModelError, SettingError

EXPERIMENT: Final = "volatility"
CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"
_REPLACES: Final = "replaces"
_CREDENTIALS: Final = re.compile(r"(https?://)[^/@]*@")

T = TypeVar("T")


class Registry:
    """MLflow's tracking and registry, reduced to what we promise to keep."""

    def __init__(self, tracking_uri: str, artifact_root: Path | None) -> None:
        """Point at a server or database; `artifact_root` is None where the server keeps files.

        Raises:
            SettingError: a server's address carries a password, which logs and UIs would show.
        """
        if _CREDENTIALS.match(tracking_uri):
            shown = _CREDENTIALS.sub(r"\1", tracking_uri)
            rule = "give user and password as MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
            raise SettingError("MLFLOW_TRACKING_URI", shown, rule)
        self.tracking_uri, self.artifact_root = tracking_uri, artifact_root
        self._client: Any = None

    @classmethod
    def of(cls, settings: Settings) -> Registry:
        """The registry the settings name: sqlite under the home folder unless a server is set."""
        local = settings.home.absolute() / "mlflow" / "artifacts"
        return cls(settings.tracking_uri, None if settings.mlflow_tracking_uri else local)

    def ensure(self) -> str:
        """Create database, folders and experiment where absent; return the experiment id.

        The first use of an empty sqlite store runs MLflow's migrations, some seconds.
        """

        def find_or_create(client: Any) -> str:
            found = client.get_experiment_by_name(EXPERIMENT)
            if found is not None:
                return str(found.experiment_id)
            where = self.artifact_root.as_uri() if self.artifact_root else None
            return str(client.create_experiment(EXPERIMENT, artifact_location=where))

        return self._ask(EXPERIMENT, find_or_create)

    def log_bundle(self, run_id: str, files: Mapping[str, bytes], folder: str) -> str:
        """Store a bundle in a folder of a run's artifacts; return the folder's uri."""

        def log(client: Any) -> str:
            with tempfile.TemporaryDirectory(prefix="cryptovol-") as local:
                for name, content in files.items():
                    (Path(local) / name).write_bytes(content)
                client.log_artifacts(run_id, local, folder)
            return f"{client.get_run(run_id).info.artifact_uri}/{folder}"

        return self._ask(EXPERIMENT, log)

    def register(
        self,
        model: str,
        files: Mapping[str, bytes],
        *,
        run_id: str,
        tags: Mapping[str, str],
        folder: str = "bundle",
    ) -> ModelVersion:
        """Register a bundle as the newest version of `model` and alias it challenger.

        Its files go to `folder` of the run's artifacts, which nothing else may use.
        """
        source = self.log_bundle(run_id, files, folder)

        def create(client: Any) -> int:
            if self._find(client, model) is None:
                client.create_registered_model(model)
            made = client.create_model_version(
                model, source=source, run_id=run_id, tags=dict(tags), await_creation_for=0
            )
            client.set_registered_model_alias(model, CHALLENGER, made.version)
            return int(made.version)

        return self.version(model, self._ask(model, create))

    def start_run(self, name: str, tags: Mapping[str, str] | None = None) -> str:
        """Open a run outside Dagster (tests, tools); return its id."""
        experiment = self.ensure()
        return self._ask(
            EXPERIMENT,
            lambda client: str(
                client.create_run(experiment, run_name=name, tags=dict(tags or {})).info.run_id
            ),
        )

    def promote(self, model: str, version: int) -> ModelVersion:
        """Make `version` the champion; remember on it which version it replaced."""
        before = self.find(model, CHAMPION)

        def move(client: Any) -> None:
            if before is not None and before.version != version:
                client.set_model_version_tag(model, str(version), _REPLACES, str(before.version))
            client.set_registered_model_alias(model, CHAMPION, str(version))

        self._ask(model, move)
        return self.version(model, version)

    def rollback(self, model: str) -> ModelVersion:
        """Give the alias back to the version the champion replaced.

        Raises:
            ModelError: there is no champion, or it is the first one.
        """
        champion = self.find(model, CHAMPION)
        if champion is None:
            raise ModelError(model, "there is no champion to roll back from")
        if _REPLACES not in champion.tags:
            raise ModelError(model, f"version {champion.version} replaced nothing")
        previous = champion.tags[_REPLACES]
        self._ask(model, lambda c: c.set_registered_model_alias(model, CHAMPION, previous))
        return self.version(model, int(previous))

    def find(self, model: str, alias: str) -> ModelVersion | None:
        """The version an alias points at, None where model or alias does not exist."""
        found = self._ask(model, lambda client: self._find(client, model))
        held = (found.aliases if found else {}).get(alias)
        return None if held is None else self.version(model, int(held))

    def version(self, model: str, version: int) -> ModelVersion:
        """One version.

        Raises:
            ModelError: no such model or version.
        """
        made, found = self._ask(
            model, lambda c: (c.get_model_version(model, str(version)), self._find(c, model))
        )
        return read_version(made, found.aliases)

    def versions(self, model: str) -> list[ModelVersion]:
        """Every version of a model, newest first; empty where there is none."""
        made, found = self._ask(
            model, lambda c: (c.search_model_versions(f"name='{model}'"), self._find(c, model))
        )
        records = [read_version(each, found.aliases) for each in made]
        return sorted(records, key=lambda record: -record.version)

    def read(self, version: ModelVersion) -> dict[str, bytes]:
        """The bundle's files as stored; unverified, `volatility.bundle` checks the hashes."""

        def download(_: Any) -> dict[str, bytes]:
            from mlflow import artifacts

            with tempfile.TemporaryDirectory(prefix="cryptovol-") as folder:
                where = Path(
                    artifacts.download_artifacts(
                        artifact_uri=version.source,
                        dst_path=folder,
                        tracking_uri=self.tracking_uri,
                    )
                )
                return {p.name: p.read_bytes() for p in sorted(where.iterdir()) if p.is_file()}

        return self._ask(version.label, download)

    def _ask(self, model: str, question: Callable[[Any], T]) -> T:
        """Run `question(client)`, with MLflow's errors as ours and its warnings silenced."""
        apply_switches()
        with third_party_warnings_ignored():
            from mlflow.exceptions import MlflowException
            from sqlalchemy.exc import SQLAlchemyError

            try:
                return question(self._connect())
            except (MlflowException, SQLAlchemyError, OSError) as exc:
                reason = str(exc).strip().splitlines()[0] if str(exc).strip() else repr(exc)
                raise ModelError(model, f"registry {self._place}: {reason}") from exc

    def _connect(self) -> Any:
        if self._client is None:
            from mlflow import MlflowClient

            if self.artifact_root is not None:
                self.artifact_root.mkdir(parents=True, exist_ok=True)
            self._client = MlflowClient(self.tracking_uri, self.tracking_uri)
        return self._client

    @property
    def _place(self) -> str:
        """The tracking uri without user and password."""
        parts = urlsplit(self.tracking_uri)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    @staticmethod
    def _find(client: Any, model: str) -> Any:
        """The registered model, None where it does not exist."""
        from mlflow.exceptions import MlflowException

        try:
            return client.get_registered_model(model)
        except MlflowException as exc:
            if exc.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
