"""Corrected identity on the way out: only what is corrected differs, and the object says what it was."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pydicom
import pytest

from pacs_core.dicom.coercion import Correction, overlay, overlay_head
from pacs_core.dicom.headers import scan
from pacs_core.dicom.intake import intake_bytes, intake_file
from pacs_core.dicom.part10 import locate
from pacs_core.dicom.recoding import element_start

AT = datetime(2026, 3, 1, 12, 30, 15, 250000, tzinfo=UTC)
ORIGINAL = 0x04000561
NEW = {
    "PatientName": "Corrected^Name",
    "PatientID": "NEW-1",
    "IssuerOfPatientID": "HOSPITAL",
    "PatientBirthDate": "1970-01-31",
}
FILES = (
    "transfer-syntaxes/ct/1.2.840.10008.1.2.1_LittleEndianExplicit.dcm",
    "transfer-syntaxes/ct/1.2.840.10008.1.2_LittleEndianImplicit.dcm",
    "transfer-syntaxes/ct/1.2.840.10008.1.2.1.99_DeflatedExplicitVRLittleEndian.dcm",
    "transfer-syntaxes/ct/1.2.840.10008.1.2.4.80_JPEGLSLossless.dcm",
    "transfer-syntaxes/ct/1.2.840.10008.1.2.2_BigEndianExplicit.dcm",
    "objects/pydicom/rtplan.dcm",
    "broken/derived/empty-patient.dcm",
    "studies/pt-single-slices/acrin-flt-breast-1.dcm",
)


def correction(**values: str) -> Correction:
    return Correction(values, AT, source="SCANNER1")


def read(data: bytes) -> pydicom.FileDataset:
    return pydicom.dcmread(io.BytesIO(data))


@pytest.mark.parametrize("name", FILES)
def test_only_the_corrected_attributes_differ(shared_data: Path, name: str) -> None:
    data = (shared_data / name).read_bytes()
    before, after = read(data), read(overlay(data, correction(**NEW)))
    assert after.PatientName == "Corrected^Name"
    assert (after.PatientID, after.IssuerOfPatientID, after.PatientBirthDate) == (
        "NEW-1",
        "HOSPITAL",
        "19700131",
    )
    changed = {pydicom.datadict.tag_for_keyword(k) for k in NEW} | {ORIGINAL}
    assert {e.tag for e in after} - {e.tag for e in before} <= changed
    for tag in set(before.keys()) - changed:
        if tag.element:  # a group length may grow
            assert before[tag] == after[tag], tag
    note = after.OriginalAttributesSequence[-1]
    assert note.ReasonForTheAttributeModification == "COERCE"
    assert note.AttributeModificationDateTime == "20260301123015.250000+0000"
    assert (note.ModifyingSystem, note.SourceOfPreviousValues) == ("READING ROOM", "SCANNER1")
    prior = note.ModifiedAttributesSequence[0]
    assert prior.PatientName == before.get("PatientName", "")
    assert prior.PatientID == before.get("PatientID", "")


@pytest.mark.parametrize("name", FILES)
def test_an_uncorrected_object_is_the_same_bytes(shared_data: Path, name: str) -> None:
    data = (shared_data / name).read_bytes()
    header = intake_bytes(data).header
    assert overlay(data, correction()) is data
    assert overlay(data, correction(PatientID=header.patient_id)) == data


def of_a_person(data: bytes) -> bytes:
    """The object with more of its patient in it, in its own transfer syntax."""
    made = read(data)
    made.PatientAge, made.PatientMotherBirthName, made.PregnancyStatus = "042Y", "Roe^Ruth", 3
    made.OtherPatientIDs = ["X1", "X2"]
    other = pydicom.Dataset()
    other.PatientID, other.TypeOfPatientID = "X3", "TEXT"
    made.OtherPatientIDsSequence = [other]
    made.IssuerOfPatientIDQualifiersSequence = [pydicom.Dataset()]
    out = io.BytesIO()
    made.save_as(out)
    return out.getvalue()


PERSON = (
    "PatientAge PatientMotherBirthName PregnancyStatus OtherPatientIDs OtherPatientIDsSequence "
    "IssuerOfPatientIDQualifiersSequence PatientAddress"
).split()


@pytest.mark.parametrize("name", FILES)
def test_what_is_emptied_is_empty_and_kept_as_it_was_in_the_note(shared_data: Path, name: str) -> None:
    data = of_a_person((shared_data / name).read_bytes())
    before, after = read(data), read(overlay(data, correction(**dict.fromkeys(PERSON, ""))))
    for keyword in PERSON:
        assert not after.get(keyword), keyword
    assert ("PatientAddress" in after) == ("PatientAddress" in before)
    prior = after.OriginalAttributesSequence[-1].ModifiedAttributesSequence[0]
    for keyword in PERSON:
        assert prior.get(keyword) == before.get(keyword), keyword
    assert after.SOPInstanceUID == before.SOPInstanceUID
    again = overlay(data, correction(PatientAddress="")) if "PatientAddress" not in before else data
    assert again == data


def pieces(data: bytes) -> list[tuple[int, bytes]]:
    """The encoded elements in their order, pixel data included."""
    place = locate(data)
    implicit = place.transfer_syntax_uid == "1.2.840.10008.1.2"
    elements, pixels = scan(data, place.start, len(data), implicit)
    values = {tag: at for tag, (_, at, _) in elements.items()} | ({pixels[0]: pixels[2]} if pixels else {})
    starts = sorted((element_start(data, at, implicit, tag), tag) for tag, at in values.items())
    ends = [at for at, _ in starts[1:]] + [len(data)]
    return [(tag, data[at:end]) for (at, tag), end in zip(starts, ends, strict=True)]


@pytest.mark.parametrize("name", [n for n in FILES if "BigEndian" not in n and "Deflated" not in n])
def test_every_other_byte_is_untouched(shared_data: Path, name: str) -> None:
    """Take the corrected elements and the note out on both sides: the same bytes in the same order."""
    data = (shared_data / name).read_bytes()
    out = overlay(data, correction(PatientID="NEW-12"))
    assert out[: locate(data).start] == data[: locate(data).start]
    edited = {0x00100020, ORIGINAL} | {tag for tag, _ in pieces(data) if tag & 0xFFFF == 0}
    assert [p for p in pieces(out) if p[0] not in edited] == [p for p in pieces(data) if p[0] not in edited]
    assert [tag for tag, _ in pieces(out)] == sorted(
        {tag for tag, _ in pieces(data)} | {0x00100020, ORIGINAL}
    )


def test_group_lengths_are_kept_true(shared_data: Path) -> None:
    data = (shared_data / FILES[1]).read_bytes()
    before, after = read(data), read(overlay(data, correction(PatientID="ANOTHER IDENTIFIER")))
    grown = len("ANOTHER IDENTIFIER") - len(before.PatientID) - len(before.PatientID) % 2
    assert after[0x00100000].value == before[0x00100000].value + grown


def test_earlier_notes_are_kept(shared_data: Path) -> None:
    data = (shared_data / FILES[0]).read_bytes()
    once = overlay(data, correction(PatientID="FIRST"))
    twice = read(overlay(once, correction(PatientID="SECOND", PatientName="Other^Name")))
    first, second = twice.OriginalAttributesSequence
    assert first.ModifiedAttributesSequence[0].PatientID == read(data).PatientID
    assert second.ModifiedAttributesSequence[0].PatientID == "FIRST"
    assert twice.PatientID == "SECOND"


def test_the_issuer_goes_with_the_identifier(shared_data: Path) -> None:
    data = (shared_data / FILES[0]).read_bytes()
    with_issuer = overlay(data, correction(PatientID="A", IssuerOfPatientID="ISSUER"))
    prior = read(overlay(with_issuer, correction(PatientID="B"))).OriginalAttributesSequence[-1]
    assert prior.ModifiedAttributesSequence[0].IssuerOfPatientID == "ISSUER"


def test_trailing_delimiters_are_no_difference(shared_data: Path) -> None:
    data = (shared_data / "charsets/chrX1.dcm").read_bytes()
    assert overlay(data, correction(PatientName="Wang^XiaoDong=王^小東")) == data


@pytest.mark.parametrize(
    ("file", "new", "declared"),
    [
        ("chrFren.dcm", "Müller^Jörg", "ISO_IR 100"),
        ("chrH31.dcm", "Suzuki^Hanako=鈴木^花子", ["", "ISO 2022 IR 87"]),
        ("chrFren.dcm", "山田^太郎", "ISO_IR 192"),
        ("chrGerm.dcm", "Иванов^Иван", "ISO_IR 192"),
        ("chrH32.dcm", "שרון^דבורה", "ISO_IR 192"),
        ("chrI2.dcm", "Jérôme^Buc", "ISO_IR 192"),
    ],
)
def test_names_go_out_in_a_set_that_holds_them(
    shared_data: Path, file: str, new: str, declared: object
) -> None:
    data = (shared_data / "charsets" / file).read_bytes()
    out = overlay(data, correction(PatientName=new))
    after = read(out)
    assert after.SpecificCharacterSet == declared
    assert str(after.PatientName) == new
    prior = after.OriginalAttributesSequence[0].ModifiedAttributesSequence[0]
    assert str(prior.PatientName) == str(read(data).PatientName)
    for element in read(data):
        if element.VR in ("LO", "SH", "ST") and element.tag in after:
            assert after[element.tag].value == element.value


def test_other_texts_are_recoded_with_the_name(shared_data: Path) -> None:
    """Texts of the data set and its sequences move to UTF-8 together; items with a set of their own stay."""
    for path in sorted((shared_data / "studies/two-studies-papaya-mr-ct").rglob("*")):
        if not path.is_file():
            continue
        data = path.read_bytes()
        before, after = read(data), read(overlay(data, correction(PatientName="山田^太郎")))
        assert str(after.PatientName) == "山田^太郎"
        texts = [
            e for e in before if e.VR in ("LO", "SH", "ST", "PN", "LT", "UT") and e.keyword != "PatientName"
        ]
        for element in texts if before.get("SpecificCharacterSet") else ():
            assert str(after[element.tag].value) == str(element.value), element


def test_the_head_of_a_large_file_is_enough(shared_data: Path) -> None:
    for name in FILES:
        path = shared_data / name
        found = intake_file(path)
        head, rest = overlay_head(path, found.header.pixel_offset, correction(**NEW))
        data = path.read_bytes()
        assert head + data[rest:] == overlay(data, correction(**NEW))
        if found.header.pixel_offset and "BigEndian" not in name:
            assert rest < found.header.pixel_offset
