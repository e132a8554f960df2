"""Performed procedure steps over real sockets: states, statuses, the scheduled step, and the exam's story."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pacs_core.dimse import commands, scu
from pacs_core.dimse import sop_classes as sop
from pacs_core.dimse.requesting import Client, encode_keys
from pacs_core.domain.errors import NeedsPerson, NotFound, Refused
from pacs_core.domain.order import CancelOrder, Order, OrderReference, OrderState, StepRequest
from pacs_core.domain.performed import PerformedState
from tests.support.dimse_node import Running, listening

MPPS = sop.PERFORMED_PROCEDURE_STEP
UID = "2.25.77"
WRONG = {
    "CodeValue": "110514",
    "CodingSchemeDesignator": "DCM",
    "CodeMeaning": "Incorrect worklist entry selected",
}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Running]:
    with listening(tmp_path / "node") as running:
        yield running


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A node with a step in progress, for what is refused."""
    with listening(tmp_path_factory.mktemp("mpps") / "node") as running:
        create(running, begun(running.spine.order()))
        yield running


def begun(order: Order | None = None, **changes: object) -> dict[str, object]:
    """What a modality says at the start, of an order's step or of something nobody scheduled."""
    scheduled: dict[str, object] = {"StudyInstanceUID": order.study_uid if order else "1.2.99"}
    if order:
        scheduled |= {
            "AccessionNumber": order.accession.value,
            "RequestedProcedureID": order.procedure_id,
            "ScheduledProcedureStepID": order.steps[0].step_id,
        }
    said: dict[str, object] = {
        "ScheduledStepAttributesSequence": [scheduled],
        "PatientName": "DOE^JANE", "PatientID": "P1", "PatientBirthDate": "19700102", "PatientSex": "F",
        "PerformedProcedureStepID": "PPS1", "PerformedStationAETitle": "CT1",
        "PerformedStationName": "Room 1",
        "PerformedProcedureStepStartDate": "20260302", "PerformedProcedureStepStartTime": "1101",
        "PerformedProcedureStepStatus": "IN PROGRESS", "Modality": "CT",
        "PerformedSeriesSequence": "", "PerformedProcedureStepEndDate": "",
    }  # fmt: skip
    return {keyword: value for keyword, value in {**said, **changes}.items() if value is not None}


