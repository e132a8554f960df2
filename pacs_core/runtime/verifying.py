"""`verify`: every stored object read and compared with its digest, every file looked for in the index.

Works beside a running node: it only reads, and what arrives or goes meanwhile is no finding.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pacs_core.database.copies import names_blob, stored_objects
from pacs_core.runtime.data_folder import INDEX, STORE
from pacs_core.services.integrity import fault_of
from pacs_core.storage.folder import FolderStore

ARRIVING_S = 60.0
"""A file this young may be one whose row is being written."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong with a stored object, by blob key and SOP Instance UID."""

    key: str
    sop_instance_uid: str
    words: str


@dataclass(slots=True)
class Verified:
    """What a scrub saw so far."""

    objects: int = 0
    size: int = 0
    findings: list[Finding] = field(default_factory=list)


def verify(data: Path, progress: Callable[[Verified], None]) -> Verified:
    """Scrub a data folder; raises Refused where it holds no archive."""
    index, found = data / INDEX, Verified()
    objects = stored_objects(index)
    first = next(objects, None)  # refused here, before anything is made in the folder
    store = FolderStore(data / STORE, 0)
    while first is not None:
        fault = fault_of(store, first)
        if fault is not None and names_blob(index, first.blob_key):  # it may have been removed meanwhile
            found.findings.append(Finding(first.blob_key, first.sop_instance_uid, fault.value))
        found.objects += 1
        found.size += first.size
        progress(found)
        first = next(objects, None)
    for key in _without_row(index, store):
        found.findings.append(Finding(key, "", "it has no row: the next start takes it up"))
    return found


def _without_row(index: Path, store: FolderStore) -> Iterator[str]:
    """Files that no row names, but those that may just be arriving."""
    named = {one.blob_key for one in stored_objects(index)}
    for key in store.keys():  # noqa: SIM118  # a store is no mapping
        if key not in named and not _young(store.place(key)) and not names_blob(index, key):
            yield key


def _young(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime < ARRIVING_S
    except FileNotFoundError:
        return True  # gone meanwhile
