"""`reindex`: studies, series and images of the index made again from the stored files alone.

Orders, patients, reports, decisions and accounts are not in the files: they are taken over where the old
index can still be read. The new index takes the old one's place at the end, in one rename; until then nothing
of the archive is changed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from pacs_core.database.copies import copy_index, forget_images, is_sound, settle_wal
from pacs_core.database.opening import open_index
from pacs_core.dicom.intake import intake_file
from pacs_core.domain.errors import Damaged, NotDicom, NotStorable
from pacs_core.domain.study import Origin
from pacs_core.domain.times import instant
from pacs_core.hl7.sender import MLLPTransmitter
from pacs_core.ports import Clock
from pacs_core.runtime.data_folder import INDEX, STORE, Hold, prepare
from pacs_core.services.bundle import Services
from pacs_core.services.storing import ReceivedObject, Refound, door_of, torn
from pacs_core.storage.folder import FolderStore, sync_directory, sync_file

log = logging.getLogger("reading_room.store")

NEW = "index-being-made.sqlite"
OLD = "index-before-reindex.sqlite"
AT_ONCE = 200
"""Files indexed in one commit."""


@dataclass(slots=True)
class Rebuilt:
    """What was made: images indexed, files that are no objects, and whether the old index could be read."""

    indexed: int = 0
    unreadable: int = 0
    kept_the_rest: bool = False


def reindex(data: Path, clock: Clock, progress: Callable[[Rebuilt], None]) -> Rebuilt:
    """Make the index of a data folder again; raises Conflict where a node holds it."""
    data = prepare(data)
    hold = Hold(data)
    try:
        return _rebuilt(data, clock, progress)
    finally:
        hold.release()


def _rebuilt(data: Path, clock: Clock, progress: Callable[[Rebuilt], None]) -> Rebuilt:
    done, new, old = Rebuilt(), data / NEW, data / INDEX
    _remove(new)  # of a run that was cut off
    if old.exists() and is_sound(old):
        done.kept_the_rest = True
        settle_wal(old)
        copy_index(old, new)
        forget_images(new)
    _fill(new, FolderStore(data / STORE, 0), clock, done, progress)
    settle_wal(new)
    with new.open("rb+") as file:
        sync_file(file)
    if old.exists():
        _set_aside(data)
    new.replace(old)
    sync_directory(data)
    return done


def _fill(
    path: Path, store: FolderStore, clock: Clock, done: Rebuilt, progress: Callable[[Rebuilt], None]
) -> None:
    index, transmitter = open_index(path, clock, sync_directory), MLLPTransmitter(clock)
    try:
        storing = Services(index, store, clock, transmitter).storing
        keys = iter(sorted(store.keys(), key=lambda key: store.place(key).stat().st_mtime_ns))
        while some := list(islice(keys, AT_ONCE)):
            storing.index_again(list(_found(store, some, done)))
            progress(done)
    finally:
        transmitter.close()
        index.close()


def _found(store: FolderStore, keys: list[str], done: Rebuilt) -> Iterator[Refound]:
    """The objects in these files; of several bytes under one UID the oldest file comes first, as it did."""
    for key in keys:
        path = store.place(key)
        try:
            taken = intake_file(path)
        except (NotDicom, NotStorable, Damaged) as error:
            log.warning("a stored file is no object: %s", type(error).__name__)
            done.unreadable += 1  # the sweep at the next start sets it aside
            continue
        if torn(key, taken.digest):
            log.warning("a stored file is not what its name says: its bytes changed")
            done.unreadable += 1  # its digest taken anew would hide that for ever
            continue
        at = instant(datetime.fromtimestamp(path.stat().st_mtime, UTC))
        received = ReceivedObject(taken.header, taken.digest, taken.size, taken.data_set_offset)
        yield Refound(key, received, Origin(door_of(key) or "reindex", "reindex"), at)
        done.indexed += 1


def _set_aside(data: Path) -> None:
    """Keep the old index, and what may lie beside one that could not be read: the new one must not see it."""
    for end in ("-wal", "-shm"):
        beside = data / f"{INDEX}{end}"
        if beside.exists():
            beside.replace(data / f"{OLD}{end}")
    copy = data / f"{OLD}.part"
    copy.write_bytes((data / INDEX).read_bytes())
    copy.replace(data / OLD)


def _remove(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
