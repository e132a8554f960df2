"""Strokes kept as DICOM objects of their study, whichever way the archive is entered."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread

from pacs_core.archive.models import InstanceManifest
from pacs_core.domain.errors import Denied, NotFound
from pacs_core.domain.measurement import Quantity
from tests.support.houses import House, stroke

SR, PR, KO = (f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("88.34", "11.1", "88.59"))


def drawn_on(home: House, shared_data: Path) -> tuple[str, InstanceManifest]:
    """A real image with a length on it and a mark that it matters."""
    path = min((shared_data / "studies" / "prior-pair-chest-ct-A046441").rglob("*.dcm"))
    line = home.enter("technologist").studies.store(path.name, path.read_bytes())
    manifest = home.enter().studies.manifest(line.study_uid)
    (image, *_rest) = (i for s in manifest.series for i in s.instances if i.frames)
    series = next(s for s in manifest.series if image in s.instances)
    header = dcmread(path, stop_before_pixels=True)
    first = tuple(float(v) for v in header.ImagePositionPatient)
    facts = {"series_uid": series.series_uid, "instance_uid": image.sop_instance_uid}
    for one in home.enter().measurements.of(line.study_uid):
        home.enter().measurements.remove(one.tracking_uid)
    length = stroke(
        line.study_uid,
        points=(first, (first[0] + 30.0, first[1] + 40.0, first[2])),
        quantities=(Quantity("Length", 50.0, "mm"),),
        frame_of_reference_uid=str(header.FrameOfReferenceUID),
        label="nodule",
        **facts,
    )
    for one in (length, stroke(line.study_uid, kind="key_image", points=(), quantities=(), **facts)):
        home.enter().measurements.save(one)
    return line.study_uid, image


def test_what_was_drawn_becomes_objects_of_the_study_once(home: House, shared_data: Path) -> None:
    uid, image = drawn_on(home, shared_data)
    before = {i.sop_instance_uid for s in home.enter().studies.manifest(uid).series for i in s.instances}
    made = home.enter().measurements.keep(uid)
    assert {line.outcome for line in made} == {"stored"}
    assert {line.study_uid for line in made} == {uid}
    assert {line.outcome for line in home.enter().measurements.keep(uid)} == {"already there"}
    manifest = home.enter().studies.manifest(uid)
    fresh = [i for s in manifest.series for i in s.instances if i.sop_instance_uid not in before]
    assert {i.sop_class_uid for i in fresh} == {SR, PR, KO}
    original = dcmread(BytesIO(home.enter().studies.file(image.sop_instance_uid)), stop_before_pixels=True)
    for one in fresh:
        read = dcmread(BytesIO(home.enter().studies.file(one.sop_instance_uid)))
        assert (read.PatientID, read.StudyInstanceUID) == (original.PatientID, uid)
        assert image.sop_instance_uid in str(read)


def test_a_changed_stroke_makes_new_objects_and_what_stayed_does_not(home: House, shared_data: Path) -> None:
    uid, _image = drawn_on(home, shared_data)
    home.enter().measurements.keep(uid)
    (length,) = (m for m in home.enter().measurements.of(uid) if m.kind == "length")
    home.enter().measurements.save(replace(length, label="mass"))
    outcomes = {line.path.split()[0]: line.outcome for line in home.enter().measurements.keep(uid)}
    assert outcomes == {"measurements": "stored", "presentation": "stored", "key": "already there"}
    assert "SR" not in home.enter().worklist.row(f"study:{uid}").modality


def test_nothing_drawn_makes_nothing_and_nobody_else_may(home: House) -> None:
    uid, _order = home.exam()
    assert home.enter().measurements.keep(uid) == ()
    with pytest.raises(NotFound):
        home.enter().measurements.keep("9.9.9")
    with pytest.raises(Denied):
        home.enter("front-desk").measurements.keep(uid)
