"""The one way in for C-STORE, STOW-RS, import and reindex: bytes to a checked header and a digest.

Raises NotDicom, Damaged or NotStorable of ``domain.errors``, each saying what was wrong and where.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pacs_core.dicom.alike import header_like_before, remember
from pacs_core.dicom.dictionary import TAG, name_of
from pacs_core.dicom.headers import Header
from pacs_core.dicom.instance_header import build_header
from pacs_core.dicom.part10 import MEDIA_SOP_INSTANCE, Part10, locate, part10_prefix
from pacs_core.dicom.scan_fallback import Buffer, FileBytes
from pacs_core.dicom.sources import DataSet, opened, read_data_set
from pacs_core.domain.errors import Damaged, NotDicom, NotStorable
from pacs_core.domain.identifiers import is_tolerable_uid, is_uid
from pacs_core.domain.study import InstanceHeader

__all__ = ["Intake", "intake_bytes", "intake_data_set", "intake_file", "part10_prefix"]

UID_KEYWORDS = ("SOPInstanceUID", "SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID")


@dataclass(frozen=True, slots=True)
class Intake:
    """A checked object: its header, SHA-256 and size in bytes of its data set, and how it is to be stored.

    The stored file is `prefix` followed by the data set, which then begins at `data_set_offset`; offsets in
    `header` are those of that file. `source_offset` is where the data set begins in what was read.
    """

    header: InstanceHeader
    digest: str
    size: int
    prefix: bytes
    source_offset: int

    @property
    def data_set_offset(self) -> int:
        """Where the data set begins in the stored file."""
        return len(self.prefix)


def intake_file(path: Path, digest: str | None = None) -> Intake:
    """Check a file, in memory or from the disk where it is large; `digest` where the data set's is known
    already.

    Raises OSError where the file cannot be read.
    """
    with opened(path) as data:
        if isinstance(data, bytes):
            return intake_bytes(data, path.name, digest)
        found = locate(data, path.name)
        return _taken(data, found, digest or _digest_file(path, found.start), path.name)


def intake_bytes(data: bytes, name: str = "", digest: str | None = None) -> Intake:
    """Check a Part-10 file or a bare data set held in memory; `name` is used in error messages."""
    found = locate(data, name)
    return _taken(data, found, digest, name)


def intake_data_set(
    data_set: bytes | bytearray | memoryview,
    transfer_syntax_uid: str,
    *,
    sop_class_uid: str = "",
    sop_instance_uid: str = "",
    source_aet: str = "",
    digest: str | None = None,
    prefix: bytes | None = None,
) -> Intake:
    """Check a data set as it came over the wire; the UIDs are those of the request, which it must match.

    `prefix` is the file meta already written before it, if any. Raises Damaged where the SOP Instance UID
    differs.
    """
    if not len(data_set):
        raise NotDicom("The data set is empty", sop_instance_uid)
    if prefix is None:
        prefix = part10_prefix(sop_class_uid, sop_instance_uid, transfer_syntax_uid, source_aet)
    found = read_data_set(data_set, 0, transfer_syntax_uid)
    inside = found.header.text(TAG["SOPInstanceUID"])
    if sop_instance_uid and inside and inside != sop_instance_uid:
        raise Damaged(
            f"The data set's SOP Instance UID {inside[:64]} is not the request's {sop_instance_uid}",
            name_of(TAG["SOPInstanceUID"]),
        )
    if sop_class_uid and sop_class_uid != found.header.text(TAG["SOPClassUID"]):
        found.header.warn(TAG["SOPClassUID"], f"is not the request's {sop_class_uid}")
    digest = digest or hashlib.sha256(data_set).hexdigest()
    return _checked(found, 0, prefix, digest, len(data_set))


def _taken(data: Buffer, place: Part10, digest: str | None, name: str) -> Intake:
    found = read_data_set(data, place.start, place.transfer_syntax_uid, place.guessed)
    said, inside = place.meta.get(MEDIA_SOP_INSTANCE, ""), found.header.text(TAG["SOPInstanceUID"])
    if said and inside and said != inside:
        found.header.warn(TAG["SOPInstanceUID"], f"the file meta information says {said[:64]}")
    if place.complete:
        prefix = bytes(data[: place.start])
    else:
        prefix = part10_prefix(found.header.text(TAG["SOPClassUID"]), inside, place.transfer_syntax_uid)
    if digest is None:
        assert not isinstance(data, FileBytes)
        digest = hashlib.sha256(memoryview(data)[place.start :]).hexdigest()
    return _checked(found, place.start, prefix, digest, len(data) - place.start, name)


def _checked(found: DataSet, start: int, prefix: bytes, digest: str, size: int, name: str = "") -> Intake:
    shift = len(prefix) - start
    header = header_like_before(found, shift)
    if header is None:
        check_identity(found.header, name)
        header = build_header(found, shift)
        remember(found, header, shift)
    return Intake(header, digest, size, prefix, start)


def check_identity(header: Header, name: str = "") -> None:
    """Refuse what cannot be kept: a DICOMDIR, and objects whose UIDs are missing or unusable; raises
    NotStorable."""
    if TAG["DirectoryRecordSequence"] in header:
        raise NotStorable("A DICOMDIR: the directory of a medium is no object, the files it lists are", name)
    for keyword in UID_KEYWORDS:
        tag = TAG[keyword]
        uid = header.text(tag)
        if not uid:
            state = "is empty" if tag in header else "is missing"
            raise NotStorable(f"{name_of(tag)} {state}", name_of(tag))
        if len(uid) > 64:
            raise NotStorable(f"{name_of(tag)} has {len(uid)} characters, 64 are allowed", name_of(tag))
        if not is_tolerable_uid(uid):
            raise NotStorable(f"{name_of(tag)} {uid!r} is no UID (digits and dots)", name_of(tag))
        if not is_uid(uid):
            header.warn(tag, "a component begins with a zero")


def _digest_file(path: Path, start: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
