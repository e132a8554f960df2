"""Key images as a Key Object Selection of TID 2010 (PS3.3 A.35.4)."""

from __future__ import annotations

import highdicom.ko as ko
import highdicom.sr as hd
from pydicom.sr.codedict import codes

from pacs_core.dicom.annotations.making import MAKER, Made, Task, object_uid, program, series_uid, written

SERIES_NUMBER = 9903
KIND = "key_image"


def key_object_selection(task: Task) -> Made | None:
    """The marked images as one selection "Of Interest"; None where none is marked."""
    marks = [s for s in task.strokes if s.kind == KIND and s.instance_uid in task.images]
    if not marks:
        return None
    images = [task.images[uid] for uid in dict.fromkeys(s.instance_uid for s in marks)]
    said = [f"{_where(s)}: {s.label}" if s.label else _where(s) for s in marks]
    uid = object_uid(task.study_uid, "KO", marks)
    person = hd.PersonObserverIdentifyingAttributes(name=task.observer)
    content = ko.KeyObjectSelection(
        document_title=codes.DCM.OfInterest,
        referenced_objects=images,
        observer_person_context=hd.ObserverContext(codes.DCM.Person, person),
        description="; ".join(said)[:1024],
    )
    made = ko.KeyObjectSelectionDocument(
        evidence=images,
        content=content,
        series_instance_uid=series_uid(task.study_uid, "KO"),
        series_number=SERIES_NUMBER,
        sop_instance_uid=uid,
        instance_number=task.numbered,
        manufacturer=MAKER,
        manufacturer_model_name=MAKER,
        software_versions=program(),
        series_description="Key images",
    )
    return Made("key images", uid, written(made))


def _where(stroke: object) -> str:
    """Series, image and frame as a reader calls them."""
    series, image = getattr(stroke, "series_number", None), getattr(stroke, "instance_number", None)
    return f"series {series or '?'}, image {image or '?'}"
