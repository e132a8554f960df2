"""After a start: what a crash left behind is found and put right (architecture §5, Blobs)."""

from __future__ import annotations

import logging
from itertools import islice
from pathlib import Path

from pacs_core.archive.importing import import_file
from pacs_core.dicom.intake import intake_file
from pacs_core.dicom.part10 import SOURCE_TITLE, locate
from pacs_core.dicom.sources import opened
from pacs_core.domain.errors import Damaged, NotDicom, NotStorable, OutOfSpace, StorageFailure
from pacs_core.domain.study import Origin
from pacs_core.services.bundle import Services
from pacs_core.services.storing import door_of, torn
from pacs_core.storage.folder import FolderStore

log = logging.getLogger("reading_room.store")

AT_ONCE = 500
"""Blob keys in one question to the index."""


def sweep(services: Services, store: FolderStore, quarantine: Path) -> dict[str, int]:
    """Index files without a row, set aside what does not parse, drop what was never acknowledged.

    Returns how many were indexed, set aside, dropped, left for the next start because the store could not
    take them now, and how many rows have no file (there must be none).
    """
    counts = {"indexed": 0, "set aside": 0, "dropped": 0, "left": 0, "rows without file": 0}
    for part in store.unfinished():
        part.unlink(missing_ok=True)
        counts["dropped"] += 1
    unknown, known = _compared(services, store)
    with services.index.read() as tx:
        counts["rows without file"] = tx.studies.count_blobs() - known
    for key in unknown:
        try:
            _take_up(services, store, key, quarantine, counts)
        except (OutOfSpace, StorageFailure) as error:  # the node has to start on a full disk as well
            log.error("a file without its row stays as it is: %s", type(error).__name__)
            counts["left"] += 1
    if any(counts.values()):
        log.warning("sweep: %s", ", ".join(f"{n} {what}" for what, n in counts.items() if n))
    return counts


def _compared(services: Services, store: FolderStore) -> tuple[list[str], int]:
    """The files without a row, and how many have one; asked by the index on blob keys, some at a time."""
    unknown: list[str] = []
    known = 0
    keys = store.keys()
    while some := list(islice(keys, AT_ONCE)):
        with services.index.read() as tx:
            rows = tx.studies.known_blobs(some)
        known += len(rows)
        unknown += [key for key in some if key not in rows]
    return unknown, known


def _sender(path: Path) -> str:
    """The AE title that sent the object, which its file meta keeps; empty where it names none."""
    try:
        with opened(path) as data:
            return locate(data, path.name).meta.get(SOURCE_TITLE, "")
    except NotDicom:
        return ""


def _take_up(
    services: Services, store: FolderStore, key: str, quarantine: Path, counts: dict[str, int]
) -> None:
    if _is_torn(store, key):
        _set_aside(store, key, quarantine, counts)
        return
    origin = Origin(door_of(key) or "sweep", _sender(store.place(key)) or "sweep")
    line = import_file(services.storing, store.place(key), origin, key)
    if line.outcome in ("stored", "already there"):
        store.remove(key)
        counts["indexed"] += line.outcome == "stored"
        return
    _set_aside(store, key, quarantine, counts)


def _is_torn(store: FolderStore, key: str) -> bool:
    try:
        return torn(key, intake_file(store.place(key)).digest)
    except (NotDicom, NotStorable, Damaged, OSError):
        return False  # taking it up finds out what is wrong with it


def _set_aside(store: FolderStore, key: str, quarantine: Path, counts: dict[str, int]) -> None:
    quarantine.mkdir(exist_ok=True, mode=0o700)
    store.place(key).replace(quarantine / key)
    counts["set aside"] += 1
