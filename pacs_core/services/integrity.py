"""Whether a stored object is still what was received: its file is there and its data set has its digest."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from pacs_core.domain.errors import NotFound
from pacs_core.domain.records import InstanceRecord, StoredObject
from pacs_core.ports import BlobStore

BLOCK = 1 << 20


class Fault(StrEnum):
    """What is wrong with a stored object."""

    MISSING = "its file is missing"
    CHANGED = "its bytes have changed"
    UNREADABLE = "its file cannot be read"


def fault_of(blobs: BlobStore, record: InstanceRecord | StoredObject) -> Fault | None:
    """Read the whole object and compare; None where it is as it was received."""
    digest = hashlib.sha256()
    try:
        with blobs.open(record.blob_key) as file:
            file.seek(record.dataset_offset)
            while block := file.read(BLOCK):
                digest.update(block)
    except NotFound:
        return Fault.MISSING
    except OSError:
        return Fault.UNREADABLE
    return None if digest.hexdigest() == record.digest else Fault.CHANGED
