"""C-FIND on studies over real sockets: levels, matching, character sets, counts, cancel, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pacs_core.database.transaction import IndexTransaction
from pacs_core.dimse import commands, scu
from pacs_core.dimse import sop_classes as sop
from pacs_core.dimse.client import connect
from pacs_core.dimse.requesting import Client, encode_keys
from pacs_core.domain.errors import Refused
from pacs_core.domain.records import StudyRecord
from tests.support.dimse_node import Running, listening, storable

FOLDERS = ("dicomdir", "charsets", "studies/two-studies-papaya-mr-ct", "studies/petct-acrin-nsclc-042")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Iterator[Running]:
    with listening(tmp_path_factory.mktemp("find") / "node") as running:
        running.store(*storable(shared_data, *FOLDERS))
        yield running


def find(node: Running, level: str = "STUDY", **keys: object) -> list[dict[str, object]]:
    return scu.find(
        *node.at,
        {k: v for k, v in keys.items() if k != "root"},
        level=level,
        root=str(keys.get("root", "study")),
    )


def test_all_studies_with_their_counts(node: Running) -> None:
    found = find(node, StudyInstanceUID="", NumberOfStudyRelatedInstances="", NumberOfStudyRelatedSeries="")
    assert len(found) > 20
    total = sum(int(str(f["NumberOfStudyRelatedInstances"])) for f in found)
    assert total == len(node.instances())
    assert {f["RetrieveAETitle"] for f in found} == {"READINGROOM"}
    assert {f["QueryRetrieveLevel"] for f in found} == {"STUDY"}


def test_only_what_was_asked_comes_back(node: Running) -> None:
    (found, *_) = find(node, PatientID="77654033", StudyDescription="", StudyID="")
    always = {"QueryRetrieveLevel", "RetrieveAETitle"}
    assert set(found) == {"PatientID", "StudyDescription", "StudyID"} | always


@pytest.mark.parametrize(
    ("keys", "count"),
    [
        ({"PatientID": "98890234"}, 4),
        ({"PatientID": "9889*"}, 4),
        ({"PatientName": "Doe^P*"}, 4),
        ({"PatientName": "DOE^PETER"}, 4),
        ({"PatientName": "*"}, None),
        ({"PatientID": "NOBODY"}, 0),
        ({"ModalitiesInStudy": "PT"}, 1),
        ({"ModalitiesInStudy": "PT\\MR"}, None),
        ({"StudyDate": "20180819-20180820"}, 2),
        ({"StudyDate": "20180819-"}, None),
        ({"StudyDate": "-19600116"}, 1),
        ({"StudyDate": "20180819"}, 1),
        ({"StudyDescription": "*"}, None),
    ],
)
def test_matching(node: Running, keys: dict[str, str], count: int | None) -> None:
    asked = {"StudyInstanceUID": "", "PatientName": "", "StudyDate": "", **keys}
    found = scu.find(*node.at, asked)
    assert len(found) == count if count is not None else len(found) > 1


def test_list_of_uids(node: Running) -> None:
    uids = [str(f["StudyInstanceUID"]) for f in find(node, StudyInstanceUID="")][:3]
    found = find(node, StudyInstanceUID="\\".join(uids))
    assert sorted(str(f["StudyInstanceUID"]) for f in found) == sorted(uids)


def test_series_and_images_below_a_study(node: Running) -> None:
    (study,) = find(node, ModalitiesInStudy="PT", StudyInstanceUID="")
    uid = str(study["StudyInstanceUID"])
    series = find(node, "SERIES", StudyInstanceUID=uid, SeriesInstanceUID="", Modality="", SeriesNumber="",
                  NumberOfSeriesRelatedInstances="", FrameOfReferenceUID="", Manufacturer="")  # fmt: skip
    assert sorted(str(s["Modality"]) for s in series) == ["CT", "CT", "PT", "PT"]
    assert all(s["FrameOfReferenceUID"] for s in series)
    pet = next(s for s in series if s["Modality"] == "PT")
    images = find(node, "IMAGE", StudyInstanceUID=uid, SeriesInstanceUID=str(pet["SeriesInstanceUID"]),
                  SOPInstanceUID="", InstanceNumber="", Rows="", SliceLocation="")  # fmt: skip
    assert len(images) == int(str(pet["NumberOfSeriesRelatedInstances"]))
    assert {i["Rows"] for i in images} == {128}


def test_patient_root(node: Running) -> None:
    keys = {"PatientID": "98890234", "PatientName": "", "NumberOfPatientRelatedStudies": ""}
    found = scu.find(*node.at, keys, level="PATIENT", root="patient")
    assert [(f["PatientName"], f["NumberOfPatientRelatedStudies"]) for f in found] == [("Doe^Peter", "4")]


def test_relational_query_across_levels(node: Running) -> None:
    """Series of a patient without naming the study: lenient, and answered as negotiated too."""
    keys = {"PatientID": "98890234", "SeriesInstanceUID": "", "StudyInstanceUID": "", "Modality": ""}
    lenient = scu.find(*node.at, keys, level="SERIES")
    negotiated = scu.find(*node.at, keys, level="SERIES", relational=True)
    assert len(lenient) == len(negotiated) > 4


def test_instance_availability_and_sop_classes(node: Running) -> None:
    (found,) = find(
        node, ModalitiesInStudy="PT", InstanceAvailability="", SOPClassesInStudy="", PatientWeight=""
    )
    assert found["InstanceAvailability"] == "ONLINE"
    assert "1.2.840.10008.5.1.4.1.1.128" in str(found["SOPClassesInStudy"])
    assert float(str(found["PatientWeight"])) > 30


# ---------------------------------------------------------------- character sets


@pytest.mark.parametrize(
    ("asked", "name", "declared"),
    [
        ("ISO_IR 192", "Yamada^Tarou=山田^太郎=やまだ^たろう", "ISO_IR 192"),
        ("\\ISO 2022 IR 87", "Yamada^Tarou=山田^太郎=やまだ^たろう", "\\ISO 2022 IR 87"),
        ("ISO_IR 100", "Yamada^Tarou=山田^太郎=やまだ^たろう", "ISO_IR 192"),
        ("ISO_IR 100", "Äneas^Rüdiger", "ISO_IR 100"),
        ("ISO_IR 144", "Люкceмбypг", "ISO_IR 144"),
        ("GB18030", "Wang^XiaoDong=王^小东", "GB18030"),
    ],
)
def test_answers_come_in_a_set_that_holds_them(node: Running, asked: str, name: str, declared: str) -> None:
    keys = {"PatientName": "", "PatientID": "", "StudyInstanceUID": "", "SpecificCharacterSet": asked}
    found = {str(f["PatientName"]): f for f in scu.find(*node.at, keys)}
    assert found[name]["SpecificCharacterSet"] == declared


@pytest.mark.parametrize(
    "wanted", ["山田^太郎", "やまだ*", "yamada^tarou", "buc^jerome", "ÄNEAS^*", "Διονυσιος", "김희중"]
)
def test_names_are_found_in_every_script(node: Running, wanted: str) -> None:
    assert scu.find(*node.at, {"PatientName": wanted, "StudyInstanceUID": ""})


# ---------------------------------------------------------------- limits, refusals, cancel


def test_a_key_that_is_not_matched_is_said(node: Running) -> None:
    with node.client((sop.STUDY_ROOT_FIND, sop.PLAIN_SYNTAXES)) as client:
        for keys, status in (({"PatientComments": "x"}, 0xFF01), ({"PatientComments": ""}, 0xFF00)):
            asked = {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": "", "ModalitiesInStudy": "PT", **keys}
            statuses = [
                m.command.status
                for m in client._responses(commands.C_FIND_RQ, client._context(sop.STUDY_ROOT_FIND), asked)
            ]
            assert statuses == [status, 0]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"QueryRetrieveLevel": ""}, r"QueryRetrieveLevel \(0008,0052\) is missing"),
        ({"QueryRetrieveLevel": "WARD"}, "'WARD' is no level of th"),
        ({"QueryRetrieveLevel": "PATIENT"}, "'PATIENT' is no level of th"),
        ({"StudyDate": "yesterday"}, r"StudyDate \(0008,0020\): 'yesterday' is no date"),
        ({"StudyTime": "2561"}, r"StudyTime \(0008,0030\): '2561' is no date or time"),
    ],
)
def test_keys_that_cannot_be_read_are_refused_by_name(
    node: Running, keys: dict[str, str], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        scu.find(*node.at, {"QueryRetrieveLevel": "STUDY", "PatientID": "", **keys})


def test_an_offending_element_is_in_the_response(node: Running) -> None:
    association = connect(*node.at, "RAW", [(sop.STUDY_ROOT_FIND, sop.PLAIN_SYNTAXES)])
    (context,) = association.contexts.values()
    data = encode_keys({"QueryRetrieveLevel": "STUDY", "StudyDate": "2018-13"}, context.transfer_syntaxes[0])
    association.send(
        context.id, commands.request(commands.C_FIND_RQ, 7, sop.STUDY_ROOT_FIND, data_set=True), data
    )
    said = association.receive().command
    assert (said.status, said.number(commands.RESPONDED_TO)) == (0xA900, 7)
    assert commands.OFFENDING in said.values
    association.release()


def test_rubbish_for_an_identifier_is_refused(node: Running) -> None:
    association = connect(*node.at, "RAW", [(sop.STUDY_ROOT_FIND, sop.PLAIN_SYNTAXES)])
    (context,) = association.contexts.values()
    request = commands.request(commands.C_FIND_RQ, 1, sop.STUDY_ROOT_FIND, data_set=True)
    association.send(context.id, request, b"this is no data set at all")
    assert association.receive().command.status == 0xA900
    association.send(
        context.id, request, encode_keys({"QueryRetrieveLevel": "STUDY"}, context.transfer_syntaxes[0])
    )
    assert association.receive().command.status in (0xFF00, 0)
    association.abort()


def test_cancel_ends_a_long_answer(tmp_path: Path) -> None:
    with listening(tmp_path / "many") as node:
        _many_studies(node, 400)
        with node.client((sop.STUDY_ROOT_FIND, sop.PLAIN_SYNTAXES)) as client:
            keys = {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": ""}
            assert len(client.find(sop.STUDY_ROOT_FIND, keys)) == 400
            context = client._context(sop.STUDY_ROOT_FIND)
            client.association.send(context.id, commands.cancel(2))  # before the request: it must not count
            assert len(client.find(sop.STUDY_ROOT_FIND, keys)) == 400
            assert len(client.find(sop.STUDY_ROOT_FIND, keys, most=5)) == 5
            assert len(client.find(sop.STUDY_ROOT_FIND, keys)) == 400


def _many_studies(node: Running, count: int) -> None:
    template = StudyRecord(
        id=0, study_uid="", patient_id=node.spine.patient("MANY"), received_patient_id="MANY",
        received_issuer="", received_name="", received_birth_date="", received_sex="", received_accession="",
        study_id="", study_date="2026-01-01", study_time="", description="", referring_physician="",
        modalities="CT", body_part="", institution="", station="", series_count=0, instance_count=0,
        reconciliation="none", order_id=None, first_received_at="2026-01-01T00:00:00.000000Z",
        last_received_at="2026-01-01T00:00:00.000000Z", revision=0,
    )  # fmt: skip

    def add(tx: IndexTransaction) -> None:
        for number in range(count):
            tx.studies.add(replace(template, study_uid=f"1.2.9.{number}"))

    node.spine.index.write(add)  # type: ignore[arg-type]  # the index's own transaction


def test_one_association_serves_many_requests(node: Running) -> None:
    proposals = [
        (uid, sop.PLAIN_SYNTAXES) for uid in (sop.VERIFICATION, sop.STUDY_ROOT_FIND, sop.PATIENT_ROOT_FIND)
    ]
    with Client(connect(*node.at, "VIEWER", proposals)) as client:
        for _ in range(5):
            client.echo()
            assert client.find(sop.STUDY_ROOT_FIND, {"QueryRetrieveLevel": "STUDY", "PatientID": "98890234"})
            assert client.find(
                sop.PATIENT_ROOT_FIND, {"QueryRetrieveLevel": "PATIENT", "PatientID": "98890234"}
            )


def test_a_renamed_patient_is_found_by_the_new_name(tmp_path: Path, shared_data: Path) -> None:
    with listening(tmp_path / "renamed") as node:
        spine = node.spine
        spine.patient("P1", "OLD^NAME")
        spine.order("A1", "P1")
        spine.image(patient_id="P1", accession_number="A1", patient_name="OLD^NAME")
        spine.patient("P1", "NEW^NAME")
        assert [f["PatientName"] for f in find(node, PatientName="NEW*", StudyInstanceUID="")] == ["NEW^NAME"]
        assert find(node, PatientName="OLD*", StudyInstanceUID="") == []


def test_a_query_is_audited_with_its_keys_and_the_number_of_answers(node: Running) -> None:
    found = find(node, PatientID="98890234", StudyDescription="")
    with node.spine.index.read() as tx:
        row = next(row for row in tx.audit.before(0, 50) if row.verb == "query")
    assert row.subject == "C-FIND STUDY"
    assert row.detail == f"{len(found)} answers to PatientID=98890234"
    assert row.actor.startswith("ae:")
    assert row.address == "127.0.0.1"
