"""C-STORE over real sockets: kept as it came, safe before Success, refused in the protocol's words."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pacs_core.dicom.intake import intake_file
from pacs_core.dicom.part10 import locate, part10_prefix
from pacs_core.dimse import commands, pdu, scu, status, store_scp
from pacs_core.dimse.sending import Outgoing
from pacs_core.domain.errors import OutOfSpace, Refused, StorageFailure
from pacs_core.services.storing import Kept, Storing
from tests.support.dimse_node import Running, associate, listening, read_pdu, storable

MR = "1.2.840.10008.5.1.4.1.1.4"
SAMPLES = ("transfer-syntaxes", "objects", "charsets", "dicomdir/98892001", "studies")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Running]:
    with listening(tmp_path / "node") as running:
        yield running


@pytest.fixture
def small(shared_data: Path) -> Path:
    return shared_data / "broken/derived/no-pixel-data.dcm"


def data_set(path: Path) -> bytes:
    return path.read_bytes()[intake_file(path).source_offset :]


def test_every_kind_of_object_is_kept_and_given_back_byte_for_byte(
    node: Running, shared_data: Path, tmp_path: Path
) -> None:
    wanted: dict[str, bytes] = {}
    sending: list[Path] = []
    for path in storable(shared_data, *SAMPLES):
        uid = intake_file(path).header.sop_instance_uid
        if uid not in wanted:  # a few samples share a UID
            wanted[uid] = data_set(path)
            sending.append(path)
    sent = node.store(*sending)
    assert {s.kind for s in sent} == {"success"}
    assert len(wanted) > 170
    kept = node.instances()
    assert {i.sop_instance_uid for i in kept} == set(wanted)
    for instance in kept:
        assert node.stored_data_set(instance) == wanted[instance.sop_instance_uid]
        assert instance.digest == hashlib.sha256(wanted[instance.sop_instance_uid]).hexdigest()
    storage = list(dict.fromkeys((i.sop_class_uid, (i.transfer_syntax_uid,)) for i in kept))
    got = 0
    for study in scu.find(*node.at, {"StudyInstanceUID": ""}):
        keys = {"StudyInstanceUID": study["StudyInstanceUID"]}
        moved = scu.get(*node.at, keys, tmp_path, storage=storage[:120])
        for file in moved.files:
            assert data_set(file) == wanted[file.stem]
        got += len(moved.files)
        assert moved.completed == len(moved.files)
        for uid in moved.failed_uids:  # its class and syntax did not fit into 128 contexts
            assert uid in wanted
    assert got > 0.9 * len(wanted)


def test_file_meta_names_who_sent_it(node: Running, small: Path) -> None:
    node.store(small, calling="CT1")
    (instance,) = node.instances()
    head = node.spine.store.read(instance.blob_key, 0, instance.dataset_offset)
    assert head[128:132] == b"DICM"
    assert b"CT1" in head
    assert (
        intake_file(node.spine.store.place(instance.blob_key)).header.sop_instance_uid
        == instance.sop_instance_uid
    )


def test_success_waits_for_the_archive(node: Running, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No response leaves before `keep` has returned: file, directory and index row are synced by then."""
    reached, go_on = threading.Event(), threading.Event()
    keep = Storing.keep

    def slow(self: Storing, *args: object) -> Kept:
        reached.set()
        assert go_on.wait(30)
        return keep(self, *args)  # type: ignore[arg-type]  # what the SCP gave

    monkeypatch.setattr(Storing, "keep", slow)
    sent: list[scu.Sent] = []
    sender = threading.Thread(target=lambda: sent.extend(node.store(small)))
    sender.start()
    assert reached.wait(30)
    assert not sent
    assert not node.instances()
    go_on.set()
    sender.join(30)
    assert [s.kind for s in sent] == ["success"]


def test_the_same_again_is_one_copy_and_success(node: Running, small: Path) -> None:
    assert [s.status for s in (*node.store(small), *node.store(small))] == [0, 0]
    assert len(node.instances()) == 1
    assert len(list(node.spine.store.keys())) == 1


