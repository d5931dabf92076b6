"""A real Apache Kafka on one machine, started and stopped by us."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from ingest_service import broker, kafka_jars
from ingest_service.topic import PARTITIONS, TOPICS, describe
from volatility.errors import BrokerError


@pytest.mark.kafka
def test_it_starts_once_keeps_its_data_stops_and_is_missed_when_killed(
    kafka: str, tmp_path: Path
) -> None:
    folder = tmp_path / "kafka"
    try:
        first = broker.start(folder)
        again = broker.start(folder)
        topics = {name: describe(first.servers, name) for name in TOPICS}
        assert again == first
        assert all(partitions == list(range(PARTITIONS)) for _, partitions in topics.values())
        assert broker.stop(folder)
        assert not broker.status(folder).running
        restarted = broker.start(folder)
        assert restarted.servers == first.servers
        assert {name: describe(restarted.servers, name) for name in TOPICS} == topics
        os.kill(restarted.pid, signal.SIGKILL)
        os.waitpid(restarted.pid, 0)
        assert not broker.status(folder).running
    finally:
        broker.stop(folder)


@pytest.mark.kafka
def test_a_taken_port_is_one_clear_line(kafka: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(BrokerError, match="port is taken"):
            broker.start(tmp_path / "kafka", taken.getsockname()[1])


def test_a_folder_without_broker_has_nothing_to_stop(tmp_path: Path) -> None:
    assert broker.status(tmp_path) == broker.BrokerStatus("", 0, str(tmp_path))
    assert not broker.stop(tmp_path)


def test_a_stranger_with_the_same_process_id_is_not_our_broker(tmp_path: Path) -> None:
    state = b'{"port":9092,"controller_port":9093,"pid":%d}' % os.getpid()
    (tmp_path / "broker.json").write_bytes(state)
    assert not broker.status(tmp_path).running
    assert not broker.stop(tmp_path)


def test_no_java_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BrokerError, match=r"Java 17\+"):
        kafka_jars.java()


def test_an_old_java_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(BrokerError, match="this is 11"):
        kafka_jars.java()


def test_no_maven_and_no_jars_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BrokerError, match="needs Maven"):
        kafka_jars.ensure_jars()


def test_a_maven_that_fails_is_quoted_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mvn = tmp_path / "mvn"
    mvn.write_text("#!/bin/sh\necho '[ERROR] Could not resolve'\nexit 1\n")
    mvn.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(BrokerError, match="Could not resolve"):
        kafka_jars.ensure_jars()
    assert not list((tmp_path / "cache" / "cryptovol").iterdir())
