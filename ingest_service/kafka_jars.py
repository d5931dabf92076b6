"""Apache Kafka's jars: fetched by Maven once, kept in the user's cache, shared by every broker."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from ingest_service.kafka_recipe import COPY_JARS, KAFKA_VERSION, POM
from volatility.errors import BrokerError

MIN_JAVA: Final = 17
_NOWHERE: Final = "127.0.0.1"
_FETCH_TIMEOUT_S: Final = 600.0


def java() -> str:
    """Path of a Java 17 or newer.

    Raises:
        BrokerError: there is none; says what to install.
    """
    found = shutil.which("java")
    if found is None:
        raise BrokerError(_NOWHERE, f"a local broker needs Java {MIN_JAVA}+; there is no `java`")
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    match = re.search(r'version "(\d+)', said)
    if match is None or int(match[1]) < MIN_JAVA:
        version = match[1] if match else "unknown"
        raise BrokerError(_NOWHERE, f"a local broker needs Java {MIN_JAVA}+; this is {version}")
    return found


def jar_folder() -> Path:
    """Where this version's jars are kept: `$XDG_CACHE_HOME`, by default `~/.cache`."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "cryptovol" / f"kafka-{KAFKA_VERSION}"


def ensure_jars() -> Path:
    """The folder with Kafka's jars, fetched now if this machine has none.

    Raises:
        BrokerError: they are not here and cannot be fetched.
    """
    folder = jar_folder()
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            fetched = _fetch(Path(scratch))
            try:
                fetched.rename(folder)
            except OSError:
                if not folder.is_dir():  # else another process was faster: its jars are as good
                    raise
    return folder


def _fetch(scratch: Path) -> Path:
    mvn = shutil.which("mvn")
    if mvn is None:
        raise BrokerError(_NOWHERE, "fetching Apache Kafka needs Maven; there is no `mvn`")
    (scratch / "pom.xml").write_text(POM)
    command = [mvn, "-q", "-B", "-f", str(scratch / "pom.xml"), COPY_JARS]
    command += ["-DincludeScope=runtime", f"-DoutputDirectory={scratch / 'libs'}"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_FETCH_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as exc:
        raise BrokerError(_NOWHERE, f"Maven took over {_FETCH_TIMEOUT_S:g} s") from exc
    if done.returncode:
        errors = [line for line in done.stdout.splitlines() if "ERROR" in line]
        reason = errors[0][:300] if errors else "no output"
        raise BrokerError(_NOWHERE, f"Maven cannot fetch Apache Kafka {KAFKA_VERSION}: {reason}")
    return scratch / "libs"
