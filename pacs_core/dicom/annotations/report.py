"""Strokes as a Comprehensive 3D SR of TID 1500: a group for each, on its image or in the patient."""

from __future__ import annotations

from collections.abc import Sequence

import highdicom.sr as hd
import numpy as np
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from pacs_core.dicom.annotations.coding import Coded, concept, method
from pacs_core.dicom.annotations.making import MAKER, Made, Task, object_uid, program, series_uid, written
from pacs_core.dicom.annotations.placing import held, inside, on_image
from pacs_core.dicom.annotations.shapes import REGIONS, Place, Shape, shapes_of
from pacs_core.domain.identifiers import uid_from_name
from pacs_core.domain.measurement import Measurement, Quantity

SERIES_NUMBER = 9901
Group = hd.MeasurementsAndQualitativeEvaluations | hd.PlanarROIMeasurementsAndQualitativeEvaluations


def measurement_report(task: Task) -> Made | None:
    """All strokes as one structured report; None where there is none."""
    strokes = [s for s in task.strokes if s.points]
    groups = [group for s in strokes if (group := _group(task, s)) is not None]
    if not groups:
        return None
    uid = object_uid(task.study_uid, "SR", strokes)
    content = hd.MeasurementReport(
        observation_context=_context(task),
        procedure_reported=codes.SCT.ImagingProcedure,
        imaging_measurements=groups,
    )
    made = hd.Comprehensive3DSR(
        evidence=_evidence(task, strokes),
        content=content[0],
        series_instance_uid=series_uid(task.study_uid, "SR"),
        series_number=SERIES_NUMBER,
        sop_instance_uid=uid,
        instance_number=task.numbered,
        manufacturer=MAKER,
        manufacturer_model_name=MAKER,
        software_versions=program(),
        is_complete=True,
        series_description="Measurements",
    )
    return Made("measurements", uid, written(made))


def _evidence(task: Task, strokes: Sequence[Measurement]) -> list[Dataset]:
    """The headers of the images that are measured; some image where none is."""
    named = {s.instance_uid for s in strokes}
    used = [image for uid, image in task.images.items() if uid in named]
    return used or list(task.images.values())[:1]


def _context(task: Task) -> hd.ObservationContext:
    person = hd.ObserverContext(codes.DCM.Person, hd.PersonObserverIdentifyingAttributes(name=task.observer))
    device = hd.ObserverContext(
        codes.DCM.Device,
        hd.DeviceObserverIdentifyingAttributes(
            uid=uid_from_name(MAKER), name=MAKER, manufacturer_name=MAKER, model_name=program()
        ),
    )
    return hd.ObservationContext(observer_person_context=person, observer_device_context=device)


def _group(task: Task, stroke: Measurement) -> Group | None:
    """The measurement group of a stroke: numbers inferred from lines, or a region with its numbers."""
    image = task.images.get(stroke.instance_uid)
    placed = _placed(stroke, image)
    if placed is None:
        return None
    places, flat = placed
    shapes = shapes_of(stroke.kind, places)
    tracking = hd.TrackingIdentifier(
        uid=stroke.tracking_uid, identifier=stroke.label or stroke.kind.replace("_", " ")
    )
    if stroke.quantities and stroke.kind not in REGIONS:
        numbers = [
            _number(q, [_coordinates(s, stroke, image if flat else None) for s in own])
            for q, own in _own_shapes(stroke.quantities, shapes)
        ]
        return hd.MeasurementsAndQualitativeEvaluations(
            tracking, measurements=numbers, method=_code(method(stroke.kind))
        )
    if not shapes:
        return None
    return hd.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking,
        referenced_region=_region(shapes[0], stroke, image if flat else None),
        measurements=[_number(q) for q in stroke.quantities] or None,
        method=_code(method(stroke.kind)),
    )


def _placed(stroke: Measurement, image: Dataset | None) -> tuple[Sequence[Place], bool] | None:
    """The points, and whether they are columns and rows; in the patient where they leave their image."""
    places = on_image(image, stroke.frame, stroke.points, stroke.in_pixels) if image is not None else None
    if image is not None and places is not None and (stroke.in_pixels or inside(image, places)):
        return held(image, places), True
    if stroke.in_pixels or not stroke.frame_of_reference_uid:
        return None
    return stroke.points, False


def _own_shapes(
    quantities: Sequence[Quantity], shapes: tuple[Shape, ...]
) -> list[tuple[Quantity, tuple[Shape, ...]]]:
    """Which shapes each number is inferred from: two diameters have one each, an angle has both lines."""
    named = {q.name for q in quantities}
    if named != {"Long Axis", "Short Axis"} or len(shapes) != 2:
        return [(q, shapes) for q in quantities]
    first, second = sorted(shapes, key=_length, reverse=True)
    return [(q, (first if q.name == "Long Axis" else second,)) for q in quantities]


def _length(shape: Shape) -> float:
    return float(np.linalg.norm(np.subtract(shape.points[0], shape.points[-1])))


def _code(coded: Coded) -> Code:
    return Code(coded.value, coded.scheme, coded.meaning)


def _number(
    quantity: Quantity,
    coordinates: Sequence[hd.CoordinatesForMeasurement | hd.CoordinatesForMeasurement3D] = (),
) -> hd.Measurement:
    name, derivation = concept(quantity.name, quantity.unit)
    unit = "no units" if quantity.unit == "1" else quantity.unit
    return hd.Measurement(
        name=_code(name),
        value=float(quantity.value),
        unit=Code(quantity.unit, "UCUM", unit),
        derivation=_code(derivation) if derivation else None,
        referenced_coordinates=list(coordinates) or None,
    )


def _coordinates(
    shape: Shape, stroke: Measurement, image: Dataset | None
) -> hd.CoordinatesForMeasurement | hd.CoordinatesForMeasurement3D:
    data = np.asarray(shape.points, dtype=np.float64)
    if image is None:
        return hd.CoordinatesForMeasurement3D(
            hd.GraphicTypeValues3D(shape.kind), data, stroke.frame_of_reference_uid
        )
    return hd.CoordinatesForMeasurement(hd.GraphicTypeValues(shape.kind), data, _source(image, stroke))


def _region(shape: Shape, stroke: Measurement, image: Dataset | None) -> hd.ImageRegion | hd.ImageRegion3D:
    data = np.asarray(shape.points, dtype=np.float64)
    if image is None:
        return hd.ImageRegion3D(hd.GraphicTypeValues3D(shape.kind), data, stroke.frame_of_reference_uid)
    return hd.ImageRegion(hd.GraphicTypeValues(shape.kind), data, _source(image, stroke))


def _source(image: Dataset, stroke: Measurement) -> hd.SourceImageForRegion:
    frames = [stroke.frame] if int(image.get("NumberOfFrames") or 1) > 1 else None
    return hd.SourceImageForRegion(image.SOPClassUID, image.SOPInstanceUID, frames)
