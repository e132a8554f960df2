"""Strokes as softcopy presentation states: what was drawn on images, with its words (PS3.3 A.33)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import highdicom.pr as pr
import numpy as np
from pydicom import Dataset

from pacs_core.dicom.annotations.making import MAKER, Made, Task, object_uid, program, series_uid, written
from pacs_core.dicom.annotations.placing import held, on_image
from pacs_core.dicom.annotations.shapes import Place, Shape, shapes_of
from pacs_core.domain.measurement import Measurement
from pacs_core.domain.measurement_words import label_lines

SERIES_NUMBER = 9902
LAYER = pr.GraphicLayer("MEASUREMENTS", order=1, description="Measurements of the reader")
LABEL_GAP = 4.0
"""Pixels from a stroke to its words."""
GROUPS = {
    "FrameVOILUTSequence": ("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction"),
    "PixelValueTransformationSequence": ("RescaleSlope", "RescaleIntercept", "RescaleType"),
}
HEAD = 0.25
"""Length of an arrow's head of the arrow's."""


def presentation_states(task: Task) -> tuple[Made, ...]:
    """One state for each set of images that one state may hold: of one series, size and grey scale."""
    drawn = [s for s in task.strokes if s.points and s.instance_uid in task.images]
    drawn = [s for s in drawn if _places(task, s) is not None]
    drawn.sort(key=lambda s: (_alike(task.images[s.instance_uid]), s.tracking_uid))
    sets = groupby(drawn, key=lambda s: _alike(task.images[s.instance_uid]))
    return tuple(_state(task, list(strokes), number) for number, (_key, strokes) in enumerate(sets))


def _alike(image: Dataset) -> tuple[str, ...]:
    """What images in one state have to share (PS3.3 C.11.11.1.1); a multi-frame image stands alone."""
    alone = image.SOPInstanceUID if int(image.get("NumberOfFrames") or 1) > 1 else ""
    grey = tuple(str(image.get(k, "")) for k in ("RescaleSlope", "RescaleIntercept", "RescaleType"))
    return str(image.SeriesInstanceUID), str(alone), str(image.Rows), str(image.Columns), *grey


def _state(task: Task, strokes: list[Measurement], place: int) -> Made:
    images = [task.images[uid] for uid in dict.fromkeys(s.instance_uid for s in strokes)]
    uid = object_uid(task.study_uid, "PR", strokes)
    facts: dict[str, Any] = {
        "referenced_images": [_readable(image) for image in images],
        "series_instance_uid": series_uid(task.study_uid, "PR"),
        "series_number": SERIES_NUMBER,
        "sop_instance_uid": uid,
        "instance_number": task.numbered + place,
        "manufacturer": MAKER,
        "manufacturer_model_name": MAKER,
        "software_versions": program(),
        "device_serial_number": "1",
        "content_label": "MEASUREMENTS",
        "content_description": "Measurements of the reader",
        "content_creator_name": task.observer,
        "graphic_layers": [LAYER],
        "graphic_annotations": [_annotation(task, s) for s in strokes],
        "series_description": "Measurements on the images",
    }
    grey = images[0].get("SamplesPerPixel", 1) == 1
    made: pr.GrayscaleSoftcopyPresentationState | pr.ColorSoftcopyPresentationState
    if grey:
        made = pr.GrayscaleSoftcopyPresentationState(**facts)
    else:
        made = pr.ColorSoftcopyPresentationState(**facts, icc_profile=_colours(images))
    made.Laterality = made.get("Laterality", "")  # of a paired body part, nobody says which (C.7.3.1)
    return Made(f"presentation state of series {images[0].get('SeriesNumber') or '?'}", uid, written(made))


def _readable(image: Dataset) -> Dataset:
    """An older multi-frame image with the functional groups that are looked for in every one (C.7.6.16)."""
    if int(image.get("NumberOfFrames") or 1) > 1 and "SharedFunctionalGroupsSequence" not in image:
        shared = Dataset()
        for group, keywords in GROUPS.items():
            if image.get(keywords[0]) not in (None, ""):
                item = Dataset()
                for keyword in keywords:
                    if image.get(keyword) not in (None, ""):
                        setattr(item, keyword, image[keyword].value)
                setattr(shared, group, [item])
        image.SharedFunctionalGroupsSequence = [shared]
        image.PerFrameFunctionalGroupsSequence = []
    return image


def _colours(images: Sequence[Dataset]) -> bytes:
    """The profile of the images' colours; of colours that do not say theirs sRGB (PS3.3 C.11.15)."""
    own = bytes(images[0].get("ICCProfile") or b"")
    if own[12:16] in (b"scnr", b"spac"):
        return own
    from imagecodecs import cms_profile

    srgb = bytes(cms_profile("srgb"))
    return srgb[:12] + b"scnr" + srgb[16:]  # of an input device, as images and states carry it (ICC.1 7.2.5)


def _annotation(task: Task, stroke: Measurement) -> pr.GraphicAnnotation:
    image = task.images[stroke.instance_uid]
    places = _places(task, stroke) or []
    shapes = _drawn(stroke.kind, shapes_of(stroke.kind, places))
    words = "\r\n".join(label_lines(stroke))
    name = stroke.label or stroke.kind.replace("_", " ")
    graphics = [_graphic(shape, name, stroke.tracking_uid) for shape in shapes]
    texts = [_text(words, places, stroke, image)] if words else []
    frame = stroke.frame if int(image.get("NumberOfFrames") or 1) > 1 else None
    return pr.GraphicAnnotation(
        [image],
        LAYER,
        referenced_frame_number=frame,
        graphic_objects=graphics or None,
        text_objects=texts or None,
    )


def _places(task: Task, stroke: Measurement) -> list[Place] | None:
    image = task.images[stroke.instance_uid]
    places = on_image(image, stroke.frame, stroke.points, stroke.in_pixels)
    return held(image, places) if places is not None else None


def _drawn(kind: str, shapes: tuple[Shape, ...]) -> tuple[Shape, ...]:
    """The shapes of a state: a text is words alone, an arrow has a head."""
    if kind == "text":
        return ()
    if kind != "arrow" or not shapes or len(shapes[0].points) != 2:
        return shapes
    tip, tail = (np.asarray(p) for p in shapes[0].points)
    along = (tail - tip) * HEAD
    aside = np.array([-along[1], along[0]]) * 0.5
    sides = [tuple(np.maximum(tip + along + side, 0.0).tolist()) for side in (aside, -aside)]
    return *shapes, Shape("POLYLINE", (sides[0], shapes[0].points[0], sides[1]))


def _graphic(shape: Shape, name: str, uid: str) -> pr.GraphicObject:
    return pr.GraphicObject(
        pr.GraphicTypeValues(shape.kind),
        np.asarray(shape.points, dtype=np.float64),
        pr.AnnotationUnitsValues.PIXEL,
        tracking_id=name,
        tracking_uid=uid,
    )


def _text(words: str, places: Sequence[Place], stroke: Measurement, image: Dataset) -> pr.TextObject:
    """The words beside the stroke's rightmost point, as they stand in the window."""
    column, row = places[0] if stroke.kind == "text" else max(places)
    if stroke.kind != "text":
        column = min(column + LABEL_GAP, float(image.Columns))
    return pr.TextObject(
        words,
        pr.AnnotationUnitsValues.PIXEL,
        anchor_point=(column, row),
        anchor_point_visible=False,
        tracking_id=stroke.label or stroke.kind.replace("_", " "),
        tracking_uid=stroke.tracking_uid,
    )
