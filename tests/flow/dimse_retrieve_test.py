"""C-MOVE and C-GET over real sockets: to known peers, counted, corrected, transcoded, cancelled, failing."""

from __future__ import annotations

import dataclasses
import io
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest

from pacs_core.dicom.intake import intake_file
from pacs_core.dimse import acceptance, commands, pdu, retrieve_scp, scu, status
from pacs_core.dimse import sop_classes as sop
from pacs_core.dimse.client import MOST_CONTEXTS, storage_proposals
from pacs_core.dimse.pdu import Context
from pacs_core.dimse.requesting import encode_keys
from pacs_core.dimse.retrieve_scp import Progress, failed_list
from pacs_core.dimse.sending import Outgoing
from pacs_core.dimse.store_scp import StoreSCP
from tests.support.dimse_node import Running, listening

MR = "1.2.840.10008.5.1.4.1.1.4"
EXPLICIT = "1.2.840.10008.1.2.1"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Running]:
    with listening(tmp_path / "node") as running:
        yield running


@pytest.fixture
def other(tmp_path: Path, node: Running) -> Iterator[Running]:
    """A second archive that the first knows as OTHER."""
    with listening(tmp_path / "other") as running:
        node.peer("OTHER", running.port)
        yield running


@pytest.fixture
def head(shared_data: Path) -> list[Path]:
    return sorted(p for p in (shared_data / "studies/mr-head-sagittal-hfs").rglob("*") if p.is_file())[:8]


def study_of(path: Path) -> dict[str, object]:
    return {"StudyInstanceUID": intake_file(path).header.study_instance_uid}


def data_set(path: Path) -> bytes:
    return path.read_bytes()[intake_file(path).source_offset :]


def test_move_gives_the_same_bytes(node: Running, other: Running, head: list[Path]) -> None:
    node.store(*head)
    moved = scu.move(*node.at, "OTHER", study_of(head[0]))
    assert (moved.status, moved.completed, moved.failed, moved.warnings) == (0, 8, 0, 0)
    kept = {i.sop_instance_uid: other.stored_data_set(i) for i in other.instances()}
    assert kept == {intake_file(p).header.sop_instance_uid: data_set(p) for p in head}


@pytest.mark.parametrize("level", ["PATIENT", "STUDY", "SERIES", "IMAGE"])
def test_each_level(node: Running, other: Running, head: list[Path], shared_data: Path, level: str) -> None:
    node.store(*head[:3], shared_data / "broken/derived/no-pixel-data.dcm")
    header = intake_file(head[1]).header
    keys = {"PatientID": header.patient_id}
    if level != "PATIENT":
        keys["StudyInstanceUID"] = header.study_instance_uid
    if level in ("SERIES", "IMAGE"):
        keys["SeriesInstanceUID"] = header.series_instance_uid
    if level == "IMAGE":
        keys["SOPInstanceUID"] = header.sop_instance_uid
    moved = scu.move(*node.at, "OTHER", keys, level=level, root="patient")
    assert (moved.status, moved.completed) == (0, 1 if level == "IMAGE" else 3)


def test_what_is_not_there_is_success_of_nothing(node: Running, other: Running) -> None:
    moved = scu.move(*node.at, "OTHER", {"StudyInstanceUID": "1.2.3.4"})
    assert (moved.status, moved.completed, moved.failed) == (0, 0, 0)


@pytest.mark.parametrize(
    ("keys", "level", "code"),
    [
        ({"PatientID": "P"}, "STUDY", 0xA900),
        ({"StudyInstanceUID": "1.2.*"}, "STUDY", 0xA900),
        ({"StudyInstanceUID": "1.2"}, "WARD", 0xA900),
    ],
)
def test_bad_requests_are_refused(
    node: Running, other: Running, keys: dict[str, str], level: str, code: int
) -> None:
    assert scu.move(*node.at, "OTHER", keys, level=level).status == code


def test_an_unknown_destination_is_told(node: Running, head: list[Path]) -> None:
    node.store(head[0])
    moved = scu.move(*node.at, "NOBODY", study_of(head[0]))
    assert (moved.status, moved.kind) == (0xA801, "failure")
    assert "'NOBODY'" in moved.words


