"""Ask whether the MLflow server answers at all, before a job waits for it."""

from __future__ import annotations

import socket
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from data_lake.registry import Registry
from data_lake.settings import Settings
from volatility.errors import SettingError

PATIENCE_S: Final = 5.0
"""Seconds a server may take to accept a connection."""

_PORTS: Final = {"http": 80, "https": 443}


def require_registry(settings: Settings) -> Registry:
    """The registry the settings name; a server is tried first, unless a proxy stands before it.

    Raises:
        SettingError: nobody answers at `MLFLOW_TRACKING_URI`, or it carries a password.
    """
    registry = Registry.of(settings)
    uri = settings.mlflow_tracking_uri
    parts = urlsplit(uri)
    host = parts.hostname or ""
    behind_proxy = parts.scheme in getproxies() and not proxy_bypass(host)
    if parts.scheme in _PORTS and not behind_proxy:
        try:
            address = (host, parts.port or _PORTS[parts.scheme])
            socket.create_connection(address, timeout=PATIENCE_S).close()
        except (OSError, ValueError) as exc:
            raise SettingError("MLFLOW_TRACKING_URI", uri, f"nobody answers: {exc}") from exc
    return registry
