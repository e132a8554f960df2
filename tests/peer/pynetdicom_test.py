"""pynetdicom, another implementation of the same protocols, on either side of ours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, StoragePresentationContexts, build_role, evt
from pynetdicom.sop_class import (
    ModalityPerformedProcedureStep,
    ModalityWorklistInformationFind,
    MRImageStorage,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

from pacs_core.dicom.intake import intake_file
from pacs_core.dimse import scu
from pacs_core.domain.errors import Refused
from pacs_core.rehearsal.identity import Identity
from pacs_core.rehearsal.performed import PerformedStep
from pacs_core.rehearsal.recipe import Station
from tests.support.dimse_node import TITLE, Running, listening, storable


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Running]:
    with listening(tmp_path / "node") as running:
        yield running


@pytest.fixture
def head(shared_data: Path) -> list[Path]:
    return storable(shared_data, "studies/mr-head-sagittal-hfs")


def query(**keys: str) -> Dataset:
    found = Dataset()
    for keyword, value in keys.items():
        setattr(found, keyword, value)
    return found


def test_their_scu_stores_finds_and_gets(node: Running, head: list[Path]) -> None:
    ae = AE("PYNET")
    for model in (
        Verification, StudyRootQueryRetrieveInformationModelFind, StudyRootQueryRetrieveInformationModelGet,
        ModalityWorklistInformationFind, MRImageStorage,
    ):  # fmt: skip
        ae.add_requested_context(model)
    received: list[Dataset] = []

    def keep(event: evt.Event) -> int:
        received.append(event.dataset)
        return 0

    association = ae.associate(
        node.host, node.port, ae_title=TITLE,
        ext_neg=[build_role(MRImageStorage, scp_role=True, scu_role=True)],
        evt_handlers=[(evt.EVT_C_STORE, keep)],
    )  # fmt: skip
    assert association.is_established
    assert association.send_c_echo().Status == 0
    for path in head:
        assert association.send_c_store(path).Status == 0
    header = intake_file(head[0]).header
    asked = query(QueryRetrieveLevel="STUDY", StudyInstanceUID="", PatientID=header.patient_id)
    found = list(association.send_c_find(asked, StudyRootQueryRetrieveInformationModelFind))
    assert [s.Status for s, _ in found] == [0xFF00, 0]
    assert found[0][1].StudyInstanceUID == header.study_instance_uid
    wanted = query(QueryRetrieveLevel="STUDY", StudyInstanceUID=header.study_instance_uid)
    last = [s for s, _ in association.send_c_get(wanted, StudyRootQueryRetrieveInformationModelGet)][-1]
    assert (last.Status, last.NumberOfCompletedSuboperations) == (0, len(head))
    assert {str(d.SOPInstanceUID) for d in received} == {intake_file(p).header.sop_instance_uid for p in head}
    association.release()
    ae.shutdown()


def test_their_move_to_a_scp_of_theirs(node: Running, head: list[Path]) -> None:
    node.store(*head)
    received: list[tuple[str, str, int]] = []

    def keep(event: evt.Event) -> int:
        request = event.request
        originator = request.MoveOriginatorApplicationEntityTitle
        received.append(
            (str(request.AffectedSOPInstanceUID), str(originator), request.MoveOriginatorMessageID)
        )
        return 0

    sink = AE("SINK")
    sink.supported_contexts = StoragePresentationContexts
    server = sink.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, keep)])
    try:
        node.peer("SINK", server.socket.getsockname()[1])
        ae = AE("PYNET")
        ae.add_requested_context(StudyRootQueryRetrieveInformationModelMove)
        association = ae.associate(node.host, node.port, ae_title=TITLE)
        uid = intake_file(head[0]).header.study_instance_uid
        wanted = query(QueryRetrieveLevel="STUDY", StudyInstanceUID=uid)
        answers = list(
            association.send_c_move(wanted, "SINK", StudyRootQueryRetrieveInformationModelMove, msg_id=77)
        )
        unknown = list(association.send_c_move(wanted, "NOBODY", StudyRootQueryRetrieveInformationModelMove))
        association.release()
        ae.shutdown()
    finally:
        server.shutdown()
    assert (answers[-1][0].Status, answers[-1][0].NumberOfCompletedSuboperations) == (0, len(head))
    assert unknown[-1][0].Status == 0xA801
    assert {uid for uid, _, _ in received} == {intake_file(p).header.sop_instance_uid for p in head}
    assert {(title.strip(), number) for _, title, number in received} == {("PYNET", 77)}


def test_our_scu_against_a_scp_of_theirs(head: list[Path], tmp_path: Path) -> None:
    kept: list[bytes] = []

    def keep(event: evt.Event) -> int:
        kept.append(event.encoded_dataset(include_meta=False))
        return 0xB007 if len(kept) == 2 else 0

    ae = AE("THEIRS")
    ae.supported_contexts = StoragePresentationContexts
    ae.add_supported_context(Verification)
    ae.require_called_aet = True
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, keep)])
    port = server.socket.getsockname()[1]
    try:
        scu.echo("127.0.0.1", port, "THEIRS")
        sent = list(scu.store("127.0.0.1", port, "THEIRS", head))
        with pytest.raises(Refused, match="it does not go by that AE title"):
            scu.echo("127.0.0.1", port, "WRONG")
    finally:
        server.shutdown()
    assert [s.kind for s in sent] == ["success", "warning"]
    assert kept == [p.read_bytes()[intake_file(p).source_offset :] for p in head]
    assert pydicom.dcmread(head[0]).SOPInstanceUID == sent[0].sop_instance_uid


def test_their_modality_says_what_it_did(node: Running) -> None:
    order = node.spine.order()
    scheduled = query(StudyInstanceUID=order.study_uid, AccessionNumber="A1")
    scheduled.ScheduledProcedureStepID = order.steps[0].step_id
    begun = query(
        PatientName="DOE^JANE", PatientID="P1", PerformedProcedureStepID="PPS1",
        PerformedStationAETitle="PYNET",
        PerformedProcedureStepStartDate="20260302", PerformedProcedureStepStartTime="110000",
        PerformedProcedureStepStatus="IN PROGRESS", Modality="MR",
    )  # fmt: skip
    begun.ScheduledStepAttributesSequence = [scheduled]
    series = query(SeriesInstanceUID="1.2.3.4", ProtocolName="Head")
    over = query(
        PerformedProcedureStepStatus="COMPLETED", PerformedProcedureStepEndDate="20260302",
        PerformedProcedureStepEndTime="111000",
    )  # fmt: skip
    over.PerformedSeriesSequence = [series]
    ae = AE("PYNET")
    ae.add_requested_context(ModalityPerformedProcedureStep)
    association = ae.associate(node.host, node.port, ae_title=TITLE)
    said, _ = association.send_n_create(begun, ModalityPerformedProcedureStep, "2.25.5")
    assert said.Status == 0
    said, _ = association.send_n_create(begun, ModalityPerformedProcedureStep, "2.25.5")
    assert said.Status == 0x0111
    said, _ = association.send_n_set(over, ModalityPerformedProcedureStep, "2.25.5")
    assert said.Status == 0
    said, _ = association.send_n_set(over, ModalityPerformedProcedureStep, "2.25.5")
    assert (said.Status, said.ErrorID) == (0x0110, 0xA710)
    association.release()
    ae.shutdown()
    assert node.spine.services.performed_procedures.get("2.25.5").state == "COMPLETED"
    assert scu.worklist(*node.at, "PYNET") == []


def test_our_scanner_says_what_it_did_to_their_scp_and_leaves_one_alone_that_takes_no_mpps() -> None:
    heard: list[tuple[str, str]] = []

    def created(event: evt.Event) -> tuple[int, Dataset]:
        heard.append(
            (str(event.attribute_list.PerformedProcedureStepStatus), str(event.attribute_list.PatientID))
        )
        return 0, event.attribute_list

    def changed(event: evt.Event) -> tuple[int, Dataset]:
        (series,) = event.modification_list.PerformedSeriesSequence
        (made,) = series.ReferencedImageSequence
        heard.append(
            (str(event.modification_list.PerformedProcedureStepStatus), made.ReferencedSOPInstanceUID)
        )
        return 0, event.modification_list

    def told(*contexts: str) -> None:
        ae = AE("RIS")
        for context in contexts:
            ae.add_supported_context(context)
        server = ae.start_server(
            ("127.0.0.1", 0),
            block=False,
            evt_handlers=[(evt.EVT_N_CREATE, created), (evt.EVT_N_SET, changed)],
        )
        try:
            at = ("127.0.0.1", server.server_address[1], "RIS")
            station = Station("CT1", "CT", "Room 1", "")
            identity = Identity("1.2.3", name="DOE^JANE", patient_id="P1", step_id="S1")
            step = PerformedStep(at, station, identity, datetime(2026, 3, 2, 11, 0), "CT")
            step.begin()
            step.complete([("1.2.3.1", "1.2.840.10008.5.1.4.1.1.2", "1.2.3.1.1")])
        finally:
            server.shutdown()

    told(ModalityPerformedProcedureStep)
    assert heard == [("IN PROGRESS", "P1"), ("COMPLETED", "1.2.3.1.1")]
    told(Verification)
    assert len(heard) == 2
