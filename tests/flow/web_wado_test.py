"""WADO-RS over a real socket: objects, frames and metadata of real files, in every form clients ask for."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pydicom
import pytest

from pacs_core.archive import models as m
from pacs_core.domain.access import Actor, Role
from pacs_core.domain.records import StudyKeys
from pacs_core.web import representations
from tests.support.multiparts import STOW_TYPE, framed, parts_of
from tests.support.web_node import Knocking, open_doors

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
JPEG_LS = "1.2.840.10008.1.2.4.80"
DICOM = 'multipart/related; type="application/dicom"'
AS_STORED = f"{DICOM}; transfer-syntax=*"
DECODED_ALIKE = (
    "1.2.840.10008.1.2",
    EXPLICIT,
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70",
    JPEG_LS,
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.5",
)
NOT_BY_PYDICOM = ("1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")


class Stored:
    """One file as it was sent, and the paths it is found under."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.header = pydicom.dcmread(BytesIO(content))
        self.syntax = str(self.header.file_meta.TransferSyntaxUID)
        self.study = f"/dicom-web/studies/{self.header.StudyInstanceUID}"
        self.series = f"{self.study}/series/{self.header.SeriesInstanceUID}"
        self.instance = f"{self.series}/instances/{self.header.SOPInstanceUID}"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Knocking]:
    with open_doors(tmp_path_factory.mktemp("wado")) as found:
        yield found


def send(doors: Knocking, *contents: bytes) -> list[Stored]:
    headers = {"Content-Type": STOW_TYPE}
    answer = doors.client("technologist").post(
        "/dicom-web/studies", content=framed(contents), headers=headers
    )
    assert answer.status_code == 200, answer.text
    return [Stored(content) for content in contents]


@pytest.fixture(scope="module")
def head(doors: Knocking, shared_data: Path) -> list[Stored]:
    """Five slices of a series, explicit little endian."""
    files = sorted((shared_data / "studies/mr-head-sagittal-hfs").rglob("*.dcm"))[:5]
    return send(doors, *(f.read_bytes() for f in files))


@pytest.fixture(scope="module")
def pet(doors: Knocking, shared_data: Path) -> Stored:
    """A slice in JPEG-LS."""
    return send(doors, min((shared_data / "studies/petct-acrin-nsclc-042").rglob("*.dcm")).read_bytes())[0]


def get(doors: Knocking, path: str, accept: str = "", **headers: str) -> Any:
    return doors.client().get(path, headers={"Accept": accept or "*/*", **headers})


# ---------------------------------------------------------------- objects


@pytest.mark.parametrize(
    "accept", ["*/*", AS_STORED, "multipart/related; type=application/dicom; transfer-syntax=*"]
)
def test_a_study_comes_back_byte_for_byte(doors: Knocking, head: list[Stored], accept: str) -> None:
    for path in (head[0].study, head[0].series):
        answer = get(doors, path, accept)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith(
            'multipart/related; type="application/dicom"; boundary='
        )
        parts = parts_of(answer)
        assert sorted(p.body for p in parts) == sorted(s.content for s in head)
        assert {p.headers["content-type"] for p in parts} == {
            f"application/dicom; transfer-syntax={EXPLICIT}"
        }
        assert all("content-length" not in p.headers for p in parts)
        locations = {p.headers["content-location"].removeprefix(doors.url) for p in parts}
        assert locations == {s.instance for s in head}


@pytest.mark.parametrize(
    "accept", ["application/dicom; transfer-syntax=*", 'application/dicom;transfer-syntax="*", */*;q=0.1']
)
def test_one_instance_alone(doors: Knocking, pet: Stored, accept: str) -> None:
    answer = get(doors, pet.instance, accept)
    assert answer.content == pet.content
    assert answer.headers["content-type"] == f"application/dicom; transfer-syntax={JPEG_LS}"


