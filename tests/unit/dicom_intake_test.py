"""Intake: every sample file is taken in or refused with its words, and what is taken in is right."""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from pathlib import Path

import pydicom
import pytest

from pacs_core.dicom import sources
from pacs_core.dicom.intake import intake_bytes, intake_data_set, intake_file, part10_prefix
from pacs_core.dicom.part10 import locate
from pacs_core.domain.errors import Damaged, NotDicom, NotStorable, ReadingRoomError

MISSING_SOP = "SOPInstanceUID (0008,0018) is missing"
MISSING_STUDY = "StudyInstanceUID (0020,000D) is missing"
DICOMDIR = "A DICOMDIR: the directory of a medium is no object, the files it lists are"
BEYOND = "which reach beyond the end"
NO_DICOM = "No DICM prefix at byte 128 and no DICOM data set at byte 0"

HASHED = "dccc9599087131742838cc1162a630fea87ba9bf61ac09bfda90d4adfa5ddaed"

REFUSED: dict[str, tuple[type[ReadingRoomError], str]] = {
    "broken/derived/empty-series-uid.dcm": (NotStorable, "SeriesInstanceUID (0020,000E) is empty"),
    "broken/derived/empty.dcm": (NotDicom, "The file is empty"),
    "broken/derived/no-sop-instance-uid.dcm": (NotStorable, MISSING_SOP),
    "broken/derived/no-study-uid.dcm": (NotStorable, MISSING_STUDY),
    "broken/derived/preamble-only.dcm": (
        NotDicom,
        "Nothing follows the file meta information (the file ends at byte 132)",
    ),
    "broken/derived/text-renamed.dcm": (NotDicom, NO_DICOM),
    "broken/derived/truncated-in-header.dcm": (
        Damaged,
        f"Truncated: ManufacturerModelName (0008,1090) at byte 698 says 8 bytes, {BEYOND} (700 bytes)",
    ),
    "broken/derived/truncated-in-pixels.dcm": (
        Damaged,
        f"Truncated: PixelData (7FE0,0010) at byte 1500 says 8192 bytes, {BEYOND} (4915 bytes)",
    ),
    "broken/derived/uid-too-long.dcm": (
        NotStorable,
        "StudyInstanceUID (0020,000D) has 83 characters, 64 are allowed",
    ),
    "broken/dicomdir/DICOMDIR-bigEnd": (NotStorable, DICOMDIR),
    "broken/dicomdir/DICOMDIR-empty.dcm": (NotStorable, DICOMDIR),
    "broken/dicomdir/DICOMDIR-implicit": (NotStorable, DICOMDIR),
    "broken/dicomdir/DICOMDIR-nooffset": (NotStorable, DICOMDIR),
    "broken/dicomdir/DICOMDIR-nopatient": (NotStorable, DICOMDIR),
    "broken/dicomdir/DICOMDIR-reordered": (NotStorable, DICOMDIR),
    "broken/real/3gb-bulk-data-truncated": (
        Damaged,
        f"Truncated: PixelData (7FE0,0010) at byte 1920 says 3221225472 bytes, {BEYOND} (100000 bytes)",
    ),
    "broken/real/MR_truncated.dcm": (
        Damaged,
        f"Truncated: PixelData (7FE0,0010) at byte 1500 says 8192 bytes, {BEYOND} (9630 bytes)",
    ),
    "broken/real/UN_sequence.dcm": (NotStorable, MISSING_SOP),
    "broken/real/bad_sequence.dcm": (
        NotStorable,
        f"SOPInstanceUID (0008,0018) '{HASHED}' is no UID (digits and dots)",
    ),
    "broken/real/empty_charset_LEI.dcm": (NotStorable, MISSING_SOP),
    "broken/real/emri_small_jpeg_2k_lossless_too_short.dcm": (
        Damaged,
        f"Truncated: the next element at byte 40316 says 8 bytes, {BEYOND} (40316 bytes)",
    ),
    "broken/real/meta_missing_tsyntax.dcm": (
        NotDicom,
        "No transfer syntax in the file meta, and no data set at byte 202",
    ),
    "broken/real/nested_priv_SQ.dcm": (NotStorable, MISSING_SOP),
    "broken/real/no_meta.dcm": (NotDicom, NO_DICOM),
    "broken/real/no_meta_group_length.dcm": (NotStorable, MISSING_SOP),
    "broken/real/no_preamble_dicm_in_data": (NotStorable, MISSING_SOP),
    "broken/real/priv_SQ.dcm": (NotStorable, MISSING_SOP),
    "broken/real/rtplan_truncated.dcm": (
        Damaged,
        f"Truncated: (300A,00B0) at byte 1418 says 976 bytes, {BEYOND} (2129 bytes)",
    ),
    "charsets/chrSQEncoding.dcm": (NotStorable, MISSING_SOP),
    "charsets/chrSQEncoding1.dcm": (NotStorable, MISSING_SOP),
    "dicomdir/DICOMDIR": (NotStorable, DICOMDIR),
    "dicomdir/TINY_ALPHA/DICOMDIR": (NotStorable, DICOMDIR),
    "objects/hanging-protocol-NeurosurgeryPlan.dcm": (NotStorable, MISSING_STUDY),
    "transfer-syntaxes/colour/HTJ2KLossless_08_RGB.dcm": (NotStorable, MISSING_STUDY),
    "transfer-syntaxes/colour/HTJ2K_08_RGB.dcm": (NotStorable, MISSING_STUDY),
    "transfer-syntaxes/colour/JLSL_RGB_ILV0.dcm": (NotStorable, MISSING_SOP),
    "transfer-syntaxes/colour/JLSL_RGB_ILV1.dcm": (NotStorable, MISSING_SOP),
    "transfer-syntaxes/colour/JLSL_RGB_ILV2.dcm": (NotStorable, MISSING_SOP),
    "transfer-syntaxes/colour/JLSN_RGB_ILV0.dcm": (NotStorable, MISSING_SOP),
    "transfer-syntaxes/other/JLSL_16_15_1_1F.dcm": (NotStorable, MISSING_STUDY),
}
TOLERATED = {
    "broken/derived/bad-dates.dcm": "StudyDate (0008,0020): '20171332' is no date",
    "broken/derived/rows-do-not-match-pixels.dcm": "where rows, columns, samples, bits and frames make 16384",
    "broken/derived/trailing-garbage.dcm": "Read leniently: (ADDE,EFBE) at byte 9830",
    "broken/derived/unknown-transfer-syntax.dcm": "is no transfer syntax of the standard",
    "broken/real/badVR.dcm": "NumberOfFrames (0028,0008): '1A' is no number",
    "broken/real/ExplVR_BigEndNoMeta.dcm": "read as Explicit VR Big Endian",
    "objects/pydicom/rtstruct.dcm": "read as Implicit VR Little Endian",
    "studies/cr-dx-mg/MG-screening-GH133.dcm": "PatientBirthDate (0010,0030): '00000000' is no date",
}
NOT_IMAGES = ("hl7", "fhir", "LICENSES", "MANIFEST", "README")


