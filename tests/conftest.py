"""Fixtures that several packages' tests share, and what may not be skipped.

`CRYPTOVOL_TEST_REQUIRE=kafka,browser,shared_data` turns a skip of a test with one of these marks
into a failure: CI has no excuse.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings; absent on most machines, present in CI."""
    folder = Path(os.environ.get("CRYPTOVOL_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}; set CRYPTOVOL_SHARED_DATA")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; absent on some machines, present in CI."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no chromium on this machine: install the package chromium")
    return path


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of a real Apache Kafka, one for the whole session.

    Tests share it: make topics of your own with `ensure_topics`.
    """
    from ingest_service import broker, kafka_jars
    from volatility.errors import BrokerError

    try:
        kafka_jars.java()
        kafka_jars.ensure_jars()
    except BrokerError as exc:
        pytest.skip(str(exc))
    folder = tmp_path_factory.mktemp("kafka")
    try:
        yield broker.start(folder).servers
    finally:
        broker.stop(folder)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skip of a required kind of test is a failure that says so."""
    report = yield
    required = set(os.environ.get("CRYPTOVOL_TEST_REQUIRE", "").split(",")) - {""}
    marks = {mark.name for mark in item.iter_markers()} & required
    if report.skipped and marks and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{', '.join(sorted(marks))} test skipped but required: {report.longrepr}"
    return report
