"""Storage commitment over real sockets: kept, checked byte by byte, reported here, there and days later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import StorageCommitmentPushModel

from pacs_core.dicom.intake import intake_file
from pacs_core.dimse.commitment import CommitmentCarrier
from pacs_core.domain.commitment import CommitmentState, Reference
from tests.support.dicom_bytes import dicom_file
from tests.support.dimse_node import TITLE, Running, listening

WELL_KNOWN = "1.2.840.10008.1.20.1.1"
LISTEN_S = 0.05
Heard = list[tuple[int, str, list[str], list[tuple[str, int]]]]


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Running]:
    with listening(tmp_path / "node") as running:
        yield running


def stored(node: Running, folder: Path, count: int = 2) -> list[Reference]:
    paths = []
    for number in range(1, count + 1):
        path = folder / f"{number}.dcm"
        path.write_bytes(dicom_file("1.2.3", number))
        paths.append(path)
    assert {sent.kind for sent in node.store(*paths)} == {"success"}
    headers = [intake_file(path).header for path in paths]
    return [Reference(h.sop_class_uid, h.sop_instance_uid) for h in headers]


def request(uid: str, references: list[Reference]) -> Dataset:
    asked = Dataset()
    asked.TransactionUID = uid
    asked.ReferencedSOPSequence = []
    for one in references:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = one.sop_class_uid, one.sop_instance_uid
        asked.ReferencedSOPSequence.append(item)
    return asked


def taken(heard: Heard) -> list[tuple[object, object]]:
    def note(event: evt.Event) -> tuple[int, None]:
        said = event.event_information
        safe = [str(i.ReferencedSOPInstanceUID) for i in said.get("ReferencedSOPSequence", [])]
        bad = [
            (str(i.ReferencedSOPInstanceUID), int(i.FailureReason)) for i in said.get("FailedSOPSequence", [])
        ]
        heard.append((int(event.event_type), str(said.TransactionUID), safe, bad))
        return 0, None

    return [(evt.EVT_N_EVENT_REPORT, note)]


def ask(node: Running, asked: Dataset, heard: Heard | None = None, told_here: int = 0) -> int:
    """A modality that asks, and stays until it was told so often."""
    ae = AE("CT1")
    ae.add_requested_context(StorageCommitmentPushModel)
    association = ae.associate(
        node.host, node.port, ae_title=TITLE, evt_handlers=taken(heard if heard is not None else [])
    )
    answer, _ = association.send_n_action(asked, 1, StorageCommitmentPushModel, WELL_KNOWN)
    while heard is not None and len(heard) < told_here:
        association.join(0.02)
    if told_here:
        association.release()
    else:
        association.abort()
    ae.shutdown()
    return int(answer.Status)


@contextmanager
def modality(heard: Heard) -> Iterator[int]:
    """A modality that is called back, where the caller is the SCP."""
    ae = AE("CT1")
    ae.add_supported_context(StorageCommitmentPushModel, scu_role=False, scp_role=True)
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=taken(heard))
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()


def attempt(node: Running, uid: str, *, ours: bool = False) -> CommitmentState:
    """One round of the outbox for a transaction."""
    commitment = node.spine.services.storage_commitment
    with node.spine.index.read() as tx:
        found = tx.commitments.find("CT1" if not ours else "PACS2", uid, ours=ours)
    assert found is not None
    return commitment.attempt(found.id, CommitmentCarrier(TITLE, commitment, LISTEN_S)).state


def test_the_result_comes_on_the_association_that_asked(node: Running, tmp_path: Path) -> None:
    safe = stored(node, tmp_path)
    heard: Heard = []
    strange = Reference(safe[0].sop_class_uid, "2.25.404")
    other_class = Reference("1.2.840.10008.5.1.4.1.1.4", safe[1].sop_instance_uid)
    assert ask(node, request("2.25.1", [safe[0], strange, other_class]), heard, told_here=1) == 0
    bad = [("2.25.404", 0x0112), (safe[1].sop_instance_uid, 0x0119)]
    assert heard == [(2, "2.25.1", [safe[0].sop_instance_uid], bad)]
    node.entity.stop()  # the response was read when its association is over
    with node.spine.index.read() as tx:
        kept = tx.commitments.find("CT1", "2.25.1", ours=False)
    assert kept is not None
    assert kept.state is CommitmentState.DONE


def test_who_is_gone_for_days_is_told_when_it_is_back(tmp_path: Path) -> None:
    heard: Heard = []
    with listening(tmp_path / "node") as node:
        safe = stored(node, tmp_path)
        assert ask(node, request("2.25.1", safe)) == 0
    with listening(tmp_path / "node") as node:  # kept over a restart
        assert attempt(node, "2.25.1") is CommitmentState.WAITING  # its address is not known yet
        node.peer("CT1", port=1)
        for _ in range(5):
            node.spine.clock.forward(86400)
            assert attempt(node, "2.25.1") is CommitmentState.WAITING
        with modality(heard) as port:
            node.peer("CT1", port=port)
            assert attempt(node, "2.25.1") is CommitmentState.DONE
            assert attempt(node, "2.25.1") is CommitmentState.DONE  # once is enough
    assert heard == [(1, "2.25.1", [one.sop_instance_uid for one in safe], [])]


def test_after_a_week_it_is_given_up(node: Running, tmp_path: Path) -> None:
    assert ask(node, request("2.25.1", stored(node, tmp_path, 1))) == 0
    node.spine.clock.forward(8 * 86400)
    assert attempt(node, "2.25.1") is CommitmentState.GIVEN_UP
    assert node.spine.services.storage_commitment.next_due() == ""


def test_bytes_that_changed_and_files_that_are_gone_are_not_committed(node: Running, tmp_path: Path) -> None:
    safe = stored(node, tmp_path, 3)
    records = {one.sop_instance_uid: one for one in node.instances()}
    changed, gone = (node.spine.store.place(records[one.sop_instance_uid].blob_key) for one in safe[:2])
    content = bytearray(changed.read_bytes())
    content[-1] ^= 1
    changed.write_bytes(content)
    gone.unlink()
    heard: Heard = []
    ask(node, request("2.25.1", safe), heard, told_here=1)
    bad = [(safe[0].sop_instance_uid, 0x0110), (safe[1].sop_instance_uid, 0x0112)]
    assert heard == [(2, "2.25.1", [safe[2].sop_instance_uid], bad)]


def test_requests_that_cannot_be_taken(node: Running, tmp_path: Path) -> None:
    safe = stored(node, tmp_path)
    assert ask(node, request("", safe)) == 0x0120
    assert ask(node, request("2.25.1", [])) == 0x0121
    assert ask(node, request("2.25.1", safe)) == 0
    assert ask(node, request("2.25.1", safe)) == 0  # asked again: told again
    assert ask(node, request("2.25.1", safe[:1])) == 0x0111  # the UID stands for other objects


def test_another_archive_is_asked_and_reports_on_an_association_of_its_own(
    node: Running, tmp_path: Path
) -> None:
    safe = stored(node, tmp_path)
    asked: list[tuple[str, int]] = []

    def action(event: evt.Event) -> tuple[int, None]:
        said = event.action_information
        asked.append((str(said.TransactionUID), len(said.ReferencedSOPSequence)))
        return 0, None

    ae = AE("PACS2")
    ae.add_supported_context(StorageCommitmentPushModel)
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_ACTION, action)])
    node.peer("PACS2", port=int(server.server_address[1]))
    ours = node.spine.services.storage_commitment.ask("PACS2", safe)
    state = attempt(node, ours.transaction_uid, ours=True)
    assert asked == [(ours.transaction_uid, 2)]
    assert state is CommitmentState.ASKED
    result = request(ours.transaction_uid, safe[:1])
    result.FailedSOPSequence = request("", safe[1:]).ReferencedSOPSequence
    result.FailedSOPSequence[0].FailureReason = 0x0213
    ae.add_requested_context(StorageCommitmentPushModel)
    role = build_role(StorageCommitmentPushModel, scp_role=True, scu_role=False)
    back = ae.associate(node.host, node.port, ae_title=TITLE, ext_neg=[role])
    told, _ = back.send_n_event_report(result, 2, StorageCommitmentPushModel, WELL_KNOWN)
    assert told.Status == 0
    result.TransactionUID = "2.25.404"
    told, _ = back.send_n_event_report(result, 2, StorageCommitmentPushModel, WELL_KNOWN)
    assert told.Status == 0x0112
    back.release()
    server.shutdown()
    with node.spine.index.read() as tx:
        kept = tx.commitments.get(ours.id)
    assert kept.state is CommitmentState.DONE
    assert [(one.sop_instance_uid, one.failure) for one in kept.failed] == [
        (safe[1].sop_instance_uid, 0x0213)
    ]


def test_an_archive_that_answers_at_once_is_heard_on_the_association_that_asked(
    node: Running, tmp_path: Path
) -> None:
    """Our own listener is the other archive here: it holds the same objects but one."""
    safe = [*stored(node, tmp_path), Reference("1.2.840.10008.5.1.4.1.1.2", "2.25.404")]
    node.peer(TITLE, port=node.port)
    commitment = node.spine.services.storage_commitment
    ours = commitment.ask(TITLE, safe)
    done = commitment.attempt(ours.id, CommitmentCarrier(TITLE, commitment))
    assert done.state is CommitmentState.DONE
    assert [(one.sop_instance_uid, one.failure) for one in done.failed] == [("2.25.404", 0x0112)]
