"""The header's attributes on real objects: geometry, rescale, windows, calibration, doses, frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.datadict import dictionary_keyword, dictionary_VR

from pacs_core.dicom.attributes import PLAN, expand_segments, unpacked
from pacs_core.dicom.dictionary import KEYWORDS, TAG, name_of
from pacs_core.dicom.intake import intake_file
from pacs_core.domain.study import InstanceHeader


def header_of(folder: Path) -> InstanceHeader:
    path = folder if folder.is_file() else min(p for p in folder.rglob("*") if p.is_file())
    return intake_file(path).header


def test_the_dictionary_is_the_standards() -> None:
    for keyword, (tag, vr) in KEYWORDS.items():
        assert dictionary_keyword(tag) == keyword
        assert vr in dictionary_VR(tag)
    assert set(PLAN) <= set(TAG.values())
    assert name_of(0x00100020) == "PatientID (0010,0020)"
    assert name_of(0x00091001) == "(0009,1001)"


def test_ct_slice(shared_data: Path) -> None:
    header = header_of(shared_data / "studies/ct-phantom-tilt")
    found = header.attributes
    assert (header.modality, header.rows, header.columns) == ("CT", 512, 512)
    assert found["GantryDetectorTilt"] == 16.5
    assert len(found["ImageOrientationPatient"]) == 6  # type: ignore[arg-type]  # JSON-able values are objects
    assert found["RescaleSlope"] == 1.0
    assert found["BitsStored"] == 12
    assert isinstance(found["WindowCenter"], list)
    assert header.study_date == "2015-02-06"
    assert header.study_time.count(":") == 2


@pytest.mark.parametrize(
    "folder",
    [
        "studies/petct-acrin-nsclc-042/PT-0001-PET-AC",
        "studies/mr-prostatex-0207/MR-0004-t2-tse-tra",
        "studies/cr-dx-mg/DX-chest-pa-j2k-lossless.dcm",
        "transfer-syntaxes/ct/1.2.840.10008.1.2_LittleEndianImplicit.dcm",
        "transfer-syntaxes/ct/1.2.840.10008.1.2.2_BigEndianExplicit.dcm",
    ],
)
def test_simple_values_are_those_pydicom_reads(shared_data: Path, folder: str) -> None:
    path = shared_data / folder
    path = path if path.is_file() else min(p for p in path.rglob("*") if p.is_file())
    attributes = intake_file(path).header.attributes
    found = pydicom.dcmread(path, stop_before_pixels=True)
    compared = 0
    for keyword, value in attributes.items():
        if keyword.endswith(("Date", "Time", "Sequence")) or keyword not in found:
            continue
        theirs = found[keyword].value
        many = theirs if isinstance(theirs, (list, pydicom.multival.MultiValue)) else [theirs]
        ours = value if isinstance(value, list) else [value]
        if isinstance(ours[0], (int, float)):
            assert ours == pytest.approx([float(v) for v in many]), keyword
        elif len(ours) == len(many):
            assert [str(v) for v in ours] == [str(v) for v in many], keyword
        compared += 1
    assert compared > 25


def test_pet(shared_data: Path) -> None:
    found = header_of(shared_data / "studies/petct-acrin-nsclc-042/PT-0001-PET-AC").attributes
    (dose,) = found["RadiopharmaceuticalInformationSequence"]  # type: ignore[misc]
    assert dose["RadionuclideTotalDose"] > 1e8
    assert dose["RadionuclideHalfLife"] == pytest.approx(6588, abs=30)
    assert found["Units"] == "BQML"
    assert found["CorrectedImage"]


def test_ultrasound_regions_and_frame_time(shared_data: Path) -> None:
    header = header_of(shared_data / "studies/us-echo-pediatric")
    assert header.number_of_frames == len(header.frames) > 10
    assert header.attributes["FrameTime"] or header.attributes["FrameTimeVector"]


def test_palette_is_kept_and_segments_expand(shared_data: Path) -> None:
    found = header_of(shared_data / "transfer-syntaxes/colour/gdcm-US-ALOKA-16.dcm").attributes
    red = found["Palette"]["Red"]  # type: ignore[index]
    assert len(unpacked(red["Data"])) == 2 * 65536
    discrete_then_linear = bytes([0, 2, 10, 20, 1, 4, 60])
    assert list(expand_segments(discrete_then_linear, 8)) == [10, 20, 30, 40, 50, 60]


def test_modality_and_voi_tables(shared_data: Path) -> None:
    found = header_of(shared_data / "transfer-syntaxes/other/mlut_18.dcm").attributes
    (table,) = found["ModalityLUTSequence"]  # type: ignore[misc]
    assert table["Descriptor"] == [4096, -2048, 16]
    assert len(unpacked(table["Data"])) == 8192
    voi = header_of(shared_data / "transfer-syntaxes/other/vlut_04.dcm").attributes
    assert voi["VOILUTSequence"]


def test_enhanced_frames(shared_data: Path) -> None:
    path = shared_data / "studies/mr-enhanced-siemens-xa30/anat-T1w-acq-tfl.dcm"
    header = intake_file(path).header
    theirs = pydicom.dcmread(path, stop_before_pixels=True)
    frames = header.attributes["Frames"]
    assert isinstance(frames, list)
    assert len(frames) == header.number_of_frames == 96
    for ours, groups in zip(frames, theirs.PerFrameFunctionalGroupsSequence, strict=True):
        assert ours["ImagePositionPatient"] == list(groups.PlanePositionSequence[0].ImagePositionPatient)
        assert ours["DimensionIndexValues"] == list(groups.FrameContentSequence[0].DimensionIndexValues)
    together = dict(header.attributes) | frames[0]
    assert {"PixelSpacing", "ImageOrientationPatient", "SliceThickness", "WindowCenter"} <= set(together)
    assert [f.length for f in header.frames] == [128 * 128 * 2] * 96


def test_segmentation_frames_name_their_segment(shared_data: Path) -> None:
    found = header_of(shared_data / "transfer-syntaxes/other/liver_nonbyte_aligned.dcm").attributes
    assert all(f["ReferencedSegmentNumber"] == 1 for f in found["Frames"])  # type: ignore[attr-defined]
    assert found["SegmentSequence"][0]["SegmentLabel"]  # type: ignore[index]


def test_dose_grid_frames_get_positions(shared_data: Path) -> None:
    header = header_of(shared_data / "objects/pydicom/rtdose.dcm")
    frames = header.attributes["Frames"]
    assert isinstance(frames, list)
    origin = header.attributes["ImagePositionPatient"]
    offsets = header.attributes["GridFrameOffsetVector"]
    assert frames[0]["ImagePositionPatient"] == origin
    step = np.subtract(frames[-1]["ImagePositionPatient"], origin)
    assert np.linalg.norm(step) == pytest.approx(abs(offsets[-1] - offsets[0]))  # type: ignore[index]


def test_presentation_state_names_its_images(shared_data: Path) -> None:
    found = [header_of(p).attributes for p in sorted((shared_data / "objects/gsps").iterdir())]
    assert any(a.get("ReferencedSeriesSequence") for a in found)


def test_encapsulated_document_is_located(shared_data: Path) -> None:
    for path in sorted((shared_data / "objects").rglob("*")):
        if path.is_file() and path.name != "hanging-protocol-NeurosurgeryPlan.dcm":
            found = intake_file(path)
            place = found.header.attributes.get("EncapsulatedDocument")
            if place:
                stored = found.prefix + path.read_bytes()[found.source_offset :]
                assert stored[place["Offset"] :].startswith(b"%PDF")  # type: ignore[index]
                return
    pytest.fail("no encapsulated document among the samples")


def test_overlay_planes_are_located(shared_data: Path) -> None:
    path = shared_data / "transfer-syntaxes/other/examples_overlay.dcm"
    (plane,) = intake_file(path).header.attributes["Overlays"]  # type: ignore[misc]
    theirs = pydicom.dcmread(path)
    assert (plane["Rows"], plane["Columns"]) == (theirs[0x60000010].value, theirs[0x60000011].value)
    raw = path.read_bytes()[plane["Offset"] : plane["Offset"] + plane["Length"]]
    assert raw == theirs[0x60003000].value


def test_request_attributes(shared_data: Path) -> None:
    for path in sorted((shared_data / "studies/two-studies-papaya-mr-ct").rglob("*")):
        if path.is_file() and (asked := intake_file(path).header.attributes.get("RequestAttributesSequence")):
            assert isinstance(asked, list)
            return
    pytest.fail("no sample names its request")