def samples(shared_data: Path) -> list[tuple[str, Path]]:
    everything = ((p.relative_to(shared_data).as_posix(), p) for p in sorted(shared_data.rglob("*")))
    return [(name, p) for name, p in everything if p.is_file() and not name.startswith(NOT_IMAGES)]


def test_every_sample_is_taken_in_or_refused_with_its_words(shared_data: Path) -> None:
    refused: dict[str, tuple[type[Exception], str]] = {}
    taken = nowhere = 0
    for name, path in samples(shared_data):
        try:
            found = intake_file(path)
        except ReadingRoomError as error:
            refused[name] = type(error), error.message
            nowhere += not error.where
            continue
        taken += 1
        json.dumps(found.header.attributes)
        for place in found.header.frames:
            assert place.offset >= found.data_set_offset
        warnings = "; ".join(found.header.warnings)
        assert TOLERATED.get(name, "") in warnings, name
    assert refused == REFUSED
    assert nowhere == 0
    assert taken == 1096


def test_text_files_are_no_dicom(shared_data: Path) -> None:
    for path in sorted((shared_data / "hl7").rglob("*.hl7"))[:10]:
        with pytest.raises(NotDicom):
            intake_file(path)


def test_digest_and_size_are_those_of_the_data_set(shared_data: Path) -> None:
    path = shared_data / "broken/derived/same-uid-other-pixels.dcm"
    data = path.read_bytes()
    start = locate(data).start
    found = intake_file(path)
    assert found.digest == hashlib.sha256(data[start:]).hexdigest()
    assert found.size == len(data) - start
    assert found.prefix == data[:start]
    assert (found.source_offset, found.data_set_offset) == (start, start)


