"""A listening application entity on throw-away services, and what tests do with it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pacs_core.dicom.intake import intake_file
from pacs_core.dimse import pdu, scu
from pacs_core.dimse import sop_classes as sop
from pacs_core.dimse.application_entity import ApplicationEntity
from pacs_core.dimse.client import Proposal, connect
from pacs_core.dimse.requesting import Client, Sent
from pacs_core.domain.errors import ReadingRoomError
from pacs_core.domain.records import InstanceRecord, PeerRecord, StudyKeys
from tests.support.spine import Spine, spine

TITLE = "READINGROOM"
SECOND_PER_SERIES = 2


@dataclass
class Running:
    """A node that listens."""

    spine: Spine
    entity: ApplicationEntity
    host: str
    port: int

    @property
    def at(self) -> tuple[str, int, str]:
        """Host, port and title, as the SCUs take them."""
        return self.host, self.port, TITLE

    def store(self, *paths: Path, calling: str = "SCANNER") -> list[Sent]:
        return list(scu.store(*self.at, paths, calling))

    def client(self, *proposals: Proposal, calling: str = "SCANNER") -> Client:
        wanted = proposals or ((sop.VERIFICATION, sop.PLAIN_SYNTAXES),)
        return Client(connect(*self.at, calling, wanted))

    def raw(self) -> socket.socket:
        """A bare connection, for what no library would send."""
        return socket.create_connection((self.host, self.port), timeout=20)

    def peer(
        self, title: str, port: int = 104, host: str = "127.0.0.1", modality: str = "", **rights: bool
    ) -> None:
        may = {"may_store": True, "may_query": True, "may_retrieve": True, "may_worklist": True, **rights}
        record = PeerRecord(title=title, host=host, port=port, modality=modality, station="", **may)
        self.spine.services.configuring.save_peer(record, "test")

    def instances(self) -> list[InstanceRecord]:
        with self.spine.index.read() as tx:
            studies = tx.studies.search(StudyKeys(), 1000)
            return [i for s in studies for i in tx.studies.instances_of(s.id)]

    def unfinished(self) -> list[Path]:
        return list(self.spine.store.unfinished())

    def stored_data_set(self, instance: InstanceRecord) -> bytes:
        return self.spine.store.read(instance.blob_key, instance.dataset_offset)


@contextmanager
def listening(
    folder: Path, host: str = "127.0.0.1", most: int = 64, idle_s: float = 60.0
) -> Iterator[Running]:
    """A node on a folder, stopped at the end."""
    folder.mkdir(exist_ok=True)
    with spine(folder) as made:
        entity = ApplicationEntity(made.services, TITLE, most, idle_s)
        bound, port = entity.start(host, 0)
        try:
            yield Running(made, entity, "127.0.0.1" if bound == "0.0.0.0" else bound, port)
        finally:
            entity.stop()


def storable(shared_data: Path, *folders: str) -> list[Path]:
    """Samples that intake takes; of a long series the first two files."""
    found: list[Path] = []
    for folder in folders:
        per_folder: dict[Path, int] = {}
        for path in sorted(p for p in (shared_data / folder).rglob("*") if p.is_file()):
            count = per_folder[path.parent] = per_folder.get(path.parent, 0) + 1
            if folder.startswith("studies") and count > SECOND_PER_SERIES:
                continue
            try:
                intake_file(path)
            except ReadingRoomError:
                continue
            found.append(path)
    return found


def associate(calling: str = "RAW", called: str = TITLE, *contexts: pdu.Context) -> bytes:
    """An association request, byte for byte as a bare socket sends it."""
    wanted = contexts or (pdu.Context(1, sop.VERIFICATION, sop.PLAIN_SYNTAXES),)
    request = pdu.Associate(called, calling, wanted, implementation_class="1.2.3")
    return pdu.encode_associate(pdu.ASSOCIATE_RQ, request)


def read_pdu(connection: socket.socket) -> tuple[int, bytes]:
    """The next PDU's type and body; (0, b"") where the peer closed the connection."""
    head = _exactly(connection, 6)
    if len(head) < 6:
        return 0, b""
    return head[0], _exactly(connection, int.from_bytes(head[2:6], "big"))


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        try:
            part = connection.recv(count - len(data))
        except ConnectionResetError:
            return data
        if not part:
            return data
        data += part
    return data