def test_the_default_is_explicit_little_endian(doors: Knocking, pet: Stored) -> None:
    for accept in (
        DICOM,
        f"{DICOM}; transfer-syntax={EXPLICIT}",
        'multipart/related; type="application/dicom; transfer-syntax=1.2.840.10008.1.2.1"',
    ):
        (part,) = parts_of(get(doors, pet.instance, accept))
        assert part.headers["content-type"] == f"application/dicom; transfer-syntax={EXPLICIT}"
        given = pydicom.dcmread(BytesIO(part.body))
        assert given.file_meta.TransferSyntaxUID == EXPLICIT
        assert np.array_equal(given.pixel_array, pet.header.pixel_array)
        assert given.PatientName == pet.header.PatientName
    assert (
        parts_of(get(doors, f"{pet.instance}?accept={AS_STORED.replace(';', '%3B')}", DICOM))[0].body
        == pet.content
    )


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "text/html, image/png",
        f"{DICOM}; transfer-syntax=1.2.840.10008.1.2.4.70",
        "application/zip",
        "*/*;q=0",
    ],
)
def test_what_cannot_be_given_is_not_acceptable(doors: Knocking, pet: Stored, accept: str) -> None:
    answer = get(doors, pet.instance, accept)
    assert (answer.status_code, answer.json()["where"]) == (406, "Accept")


def test_application_dicom_alone_is_for_one_instance(doors: Knocking, head: list[Stored]) -> None:
    assert get(doors, head[0].study, "application/dicom").status_code == 406


@pytest.mark.parametrize("accept", ["no type", "*/", "a/b;q=2", "a/b c/d", "x" * 9000])
def test_an_accept_that_is_none(doors: Knocking, pet: Stored, accept: str) -> None:
    answer = get(doors, pet.instance, accept)
    assert (answer.status_code, answer.json()["where"]) == (400, "Accept")


def under_own_uids(content: bytes, number: int) -> bytes:
    """The object in its own transfer syntax, under UIDs of its own."""
    header = pydicom.dcmread(BytesIO(content))
    header.StudyInstanceUID, header.SeriesInstanceUID = f"2.25.7.{number}", f"2.25.7.{number}.1"
    header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = f"2.25.7.{number}.1.1"
    out = BytesIO()
    header.save_as(out)
    return out.getvalue()


def test_every_transfer_syntax_of_one_slice_decodes_to_the_same_pixels(
    doors: Knocking, shared_data: Path
) -> None:
    slices = sorted((shared_data / "transfer-syntaxes/ct").iterdir())
    expected = pydicom.dcmread(next(s for s in slices if s.name.startswith(f"{EXPLICIT}_"))).pixel_array
    for number, path in enumerate(slices, 1):
        (one,) = send(doors, under_own_uids(path.read_bytes(), number))
        (part,) = parts_of(get(doors, one.instance, DICOM))
        given = pydicom.dcmread(BytesIO(part.body))
        assert given.file_meta.TransferSyntaxUID == EXPLICIT
        frame = get(doors, f"{one.instance}/frames/1", "application/octet-stream")
        assert frame.status_code == 200, frame.text
        assert frame.content == given.PixelData[: len(frame.content)]
        assert len(frame.content) == 512 * 512 * given.BitsAllocated // 8
        if one.syntax in DECODED_ALIKE:
            assert np.array_equal(given.pixel_array, expected), path.name


def test_what_is_not_there(doors: Knocking, head: list[Stored]) -> None:
    for path in (
        "/dicom-web/studies/9.9.9",
        f"{head[0].study}/series/9.9.9",
        f"{head[0].series}/instances/9.9.9",
        f"{head[0].series}/instances/9.9.9/metadata",
        f"{head[0].instance}/frames/2",
        f"{head[0].instance}/bulkdata/00090010",
        f"{head[0].instance}/bulkdata/nonsense/x",
        "/dicom-web/studies/9.9.9/series/" + head[0].header.SeriesInstanceUID,
    ):
        assert get(doors, path).status_code == 404, path