def over(state: str = "COMPLETED", *images: str, **changes: object) -> dict[str, object]:
    """What it says at the end."""
    series = {
        "SeriesInstanceUID": "1.2.99.1", "ProtocolName": "Chest", "SeriesDescription": "",
        "ReferencedImageSequence": [
            {"ReferencedSOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "ReferencedSOPInstanceUID": uid}
            for uid in images
        ],
    }  # fmt: skip
    said: dict[str, object] = {
        "PerformedProcedureStepStatus": state,
        "PerformedProcedureStepEndDate": "20260302",
        "PerformedProcedureStepEndTime": "111500",
        "PerformedSeriesSequence": [series],
    }
    return {keyword: value for keyword, value in {**said, **changes}.items() if value is not None}


def client(node: Running, calling: str = "CT1") -> Client:
    return node.client((MPPS, sop.PLAIN_SYNTAXES), calling=calling)


def create(node: Running, said: dict[str, object], uid: str = UID) -> None:
    with client(node) as modality:
        modality.create(MPPS, uid, said)


def end(node: Running, said: dict[str, object], uid: str = UID) -> None:
    with client(node) as modality:
        modality.set(MPPS, uid, said)


def raw(node: Running, field: int, said: dict[str, object], **more: commands.Value) -> commands.Command:
    """The bare response."""
    with client(node) as modality:
        (context,) = modality.association.contexts.values()
        data = encode_keys(said, context.transfer_syntaxes[0])
        request = commands.request(field, 7, MPPS, data_set=True, **more)
        modality.association.send(context.id, request, data)
        return modality.association.receive().command


def listed(node: Running, **step: str) -> list[tuple[str, str]]:
    """The worklist as accession number and status."""
    wanted = {"ScheduledProcedureStepStatus": "", **step}
    answers = scu.worklist(*node.at, "CT1", step=wanted)
    steps = [a["ScheduledProcedureStepSequence"][0] for a in answers]  # type: ignore[index]  # always one item
    return [
        (str(a["AccessionNumber"]), s["ScheduledProcedureStepStatus"])
        for a, s in zip(answers, steps, strict=True)
    ]


def story(node: Running, accession: str = "A1") -> tuple[str, str]:
    stage = node.spine.services.tracing.of(accession).stages[3]
    return stage.state, stage.evidence


def test_a_step_is_begun_and_completed(node: Running) -> None:
    order = node.spine.order()
    assert listed(node) == [("A1", "SCHEDULED")]
    create(node, begun(order))
    assert listed(node) == [("A1", "STARTED")]
    assert listed(node, ScheduledProcedureStepStatus="SCHEDULED") == []
    assert story(node) == ("waiting", "no image came; Room 1: in progress")
    node.spine.image(study=order.study_uid, sop_instance_uid="1.2.99.1.1")
    end(node, over("COMPLETED", "1.2.99.1.1", "1.2.99.1.2"))
    assert listed(node) == []
    assert story(node) == ("waiting", "1 image from CT1; Room 1: completed, 1 of 2 here")
    node.spine.image(study=order.study_uid, number=2, sop_instance_uid="1.2.99.1.2")
    assert story(node) == ("done", "2 images from CT1; Room 1: completed, 2 of 2 here")
    kinds = [event.kind for event in node.spine.services.tracing.of("A1").events]
    assert kinds.index("performed.started") < kinds.index("performed.completed")


def test_what_was_said_is_there_after_a_restart(tmp_path: Path) -> None:
    with listening(tmp_path / "node") as node:
        create(node, begun(node.spine.order()))
    with listening(tmp_path / "node") as node:
        step = node.spine.services.performed_procedures.get(UID)
        assert (step.state, step.start_time, step.station_aet) == (
            PerformedState.IN_PROGRESS,
            "11:01:00",
            "CT1",
        )
        with node.client((sop.PERFORMED_PROCEDURE_STEP_RETRIEVE, sop.PLAIN_SYNTAXES)) as asker:
            answer = asker.read(sop.PERFORMED_PROCEDURE_STEP_RETRIEVE, UID)
            only = asker.read(sop.PERFORMED_PROCEDURE_STEP_RETRIEVE, UID, (0x00400252,))
        assert answer["PatientName"] == "DOE^JANE"
        assert only == {"PerformedProcedureStepStatus": "IN PROGRESS"}


@pytest.mark.parametrize(
    ("said", "status", "tag"),
    [
        (begun(PerformedProcedureStepStatus="COMPLETED"), 0x0106, 0x00400252),
        (begun(PerformedProcedureStepStatus="DONE"), 0x0106, 0x00400252),
        (begun(PerformedProcedureStepStatus=None), 0x0120, 0x00400252),
        (begun(PerformedProcedureStepStatus=""), 0x0121, 0x00400252),
        (begun(PerformedProcedureStepID=None), 0x0120, 0x00400253),
        (begun(PerformedProcedureStepID=""), 0x0121, 0x00400253),
        (begun(PerformedStationAETitle=None), 0x0120, 0x00400241),
        (begun(Modality=None), 0x0120, 0x00080060),
        (begun(PerformedProcedureStepStartDate="20261350"), 0x0106, 0x00400244),
        (begun(ScheduledStepAttributesSequence=None), 0x0120, 0x00400270),
        (begun(ScheduledStepAttributesSequence=""), 0x0121, 0x00400270),
        (begun(ScheduledStepAttributesSequence=[{"AccessionNumber": "A1"}]), 0x0120, 0x0020000D),
        (begun(Modality="Z" * 200), 0x0106, 0x00080060),
        (begun(PerformedStationAETitle="Y" * 40), 0x0106, 0x00400241),
        (begun(PerformedProcedureStepID="X" * 300), 0x0106, 0x00400253),
        (begun(PatientID="P1\\P2"), 0x0106, 0x00100020),
        (begun(PatientName="D" * 65), 0x0106, 0x00100010),
        (
            begun(
                ScheduledStepAttributesSequence=[{"StudyInstanceUID": "1.2.3", "AccessionNumber": "A" * 17}]
            ),
            0x0106,
            0x00080050,
        ),
    ],
)  # fmt: skip
def test_a_begin_that_cannot_be_taken(
    refusing: Running, said: dict[str, object], status: int, tag: int
) -> None:
    answer = raw(refusing, commands.N_CREATE_RQ, said, affected_instance="2.25.78")
    assert (answer.status, answer.values[commands.ATTRIBUTES]) == (status, (tag,))
    with pytest.raises(NotFound):
        refusing.spine.services.performed_procedures.get("2.25.78")


@pytest.mark.parametrize(
    ("said", "status", "tag"),
    [
        (over("ABORTED"), 0x0106, 0x00400252),
        (over(PerformedProcedureStepEndDate=None), 0x0121, 0x00400250),
        (over(PerformedProcedureStepEndTime=""), 0x0121, 0x00400251),
        (over(PerformedSeriesSequence=""), 0x0121, 0x00400340),
        (over(PerformedSeriesSequence=[{"ProtocolName": "Chest"}]), 0x0120, 0x0020000E),
        (over(PatientID="P2"), 0x0106, 0x00100020),
        (over(PerformedSeriesSequence=[{"SeriesInstanceUID": "1." * 40 + "1"}]), 0x0106, 0x0020000E),
    ],
)  # fmt: skip
def test_an_end_that_cannot_be_taken(
    refusing: Running, said: dict[str, object], status: int, tag: int
) -> None:
    answer = raw(refusing, commands.N_SET_RQ, said, requested_instance=UID)
    assert (answer.status, answer.values[commands.ATTRIBUTES]) == (status, (tag,))
    assert answer.text(commands.AFFECTED_INSTANCE) == UID
    assert refusing.spine.services.performed_procedures.get(UID).state is PerformedState.IN_PROGRESS


def test_what_was_said_before_may_be_said_again(node: Running) -> None:
    create(node, begun(node.spine.order()))
    end(node, over(PatientID="P1"))
    assert node.spine.services.performed_procedures.get(UID).state is PerformedState.COMPLETED


def test_only_the_ae_that_made_a_step_ends_it(node: Running) -> None:
    order = node.spine.order()
    create(node, begun(order))
    key = "PerformedProcedureStepDiscontinuationReasonCodeSequence"
    with client(node, calling="OTHER") as other, pytest.raises(Refused, match="another AE made this step"):
        other.set(MPPS, UID, over("DISCONTINUED", **{key: [WRONG]}))
    assert listed(node) == [("A1", "STARTED")]
    end(node, over())
    assert listed(node) == []


@pytest.mark.parametrize("done", [False, True])
def test_a_cancellation_of_what_a_modality_performs_waits_for_a_person(node: Running, done: bool) -> None:
    order = node.spine.order()
    create(node, begun(order))
    if done:
        end(node, over())
    cancelled = CancelOrder(OrderReference(accession="A1"))
    with pytest.raises(NeedsPerson, match="COMPLETED" if done else "IN PROGRESS"):
        node.spine.services.orders.cancel(cancelled, "RIS")
    with node.spine.index.read() as tx:
        assert tx.orders.get(order.id).state is OrderState.IN_PROGRESS


def test_an_order_whose_step_was_given_up_is_cancelled(node: Running) -> None:
    order = node.spine.order()
    create(node, begun(order))
    end(node, over("DISCONTINUED", PerformedSeriesSequence=""))
    node.spine.services.orders.cancel(CancelOrder(OrderReference(accession="A1")), "RIS")
    with node.spine.index.read() as tx:
        assert tx.orders.get(order.id).state is OrderState.CANCELLED


def test_statuses_of_identity_and_order(node: Running) -> None:
    create(node, begun(node.spine.order()))
    assert raw(node, commands.N_CREATE_RQ, begun(), affected_instance=UID).status == 0x0111
    assert raw(node, commands.N_CREATE_RQ, begun(), affected_instance="not a UID").status == 0x0117
    assert raw(node, commands.N_SET_RQ, over(), requested_instance="2.25.78").status == 0x0112
    end(node, over("DISCONTINUED", PerformedSeriesSequence=""))
    answer = raw(node, commands.N_SET_RQ, over(), requested_instance=UID)
    assert (answer.status, answer.number(commands.ERROR_ID)) == (0x0110, 0xA710)
    made = raw(node, commands.N_CREATE_RQ, begun())  # the archive names what comes without a name
    assert node.spine.services.performed_procedures.get(made.text(commands.AFFECTED_INSTANCE))


def test_a_discontinued_step_leaves_the_worklist_and_has_failed(node: Running) -> None:
    order = node.spine.order()
    create(node, begun(order))
    reason = {"CodeValue": "110500", "CodingSchemeDesignator": "DCM", "CodeMeaning": "Doctor cancelled"}
    key = "PerformedProcedureStepDiscontinuationReasonCodeSequence"
    end(node, over("DISCONTINUED", PerformedSeriesSequence="", **{key: [reason]}))
    assert listed(node) == []
    assert story(node) == ("failed", "no image came; Room 1: discontinued (Doctor cancelled)")
    create(node, begun(order), "2.25.78")  # and is done again
    assert listed(node) == [("A1", "STARTED")]


def test_the_wrong_worklist_entry_is_free_again_and_its_images_are_held(node: Running) -> None:
    order = node.spine.order()
    create(node, begun(order))
    node.spine.image(study=order.study_uid)
    key = "PerformedProcedureStepDiscontinuationReasonCodeSequence"
    end(node, over("DISCONTINUED", **{key: [WRONG]}))
    assert [hold.kind for hold, _, _ in node.spine.services.reconciling.held()] == ["wrong worklist entry"]
    with node.spine.index.read() as tx:
        assert tx.studies.get(order.study_uid).reconciliation == "held"
    assert listed(node) == [("A1", "SCHEDULED")]


def test_images_that_come_after_the_wrong_entry_was_noticed_are_held_too(node: Running) -> None:
    order = node.spine.order()
    create(node, begun(order))
    key = "PerformedProcedureStepDiscontinuationReasonCodeSequence"
    end(node, over("DISCONTINUED", **{key: [WRONG]}))
    node.spine.image(study=order.study_uid)
    assert [hold.kind for hold, _, _ in node.spine.services.reconciling.held()] == ["wrong worklist entry"]


def test_an_unscheduled_step_is_kept_and_told_with_its_images(node: Running) -> None:
    create(node, begun())
    node.spine.image(study="1.2.99", accession_number="A9", sop_instance_uid="1.2.99.1.1")
    end(node, over("COMPLETED", "1.2.99.1.1"))
    assert story(node, "A9") == ("done", "1 image from CT1; Room 1: completed, 1 of 1 here")
    kinds = [event.kind for event in node.spine.services.tracing.of("A9").events]
    assert {"performed.started", "performed.completed"} <= set(kinds)


def test_a_step_that_was_performed_before_its_order_came_finds_it(node: Running) -> None:
    said = begun()
    said["ScheduledStepAttributesSequence"] = [{"StudyInstanceUID": "1.2.99", "AccessionNumber": "A1"}]
    create(node, said)
    assert story(node)[0] == "waiting"
    node.spine.order()
    assert listed(node) == [("A1", "STARTED")]
    assert "performed.matched" in {event.kind for event in node.spine.services.tracing.of("A1").events}


def test_a_step_of_another_patient_moves_nothing(node: Running) -> None:
    order = node.spine.order()
    create(node, begun(order, PatientID="P2"))
    assert listed(node) == [("A1", "SCHEDULED")]
    (one,) = node.spine.services.performed_procedures.get(UID).scheduled
    assert one.order_id is None


def test_one_step_for_two_orders_moves_both(node: Running) -> None:
    first, second = node.spine.order("A1"), node.spine.order("A2")
    scheduled = [
        {"StudyInstanceUID": first.study_uid, "AccessionNumber": one.accession.value,
         "ScheduledProcedureStepID": one.steps[0].step_id}
        for one in (first, second)
    ]  # fmt: skip
    create(node, begun(ScheduledStepAttributesSequence=scheduled))
    assert listed(node) == [("A1", "STARTED"), ("A2", "STARTED")]


def test_only_the_step_that_was_done_moves(node: Running) -> None:
    steps = tuple(
        StepRequest(modality="CT", start_date="2026-03-02", start_time=t) for t in ("11:00", "12:00")
    )
    order = node.spine.order(steps=steps)
    create(node, begun(order))
    end(node, over())
    assert listed(node) == [("A1", "SCHEDULED")]
    create(node, begun(order), "2.25.78")  # the append case: more of what was completed
    assert listed(node) == [("A1", "STARTED"), ("A1", "SCHEDULED")]


def test_a_cancelled_order_stays_cancelled(node: Running) -> None:
    order = node.spine.order()
    node.spine.services.orders.cancel_row(order.id, "by phone", "RIS")
    create(node, begun(order))
    with node.spine.index.read() as tx:
        assert tx.orders.get(order.id).state == "cancelled"


def test_who_may_not_ask_for_the_worklist_may_not_say_what_it_did(node: Running) -> None:
    node.peer("CT1", may_worklist=False)
    with pytest.raises(Refused, match="none of what was proposed"):
        client(node)


def test_what_a_step_told_and_changed_is_audited_and_what_was_refused_changed_nothing(node: Running) -> None:
    create(node, begun(node.spine.order()))
    with pytest.raises(Refused):
        end(node, over(PatientID="P2"))
    end(node, over())
    with node.client((sop.PERFORMED_PROCEDURE_STEP_RETRIEVE, sop.PLAIN_SYNTAXES), calling="OTHER") as asker:
        answer = asker.read(sop.PERFORMED_PROCEDURE_STEP_RETRIEVE, UID)
    assert answer["PatientID"] == "P1"
    with node.spine.index.read() as tx:
        rows = [row for row in tx.audit.before(0, 50) if row.subject == f"performed:{UID}"]
    assert [(row.actor, row.verb, row.outcome, row.detail, row.address) for row in rows][::-1] == [
        ("ae:CT1", "begin performed step", "allowed", "", "127.0.0.1"),
        ("ae:CT1", "change performed step", "allowed", "", "127.0.0.1"),
        ("ae:OTHER", "view", "allowed", "N-GET", "127.0.0.1"),
    ]