def test_other_bytes_under_a_uid_are_kept_beside(node: Running, shared_data: Path) -> None:
    first = shared_data / "broken/derived/same-uid-other-pixels.dcm"
    second = shared_data / "broken/derived/trailing-garbage.dcm"
    assert intake_file(first).header.sop_instance_uid == intake_file(second).header.sop_instance_uid
    assert [s.status for s in node.store(first, second)] == [0, 0]
    with node.spine.index.read() as tx:
        assert len(tx.studies.versions_of(intake_file(first).header.sop_instance_uid)) == 2
        assert "other bytes" in [h.kind for h in tx.holds.all_open()]


@pytest.mark.parametrize(
    ("error", "code"),
    [(OutOfSpace("the disk is nearly full"), 0xA700), (StorageFailure("the store failed"), 0xA700)],
)
def test_a_store_that_fails_is_told(
    node: Running, small: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    def fail(self: Storing, *args: object) -> Kept:
        raise error

    monkeypatch.setattr(Storing, "keep", fail)
    (sent,) = node.store(small)
    assert (sent.kind, sent.status, sent.words) == ("failure", code, str(error))
    monkeypatch.undo()
    assert node.store(small)[0].kind == "success"
    assert not node.unfinished()


def test_a_full_disk_is_told_at_the_end_of_a_large_object(
    node: Running, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shared_data / "transfer-syntaxes/ct/1.2.840.10008.1.2.1_LittleEndianExplicit.dcm"
    monkeypatch.setattr(store_scp, "IN_MEMORY", 1000)

    def full(self: Storing, door: str = "", digest: str = "") -> None:
        raise OutOfSpace("the disk is nearly full")

    monkeypatch.setattr(Storing, "begin", full)
    assert node.store(path)[0].status == 0xA700
    monkeypatch.undo()
    assert node.store(path)[0].status == 0


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("no-study-uid.dcm", 0xA900, "StudyInstanceUID (0020,000D) is missing"),
        ("truncated-in-pixels.dcm", 0xC000, "Truncated: PixelData (7FE0,0010) at byte"),
        ("uid-too-long.dcm", 0xA900, "StudyInstanceUID (0020,000D) has 83 characters"),
        ("text-renamed.dcm", 0xC000, "Not readable: "),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(
    node: Running, shared_data: Path, name: str, code: int, words: str
) -> None:
    path = shared_data / "broken/derived" / name
    uid = "1.3.6.1.4.1.5962.1.1.4.1.1.20040826185059.5457"
    start = locate(path.read_bytes()).start if path.read_bytes()[128:132] == b"DICM" else 0
    with node.client((MR, ("1.2.840.10008.1.2.1",))) as client:
        sent = client.store(Outgoing(path, MR, uid, "1.2.840.10008.1.2.1", start))
    assert (sent.kind, sent.status) == ("failure", code)
    assert sent.words.startswith(words)
    assert not node.instances()
    assert not node.unfinished()


def test_another_object_than_the_request_names_is_refused(node: Running, small: Path) -> None:
    outgoing = dataclasses.replace(scu.outgoing_of(small), sop_instance_uid="1.2.3.4")
    (sent,) = scu.store(*node.at, [outgoing])
    assert sent.status == 0xC000
    assert sent.words.startswith("The data set's SOP Instance UID")
    assert not node.instances()


def test_large_objects_go_to_the_disk_as_they_come(
    node: Running, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_scp, "IN_MEMORY", 100_000)
    biggest: list[int] = []
    write = store_scp.IncomingObject.write

    def watched(self: store_scp.IncomingObject, data: memoryview) -> None:
        write(self, data)
        biggest.append(len(self._association.scratch))

    monkeypatch.setattr(store_scp.IncomingObject, "write", watched)
    path = shared_data / "studies/us-stress-echo"
    large = max((p for p in path.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    assert large.stat().st_size > 200_000
    assert node.store(large)[0].kind == "success"
    assert max(biggest) <= 2 * (100_000 + len(part10_prefix("1." * 32, "1." * 32, "1." * 32, "A" * 16)))
    (instance,) = node.instances()
    assert node.stored_data_set(instance) == data_set(large)
    assert instance.size == len(data_set(large))


def test_private_and_unknown_classes_and_syntaxes_are_kept(
    node: Running, small: Path, tmp_path: Path
) -> None:
    raw = data_set(small)
    private = "1.3.46.670589.5.0.1"
    changed = raw.replace(MR.encode() + b"\0", private.encode().ljust(len(MR) + 1, b"\0"))
    assert changed != raw
    path = tmp_path / "private.dcm"
    path.write_bytes(changed)
    uid = intake_file(small).header.sop_instance_uid
    (sent,) = scu.store(*node.at, [Outgoing(path, private, uid, "1.2.3.4.5", 0)])
    assert sent.kind == "success"
    (instance,) = node.instances()
    assert (instance.sop_class_uid, instance.transfer_syntax_uid) == (private, "1.2.3.4.5")
    assert node.stored_data_set(instance) == changed


def test_an_association_aborted_in_mid_object_leaves_nothing(
    node: Running, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_scp, "IN_MEMORY", 1000)
    arrived = threading.Event()
    spill = store_scp.IncomingObject._spill

    def seen(self: store_scp.IncomingObject) -> None:
        spill(self)
        arrived.set()

    monkeypatch.setattr(store_scp.IncomingObject, "_spill", seen)
    connection = node.raw()
    connection.sendall(associate("RAW", "ANY", pdu.Context(1, MR, ("1.2.840.10008.1.2",))))
    assert read_pdu(connection)[0] == pdu.ASSOCIATE_AC
    command = commands.request(commands.C_STORE_RQ, 1, MR, data_set=True, affected_instance="1.2.3").encode()
    connection.sendall(value(1, 3, command) + value(1, 0, os.urandom(5000)))
    assert arrived.wait(30)
    assert node.unfinished()
    connection.sendall(pdu.abort(0, 0))
    connection.close()
    node.entity.stop()
    assert not node.unfinished()
    assert not node.instances()


def value(context: int, flags: int, data: bytes) -> bytes:
    """A P-DATA-TF with one value."""
    body = (len(data) + 2).to_bytes(4, "big") + bytes((context, flags)) + data
    return pdu.pdu(pdu.DATA, body)


def test_study_stops_arriving_when_its_sender_leaves(node: Running, small: Path) -> None:
    study = intake_file(small).header.study_instance_uid
    (outgoing,) = [scu.outgoing_of(small)]
    with node.client((outgoing.sop_class_uid, (outgoing.transfer_syntax_uid,))) as client:
        client.store(outgoing)
        assert node.spine.services.storing.arriving(study)
    node.entity.stop()
    assert not node.spine.services.storing.arriving(study)


def test_a_sender_whose_images_the_index_refused_is_not_waited_for(
    node: Running, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = intake_file(small).header.study_instance_uid

    def refuses(*_: object) -> Kept:
        raise StorageFailure("the index could not commit", "index")

    monkeypatch.setattr(Storing, "_index_object", refuses)
    assert node.store(small)[0].status == status.OUT_OF_RESOURCES
    node.entity.stop()
    assert not node.spine.services.storing.arriving(study)


def test_a_peer_that_may_not_store_has_its_contexts_rejected(node: Running, small: Path) -> None:
    node.peer("VIEWER", may_store=False, may_retrieve=False)
    with pytest.raises(Refused, match="supports none of what was proposed"):
        node.store(small, calling="VIEWER")
    node.peer("CT1", may_query=False, may_worklist=False, may_retrieve=False)
    assert node.store(small, calling="CT1")[0].kind == "success"
    with pytest.raises(Refused):
        scu.find(*node.at, {}, "CT1")
    scu.echo(*node.at, "CT1")


def test_a_peer_that_may_only_retrieve_cannot_store_on_the_contexts_it_is_given(
    node: Running, small: Path
) -> None:
    node.peer("VIEWER", may_store=False)
    (outgoing,) = [scu.outgoing_of(small)]
    with node.client((outgoing.sop_class_uid, (outgoing.transfer_syntax_uid,)), calling="VIEWER") as client:
        assert client.store(outgoing).status == status.NOT_AUTHORISED
    assert node.instances() == []
    assert node.unfinished() == []


def test_what_a_peer_did_is_noted(node: Running, small: Path) -> None:
    node.peer("CT1")
    node.store(small, calling="CT1")
    node.entity.stop()
    peer = node.spine.services.configuring.peer("CT1")
    assert peer is not None
    assert peer.last_did == "1 C-STORE"
    assert peer.last_seen