@pytest.mark.parametrize("path", ["1.2.a", "..", "1.2..3", "%00", "1" * 65, "'; DROP TABLE study; --"])
def test_a_uid_that_is_none(doors: Knocking, path: str) -> None:
    answer = doors.client().get(f"/dicom-web/studies/{path}/metadata")
    assert answer.status_code in (400, 404)


def test_who_may_not_see(doors: Knocking, head: list[Stored]) -> None:
    for path in (
        head[0].study,
        f"{head[0].instance}/frames/1",
        f"{head[0].study}/metadata",
        "/dicom-web/studies",
    ):
        assert doors.client("front-desk").get(path).status_code == 403
        assert doors.anyone().get(path).status_code == 401


def test_an_export_is_audited_once_for_a_viewers_many_requests(doors: Knocking, head: list[Stored]) -> None:
    for number in range(3):
        assert get(doors, f"{head[number].instance}/frames/1").status_code == 200
    get(doors, head[0].study)
    rows = doors.client("admin").get("/api/v1/audit").json()
    mine = [r for r in rows if r["subject"] == f"study:{head[0].header.StudyInstanceUID}"]
    assert sum((r["verb"], r["outcome"]) == ("view", "allowed") for r in mine) == 1
    assert any(r["verb"] == "export" for r in mine)


def test_head_says_the_type_and_gives_nothing(doors: Knocking, head: list[Stored]) -> None:
    answer = doors.client().head(head[0].instance, headers={"Accept": "application/dicom"})
    assert answer.status_code == 200
    assert answer.content == b""


# ---------------------------------------------------------------- frames


def test_frames_as_stored_say_what_they_are(doors: Knocking, pet: Stored) -> None:
    for accept in (
        "*/*",
        'multipart/related; type="image/jls"; transfer-syntax=*',
        "multipart/related; type=image/jls",
        "image/jls",
    ):
        answer = get(doors, f"{pet.instance}/frames/1", accept)
        if accept == "image/jls":
            part_type, body = answer.headers["content-type"], answer.content
        else:
            (part,) = parts_of(answer)
            part_type, body = part.headers["content-type"], part.body
        assert part_type == f"image/jls; transfer-syntax={JPEG_LS}"
        assert body == pydicom.encaps.get_frame(pet.header.PixelData, 0)


def test_frames_as_plain_values(doors: Knocking, pet: Stored) -> None:
    for accept in (
        'multipart/related; type="application/octet-stream"',
        "multipart/related; type=application/octet-stream; transfer-syntax=*",
        'multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.1',
    ):
        (part,) = parts_of(get(doors, f"{pet.instance}/frames/1", accept))
        assert part.headers["content-type"] == f"application/octet-stream; transfer-syntax={EXPLICIT}"
        assert part.body == pet.header.pixel_array.tobytes()
    implicit = f'multipart/related; type="application/octet-stream"; transfer-syntax={IMPLICIT}'
    for accept in ("image/jp2", 'multipart/related; type="image/jpeg"', "video/mp4", implicit):
        assert get(doors, f"{pet.instance}/frames/1", accept).status_code == 406


def test_several_frames_in_the_order_asked_for(doors: Knocking, shared_data: Path) -> None:
    path = next(
        f for f in sorted((shared_data / "studies/mr-enhanced-siemens-xa30").rglob("*")) if f.is_file()
    )
    (one,) = send(doors, path.read_bytes())
    values = one.header.pixel_array
    parts = parts_of(
        get(doors, f"{one.instance}/frames/3,1,12", 'multipart/related; type="application/octet-stream"')
    )
    assert [p.body for p in parts] == [values[n].tobytes() for n in (2, 0, 11)]
    assert [p.headers["content-location"].rsplit("/", 1)[1] for p in parts] == ["3", "1", "12"]


