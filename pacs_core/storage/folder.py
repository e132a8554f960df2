"""A folder of blobs: written aside, synced, renamed, its directory synced (architecture §5).

Where its name tells a blob's digest it is renamed first, so that file and folder are synced together: a file
that a power cut has torn then lies under its own name, but the name tells so, and nobody heard it was safe.
"""

from __future__ import annotations

import errno
import itertools
import logging
import os
import secrets
import shutil
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pacs_core.domain.errors import NotFound, OutOfSpace, StorageFailure
from pacs_core.ports import TOLD

try:
    import fcntl

    FULL_SYNC: int | None = getattr(fcntl, "F_FULLFSYNC", None)
except ImportError:  # Windows
    FULL_SYNC = None

log = logging.getLogger("reading_room.store")

TOGETHER = 256
"""So many blobs that come one after the other share a folder, which then need not be made for each."""

FULL = frozenset({errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC})


def sync_file(handle: BinaryIO) -> None:
    """Flush and sync a file's bytes to the disk itself (F_FULLFSYNC on macOS, where fsync stops short)."""
    handle.flush()
    if FULL_SYNC is not None:
        fcntl.fcntl(handle.fileno(), FULL_SYNC)
    elif hasattr(os, "fdatasync"):  # bytes and length; the times can wait
        os.fdatasync(handle.fileno())
    else:
        os.fsync(handle.fileno())


def sync_directory(path: Path) -> None:
    """Sync a directory so that a new name in it survives a power cut; Windows keeps names with the file."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class FolderWriter:
    """A blob being written; implements `ports.BlobWriter`."""

    def __init__(self, store: FolderStore, key: str, named_first: bool = False) -> None:
        self._store = store
        self._named_first = named_first and os.name != "nt"  # where an open file keeps its name
        self._key = key
        self._temporary = store.incoming / f"{key}.part"
        try:
            self._file: BinaryIO = self._temporary.open("xb", buffering=0)
        except OSError as error:
            raise _failure(error) from error

    @property
    def key(self) -> str:
        """The key the blob will have."""
        return self._key

    @property
    def path(self) -> Path:
        """Where the bytes lie until the commit."""
        return self._temporary

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append bytes; raises OutOfSpace or StorageFailure."""
        view = memoryview(data)
        try:
            while view:
                view = view[self._file.write(view) or 0 :]
        except OSError as error:
            self.abort()
            raise _failure(error) from error

    def commit(self) -> None:
        """Sync the file, give it its name and sync the directories that name it."""
        final = self._store.place(self._key)
        try:
            self._store.ensure_folder(final.parent)
            if self._named_first:
                self._temporary.replace(final)
            sync_file(self._file)
            self._file.close()
            if not self._named_first:
                self._temporary.replace(final)
            sync_directory(final.parent)
        except OSError as error:
            self.abort()
            final.unlink(missing_ok=True)
            raise _failure(error) from error

    def abort(self) -> None:
        """Throw the bytes away."""
        self._file.close()
        self._temporary.unlink(missing_ok=True)


class FolderStore:
    """Blobs below one folder with a two-level fan-out; implements `ports.BlobStore`."""

    def __init__(self, root: Path, reserve_bytes: int = 256 << 20) -> None:
        self.root = root
        self.incoming = root / "incoming"
        self.reserve_bytes = reserve_bytes
        self._durable: set[Path] = set()
        self._making = threading.Lock()
        self._made = itertools.count()
        self._together = secrets.token_hex(2)
        self.incoming.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self.incoming, root, root.parent):
            sync_directory(folder)

    def create(self, suffix: str = ".dcm", digest: str = "") -> FolderWriter:
        """Begin a new blob; raises OutOfSpace before the disk is quite full."""
        if self.free_bytes() < self.reserve_bytes:
            raise OutOfSpace("the disk of the data folder is nearly full", "data folder")
        if next(self._made) % TOGETHER == TOGETHER - 1:
            self._together = secrets.token_hex(2)
        told = f".{digest[:TOLD]}" if digest else ""
        return FolderWriter(self, self._together + uuid.uuid4().hex[4:] + told + suffix, bool(told))

    def place(self, key: str) -> Path:
        """Where a key's file lies."""
        if "/" in key or "\\" in key or key.startswith("."):
            raise NotFound(f"no blob can have the key {key!r}", "blob")
        return self.root / f"{key[:2]}/{key[2:4]}/{key}"

    def ensure_folder(self, folder: Path) -> None:
        """See that a fan-out folder is there and that its own name is synced.

        One that was there already is synced once as well: who made it may have been killed before.
        """
        if folder in self._durable:
            return
        with self._making:
            for path in (folder.parent, folder):
                if path not in self._durable:
                    path.mkdir(mode=0o700, exist_ok=True)
                    sync_directory(path.parent)
                    self._durable.add(path)

    def open(self, key: str) -> BinaryIO:
        """Open a blob for reading; raises NotFound."""
        try:
            return self.place(key).open("rb")
        except FileNotFoundError:
            raise NotFound("the stored file is missing", "blob") from None

    def read(self, key: str, offset: int = 0, length: int = -1) -> bytes:
        """Bytes of a blob from an offset; all of them where no length is said."""
        with self.open(key) as handle:
            handle.seek(offset)
            return handle.read(length)

    def path(self, key: str) -> Path | None:
        """The blob's file on this machine."""
        return self.place(key)

    def remove(self, key: str) -> None:
        """Remove a blob; nothing happens where there is none."""
        self.place(key).unlink(missing_ok=True)

    def keys(self) -> Iterator[str]:
        """Keys of all blobs, in no order."""
        for first in sorted(p for p in self.root.iterdir() if p.is_dir() and len(p.name) == 2):
            for second in sorted(p for p in first.iterdir() if p.is_dir()):
                for blob in sorted(second.iterdir()):
                    yield blob.name

    def unfinished(self) -> Iterator[Path]:
        """Temporary files of receptions that were never acknowledged."""
        yield from self.incoming.glob("*.part")

    def free_bytes(self) -> int:
        """Free bytes on the disk of the store."""
        return shutil.disk_usage(self.root).free


def _failure(error: OSError) -> StorageFailure | OutOfSpace:
    if error.errno in FULL:
        return OutOfSpace("the disk of the data folder is full", "data folder")
    log.error("the store failed: %s", error.strerror)
    return StorageFailure(f"the store failed: {error.strerror}", "data folder")
