"""A running node: folder, index, services, workers and listeners, started in order and stopped in reverse."""

from __future__ import annotations

import hmac
import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from pacs_core.archive import models as m
from pacs_core.archive.local import LocalArchive, LocalDoor
from pacs_core.database.opening import open_index
from pacs_core.domain.access import OWNER, Actor, Role
from pacs_core.domain.errors import Conflict, ReadingRoomError, Refused
from pacs_core.hl7.sender import MLLPTransmitter
from pacs_core.ports import Clock
from pacs_core.runtime import VERSION
from pacs_core.runtime.addresses import lan_addresses, place, reachable_url
from pacs_core.runtime.changing import change, listed
from pacs_core.runtime.clock import SystemClock
from pacs_core.runtime.data_folder import INDEX, RESTORING, STORE, Hold, announce, prepare, withdraw
from pacs_core.runtime.io_loop import IoLoop
from pacs_core.runtime.settings import LOOPBACK, Settings, certificate_context
from pacs_core.runtime.sweep import sweep
from pacs_core.runtime.workers import CommitmentOutbox, DeliveryWorker, Outbox
from pacs_core.services.bundle import Services
from pacs_core.storage.folder import FolderStore, sync_directory

if TYPE_CHECKING:
    from pacs_core.dimse.application_entity import ApplicationEntity
    from pacs_core.hl7.receiver import Receiver
    from pacs_core.web.node import Metric

log = logging.getLogger("reading_room.node")

QUARANTINE = "quarantine"


