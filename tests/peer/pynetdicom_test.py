"""pynetdicom, another implementation of the same protocols, on either side of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, StoragePresentationContexts, build_role, evt
from pynetdicom.sop_class import (
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
