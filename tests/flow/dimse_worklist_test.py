"""Modality worklist C-FIND over real sockets: matching and return keys of PS3.4 annex K."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pacs_core.dimse import commands, scu
from pacs_core.dimse import sop_classes as sop
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.order import Code, PlaceOrder, StepRequest
from pacs_core.domain.patient import RegisterPatient
from tests.support.dimse_node import Running, listening

STEPS = "ScheduledProcedureStepSequence"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with listening(tmp_path_factory.mktemp("mwl") / "node") as running:
        running.peer("CT1", modality="CT")
        place(running, "A1", "P1", "DOE^JANE", "CT", "2026-03-02", "09:00:00", station="CT1", weight=61.5)
        place(running, "A2", "P2", "ROE^RICHARD", "MR", "2026-03-02", "13:30:00", station="MR1")
        place(running, "A3", "P3", "Müller^Jörg", "CT", "2026-03-03", "08:15:00", station="CT1")
        place(running, "A4", "P4", "Yamada^Tarou=山田^太郎=やまだ^たろう", "US", "2026-03-04", "10:00:00")
        yield running


def place(
    node: Running, accession: str, patient: str, name: str, modality: str, date: str, time: str,
    *, station: str = "", weight: float | None = None,
) -> None:  # fmt: skip
    command = PlaceOrder(
        patient=RegisterPatient(
            PatientIdentifier(patient, "HOSP"), name=name, birth_date="1970-01-02", sex="F", weight_kg=weight
        ),
        accession=accession,
        placer_number=f"PL-{accession}",
        filler_number=f"FI-{accession}",
        placer_issuer="RIS^1.2.3^ISO",
        filler_issuer="LAB",
        procedure_description="A very long description of a procedure " * 3,
        procedure_code=Code("CTCH", "L", "CT chest"),
        indication="Cough",
        pregnancy="no",
        allergies="Iodine",
        referring_physician="Refer^Ray",
        steps=(
            StepRequest(
                modality=modality, start_date=date, start_time=time, station_aet=station,
                location="Room 1", description="Chest", performing_physician="Tech^Tina",
                protocol_code=Code("P1", "L", "Chest routine"),
            ),
        ),
        source="RIS",
    )  # fmt: skip
    node.spine.services.orders.place(command, "RIS")


def accessions(answers: list[dict[str, object]]) -> list[str]:
    return [str(a["AccessionNumber"]) for a in answers]


def ask(node: Running, keys: dict[str, object] | None = None, calling: str = "CT1", **step: str) -> list[str]:
    return accessions(scu.worklist(*node.at, calling, keys=keys, step=step))


def test_everything_in_order_of_time(node: Running) -> None:
    found = scu.worklist(*node.at, "ANYONE")
    assert accessions(found) == ["A1", "A2", "A3", "A4"]


@pytest.mark.parametrize(
    ("step", "found"),
    [
        ({"ScheduledStationAETitle": "CT1"}, ["A1", "A3"]),
        ({"ScheduledStationAETitle": "CT1", "ScheduledProcedureStepStartDate": "20260302"}, ["A1"]),
        ({"Modality": "MR"}, ["A2"]),
        ({"ScheduledProcedureStepStartDate": "20260302-20260303"}, ["A1", "A2", "A3"]),
        ({"ScheduledProcedureStepStartDate": "20260303-"}, ["A3", "A4"]),
        ({"ScheduledProcedureStepStartDate": "-20260302"}, ["A1", "A2"]),
        (
            {"ScheduledProcedureStepStartDate": "20260302", "ScheduledProcedureStepStartTime": "1200-2359"},
            ["A2"],
        ),
        (
            {
                "ScheduledProcedureStepStartDate": "20260302",
                "ScheduledProcedureStepStartTime": "000000-235959",
            },
            ["A1", "A2"],
        ),
        ({"ScheduledProcedureStepStartTime": "09"}, ["A1"]),
        ({"ScheduledPerformingPhysicianName": "TECH*", "Modality": "US"}, ["A4"]),
        ({"Modality": "XA"}, []),
        ({"Modality": "M*"}, ["A2"]),
        ({"Modality": "?T"}, ["A1", "A3"]),
        ({"Modality": "MR\\US"}, ["A2", "A4"]),
        ({"ScheduledStationAETitle": "?T1", "Modality": "CT\\M?"}, ["A1", "A3"]),
        ({"ScheduledProcedureStepStatus": "STARTED"}, []),
        ({"ScheduledProcedureStepStatus": "SCHEDULED", "Modality": "MR"}, ["A2"]),
        ({"ScheduledProcedureStepLocation": "Room 1", "Modality": "US"}, ["A4"]),
        ({"ScheduledProcedureStepLocation": "Room 2"}, []),
    ],
)
def test_keys_of_the_step(node: Running, step: dict[str, str], found: list[str]) -> None:
    assert ask(node, None, "WORKSTATION", **step) == found


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({"PatientName": "DOE^JANE"}, ["A1"]),
        ({"PatientName": "doe*"}, ["A1"]),
        ({"PatientName": "muller*"}, ["A3"]),
        ({"PatientName": "山田*"}, ["A4"]),
        ({"PatientName": "=山田*"}, ["A4"]),
        ({"PatientName": "やまだ^*"}, ["A4"]),
        ({"PatientName": "==やまだ^た?う"}, ["A4"]),
        ({"PatientName": "Yamada*=山田^太郎"}, ["A4"]),
        ({"PatientName": "Yamada*=川田*"}, []),
        ({"PatientName": "*^J*"}, ["A1", "A3"]),
        ({"PatientBirthDate": "19700102"}, ["A1", "A2", "A3", "A4"]),
        ({"PatientBirthDate": "19600101-19701231", "AccessionNumber": "A?"}, ["A1", "A2", "A3", "A4"]),
        ({"PatientBirthDate": "19700103-"}, []),
        ({"PatientBirthDate": "-19691231"}, []),
        ({"PlacerOrderNumberImagingServiceRequest": "PL-A2"}, ["A2"]),
        ({"FillerOrderNumberImagingServiceRequest": "FI-A3"}, ["A3"]),
        ({"RequestedProcedurePriority": "STAT"}, []),
        ({"IssuerOfPatientID": "ELSEWHERE"}, []),
        ({"PatientID": "P2"}, ["A2"]),
        ({"PatientID": "P?"}, ["A1", "A2", "A3", "A4"]),
        ({"AccessionNumber": "A4"}, ["A4"]),
        ({"PatientID": "P9"}, []),
    ],
)
def test_keys_of_patient_and_order(node: Running, keys: dict[str, object], found: list[str]) -> None:
    assert ask(node, keys, "WORKSTATION") == found


def test_a_known_station_sees_unassigned_steps_of_its_modality_under_its_own_title(node: Running) -> None:
    node.spine.services.configuring.save_peer(
        __import__("dataclasses").replace(
            node.spine.services.configuring.peer("CT1"), title="US7", modality="US"
        ),
        "test",
    )
    found = scu.worklist(*node.at, "US7", step={"ScheduledStationAETitle": "US7"})
    assert accessions(found) == ["A4"]
    assert found[0][STEPS][0]["ScheduledStationAETitle"] == "US7"  # type: ignore[index]  # a list of mappings


def test_values_of_an_item(node: Running) -> None:
    (found,) = scu.worklist(*node.at, "CT1", keys={"AccessionNumber": "A1", "IssuerOfPatientID": ""})
    (step,) = found[STEPS]  # type: ignore[misc]  # a list of mappings
    assert found["PatientName"] == "DOE^JANE"
    assert (found["PatientID"], found["IssuerOfPatientID"]) == ("P1", "HOSP")
    assert (found["PatientBirthDate"], found["PatientSex"]) == ("19700102", "F")
    assert float(str(found["PatientWeight"])) == 61.5
    assert found["PregnancyStatus"] == 1
    assert found["Allergies"] == "Iodine"
    assert found["ReasonForTheRequestedProcedure"] == "Cough"
    assert found["RequestedProcedurePriority"] == "ROUTINE"
    assert found["ReferringPhysicianName"] == "Refer^Ray"
    assert found["StudyInstanceUID"]
    assert found["RequestedProcedureID"]
    assert str(found["RequestedProcedureDescription"]).endswith("...")
    assert len(str(found["RequestedProcedureDescription"])) <= 64
    assert (step["ScheduledProcedureStepStartDate"], step["ScheduledProcedureStepStartTime"]) == (
        "20260302",
        "090000",
    )
    assert (step["Modality"], step["ScheduledStationAETitle"]) == ("CT", "CT1")
    assert step["ScheduledProcedureStepID"]
    assert step["ScheduledProcedureStepDescription"] == "Chest"
    assert step["ScheduledProcedureStepLocation"] == "Room 1"


def raw_find(node: Running, keys: dict[str, object]) -> list[dict[str, object]]:
    with node.client((sop.MODALITY_WORKLIST, sop.PLAIN_SYNTAXES), calling="WORKSTATION") as client:
        return client.find(sop.MODALITY_WORKLIST, keys)


def test_only_requested_keys_come_back(node: Running) -> None:
    (found,) = raw_find(node, {"PatientID": "P1", "PatientName": "", STEPS: [{"Modality": ""}]})
    assert set(found) == {"PatientID", "PatientName", STEPS}
    assert found[STEPS] == [{"Modality": "CT"}]


def test_an_empty_sequence_asks_for_all_of_it(node: Running) -> None:
    (found,) = raw_find(node, {"PatientID": "P1", STEPS: [], "RequestedProcedureCodeSequence": []})
    (step,) = found[STEPS]  # type: ignore[misc]  # a list of mappings
    assert {
        "ScheduledStationAETitle",
        "ScheduledProcedureStepID",
        "Modality",
        "ScheduledProcedureStepStartDate",
    } <= set(step)
    assert step["ScheduledProtocolCodeSequence"] == [
        {"CodeValue": "P1", "CodingSchemeDesignator": "L", "CodeMeaning": "Chest routine"}
    ]
    assert found["RequestedProcedureCodeSequence"][0]["CodeValue"] == "CTCH"  # type: ignore[index]


def test_one_empty_item_asks_for_all_of_it_too(node: Running) -> None:
    from pacs_core.dicom.dictionary import TAG
    from pacs_core.dicom.encoding import element, item
    from pacs_core.dimse.requesting import read_answer

    association = node.client((sop.MODALITY_WORKLIST, sop.PLAIN_SYNTAXES), calling="CT1").association
    (context,) = association.contexts.values()
    data = element(TAG["PatientID"], "LO", b"P1", False) + element(TAG[STEPS], "SQ", item(b""), False)
    association.send(
        context.id, commands.request(commands.C_FIND_RQ, 1, sop.MODALITY_WORKLIST, data_set=True), data
    )
    found = read_answer(association.receive().data, context.transfer_syntaxes[0])
    assert "ScheduledProcedureStepID" in found[STEPS][0]  # type: ignore[index]
    association.release()


@pytest.mark.parametrize(
    ("asked", "patient", "declared"),
    [
        ("ISO_IR 100", "P3", "ISO_IR 100"),
        ("", "P3", "ISO_IR 192"),
        ("ISO_IR 100", "P4", "ISO_IR 192"),
        ("\\ISO 2022 IR 87", "P4", "\\ISO 2022 IR 87"),
        ("ISO_IR 100", "P1", "ISO_IR 100"),
        ("", "P1", None),
    ],
)
def test_character_set_of_the_answer(node: Running, asked: str, patient: str, declared: str | None) -> None:
    keys: dict[str, object] = {"PatientID": patient, "PatientName": ""}
    if asked:
        keys["SpecificCharacterSet"] = asked
    (found,) = raw_find(node, keys)
    assert found.get("SpecificCharacterSet") == declared


def test_an_order_is_seen_the_moment_it_is_placed_and_gone_when_cancelled(node: Running) -> None:
    from pacs_core.domain.order import CancelOrder, OrderReference

    place(node, "A9", "P9", "NEW^PATIENT", "CR", "2026-03-09", "11:00:00")
    assert ask(node, {"AccessionNumber": "A9"}, "WORKSTATION") == ["A9"]
    node.spine.services.orders.cancel(CancelOrder(OrderReference(accession="A9")), "RIS")
    assert ask(node, {"AccessionNumber": "A9"}, "WORKSTATION") == []


def test_a_peer_that_may_not_ask_is_turned_away(node: Running) -> None:
    from pacs_core.domain.errors import Refused

    node.peer("STORAGE", may_worklist=False)
    with pytest.raises(Refused):
        ask(node, None, "STORAGE")


def test_a_bad_date_is_refused_by_name(node: Running) -> None:
    from pacs_core.domain.errors import Refused

    with pytest.raises(Refused, match=r"ScheduledProcedureStepStartDate \(0040,0002\): 'today'"):
        ask(node, None, "CT1", ScheduledProcedureStepStartDate="today")


def queries(node: Running) -> list[tuple[str, str, str]]:
    with node.spine.index.read() as tx:
        rows = [row for row in tx.audit.before(0, 1000) if row.verb == "query"]
    return [(row.actor, row.subject, row.detail) for row in rows]


def test_a_question_is_audited_once_however_often_it_is_polled(node: Running) -> None:
    for _ in range(3):
        ask(node, {"PatientID": "P2"}, "POLLING", Modality="MR")
    mine = [row for row in queries(node) if row[0] == "ae:POLLING"]
    ((_, subject, detail),) = mine
    assert subject == "modality worklist"
    assert detail.startswith("1 answers to ")
    assert "PatientID=P2" in detail
    assert "Modality=MR" in detail
    node.spine.clock.forward(3600)
    ask(node, {"PatientID": "P2"}, "POLLING", Modality="MR")
    assert len([row for row in queries(node) if row[0] == "ae:POLLING"]) == 2


def test_who_gave_the_order_numbers_goes_with_them(node: Running) -> None:
    wanted = {
        "OrderPlacerIdentifierSequence": "",
        "OrderFillerIdentifierSequence": "",
        "AccessionNumber": "A1",
    }
    (answer,) = scu.worklist(*node.at, "CT1", keys=wanted)
    assert answer["OrderPlacerIdentifierSequence"] == [
        {"LocalNamespaceEntityID": "RIS", "UniversalEntityID": "1.2.3", "UniversalEntityIDType": "ISO"}
    ]
    assert answer["OrderFillerIdentifierSequence"] == [{"LocalNamespaceEntityID": "LAB"}]


def test_a_name_too_long_for_dicom_is_cut_visibly_group_by_group(node: Running) -> None:
    long = f"{'Long' * 20}^Jane={'長' * 70}"
    place(node, "A9", "P9", long, "CT", "2026-03-09", "09:00:00")
    (answer,) = scu.worklist(*node.at, "CT1", step={"ScheduledProcedureStepStartDate": "20260309"})
    groups = str(answer["PatientName"]).split("=")
    assert [len(group) for group in groups] == [64, 64]
    assert all(group.endswith("...") for group in groups)
    with node.spine.index.read() as tx:
        assert tx.patients.find(PatientIdentifier("P9", "HOSP")).demographics.name == long
        study_uid = next(iter(tx.orders.by_accession("A9"))).study_uid
    node.spine.image(
        study=study_uid, accession_number="A9", patient_id="P9", issuer_of_patient_id="HOSP",
        patient_name=str(answer["PatientName"]), patient_sex="M",
    )  # fmt: skip
    assert [hold.kind for hold, _, _ in node.spine.services.reconciling.held()] == []