def test_fragmented_frames_of_every_kind(doors: Knocking, shared_data: Path) -> None:
    for path in sorted((shared_data / "transfer-syntaxes/fragments").iterdir()):
        one = Stored(path.read_bytes())
        if one.syntax in NOT_BY_PYDICOM or get(doors, one.instance).status_code == 200:
            continue  # nobody here says what is right; or the same UID in another syntax was met before
        send(doors, one.content)
        for number in range(1, int(one.header.get("NumberOfFrames", 1)) + 1):
            answer = get(doors, f"{one.instance}/frames/{number}", "application/octet-stream")
            values = one.header.pixel_array
            frame = values[number - 1] if int(one.header.get("NumberOfFrames", 1)) > 1 else values
            assert answer.content == frame.tobytes(), path.name


@pytest.mark.parametrize(
    "frames", ["0", "-1", "x", "1,,2", "1,x", "99999999999", "1 ", "²", ",".join("1" * 10_001)]
)
def test_a_frame_list_that_is_none(doors: Knocking, pet: Stored, frames: str) -> None:
    answer = doors.client().get(f"{pet.instance}/frames/{frames}")
    assert (answer.status_code, answer.json()["where"]) == (400, "frames")


def test_every_media_type_has_a_syntax_that_can_be_decoded() -> None:
    from pacs_core.dicom.codecs import DECODERS

    assert set(representations.FRAME_TYPES) - set(DECODERS) <= {
        "1.2.840.10008.1.2.4.92", "1.2.840.10008.1.2.4.93",
    }  # fmt: skip


# ---------------------------------------------------------------- metadata and bulk data


def test_metadata_is_every_attribute_but_the_pixels(doors: Knocking, head: list[Stored]) -> None:
    for path, count in ((head[0].study, 5), (head[0].series, 5), (head[0].instance, 1)):
        answer = get(doors, f"{path}/metadata", "application/dicom+json")
        assert answer.headers["content-type"] == "application/dicom+json"
        assert len(answer.json()) == count
    (found,) = answer.json()
    given = pydicom.Dataset.from_json(found, bulk_data_uri_handler=lambda *_: b"")
    for element in head[0].header:
        if element.VR not in ("SQ", "OB", "OW", "UN") and element.keyword not in (
            "PixelData",
            "SpecificCharacterSet",
        ):
            assert given[element.tag].value == element.value, element
    assert found["7FE00010"]["vr"] == "OW"
    pixels = get(doors, found["7FE00010"]["BulkDataURI"].removeprefix(doors.url), "application/octet-stream")
    assert pixels.content == head[0].header.PixelData


def test_bulk_data_of_compressed_pixels_is_plain(doors: Knocking, pet: Stored) -> None:
    (found,) = get(doors, f"{pet.instance}/metadata").json()
    path = found["7FE00010"]["BulkDataURI"].removeprefix(doors.url)
    assert get(doors, path).content == pet.header.pixel_array.tobytes()
    (part,) = parts_of(get(doors, path, 'multipart/related; type="application/octet-stream"'))
    assert part.body == pet.header.pixel_array.tobytes()
    assert get(doors, path, "image/png").status_code == 406


