"""QIDO-RS over a real socket: what is found, under which keys, and which questions are refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.web_node import Knocking, open_doors

ROOT = "/dicom-web"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Knocking]:
    """Three patients' studies: 1.1 (two series, its patient renamed since), 1.2 (MR), 1.3 (no order)."""
    with open_doors(tmp_path_factory.mktemp("qido")) as found:
        spine = found.node.spine
        spine.patient("P1", "Mueller^Joerg", "1950-12-31", "M")
        spine.order("A1", "P1")
        person = {
            "patient_id": "P1",
            "patient_name": "Mueller^Joerg",
            "patient_birth_date": "1950-12-31",
            "patient_sex": "M",
        }
        further = {
            "BitsAllocated": 16,
            "KVP": 120.5,
            "ImageType": ["ORIGINAL", "PRIMARY"],
            "AcquisitionDate": "2026-03-02",
        }
        for number in (1, 2):
            spine.image(
                "1.1",
                number,
                study_description="CT Thorax",
                study_time="10:15:30.25",
                attributes=further,
                **person,
            )
        spine.image("1.1", 1, sop_instance_uid="1.1.2.1", series_instance_uid="1.1.2", series_number=2,
                    series_description="Scout", body_part="CHEST", number_of_frames=3, **person)  # fmt: skip
        spine.patient("P1", "Müller^Jörg", "1950-12-31", "M")
        spine.patient("P2", "Doe^Jane=山田^太郎=やまだ^たろう")
        spine.order("A2", "P2", "MR")
        spine.image("1.2", 1, patient_id="P2", accession_number="A2", modality="MR", study_date="2026-02-01")
        spine.image(
            "1.3",
            1,
            patient_id="P3",
            patient_name="Nobody^Known",
            accession_number="",
            study_date="2025-12-24",
        )
        yield found


def ask(doors: Knocking, path: str = "/studies", query: str = "", **headers: str) -> httpx.Response:
    return doors.client().get(f"{ROOT}{path}?{query}", headers=headers)


def found(doors: Knocking, query: str, path: str = "/studies", tag: str = "0020000D") -> set[str]:
    answer = ask(doors, path, query)
    assert answer.status_code == 200, answer.text
    return {one[tag]["Value"][0] for one in answer.json()}


@pytest.mark.parametrize(
    ("query", "uids"),
    [
        ("", {"1.1", "1.2", "1.3"}),
        ("PatientID=P1", {"1.1"}),
        ("00100020=P1", {"1.1"}),
        ("00100020=p1", set()),
        ("PatientID=P*", {"1.1", "1.2", "1.3"}),
        ("PatientName=muller*", {"1.1"}),
        ("PatientName=M%C3%BCller%5EJ%C3%B6rg", {"1.1"}),
        ("PatientName=%E5%B1%B1%E7%94%B0*", {"1.2"}),
        ("PatientName=", {"1.1", "1.2", "1.3"}),
        ("PatientBirthDate=19501231", {"1.1"}),
        ("PatientSex=M", {"1.1"}),
        ("AccessionNumber=A2", {"1.2"}),
        ("StudyDate=20260302", {"1.1"}),
        ("StudyDate=20260101-20260228", {"1.2"}),
        ("StudyDate=-20260201", {"1.2", "1.3"}),
        ("StudyDate=20260202-", {"1.1"}),
        ("StudyTime=1015", {"1.1"}),
        ("StudyTime=101530", {"1.1"}),
        ("StudyTime=10-11", {"1.1"}),
        ("StudyTime=1016-", set()),
        ("StudyDescription=*thorax*", {"1.1"}),
        ("ModalitiesInStudy=MR", {"1.2"}),
        ("ModalitiesInStudy=MR,CT", {"1.1", "1.2", "1.3"}),
        ("Modality=MR", {"1.2"}),
        ("StudyInstanceUID=1.1,1.3", {"1.1", "1.3"}),
        ("StudyInstanceUID=1.1%5C1.2", {"1.1", "1.2"}),
        ("StudyInstanceUID=9.9", set()),
        ("PatientID=P1&StudyDate=20260201", set()),
    ],
)
def test_studies_by_their_keys(doors: Knocking, query: str, uids: set[str]) -> None:
    assert found(doors, query) == uids


