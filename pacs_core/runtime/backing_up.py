"""`backup` and `restore`: a whole copy of an archive while it works, and an archive from such a copy.

A backup is finished when its manifest says so, and stays valid until the next one is. Files are copied first,
the index after them, then what arrived meanwhile: the copy has no row without its file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pacs_core.database.copies import copy_index, names_blob, stored_objects
from pacs_core.database.opening import version_of
from pacs_core.database.schema import SCHEMA_VERSION
from pacs_core.domain.errors import NotFound, Refused
from pacs_core.domain.records import StoredObject
from pacs_core.domain.times import instant
from pacs_core.ports import Clock
from pacs_core.runtime import VERSION
from pacs_core.runtime.data_folder import BEFORE_THE_INDEX, INDEX, RESTORING, STORE, Hold, prepare
from pacs_core.runtime.verifying import Finding
from pacs_core.services.integrity import BLOCK, Fault
from pacs_core.storage.folder import FolderStore, sync_directory, sync_file

MANIFEST = "backup.json"
UNFINISHED = "backup-unfinished"
CONFIG = "config.toml"
SNAPSHOTS = 3
"""So often a new snapshot is taken where objects went away between index and files."""


@dataclass(slots=True)
class Copied:
    """What a backup or a restore did: objects there now, of them copied this time, and what was wrong."""

    objects: int = 0
    copied: int = 0
    findings: list[Finding] = field(default_factory=list)


Progress = Callable[[Copied], None]


def back_up(data: Path, target: Path, clock: Clock, progress: Progress) -> Copied:
    """Copy the archive in `data` to `target`, running or not; raises Refused where it does not belong."""
    data, target = data.resolve(), target.expanduser().resolve()
    _check_target(data, target)
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(target / UNFINISHED, b"")
    done, made = Copied(), instant(clock.now())
    transfer = _Transfer(FolderStore(data / STORE, 0), FolderStore(target / STORE, 0), done, progress)
    transfer.all(stored_objects(data / INDEX))
    stamp = "".join(c for c in made if c.isdigit())
    snapshot = _snapshot(data / INDEX, target, stamp, transfer)
    if (data / CONFIG).exists():
        _write(target / CONFIG, (data / CONFIG).read_bytes())
    transfer.sync()
    facts = {"product": "Reading Room", "version": VERSION, "schema": SCHEMA_VERSION, "index": snapshot.name,
             "objects": done.objects, "made": made}  # fmt: skip
    _write(target / MANIFEST, json.dumps(facts, indent=1).encode())
    (target / UNFINISHED).unlink(missing_ok=True)
    _tidy(target, snapshot)
    return done


def restore(source: Path, data: Path, progress: Progress) -> Copied:
    """Make the archive of a backup in an empty data folder; goes on where it was cut off. Raises Refused."""
    source = source.expanduser().resolve()
    facts = _manifest(source)
    if not facts:
        raise Refused(f"{source} holds no finished backup", str(source))
    index_copy = source / str(facts["index"])
    if version_of(index_copy) > SCHEMA_VERSION:
        raise Refused(f"the backup is of a newer version ({version_of(index_copy)})", str(source))
    data = prepare(data)
    hold = Hold(data)
    try:
        _check_empty(data)
        _write(data / RESTORING, b"")
        done = Copied()
        transfer = _Transfer(FolderStore(source / STORE, 0), FolderStore(data / STORE, 0), done, progress)
        for one in transfer.all(stored_objects(index_copy)):
            done.findings.append(Finding(one.blob_key, one.sop_instance_uid, Fault.MISSING.value))
        transfer.sync()
        if (source / CONFIG).exists():
            _write(data / CONFIG, (source / CONFIG).read_bytes())
        copy_index(index_copy, data / "index.part")
        _sync_rename(data / "index.part", data / INDEX)
        (data / RESTORING).unlink()
        sync_directory(data)
    finally:
        hold.release()
    return done


class _Transfer:
    """Copies objects from one store to another, their digests compared on the way."""

    def __init__(self, source: FolderStore, target: FolderStore, done: Copied, progress: Progress) -> None:
        self._source = source
        self._target = target
        self.done = done
        self._progress = progress
        self._folders: set[Path] = set()
        for part in target.unfinished():  # of a copy that was cut off
            part.unlink(missing_ok=True)

    def all(self, records: Iterable[StoredObject]) -> list[StoredObject]:
        """Copy what is not there yet; returns those whose file is missing."""
        missing = []
        self.done.objects = 0
        for record in records:
            self.done.objects += 1
            if not self._there(record) and not self._copied(record):
                missing.append(record)
            self._progress(self.done)
        return missing

    def sync(self) -> None:
        """Sync the folders that have new names."""
        for folder in sorted(self._folders):
            sync_directory(folder)

    def _there(self, record: StoredObject) -> bool:
        path = self._target.place(record.blob_key)
        return path.exists() and path.stat().st_size == record.dataset_offset + record.size

    def _copied(self, record: StoredObject) -> bool:
        digest = hashlib.sha256()
        part = self._target.incoming / f"{record.blob_key}.part"
        try:
            with self._source.open(record.blob_key) as source, part.open("wb") as out:
                prefix = source.read(record.dataset_offset)
                out.write(prefix)
                while block := source.read(BLOCK):
                    digest.update(block)
                    out.write(block)
                sync_file(out)
        except NotFound:
            part.unlink(missing_ok=True)
            return False
        final = self._target.place(record.blob_key)
        self._target.ensure_folder(final.parent)
        self._folders.add(final.parent)
        part.replace(final)
        self.done.copied += 1
        if digest.hexdigest() != record.digest:
            words = f"{Fault.CHANGED.value}, and were copied as they are"
            self.done.findings.append(Finding(record.blob_key, record.sop_instance_uid, words))
        return True


def _snapshot(live: Path, target: Path, stamp: str, transfer: _Transfer) -> Path:
    """A consistent copy of the index, with every object in it copied."""
    part, final = target / "index.part", target / f"index-{stamp}.sqlite"
    missing: list[StoredObject] = []
    for _ in range(SNAPSHOTS):
        copy_index(live, part)
        missing = transfer.all(stored_objects(part))
        if all(names_blob(live, one.blob_key) for one in missing):
            break  # else objects went away between index and files: once more
    transfer.done.findings += [
        Finding(one.blob_key, one.sop_instance_uid, Fault.MISSING.value) for one in missing
    ]
    _sync_rename(part, final)
    return final


def _check_target(data: Path, target: Path) -> None:
    if target == data or data in target.parents or target in data.parents:
        raise Refused("a backup lies neither in the data folder nor around it", str(target))
    if not target.exists():
        return
    names = {entry.name for entry in target.iterdir()}
    if names and not names & {MANIFEST, UNFINISHED}:
        raise Refused(
            "the folder holds other files: name an empty one, or one of an earlier backup", str(target)
        )


def _check_empty(data: Path) -> None:
    """A data folder that nobody has used yet, or a restore that was cut off."""
    names = {entry.name for entry in data.iterdir()} - BEFORE_THE_INDEX
    if names and RESTORING not in names:
        raise Refused("the data folder is not empty: a backup is restored into an empty one", str(data))


def _manifest(folder: Path) -> dict[str, object]:
    """What the finished backup in a folder says of itself; empty where there is none."""
    try:
        facts = json.loads((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise Refused(f"{MANIFEST} cannot be read: {error}", str(folder)) from error
    return dict(facts)


def _tidy(target: Path, snapshot: Path) -> None:
    """Take away older indexes, and objects that are in none any more."""
    for old in target.glob("index-*.sqlite"):
        if old != snapshot:
            old.unlink()
    store = FolderStore(target / STORE, 0)
    wanted = {one.blob_key for one in stored_objects(snapshot)}
    for key in set(store.keys()) - wanted:
        store.remove(key)


def _write(path: Path, content: bytes) -> None:
    """A small file, whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    _sync_rename(part, path)


def _sync_rename(part: Path, final: Path) -> None:
    with part.open("rb+") as file:
        sync_file(file)
    part.replace(final)
    sync_directory(final.parent)
