"""What we write reads back: the same strokes on the same images; and what others write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset

from pacs_core.dicom.annotations.placing import plane_of
from pacs_core.dicom.annotations.shapes import points_of, shapes_of
from pacs_core.domain.measurement import Measurement
from pacs_core.domain.measurement_words import label_lines, label_lines_of
from tests.support.strokes_on import header_of, objects_of, strokes_on
from workstation.imaging.documents.kinds import Kind
from workstation.imaging.marks import Mark, marks_of
from workstation.imaging.marks.model import Form, Place, Space

SOURCES = ("prior-pair-chest-ct-A046441", "mr-enhanced-siemens-xa30", "us-echo-pediatric")
SHAPES = {Form.LINE: "POLYLINE", Form.ELLIPSE: "ELLIPSE", Form.POINT: "POINT"}


def back(header: Dataset, one: Measurement, places: tuple[Place, ...]) -> np.ndarray:
    """Columns and rows of an image in a stroke's own coordinates."""
    plane = None if one.in_pixels else plane_of(header, one.frame)
    if plane is None:
        return np.array([(c, r, 0.0) for c, r in places])
    origin, across, down = plane
    return np.array([origin + across * c + down * r for c, r in places])


Kept = tuple[Dataset, tuple[Measurement, ...], dict[str, bytes]]


@pytest.fixture(scope="module", params=SOURCES)
def kept(request: pytest.FixtureRequest, shared_data: Path) -> Kept:
    """An image, the strokes on it, and the objects made of them."""
    header = header_of(shared_data / "studies" / request.param)
    strokes = strokes_on(header)
    return header, strokes, objects_of(header, strokes)


def test_a_report_of_ours_reads_back_as_the_same_strokes(kept: Kept) -> None:
    header, strokes, made = kept
    marks = marks_of(Kind.REPORT, made["measurements"])
    for one in (s for s in strokes if s.points):
        mine = [m for m in marks if m.tracking_uid == one.tracking_uid]
        assert {m.kind for m in mine} == {one.kind}
        assert {m.images for m in mine} == {frozenset({(one.instance_uid, int(_frames(header)))})}
        drawn = shapes_of(one.kind, one.points)
        read = sorted(mine, key=lambda m: _nearest(back(header, one, m.points)[0], drawn))
        points = points_of(one.kind, drawn)
        found = [p for m in read for p in back(header, one, m.points)]
        found = found[: len(points)]
        assert np.allclose(found, points, atol=1e-3), one.kind
        words = [line for m in mine for line in m.words]
        assert sorted(set("  ".join(words).split())) == sorted(
            set("  ".join(label_lines_of(one.label, one.quantities) * len(mine)).split())
        )


def _frames(header: Dataset) -> bool:
    return int(header.get("NumberOfFrames") or 1) > 1


def _nearest(place: np.ndarray, drawn: tuple[object, ...]) -> int:
    """Which of a stroke's shapes begins at a place: two diameters come long axis first."""
    away = [np.abs(np.array(shape.points[0]) - place).max() for shape in drawn]  # type: ignore[attr-defined]
    return int(np.argmin(away))


def test_a_presentation_state_of_ours_reads_back_with_its_words(kept: Kept) -> None:
    header, strokes, made = kept
    marks = marks_of(Kind.PRESENTATION, made["presentation"])
    assert {m.maker for m in marks} == {"Vale, Robin · Reading Room"}
    for one in (s for s in strokes if s.points):
        mine = [m for m in marks if m.tracking_uid == one.tracking_uid]
        said = [m for m in mine if m.form is Form.WORDS]
        assert [m.words for m in said] == ([label_lines(one)] if label_lines(one) else [])
        shapes = [m for m in mine if m.form is not Form.WORDS]
        drawn = () if one.kind == "text" else shapes_of(one.kind, one.points)
        for shape, mark in zip(drawn, shapes, strict=False):
            assert SHAPES[mark.form] == shape.kind
            assert np.allclose(back(header, one, mark.points), shape.points, atol=1e-3), one.kind
        assert len(shapes) == len(drawn) + (one.kind == "arrow")  # an arrow has a head


def test_key_objects_name_the_image_and_who_marked_it(kept: Kept) -> None:
    header, _strokes, made = kept
    (mark,) = marks_of(Kind.KEY_OBJECTS, made["key"])
    assert (mark.form, mark.words) == (Form.KEY, ("Of Interest",))
    assert mark.images == {(str(header.SOPInstanceUID), 0)}
    assert "Vale" in mark.maker


def test_a_stroke_that_leaves_its_image_is_kept_in_the_patient(shared_data: Path) -> None:
    header = header_of(shared_data / "studies" / SOURCES[0])
    (one, *_rest) = strokes_on(header)
    plane = plane_of(header, 1)
    assert plane is not None
    out = plane[0] - plane[1] * 20
    far = Measurement(
        **{f: getattr(one, f) for f in one.__slots__} | {"points": (one.points[0], tuple(out.tolist()))}
    )
    (mark,) = marks_of(Kind.REPORT, objects_of(header, (far,))["measurements"])
    assert (mark.space, mark.frame_of_reference_uid) == (Space.PATIENT, str(header.FrameOfReferenceUID))
    assert np.allclose(mark.points, far.points, atol=1e-3)


def test_reports_of_others_have_places_and_rubbish_has_none(shared_data: Path) -> None:
    path = shared_data / "objects" / "dcmqi" / "sr.dcm"
    assert all(isinstance(m, Mark) for m in marks_of(Kind.REPORT, path.read_bytes()))
    for kind in (Kind.REPORT, Kind.PRESENTATION, Kind.KEY_OBJECTS):
        assert marks_of(kind, b"no DICOM at all") == ()
        assert marks_of(kind, path.read_bytes()[:900]) == ()