def test_offsets_are_those_of_the_stored_file(shared_data: Path) -> None:
    """A data set off the wire is written behind a prefix of ours; frames then lie where the header says."""
    path = shared_data / "transfer-syntaxes/ct/1.2.840.10008.1.2.4.80_JPEGLSLossless.dcm"
    data = path.read_bytes()
    place = locate(data)
    whole = intake_file(path).header
    found = intake_data_set(
        data[place.start :],
        place.transfer_syntax_uid,
        sop_class_uid=whole.sop_class_uid,
        sop_instance_uid=whole.sop_instance_uid,
        source_aet="SCANNER",
    )
    stored = found.prefix + data[place.start :]
    again = pydicom.dcmread(io.BytesIO(stored))
    assert again.file_meta.MediaStorageSOPInstanceUID == whole.sop_instance_uid
    assert again.file_meta.SourceApplicationEntityTitle == "SCANNER"
    ((offset, length),) = found.header.frames[0].fragments
    ((original, same),) = whole.frames[0].fragments
    assert length == same
    assert stored[offset : offset + length] == data[original : original + length]
    assert found.digest == intake_file(path).digest
    assert found.header.attributes == whole.attributes


def test_the_data_set_must_be_the_one_requested(shared_data: Path) -> None:
    data = (shared_data / "charsets/chrFren.dcm").read_bytes()
    place = locate(data)
    with pytest.raises(Damaged, match=r"is not the request's 1\.2\.3"):
        intake_data_set(data[place.start :], place.transfer_syntax_uid, sop_instance_uid="1.2.3")


def test_an_empty_data_set_is_refused() -> None:
    with pytest.raises(NotDicom, match="empty"):
        intake_data_set(b"", "1.2.840.10008.1.2")


def test_files_without_meta_get_one(shared_data: Path) -> None:
    path = shared_data / "studies/cr-dx-mg/CR-MONO1-10-chest-implicit.dcm"
    found = intake_file(path)
    assert found.source_offset == 0
    stored = found.prefix + path.read_bytes()
    assert intake_bytes(stored).digest == found.digest
    assert intake_bytes(stored).header.frames == found.header.frames
    assert intake_bytes(stored).prefix == found.prefix


def test_large_files_are_read_from_the_disk(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shared_data / "studies/us-stress-echo"
    for file in sorted(p for p in path.rglob("*") if p.is_file())[:3]:
        whole = intake_file(file)
        monkeypatch.setattr(sources, "WHOLE_IN_MEMORY", 1000)
        assert intake_file(file) == whole
        monkeypatch.undo()


def test_a_known_digest_is_not_computed_again(shared_data: Path) -> None:
    assert intake_file(shared_data / "charsets/chrFren.dcm", digest="known").digest == "known"


def test_deflated_data_sets_that_explode_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LARGEST_INFLATED", 1 << 20)
    machine = zlib.compressobj(wbits=-15)
    bomb = machine.compress(bytes(4 << 20)) + machine.flush()
    with pytest.raises(Damaged, match="inflates beyond 1048576 bytes"):
        intake_data_set(bomb, "1.2.840.10008.1.2.1.99")
    with pytest.raises(Damaged, match="ends before its stream does"):
        intake_data_set(bomb[:100], "1.2.840.10008.1.2.1.99")
    with pytest.raises(Damaged, match="cannot be inflated"):
        intake_data_set(b"\xff" * 100, "1.2.840.10008.1.2.1.99")


def test_our_prefix_reads_as_file_meta() -> None:
    prefix = part10_prefix("1.2", "1.2.3", "1.2.840.10008.1.2", "AE")
    meta = pydicom.dcmread(io.BytesIO(prefix)).file_meta
    assert meta.FileMetaInformationGroupLength == len(prefix) - 144
    assert (meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID) == ("1.2.3", "1.2.840.10008.1.2")