def test_a_study_says_what_the_standard_asks_of_it(doors: Knocking) -> None:
    answer = ask(doors, query="StudyInstanceUID=1.1")
    assert answer.headers["content-type"] == "application/dicom+json"
    (study,) = answer.json()
    values: dict[str, Any] = {tag: element.get("Value") for tag, element in study.items()}
    assert values["00080020"] == ["20260302"]
    assert values["00080030"] == ["101530.25"] or values["00080030"] == ["101530"]
    assert values["00080050"] == ["A1"]
    assert values["00080056"] == ["ONLINE"]
    assert values["00080061"] == ["CT"]
    assert values["00100010"] == [{"Alphabetic": "Müller^Jörg"}]
    assert values["00100020"] == ["P1"]
    assert values["00100030"] == ["19501231"]
    assert values["00201206"] == [2]
    assert values["00201208"] == [3]
    assert values["00081190"] == [f"{doors.url}{ROOT}/studies/1.1"]
    assert study["00080090"] == {"vr": "PN"}


def test_a_name_comes_in_all_its_groups(doors: Knocking) -> None:
    (study,) = ask(doors, query="StudyInstanceUID=1.2").json()
    name = {"Alphabetic": "Doe^Jane", "Ideographic": "山田^太郎", "Phonetic": "やまだ^たろう"}
    assert study["00100010"]["Value"] == [name]


def test_series_of_a_study_and_of_all(doors: Knocking) -> None:
    assert found(doors, "", "/studies/1.1/series", "0020000E") == {"1.1.1", "1.1.2"}
    assert found(doors, "SeriesNumber=2", "/studies/1.1/series", "0020000E") == {"1.1.2"}
    assert found(doors, "Modality=MR", "/series", "0020000E") == {"1.2.1"}
    assert found(doors, "SeriesInstanceUID=1.1.2", "/series", "0020000E") == {"1.1.2"}
    assert found(doors, "PatientID=P1&BodyPartExamined=CHEST", "/series", "0020000E") == {"1.1.2"}
    (one,) = ask(doors, "/studies/1.1/series", "SeriesNumber=2").json()
    assert one["00081190"]["Value"] == [f"{doors.url}{ROOT}/studies/1.1/series/1.1.2"]
    assert one["00201209"]["Value"] == [1]
    assert "00100010" not in one
    (one,) = ask(doors, "/series", "SeriesInstanceUID=1.1.2").json()
    assert one["00100020"]["Value"] == ["P1"]


def test_instances_at_every_level(doors: Knocking) -> None:
    sop = "00080018"
    assert found(doors, "", "/studies/1.1/instances", sop) == {"1.1.1.1", "1.1.1.2", "1.1.2.1"}
    assert found(doors, "", "/studies/1.1/series/1.1.1/instances", sop) == {"1.1.1.1", "1.1.1.2"}
    assert found(doors, "InstanceNumber=2", "/studies/1.1/series/1.1.1/instances", sop) == {"1.1.1.2"}
    assert found(doors, "SOPInstanceUID=1.2.1.1", "/instances", sop) == {"1.2.1.1"}
    assert found(doors, "", "/studies/1.1/series/1.2.1/instances", sop) == set()
    (one,) = ask(doors, "/instances", "SOPInstanceUID=1.1.2.1").json()
    assert one["00280008"]["Value"] == [3]
    assert one["00081190"]["Value"][0].endswith("/studies/1.1/series/1.1.2/instances/1.1.2.1")
    assert one["00100020"]["Value"] == ["P1"]