def test_a_destination_that_does_not_answer_fails_every_object(node: Running, head: list[Path]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        node.peer("DEAD", closed.getsockname()[1])
    node.store(*head[:3])
    moved = scu.move(*node.at, "DEAD", study_of(head[0]))
    assert (moved.status, moved.completed, moved.failed) == (0xA702, 0, 3)
    assert sorted(moved.failed_uids) == sorted(intake_file(p).header.sop_instance_uid for p in head[:3])


def test_a_receiver_that_dies_in_the_middle(
    node: Running, other: Running, head: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    node.store(*head)
    answer = StoreSCP.answer
    answered: list[int] = []

    def dying(self: StoreSCP, association: object, message: object) -> bool:
        answered.append(1)
        if len(answered) > 3:
            association.connection.socket.shutdown(socket.SHUT_RDWR)  # type: ignore[attr-defined]
        return answer(self, association, message)  # type: ignore[arg-type]  # what the entity gave

    monkeypatch.setattr(StoreSCP, "answer", dying)
    moved = scu.move(*node.at, "OTHER", study_of(head[0]))
    assert (moved.status, moved.completed, moved.failed) == (0xB000, 3, 5)
    assert len(moved.failed_uids) == 5
    scu.echo(*node.at)


def test_objects_a_receiver_refuses_are_counted_and_named(
    node: Running, other: Running, head: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    node.store(*head)
    answer = StoreSCP.answer
    bad = intake_file(head[2]).header.sop_instance_uid
    warned = intake_file(head[4]).header.sop_instance_uid

    def choosy(self: StoreSCP, association: object, message: object) -> bool:
        uid = message.command.text(commands.AFFECTED_INSTANCE)  # type: ignore[attr-defined]
        code = {bad: 0xA700, warned: 0xB007}.get(uid)
        if code is None:
            return answer(self, association, message)  # type: ignore[arg-type]  # what the entity gave
        association.send(message.context.id, message.command.response(code))  # type: ignore[attr-defined]
        return False

    monkeypatch.setattr(StoreSCP, "answer", choosy)
    moved = scu.move(*node.at, "OTHER", study_of(head[0]))
    assert (moved.status, moved.completed, moved.failed, moved.warnings) == (0xB000, 6, 1, 1)
    assert moved.failed_uids == [bad]


def test_corrected_identity_goes_out_and_stored_bytes_stay(
    node: Running, other: Running, head: list[Path], tmp_path: Path
) -> None:
    services = node.spine.services
    node.spine.patient("NEW-7", "Right^Name", "1980-05-06", "M")
    node.spine.order("ACC-7", "NEW-7", "MR")
    node.store(*head[:2])
    header = intake_file(head[0]).header
    before = {i.sop_instance_uid: node.stored_data_set(i) for i in node.instances()}
    with node.spine.index.read() as tx:
        (order,) = tx.orders.by_accession("ACC-7")
    services.reconciling.link(header.study_instance_uid, order.id, "tester")
    got = scu.get(*node.at, study_of(head[0]), tmp_path, storage=[(MR, (EXPLICIT,))])
    moved = scu.move(*node.at, "OTHER", study_of(head[0]))
    assert (got.completed, moved.completed) == (2, 2)
    for file in got.files:
        found = pydicom.dcmread(file)
        assert (found.PatientName, found.PatientID) == ("Right^Name", "NEW-7")
        assert (found.PatientBirthDate, found.PatientSex, found.AccessionNumber) == ("19800506", "M", "ACC-7")
        note = found.OriginalAttributesSequence[-1]
        assert note.ModifyingSystem == "READINGROOM"
        assert note.ModifiedAttributesSequence[0].PatientID == header.patient_id
        assert found.pixel_array.shape == (256, 256)
        (received,) = [i for i in other.instances() if i.sop_instance_uid == found.SOPInstanceUID]
        assert b"Right^Name" in other.stored_data_set(received)
    assert {i.sop_instance_uid: node.stored_data_set(i) for i in node.instances()} == before
    with node.spine.index.read() as tx:
        exports = [row for row in tx.audit.before(1 << 60, 100) if row.verb == "export"]
    assert [(row.actor, row.detail) for row in exports][::-1] == [
        ("ae:READINGROOM", "2 by C-GET"),
        ("ae:READINGROOM", "2 by C-MOVE to OTHER"),
    ]


def test_compressed_objects_are_given_plain_to_who_wants_that(
    node: Running, shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "transfer-syntaxes/ct/1.2.840.10008.1.2.4.80_JPEGLSLossless.dcm"
    plain = shared_data / "transfer-syntaxes/ct/1.2.840.10008.1.2.1_LittleEndianExplicit.dcm"
    node.store(path)
    ct = "1.2.840.10008.5.1.4.1.1.2"
    for number, syntax in enumerate((EXPLICIT, "1.2.840.10008.1.2", "1.2.840.10008.1.2.4.80")):
        folder = tmp_path / str(number)
        folder.mkdir()
        got = scu.get(*node.at, study_of(path), folder, storage=[(ct, (syntax,))])
        (file,) = got.files
        found = pydicom.dcmread(file)
        assert found.file_meta.TransferSyntaxUID == syntax
        if "4.80" in syntax:
            assert data_set(file) == data_set(path)
        else:
            assert found.PixelData == pydicom.dcmread(plain).PixelData


def test_what_the_requestor_takes_in_no_way_fails_and_is_named(
    node: Running, shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "transfer-syntaxes/ct/1.2.840.10008.1.2.4.80_JPEGLSLossless.dcm"
    node.store(path)
    got = scu.get(*node.at, study_of(path), tmp_path, storage=[(MR, (EXPLICIT,))])
    assert (got.status, got.failed) == (0xA702, 1)
    assert got.failed_uids == [intake_file(path).header.sop_instance_uid]


def test_a_missing_file_fails_alone(node: Running, other: Running, head: list[Path]) -> None:
    node.store(*head[:3])
    gone = node.instances()[1]
    node.spine.store.place(gone.blob_key).unlink()
    moved = scu.move(*node.at, "OTHER", study_of(head[0]))
    assert (moved.status, moved.completed, moved.failed_uids) == (0xB000, 2, [gone.sop_instance_uid])


def test_move_says_how_far_it_is(
    node: Running, other: Running, head: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrieve_scp, "PENDING_EVERY_S", 0.0)
    node.store(*head)
    assert scu.move(*node.at, "OTHER", study_of(head[0])).pending == len(head) - 1


def test_cancel_of_a_move(
    node: Running, other: Running, head: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    node.store(*head)
    second, go_on = threading.Event(), threading.Event()
    answer = StoreSCP.answer
    count: list[int] = []

    def held(self: StoreSCP, association: object, message: object) -> bool:
        count.append(1)
        if len(count) == 2:
            second.set()
            assert go_on.wait(30)
        return answer(self, association, message)  # type: ignore[arg-type]  # what the entity gave

    monkeypatch.setattr(StoreSCP, "answer", held)
    client = node.client((sop.STUDY_ROOT_MOVE, sop.PLAIN_SYNTAXES))
    with client:
        context = client._context(sop.STUDY_ROOT_MOVE)
        keys = {"QueryRetrieveLevel": "STUDY", **study_of(head[0])}
        responses = client._responses(commands.C_MOVE_RQ, context, keys, destination="OTHER")
        first = next(responses)
        assert first.command.status == status.PENDING
        assert second.wait(30)
        client.association.send(context.id, commands.cancel(first.command.number(commands.RESPONDED_TO)))
        go_on.set()
        last = [r.command for r in responses][-1]
    assert last.status == status.CANCELLED
    assert last.number(commands.COMPLETED) == 2
    assert last.number(commands.REMAINING) == len(head) - 2
    scu.echo(*node.at)


def test_cancel_of_a_get(node: Running, head: list[Path]) -> None:
    node.store(*head)
    association = node.client((MR, (EXPLICIT,)), (sop.STUDY_ROOT_GET, sop.PLAIN_SYNTAXES)).association
    context = next(c for c in association.contexts.values() if c.abstract_syntax == sop.STUDY_ROOT_GET)
    data = encode_keys({"QueryRetrieveLevel": "STUDY", **study_of(head[0])}, EXPLICIT)
    association.send(
        context.id, commands.request(commands.C_GET_RQ, 9, sop.STUDY_ROOT_GET, data_set=True), data
    )
    stored = 0
    while True:
        message = association.receive()
        if message.command.field != commands.C_STORE_RQ:
            if message.command.status != status.PENDING:
                break
            continue
        stored += 1
        if stored == 3:
            association.send(context.id, commands.cancel(9))
        association.send(message.context.id, message.command.response(0))
    assert message.command.status == status.CANCELLED
    assert message.command.number(commands.COMPLETED) == stored == 3
    association.release()


def test_a_requestor_that_leaves_ends_its_move(
    node: Running, other: Running, head: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    node.store(*head)
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()
    answer = StoreSCP.answer

    def held(self: StoreSCP, association: object, message: object) -> bool:
        begun.set()
        assert go_on.wait(30)
        return answer(self, association, message)  # type: ignore[arg-type]  # what the entity gave

    monkeypatch.setattr(StoreSCP, "answer", held)
    finished = node.entity.ended

    def note(*args: object) -> None:
        finished(*args)  # type: ignore[arg-type]  # what the entity gave
        ended.set()

    monkeypatch.setattr(node.entity, "ended", note)
    client = node.client((sop.STUDY_ROOT_MOVE, sop.PLAIN_SYNTAXES))
    context = client._context(sop.STUDY_ROOT_MOVE)
    keys = {"QueryRetrieveLevel": "STUDY", **study_of(head[0])}
    request = commands.request(commands.C_MOVE_RQ, 1, sop.STUDY_ROOT_MOVE, data_set=True, destination="OTHER")
    client.association.send(context.id, request, encode_keys(keys, context.transfer_syntaxes[0]))
    assert begun.wait(30)
    client.association.abort()
    go_on.set()
    assert ended.wait(30)
    assert len(other.instances()) < len(head)
    scu.echo(*node.at)


# ---------------------------------------------------------------- counts and lists


def test_counts_saturate_and_the_list_is_complete() -> None:
    progress = Progress(70_000)
    for number in range(70_000):
        progress.note(f"1.2.3.{number}", "failure")
    assert progress.counts(final=True) == {"completed": 0, "failed": 0xFFFF, "warning": 0}
    assert progress.final_status() == status.CANNOT_PERFORM
    for syntax, vr in ((EXPLICIT, b"UN"), ("1.2.840.10008.1.2", None)):
        data = failed_list(progress.failed_uids, syntax)
        found = pydicom.filereader.read_dataset(
            io.BytesIO(data), is_implicit_VR=vr is None, is_little_endian=True
        )
        assert vr is None or data[4:6] == vr
        value = found[0x00080058].value
        uids = value.decode().rstrip("\0").split("\\") if isinstance(value, bytes) else list(value)
        assert len(uids) == 70_000
        assert uids[-1] == "1.2.3.69999"


@pytest.mark.parametrize(
    ("kinds", "code"),
    [
        (["success"] * 3, 0x0000),
        (["success", "failure"], 0xB000),
        (["success", "warning"], 0xB000),
        (["failure"] * 2, 0xA702),
        ([], 0x0000),
    ],
)
def test_final_status(kinds: list[str], code: int) -> None:
    progress = Progress(len(kinds))
    for number, kind in enumerate(kinds):
        progress.note(str(number), kind)
    assert progress.final_status() == code
    assert progress.remaining == 0


def test_many_classes_are_divided_over_associations() -> None:
    objects = [Outgoing(Path(), f"1.2.{n}", str(n), "1.2.840.10008.1.2.4.70", 0) for n in range(100)]
    groups = storage_proposals(objects)
    assert len(groups) == 2
    assert max(len(g) for g in groups) <= MOST_CONTEXTS
    assert {abstract for g in groups for abstract, _ in g} == {o.sop_class_uid for o in objects}
    first = {abstract for abstract, _ in groups[0]}
    assert not first & {abstract for abstract, _ in groups[1]}


def test_roles_are_given_for_storage_alone() -> None:
    request = pdu.Associate(
        "A", "B",
        (Context(1, MR, (EXPLICIT,)), Context(3, sop.STUDY_ROOT_GET, (EXPLICIT,))),
        roles=(pdu.Role(MR, scu=False, scp=True), pdu.Role(sop.STUDY_ROOT_GET, scu=False, scp=True)),
    )  # fmt: skip
    answer = acceptance.accept(request, acceptance.Rights())
    assert answer.roles == (
        pdu.Role(MR, scu=False, scp=True),
        pdu.Role(sop.STUDY_ROOT_GET, scu=True, scp=False),
    )
    assert dataclasses.replace(answer, roles=()).contexts[0].result == pdu.ACCEPTANCE
