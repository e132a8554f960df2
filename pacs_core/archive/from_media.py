"""One file that was found on a medium brought into the archive through its door, and what became of it."""

from __future__ import annotations

from pacs_core.archive.models import ImportLine
from pacs_core.archive.protocol import Studies
from pacs_core.dicom.media import Found
from pacs_core.domain.errors import OutOfSpace, StorageFailure

NOTHING_AMISS = frozenset({"stored", "already there", "not DICOM", "not storable", "skipped"})
"""Outcomes that leave nothing to be done again: it is kept, or can be kept nowhere."""


def bring_in(studies: Studies, found: Found) -> ImportLine:
    """Store it, or say why not; raises what the archive says of the caller and not of the file."""
    if found.refusal:
        return ImportLine(found.name, "refused", found.refusal)
    if found.skip:
        return ImportLine(found.name, "skipped", found.skip)
    try:
        content = found.content()
    except OSError as error:
        return ImportLine(found.name, "failed", error.strerror or "unreadable")
    try:
        return studies.store(found.name, content)
    except (OutOfSpace, StorageFailure) as error:
        return ImportLine(found.name, "failed", error.message)
