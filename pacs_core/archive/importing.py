"""Taking in DICOM that lies in files or memory: checked, stored byte for byte, answered in words."""

from __future__ import annotations

from pathlib import Path

from pacs_core.archive.models import ImportLine
from pacs_core.dicom.intake import Intake, intake_bytes, intake_file
from pacs_core.domain.errors import Damaged, NotDicom, NotStorable
from pacs_core.domain.study import Origin
from pacs_core.ports import BlobWriter
from pacs_core.services.storing import Kept, ReceivedObject, Storing

COPY = 1 << 20


def import_file(storing: Storing, path: Path, origin: Origin, name: str = "") -> ImportLine:
    """Store one file; the answer says stored, already there, not DICOM or not storable, and why.

    Raises OutOfSpace and StorageFailure: those are the archive's, not the file's.
    """
    shown = name or str(path)
    try:
        taken = intake_file(path)
    except (NotDicom, NotStorable, Damaged, OSError) as error:
        return refused(shown, error)
    writer = storing.begin(origin.door)
    with path.open("rb") as source:
        source.seek(taken.source_offset)
        writer.write(taken.prefix)
        while block := source.read(COPY):
            writer.write(block)
    return _keep(storing, writer, taken, origin, shown)


def import_bytes(storing: Storing, content: bytes, origin: Origin, name: str) -> ImportLine:
    """Store one object held in memory; answers as `import_file` does."""
    try:
        taken = intake_bytes(content, name)
    except (NotDicom, NotStorable, Damaged) as error:
        return refused(name, error)
    writer = storing.begin(origin.door)
    writer.write(taken.prefix)
    writer.write(memoryview(content)[taken.source_offset :])
    return _keep(storing, writer, taken, origin, name)


def refused(name: str, error: Exception) -> ImportLine:
    """The line of a file that cannot be taken in."""
    outcome = "not DICOM" if isinstance(error, NotDicom) else "not storable"
    return ImportLine(
        name, outcome, str(error) if not isinstance(error, OSError) else error.strerror or "unreadable"
    )


def _keep(storing: Storing, writer: BlobWriter, taken: Intake, origin: Origin, name: str) -> ImportLine:
    received = ReceivedObject(taken.header, taken.digest, taken.size, taken.data_set_offset)
    kept = storing.keep(writer, received, origin)
    outcome = "already there" if kept is Kept.ALREADY_THERE else "stored"
    words = (
        "; ".join((kept.value, *taken.header.warnings))
        if kept is not Kept.STORED
        else "; ".join(taken.header.warnings)
    )
    return ImportLine(name, outcome, words, taken.header.study_instance_uid)
