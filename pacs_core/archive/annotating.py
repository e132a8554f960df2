"""Strokes of readers kept as DICOM objects of their study, stored as any other object is."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from pacs_core.archive.importing import import_bytes
from pacs_core.archive.models import ImportLine
from pacs_core.domain.access import Actor
from pacs_core.domain.errors import NotFound
from pacs_core.domain.measurement import Measurement
from pacs_core.domain.records import StudyKeys
from pacs_core.domain.study import Origin
from pacs_core.services.bundle import Services
from pacs_core.services.retrieving import StoredFile

if TYPE_CHECKING:
    from pydicom import Dataset

log = logging.getLogger("reading_room.store")


def keep_annotations(services: Services, actor: Actor, study_uid: str) -> tuple[ImportLine, ...]:
    """Write the strokes of a study as SR, presentation states and key objects; say what became of each.

    What says the same as an object that is there is not written again. Raises NotFound for the study.
    """
    strokes = tuple(services.measuring.of_study(study_uid))
    with services.index.read() as tx:
        study = tx.studies.get(study_uid)
        known = sum(
            s.instance_count for s in tx.studies.series_of(study.id) if s.modality in ("SR", "PR", "KO")
        )
    images = _images(services, study_uid, strokes)
    if not images:
        return ()
    from pacs_core.dicom.annotations.objects import Task, annotation_objects

    person = actor.full_name or actor.name
    made = annotation_objects(Task(study_uid, strokes, images, person, known + 1))
    origin = Origin("import", actor.name, address=actor.address)
    return tuple(_kept(services, one.name, one.sop_instance_uid, one.content, origin) for one in made)


def _kept(services: Services, name: str, uid: str, content: bytes, origin: Origin) -> ImportLine:
    with services.index.read() as tx:
        there = tx.studies.find_instance(uid) is not None
    if there:
        return ImportLine(name, "already there", "")
    return import_bytes(services.storing, content, origin, name)


def _images(services: Services, study_uid: str, strokes: Iterable[Measurement]) -> dict[str, Dataset]:
    """The headers of the images that were drawn on; of a stroke on a plane alone an image of its series."""
    found: dict[str, Dataset] = {}
    for stroke in strokes:
        for file in _files(services, study_uid, stroke):
            uid = file.instance.sop_instance_uid
            header = _header(services, file) if uid not in found else None
            if header is not None:
                found[uid] = header
    return found


def _files(services: Services, study_uid: str, stroke: Measurement) -> list[StoredFile]:
    try:
        if stroke.instance_uid:
            return [services.retrieving.file(stroke.instance_uid)]
    except NotFound:
        return []  # its image never came, or was taken away
    keys = StudyKeys(study_uids=(study_uid,), series_uids=(stroke.series_uid,))
    return services.retrieving.files(keys)[:1]


def _header(services: Services, file: StoredFile) -> Dataset | None:
    """What an image says before its pixels; None for what is no image, or cannot be read."""
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    from pacs_core.dicom.annotations.objects import prepared
    from pacs_core.dicom.quiet import quiet_pydicom

    quiet_pydicom()
    end = file.instance.pixel_offset
    content = services.retrieving.read(file, 0, end if end is not None else -1)
    try:
        header = dcmread(BytesIO(content), stop_before_pixels=True)
        return prepared(header) if "Rows" in header else None
    except (InvalidDicomError, EOFError, ValueError, LookupError, AttributeError) as error:
        log.warning("an image that was measured cannot be referred to: %s", type(error).__name__)
        return None
