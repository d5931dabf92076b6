"""Bytes in and out of the lake root: one API for a local folder and for object stores.

Every write is all or nothing. On an object store that is the store's own atomic put. On a local
disk the bytes are staged, fsynced, and only then renamed (replace) or hard-linked (create) into
place, and the folders fsynced after: a file that can be seen has survived a power cut.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import obstore
import pyarrow as pa
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from data_lake.layout import STAGING
from volatility.errors import LakeError


class Entry(NamedTuple):
    """One stored file; `tag` changes whenever its bytes are replaced."""

    path: str  # relative to the lake root
    size: int  # bytes
    tag: str


class Storage:
    """Files below one root: a folder, or an object-store url such as `s3://bucket/prefix`."""

    def __init__(self, root: str) -> None:
        """Open `root`, creating the folder when it is local.

        Raises:
            LakeError: the root cannot be opened or created.
        """
        self.root = root
        self.folder: Path | None = None
        self._durable: set[Path] = set()
        self._suspect: str | None = None
        try:
            if "://" in root and not root.startswith("file://"):
                self._store: ObjectStore = from_url(root)
            else:
                self.folder = Path(root.removeprefix("file://")).expanduser().absolute()
                self.folder.mkdir(parents=True, exist_ok=True)
                self._store = LocalStore(self.folder)
        except (BaseError, OSError, ValueError) as exc:
            raise LakeError(root, _reason(exc)) from exc

    def replace(self, path: str, blob: bytes) -> None:
        """Put `blob` at `path`, in place of whatever is there.

        Raises:
            LakeError: the bytes could not be made durable; the old file is untouched.
        """
        self._put(path, blob, overwrite=True)

    def create(self, path: str, blob: bytes) -> bool:
        """Put `blob` at `path` unless something is there already; say whether we did.

        Raises:
            LakeError: the bytes could not be made durable.
        """
        try:
            self._put(path, blob, overwrite=False)
        except FileExistsError:
            return False
        return True

    def open(self, path: str) -> Any:
        """Open a file for random reads: a `pa.NativeFile`.

        Raises:
            LakeError: there is no such file, or it cannot be read.
        """
        try:
            if self.folder is not None:
                return pa.OSFile(str(self.folder / path))
            return pa.PythonFile(_Reader(obstore.open_reader(self._store, path)), mode="r")
        except FileNotFoundError as exc:
            raise LakeError(path, "does not exist") from exc
        except (BaseError, OSError) as exc:
            raise LakeError(path, _reason(exc)) from exc

    def read(self, path: str) -> bytes:
        """All bytes of a file.

        Raises:
            LakeError: there is no such file, or it cannot be read.
        """
        try:
            return obstore.get(self._store, path).bytes().to_bytes()
        except FileNotFoundError as exc:
            raise LakeError(path, "does not exist") from exc
        except (BaseError, OSError) as exc:
            raise LakeError(path, _reason(exc)) from exc

    def find(self, path: str) -> Entry | None:
        """The entry at `path`; None when there is none.

        Raises:
            LakeError: the store cannot be reached.
        """
        try:
            return _entry(obstore.head(self._store, path))
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as exc:
            raise LakeError(path, _reason(exc)) from exc

    def entries(self, prefix: str) -> list[Entry]:
        """Every file below the folder `prefix`, by path; none when the folder does not exist.

        Raises:
            LakeError: the store cannot be reached.
        """
        try:
            batches = obstore.list(self._store, prefix=prefix)
            return sorted(_entry(meta) for batch in batches for meta in batch)
        except (BaseError, OSError) as exc:
            raise LakeError(prefix, _reason(exc)) from exc

    def staged(self) -> list[str]:
        """Files a crash left half-written; none of them was ever committed.

        Raises:
            LakeError: the folder cannot be read.
        """
        folder = self.folder and self.folder / STAGING
        if folder is None or not folder.is_dir():
            return []
        try:
            return sorted(f"{STAGING}/{found.name}" for found in folder.iterdir())
        except OSError as exc:
            raise LakeError(STAGING, _reason(exc)) from exc

    def _put(self, path: str, blob: bytes, *, overwrite: bool) -> None:
        if self._suspect is not None:
            raise LakeError(path, f"not written: the disk failed under {self._suspect}; restart")
        try:
            if self.folder is not None:
                self._put_durably(self.folder, path, blob, overwrite=overwrite)
            else:
                obstore.put(self._store, path, blob, mode="overwrite" if overwrite else "create")
        except AlreadyExistsError as exc:
            raise FileExistsError(path) from exc
        except (BaseError, OSError) as exc:
            raise LakeError(path, f"not written: {_reason(exc)}") from exc

    def _put_durably(self, root: Path, path: str, blob: bytes, *, overwrite: bool) -> None:
        staged = f"{STAGING}/{uuid4().hex}"
        try:
            obstore.put(self._store, staged, blob)
            _fsync(root / staged)
            obstore.rename(self._store, staged, path, overwrite=overwrite)
        except BaseException:
            with suppress(BaseError, OSError):
                obstore.delete(self._store, staged)
            raise
        try:
            self._settle(root, (root / path).parent)
        except OSError:
            self._suspect = path  # a second fsync may claim success for what the first one lost
            raise

    def _settle(self, root: Path, folder: Path) -> None:
        """Make a new name durable: fsync its folder, and those above it that may be new too."""
        _fsync(folder)
        while folder != root and folder not in self._durable:
            _fsync(folder.parent)
            self._durable.add(folder)
            folder = folder.parent


class _Reader:
    """The file-like face Arrow expects, over an object store's ranged reads."""

    def __init__(self, source: obstore.ReadableFile) -> None:
        self._source = source
        self.closed = False

    def read(self, size: int | None = None) -> bytes:
        return self._source.read(size).to_bytes()

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._source.seek(offset, whence)

    def tell(self) -> int:
        return self._source.tell()

    def close(self) -> None:
        self._source.close()
        self.closed = True


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _entry(meta: Any) -> Entry:
    return Entry(meta["path"], meta["size"], str(meta["e_tag"] or meta["last_modified"]))


def _reason(exc: Exception) -> str:
    return str(exc).strip().splitlines()[0] if str(exc).strip() else type(exc).__name__
