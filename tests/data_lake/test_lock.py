"""The direct writer's lock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from data_lake.lock import FolderLock
from volatility.errors import LakeError

_HOLD = """
import sys, time
from pathlib import Path
from data_lake.lock import FolderLock
lock = FolderLock(Path(sys.argv[1]), "busy")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_held_lock_names_its_holder(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / "locks" / "x", "busy")
    with pytest.raises(LakeError, match=f"process {os.getpid()} is already busy"):
        FolderLock(tmp_path / "locks" / "x", "busy")
    lock.release()
    lock.release()
    FolderLock(tmp_path / "locks" / "x", "busy").release()


def test_a_place_that_cannot_hold_a_lock_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    lock = tmp_path / "file" / ".locks" / "x"
    with pytest.raises(LakeError, match="cannot be locked: Not a directory") as caught:
        FolderLock(lock, "busy")
    assert caught.value.path == str(lock)
    (tmp_path / "folder").mkdir()
    with pytest.raises(LakeError, match="cannot be locked: Is a directory"):
        FolderLock(tmp_path / "folder", "busy")


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _HOLD, str(tmp_path / "x")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LakeError, match=f"process {holder.pid} is already busy"):
            FolderLock(tmp_path / "x", "busy")
        holder.send_signal(signal.SIGKILL)
    FolderLock(tmp_path / "x", "busy").release()