def test_metadata_is_tagged_and_packed(doors: Knocking, head: list[Stored]) -> None:
    path = f"{head[0].series}/metadata"
    plain = get(doors, path, **{"Accept-Encoding": "identity"})
    tag = plain.headers["etag"]
    assert tag.startswith('W/"')
    assert get(doors, path, **{"If-None-Match": f'"x", {tag}'}).status_code == 304
    assert get(doors, path, **{"If-None-Match": '"x"'}).status_code == 200
    with doors.client().stream("GET", path, headers={"Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(b"".join(packed.iter_raw())) == plain.content


def test_metadata_as_xml_is_not_there(doors: Knocking, head: list[Stored]) -> None:
    xml = 'multipart/related; type="application/dicom+xml"'
    assert get(doors, f"{head[0].study}/metadata", xml).status_code == 406


def test_a_structured_report_has_metadata_and_no_frames(doors: Knocking, shared_data: Path) -> None:
    (one,) = send(doors, (shared_data / "objects/basic-text-sr.dcm").read_bytes())
    (found,) = get(doors, f"{one.instance}/metadata").json()
    assert found["00080018"]["Value"] == [one.header.SOPInstanceUID]
    assert get(doors, f"{one.instance}/frames/1").status_code == 404
    assert parts_of(get(doors, one.instance, AS_STORED))[0].body == one.content


# ---------------------------------------------------------------- corrected identity


def rename(doors: Knocking, one: Stored, name: str) -> None:
    """Give the study's patient a name by hand, and link it to an order of that patient."""
    desk = doors.node.archive(Actor("desk", Role.ADMIN), False)
    uid = str(one.header.StudyInstanceUID)
    row = desk.worklist.row(f"study:{uid}")
    desk.schedule.save_patient(m.PatientForm(row.patient_id, row.issuer, name))
    order = desk.schedule.place_order(
        m.OrderForm(row.patient_id, row.issuer, procedure="MR brain", modality="MR")
    )
    if desk.worklist.row(f"study:{uid}").order_id is None:
        desk.inbox.link(uid, order.id)


def test_what_leaves_carries_the_corrected_name_and_the_rest_unchanged(
    tmp_path: Path, shared_data: Path
) -> None:
    with open_doors(tmp_path) as doors:
        for folder in ("mr-head-sagittal-hfs", "petct-acrin-nsclc-042"):
            path = min((shared_data / "studies" / folder).rglob("*.dcm"))
            (one,) = send(doors, path.read_bytes())
            before = get(doors, f"{one.instance}/metadata").headers["etag"]
            rename(doors, one, "Renamed^Person")
            (part,) = parts_of(get(doors, one.instance, AS_STORED))
            given = pydicom.dcmread(BytesIO(part.body))
            assert given.PatientName == "Renamed^Person"
            assert (
                given.OriginalAttributesSequence[0].ModifiedAttributesSequence[0].PatientName
                == one.header.PatientName
            )
            assert given.PixelData == one.header.PixelData
            changed = {e.keyword for e in given if e.tag not in one.header or one.header[e.tag] != e}
            assert changed <= {
                "PatientName",
                "AccessionNumber",
                "OriginalAttributesSequence",
                "SpecificCharacterSet",
            }
            plain = pydicom.dcmread(BytesIO(parts_of(get(doors, one.instance, DICOM))[0].body))
            assert plain.PatientName == "Renamed^Person"
            assert np.array_equal(plain.pixel_array, one.header.pixel_array)
            answer = get(doors, f"{one.instance}/metadata")
            assert answer.json()[0]["00100010"]["Value"] == [{"Alphabetic": "Renamed^Person"}]
            assert "7FE00010" in answer.json()[0]
            assert answer.headers["etag"] != before
            (file,) = (f for f in doors.node.retrieving.files(keys_of(one)))
            assert doors.node.retrieving.read(file) == one.content


def keys_of(one: Stored) -> StudyKeys:
    return StudyKeys(instance_uids=(str(one.header.SOPInstanceUID),))


# ---------------------------------------------------------------- failures on the way


def test_a_missing_file_is_said_and_a_stream_that_breaks_is_cut(
    tmp_path: Path, shared_data: Path, expect_errors: Any
) -> None:
    files = sorted((shared_data / "studies/mr-head-sagittal-hfs").rglob("*.dcm"))[:3]
    with open_doors(tmp_path) as doors:
        (one, *_) = send(doors, *(f.read_bytes() for f in files))
        first, _, last = doors.node.retrieving.files(StudyKeys())
        assert last.path is not None
        last.path.unlink()
        answer = get(doors, f"{one.series}/instances/{last.instance.sop_instance_uid}")
        assert (answer.status_code, answer.json()["where"]) == (404, "blob")
        expect_errors("answer broken off: NotFound")
        expect_errors("Exception in ASGI application")
        with pytest.raises(httpx.RemoteProtocolError):
            get(doors, one.study)
        assert get(doors, f"{one.series}/instances/{first.instance.sop_instance_uid}").status_code == 200
