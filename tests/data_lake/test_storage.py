"""Bytes in and out: atomic, exclusive, durable."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from data_lake.layout import STAGING
from data_lake.storage import Storage
from volatility.errors import LakeError


@pytest.fixture(params=["folder", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return Storage(str(tmp_path / "lake") if request.param == "folder" else "memory:///")


def _bytes(storage: Storage, path: str) -> bytes:
    with storage.open(path) as source:
        return bytes(source.read())


def test_what_is_replaced_is_what_is_read(storage: Storage) -> None:
    storage.replace("a/b.parquet", b"old")
    storage.replace("a/b.parquet", b"new")
    assert _bytes(storage, "a/b.parquet") == b"new"


def test_create_gives_the_name_to_the_first_only(storage: Storage) -> None:
    assert storage.create("a/b.parquet", b"first")
    assert not storage.create("a/b.parquet", b"second")
    assert _bytes(storage, "a/b.parquet") == b"first"


def test_of_many_rival_creators_exactly_one_wins(storage: Storage) -> None:
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda n: storage.create("a/b", str(n).encode()), range(32)))
    assert won.count(True) == 1
    assert _bytes(storage, "a/b") == str(won.index(True)).encode()


def test_a_missing_file_is_named(storage: Storage) -> None:
    with pytest.raises(LakeError, match=r"^nope/x: does not exist$"):
        storage.open("nope/x")
    assert storage.find("nope/x") is None
    assert storage.entries("nope") == []


def test_entries_are_sorted_and_tell_sizes(storage: Storage) -> None:
    for path in ("z/2", "z/1/a", "y/3"):
        storage.replace(path, b"xyz")
    assert [(entry.path, entry.size) for entry in storage.entries("z")] == [
        ("z/1/a", 3),
        ("z/2", 3),
    ]


def test_an_entry_changes_when_the_file_does(storage: Storage) -> None:
    storage.replace("a", b"one")
    before = storage.find("a")
    assert before == storage.entries("")[0]
    storage.replace("a", b"two")
    assert storage.find("a") != before


def test_nothing_stays_in_staging(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    storage.replace("a/b", b"x")
    storage.create("a/b", b"y")
    assert storage.staged() == []


def test_a_root_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("")
    with pytest.raises(LakeError, match="lake"):
        Storage(str(tmp_path / "lake"))


@pytest.mark.parametrize("root", ["nope://bucket/x", "s3://"])
def test_an_unknown_kind_of_root_is_refused(root: str) -> None:
    with pytest.raises(LakeError):
        Storage(root)


def test_a_full_disk_leaves_the_old_file_and_says_so(tmp_path: Path) -> None:
    """A file size limit fails the write half-way, like a full disk does."""
    storage = Storage(str(tmp_path))
    storage.replace("a/b", b"old")
    script = (
        "import resource, signal, sys\n"
        "from data_lake.storage import Storage\n"
        "from volatility.errors import LakeError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        "    Storage(sys.argv[1]).replace('a/b', b'x' * 100_000)\n"
        "except LakeError as exc:\n"
        "    sys.exit(f'refused {exc.path}')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert "refused a/b" in done.stderr
    assert _bytes(storage, "a/b") == b"old"
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_a_kill_between_staging_and_commit_leaves_the_old_file(tmp_path: Path) -> None:
    """SIGKILL in the fsync: the new bytes are staged, the name still shows the old ones."""
    storage = Storage(str(tmp_path))
    storage.replace("a/b", b"old")
    script = (
        "import os, signal, sys\n"
        "from data_lake.storage import Storage\n"
        "os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)\n"
        "Storage(sys.argv[1]).replace('a/b', b'new')\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert done.returncode == -9
    assert _bytes(storage, "a/b") == b"old"
    assert [Path(path).parent.name for path in storage.staged()] == [STAGING]
    storage.replace("a/b", b"newer")
    assert _bytes(storage, "a/b") == b"newer"


def test_after_a_failed_folder_fsync_nothing_more_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second fsync may claim success for what the first one lost."""
    storage, fsync = Storage(str(tmp_path)), os.fsync

    def fail_on_folders(handle: int) -> None:
        if Path(f"/proc/self/fd/{handle}").resolve().is_dir():
            raise OSError(5, "Input/output error")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", fail_on_folders)
    with pytest.raises(LakeError, match="Input/output error"):
        storage.replace("a/b", b"new")
    monkeypatch.undo()
    with pytest.raises(LakeError, match="restart"):
        storage.replace("a/c", b"new")


def test_a_failed_file_fsync_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = Storage(str(tmp_path))
    storage.replace("a/b", b"old")

    def fail(handle: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(LakeError, match="a/b: not written"):
        storage.replace("a/b", b"new")
    monkeypatch.undo()
    assert _bytes(storage, "a/b") == b"old"
    assert storage.staged() == []
