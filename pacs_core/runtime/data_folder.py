"""The data folder: made private, refused where files are not safe, held by one process at a time."""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from pacs_core.domain.errors import Conflict, Refused
from pacs_core.storage.folder import sync_directory

NETWORK_FILE_SYSTEMS = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "fuse.sshfs",
        "afs",
        "afpfs",
        "webdav",
        "davfs",
        "ncpfs",
        "glusterfs",
    }
)
CLOUD_FOLDERS = (
    "Dropbox",
    "OneDrive",
    "Google Drive",
    "GoogleDrive",
    "iCloud Drive",
    "Mobile Documents",
    "Nextcloud",
)
CLOUD_MARKS = (".dropbox.cache", ".nextcloudsync.log", ".sync.ffs_db", ".owncloudsync.log")
RUNNING = "core.json"
LOCK = "lock"
LOG = "core.log"
INDEX = "index.sqlite"
STORE = "store"
RESTORING = "restoring"
OURS = (INDEX, "config.toml", RESTORING)
"""Any of them says that a folder is a data folder, whatever lies beside it."""

BEFORE_THE_INDEX = frozenset({LOCK, RUNNING, LOG, "workstation", "lost+found"})
"""What may lie in a data folder that no core has opened yet."""

LOCK_S = 0.5
"""How long a holder waits for the lock: somebody who only asks whether it is held has it for a moment."""


def prepare(data: Path) -> Path:
    """Make the folder, private to its owner; raises Refused where files in it would not be safe."""
    data = data.expanduser().resolve()
    reason = unsafe(data) or _of_others(data)
    if reason:
        raise Refused(f"{data} cannot be the data folder: {reason}", "--data")
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.name != "nt":
            data.chmod(0o700)
            sync_directory(data.parent)
    except OSError as error:
        raise Refused(f"{data} cannot be the data folder: {error.strerror}", "--data") from error
    return data


def unsafe(data: Path) -> str:
    """Why the folder is no place for an archive, in words; empty where nothing speaks against it."""
    for part in data.parts:
        if any(part == name or part.startswith(f"{name} - ") for name in CLOUD_FOLDERS):
            return f"it lies in a cloud-synced directory ({part})"
    for parent in (data, *data.parents):
        if any((parent / mark).exists() for mark in CLOUD_MARKS):
            return f"it lies in a cloud-synced directory ({parent})"
    kind = file_system(data)
    return f"it lies on a network file system ({kind})" if kind in NETWORK_FILE_SYSTEMS else ""


def _of_others(data: Path) -> str:
    """Why the folder is not ours to make private: it holds something else; empty where it may be taken."""
    try:
        names = sorted(entry.name for entry in data.iterdir())
    except OSError:
        return ""  # not there, or no folder: making it says so
    strangers = [name for name in names if name not in BEFORE_THE_INDEX]
    if not strangers or any(name in names for name in OURS):
        return ""
    return f"it holds other files ({strangers[0]}): name an empty folder or a new one"


def file_system(path: Path) -> str:
    """The kind of file system a path lies on, as the platform names it; empty where it does not say."""
    existing = path
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if sys.platform == "win32":
        import ctypes

        remote = 4
        return "smb3" if ctypes.windll.kernel32.GetDriveTypeW(existing.anchor) == remote else ""
    mounts = Path("/proc/self/mounts")
    if not mounts.exists():
        return ""
    best = ("", "")
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        fields = line.split()
        point = fields[1].replace("\\040", " ")
        if len(point) >= len(best[0]) and (existing == Path(point) or Path(point) in existing.parents):
            best = (point, fields[2])
    return best[1]


class Hold:
    """The OS lock on a data folder; raises Conflict naming the holder where another process has it."""

    def __init__(self, data: Path) -> None:
        self._path = data / LOCK
        self._file: IO[str] = self._path.open("a+", encoding="utf-8")
        if not _locked_within(self._file, LOCK_S):
            self._file.close()
            raise Conflict(f"the data folder {data} is in use by {holder(data)}", "--data")

    def release(self) -> None:
        """Give the lock back."""
        self._file.close()


def held(data: Path) -> bool:
    """Say whether a process holds the folder; raises PermissionError where it is another user's."""
    if not (data / LOCK).exists():
        return False
    with (data / LOCK).open("a+", encoding="utf-8") as file:
        return not _locked_within(file, 0.0)


def ours(data: Path) -> bool:
    """Say whether this user may work in the folder, or make it where there is none."""
    try:
        with os.scandir(data):
            return os.access(data, os.W_OK)
    except PermissionError:
        return False
    except OSError:
        return True  # not there, or no folder: who opens it says so


def holder(data: Path) -> str:
    """Who holds the folder, for people."""
    facts = running(data)
    return f"the node with process id {facts.get('pid', '?')}" if facts else "another process"


def announce(data: Path, facts: Mapping[str, object]) -> None:
    """Leave the running node's addresses and secret in a file that only the owner can read."""
    path = data / RUNNING
    aside = path.with_suffix(f".{secrets.token_hex(4)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(dict(facts), file)
    aside.replace(path)


def running(data: Path) -> dict[str, object]:
    """What the running node left there; empty where there is none, or a killed one left it behind."""
    try:
        facts = json.loads((data / RUNNING).read_text(encoding="utf-8"))
        alive = held(data)
    except (OSError, ValueError):
        return {}
    return facts if alive and isinstance(facts, dict) else {}


def withdraw(data: Path) -> None:
    """Take the running node's facts away."""
    (data / RUNNING).unlink(missing_ok=True)


def _locked_within(file: IO[str], patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            _lock(file)
        except OSError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
        else:
            return True


def _lock(file: IO[str]) -> None:
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