def test_further_attributes_are_given_where_asked_for(doors: Knocking) -> None:
    path = "/studies/1.1/series/1.1.1/instances"
    assert "00180060" not in ask(doors, path).json()[0]
    for query in (
        "includefield=KVP,ImageType",
        "includefield=00180060&includefield=00080008",
        "includefield=all",
    ):
        one = ask(doors, path, query).json()[0]
        assert one["00180060"] == {"vr": "DS", "Value": [120.5]}
        assert one["00080008"]["Value"] == ["ORIGINAL", "PRIMARY"]
    assert ask(doors, path, "includefield=AcquisitionDate").json()[0]["00080022"]["Value"] == ["20260302"]
    assert ask(doors, path, "includefield=00091001").status_code == 200


def test_slices_and_what_is_left(doors: Knocking) -> None:
    first = ask(doors, query="limit=2")
    assert len(first.json()) == 2
    assert "additional results" in first.headers["warning"]
    rest = ask(doors, query="limit=2&offset=2")
    assert len(rest.json()) == 1
    assert "warning" not in rest.headers
    both = {one["0020000D"]["Value"][0] for one in [*first.json(), *rest.json()]}
    assert both == {"1.1", "1.2", "1.3"}
    assert ask(doors, query="offset=99").json() == []


def test_what_was_not_taken_up_is_warned_of(doors: Knocking) -> None:
    assert "fuzzymatching" in ask(doors, query="fuzzymatching=true&PatientName=doe").headers["warning"]
    assert "SeriesNumber" in ask(doors, query="SeriesNumber=2").headers["warning"]
    assert "00400275.00080050" in ask(doors, query="00400275.00080050=A1").headers["warning"]


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("NotAKeyword!=1", "NotAKeyword!"),
        ("patientid=P1", "patientid"),
        ("0010=1", "0010"),
        ("StudyDate=yesterday", "StudyDate"),
        ("StudyDate=20261332", "StudyDate"),
        ("StudyTime=25", "StudyTime"),
        ("StudyInstanceUID=1.a", "StudyInstanceUID"),
        ("limit=-1", "limit"),
        ("limit=many", "limit"),
        ("offset=1e3", "offset"),
        ("fuzzymatching=perhaps", "fuzzymatching"),
        ("PatientID=P1&00100020=P2", "00100020"),
        ("includefield=Not%20this", "Not this"),
        ("PatientName=%ff", "query"),
    ],
)
def test_a_wrong_question_is_named(doors: Knocking, query: str, where: str) -> None:
    answer = ask(doors, query=query)
    assert (answer.status_code, answer.json()["where"]) == (400, where)


def test_media_types(doors: Knocking) -> None:
    for accept, given in (
        ("application/dicom+json", "application/dicom+json"),
        ("application/json", "application/json"),
        ("*/*", "application/dicom+json"),
        (
            'multipart/related; type="application/dicom+xml", application/dicom+json;q=0.5',
            "application/dicom+json",
        ),
    ):
        assert ask(doors, Accept=accept).headers["content-type"] == given
    assert ask(doors, Accept='multipart/related; type="application/dicom+xml"').status_code == 406
    assert (
        ask(doors, query="accept=application/json", Accept="text/html").headers["content-type"]
        == "application/json"
    )


def test_an_attack_on_the_index_finds_nothing(doors: Knocking) -> None:
    assert found(doors, "PatientID=%27%20OR%201%3D1%20--") == set()
    assert found(doors, "PatientName=%25") == set()
    assert found(doors, "PatientName=" + "*" * 50 + "zzz") == set()


def test_a_search_is_audited_with_its_keys_and_the_number_of_answers(doors: Knocking) -> None:
    uids = found(doors, "PatientName=*&StudyDate=-20991231")
    rows = doors.client("admin").get("/api/v1/audit").json()
    row = next(row for row in rows if row["verb"] == "query")
    assert row["subject"] == "QIDO-RS studies"
    assert row["detail"] == f"{len(uids)} answers to patient_name=*, study_date= to 2099-12-31"