class Node:
    """The PACS core in this process; `serve` wraps it, tests use it directly."""

    def __init__(self, settings: Settings, *, secret: str = "", clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock(settings.site_zone)
        self.secret = secret or secrets.token_urlsafe(32)
        self.dicom = self.hl7 = self.http = ""
        self.demo_facts = m.SignIn(node="Reading Room")
        self.on_stop: Callable[[], object] | None = None
        self._closing = ExitStack()
        self._opened = False
        self._changing = threading.Lock()
        self._entity: ApplicationEntity | None = None
        self._hearing: Receiver | None = None

    # ── starting and stopping ──

    def open(self) -> Node:
        """Take the folder and open index and store, without any listener."""
        if self._opened:
            return self
        self.data = prepare(self.settings.data)
        hold = Hold(self.data)
        self._closing.callback(hold.release)
        if (self.data / RESTORING).exists():
            self._closing.close()
            raise Refused("a restore into this data folder was cut off: run it again", "--data")
        withdraw(self.data)  # what a killed node left behind points nowhere now
        try:
            index = open_index(self.data / INDEX, self.clock, sync_directory)
            self._closing.callback(index.close)
            self.store = FolderStore(self.data / STORE, self.settings.store_reserve_mb << 20)
            transmitter = MLLPTransmitter(self.clock)
            self._closing.callback(transmitter.close)
            self.services = Services(index, self.store, self.clock, transmitter)
            self._closing.callback(self.services.configuring.write_down)
            swept = sweep(self.services, self.store, self.data / QUARANTINE)
            if swept["indexed"] or self.services.rehearsing.any_left():
                self.services.rehearsing.end("start")
        except BaseException:
            self._closing.close()
            raise
        self._opened = True
        return self

    def start(self) -> Node:
        """Open, then start workers and listeners; every listener accepts when this returns."""
        self.open()
        try:
            self._start_hl7_and_http()
            self._start_dicom()
            self._work_through(self.services.delivering)
            self._work_through(self._commitments())
            announce(self.data, self._facts_for_owner())
            self._closing.callback(withdraw, self.data)
        except BaseException:
            self.stop()
            raise
        log.info("ready: dicom %s, hl7 %s, http %s", self.dicom, self.hl7, self.http)
        return self

    def _work_through(self, outbox: Outbox) -> None:
        worker = DeliveryWorker(outbox, self.services.index, self.clock)
        worker.start()
        self._closing.callback(worker.stop)

    def _commitments(self) -> CommitmentOutbox:
        from pacs_core.dimse.commitment import CommitmentCarrier

        commitment = self.services.storage_commitment
        return CommitmentOutbox(commitment, CommitmentCarrier(self.settings.dicom_ae, commitment))

    def stop(self) -> None:
        """Stop accepting, finish what is in flight, close in reverse order."""
        self._closing.close()
        self._hearing = None
        self._opened = False

    def __enter__(self) -> Node:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ready(self) -> dict[str, object]:
        """The facts of the READY line."""
        return {
            "dicom": self.dicom,
            "ae": self.settings.dicom_ae,
            "hl7": self.hl7,
            "http": self.http,
            "data": str(self.data),
            "pid": os.getpid(),
        }

    def _facts_for_owner(self) -> dict[str, object]:
        """What the folder's owner needs to come in: how to reach the HTTP door, the secret, whom to trust."""
        facts = {**self.ready(), "http": reachable_url(self.http), "secret": self.secret}
        return {**facts, "certificate": self.settings.http_certificate}

    def _start_dicom(self) -> None:
        from pacs_core.dimse.application_entity import ApplicationEntity

        entity = ApplicationEntity(
            self.services,
            self.settings.dicom_ae,
            self.settings.dicom_max_associations,
            self.settings.dicom_idle_s,
        )
        self._entity = entity
        with _opening("dicom", self.settings):
            host, port = entity.start(self.settings.dicom_host, self.settings.dicom_port)
        self._closing.callback(entity.stop)
        self.dicom = place(host, port)

    def _start_hl7_and_http(self) -> None:
        loop = IoLoop()
        self._closing.callback(loop.stop)
        self._start_hl7(loop)
        self._start_http(loop)

    def _start_hl7(self, loop: IoLoop) -> None:
        from pacs_core.hl7 import ack
        from pacs_core.hl7.server import MLLPServer

        self._hearing = receiver = self._receiver()
        self._closing.callback(receiver.close)
        receiver.resume()
        server = MLLPServer(
            receiver.receive,
            refuse=ack.refusal,
            tls=certificate_context(self.settings, "hl7"),
        )
        with _opening("hl7", self.settings):
            host, port = loop.call(server.start(self.settings.hl7_host, self.settings.hl7_port))
        self._closing.callback(lambda: loop.call(server.stop()))
        self.hl7 = place(host, port)

    def _receiver(self) -> Receiver:
        from pacs_core.hl7.receiver import Receiver
        from pacs_core.hl7.sources import Sources

        configuring = self.services.configuring
        sources = Sources(configuring.sources, open_door=self.settings.hl7_host in LOOPBACK)
        return Receiver(self.services.inbound, sources, self.clock, heard=configuring.source_did)

    def _start_http(self, loop: IoLoop) -> None:
        from pacs_core.runtime.http_server import HttpServer
        from pacs_core.web.app import WebSettings, make_app

        app = make_app(
            WebView(self),
            WebSettings(
                hosts=self.settings.http_hosts,
                origins=self.settings.http_origins,
                version=VERSION,
                max_object=self.settings.http_max_object_mb << 20,
            ),
        )
        certificate_context(self.settings, "http")  # a bad one is named by its key
        server = HttpServer(app, self.settings.http_certificate, self.settings.http_key)
        with _opening("http", self.settings):
            host, port = server.start(loop, self.settings.http_host, self.settings.http_port)
        self._closing.callback(server.stop, loop)
        scheme = "https" if self.settings.http_certificate else "http"
        self.http = f"{scheme}://{place(host, port)}"

    # ── what others ask of it ──

    def owner(self, address: str = "") -> Actor:
        """The owner of the data folder: an admin by holding it."""
        return Actor(OWNER, Role.ADMIN, "owner of the data folder", "", address)

    def archive(self, actor: Actor, *, local_files: bool = True) -> LocalArchive:
        """The archive as that actor sees it."""
        return LocalArchive(self.services, actor, self, local_files=local_files)

    def door(self, *, local_files: bool = True) -> LocalDoor:
        """A door in this process."""
        return LocalDoor(self.services, self, self.sign_in_facts, local_files=local_files)

    def sign_in_facts(self) -> m.SignIn:
        """What the sign-in page may show."""
        facts = self.demo_facts
        return m.SignIn(
            facts.node,
            facts.demo_user,
            facts.demo_password,
            facts.demo_others,
            bool(self.services.access.accounts()),
            self.warnings(),
        )

    def warnings(self) -> tuple[str, ...]:
        """Warnings that stay while the settings are as they are."""
        found = []
        for door in ("hl7", "http"):
            host = getattr(self.settings, f"{door}_host")
            if host not in LOOPBACK and not getattr(self.settings, f"{door}_certificate"):
                found.append(f"{door.upper()} is open beyond this machine without encryption")
        return tuple(found)

    def info(self) -> m.NodeInfo:
        """Addresses, data folder, warnings and checks."""
        with self.services.index.read() as tx:
            studies, images = tx.studies.count()
        return m.NodeInfo(
            version=VERSION,
            dicom=self.dicom,
            ae=self.settings.dicom_ae,
            hl7=self.hl7,
            http=self.http,
            data=str(self.data),
            zone=self.clock.zone_name,
            today=self.clock.civil_now().date().isoformat(),
            lan_addresses=lan_addresses(),
            warnings=self.warnings(),
            demo=self.settings.demo,
            free_bytes=self.store.free_bytes(),
            images=images,
            studies=studies,
            checks=self.checks(),
            idle_lock_min=self.settings.reading_idle_lock_min,
        )

    def echo(self, title: str) -> m.Check:
        """C-ECHO a peer and say what happened."""
        from pacs_core.dimse import scu

        peer = self.services.configuring.peer(title)
        if peer is None:
            return m.Check(title, "fail", "there is no such peer", "add it with `ae add`")
        try:
            scu.echo(peer.host, peer.port, peer.title, self.settings.dicom_ae)
        except ReadingRoomError as error:
            return m.Check(
                title, "fail", error.message, "check host, port, AE title and the firewall on both sides"
            )
        return m.Check(title, "ok", f"{peer.title} at {peer.host}:{peer.port} answered")

    def stop_soon(self) -> None:
        """Ask the program around the node to end it; raises Conflict where it is part of another one."""
        if self.on_stop is None:
            raise Conflict("this node runs inside another program: end that one", "node")
        self.on_stop()

    def left_behind(self) -> None:
        """The window that started this node is gone: the next one may take it over."""
        announce(self.data, {**self._facts_for_owner(), "left_behind": True})

    def settings_list(self) -> tuple[m.Setting, ...]:
        """Every setting with its words; raises InvalidValue where the file cannot be read any more."""
        return listed(self.settings)

    def save_settings(self, values: Mapping[str, object]) -> tuple[m.Setting, ...]:
        """Write settings and follow those that can be followed at once; raises InvalidValue, Refused."""
        with self._changing:
            self.settings = after = change(self.settings, values)
        self.store.reserve_bytes = after.store_reserve_mb << 20
        if self._entity is not None:
            self._entity.limit(after.dicom_max_associations, after.dicom_idle_s)
        return listed(after)

    def process(self, message_id: int) -> None:
        """Carry out a journalled HL7 message now; raises Refused for a source with an unreadable map."""
        if self._hearing is not None:
            self._hearing.process(self.services.inbound.get(message_id))
            return
        receiver = self._receiver()
        try:
            receiver.process(self.services.inbound.get(message_id))
        finally:
            receiver.close()

    def check_field_map(self, text: str) -> None:
        """Raise InvalidValue naming the line of a bad HL7 field map."""
        from pacs_core.hl7.sources import read_map

        read_map(text, "")

    def checks(self) -> tuple[m.Check, ...]:
        """Readiness: index, store and room on the disk."""
        free = self.store.free_bytes()
        reserve = self.settings.store_reserve_mb << 20
        state = "fail" if free < reserve else "warn" if free < 4 * reserve else "ok"
        disk = m.Check(
            "disk", state, f"{free >> 20} MB free", "" if state == "ok" else "make room on the disk"
        )
        writable = os.access(self.data, os.W_OK)
        return (disk, m.Check("data folder", "ok" if writable else "fail", str(self.data)))

    def metrics(self) -> Iterable[Metric]:
        """Figures for Prometheus."""
        from pacs_core.web.node import Metric

        with self.services.index.read() as tx:
            studies, images = tx.studies.count()
            waiting = len(tx.deliveries.open())
            held = len(tx.holds.all_open())
            sequence = tx.journal.newest()
        yield Metric("reading_room_studies", "Studies in the archive", studies)
        yield Metric("reading_room_instances", "Instances in the archive", images)
        yield Metric("reading_room_deliveries_open", "Results not delivered yet", waiting)
        yield Metric("reading_room_held_studies", "Studies that wait for a person", held)
        yield Metric("reading_room_journal_sequence_total", "Facts in the journal", sequence)
        yield Metric(
            "reading_room_disk_free_bytes", "Free bytes of the data folder's disk", self.store.free_bytes()
        )


class WebView:
    """The node as the HTTP doors see it; implements `web.node.WebNode`."""

    def __init__(self, node: Node) -> None:
        self._node = node
        services = node.services
        self.access = services.access
        self.querying = services.querying
        self.retrieving = services.retrieving
        self.storing = services.storing
        self.owner: Callable[[str], Actor] = node.owner
        self.sign_in_facts = node.sign_in_facts
        self.checks = node.checks
        self.metrics = node.metrics

    def check_secret(self, secret: str) -> bool:
        """Say, in constant time, whether this is the secret of this start."""
        return hmac.compare_digest(secret.encode(), self._node.secret.encode())

    def archive(self, actor: Actor, shares_disk: bool) -> LocalArchive:
        """The archive as that actor sees it."""
        return self._node.archive(actor, local_files=shares_disk)

    def wait_for_change(self, after: int, timeout_s: float) -> int:
        """The newest journal number, once it is past `after` or the time is over."""
        return self._node.services.index.wait_for_change(after, timeout_s)


@contextmanager
def _opening(door: str, settings: Settings) -> Iterator[None]:
    """Name the door and its address where its listener cannot be opened."""
    try:
        yield
    except OSError as error:
        place = f"{getattr(settings, f'{door}_host')}:{getattr(settings, f'{door}_port')}"
        words = os.strerror(error.errno) if error.errno else str(error)
        raise Refused(
            f"the {door.upper()} listener cannot be opened on {place}: {words}", f"--{door}"
        ) from error
