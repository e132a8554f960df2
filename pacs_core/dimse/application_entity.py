"""The listening application entity: associations in, one thread each, requests to the SCPs (PS3.8 9.2)."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections import Counter
from contextlib import suppress

from pacs_core.dimse import commands, pdu
from pacs_core.dimse import sop_classes as sop
from pacs_core.dimse.acceptance import accept
from pacs_core.dimse.admission import TRANSIENT, Admission, Rejection
from pacs_core.dimse.association import LINGER_S, Association, Message, Released, Sink, into_memory
from pacs_core.dimse.auditing import Audit
from pacs_core.dimse.commands import BadCommand, Command
from pacs_core.dimse.commitment import CommitmentSCP
from pacs_core.dimse.connection import Connection, Gone, Stopping
from pacs_core.dimse.find_scp import FindSCP
from pacs_core.dimse.mpps_scp import PerformedSCP
from pacs_core.dimse.mwl_scp import WorklistSCP
from pacs_core.dimse.pdu import ACCEPTANCE, BadPdu, Context
from pacs_core.dimse.retrieve_scp import RetrieveSCP
from pacs_core.dimse.status import SUCCESS, UNRECOGNISED_OPERATION, comment
from pacs_core.dimse.store_scp import IncomingObject, StoreSCP
from pacs_core.domain.records import PeerRecord
from pacs_core.services.bundle import Services

log = logging.getLogger("reading_room.dimse")

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
ARTIM_S = 30.0
"""Seconds in which a new connection has to ask for an association (PS3.8 9.1.5)."""

NOTED_EVERY_S = 60.0
"""While an association is open, what its peer did so far is noted so often."""

STOP_S = 15.0
"""Seconds that requests in flight have to end when the entity stops."""

PAUSE_S = 0.2
"""Between attempts to accept where the system refuses."""

_COMMITMENT = (commands.N_ACTION_RQ, commands.N_EVENT_REPORT_RQ)

UNEXPECTED, INVALID = 2, 6
"""Reasons of an A-ABORT by the provider (PS3.8 9.3.8)."""


class ApplicationEntity:
    """Our AE: accepts associations on one address until it is stopped."""

    def __init__(
        self, services: Services, title: str, max_associations: int = 64, idle_s: float = 300
    ) -> None:
        self.title = title
        self._services = services
        self._most = max_associations
        self._idle_s = float(idle_s)
        self._store = StoreSCP(services.storing)
        audit = Audit(services)
        self._find = FindSCP(services, title, audit)
        self._worklist = WorklistSCP(services, audit)
        self._performed = PerformedSCP(services, audit)
        self._commitment = CommitmentSCP(services.storage_commitment)
        self._retrieve = RetrieveSCP(services, title, audit)
        self._lock = threading.Lock()
        self._running: dict[threading.Thread, Connection] = {}
        self._over = threading.Event()
        self._established = 0
        self._stopping = threading.Event()
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen and accept; the address bound, with the port that was free where 0 was asked for.

        Raises OSError where the address cannot be bound.
        """
        self._admission = Admission(self.title, self._services.configuring.peers, loopback=host in LOOPBACK)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=128)
        self._listener.settimeout(0.5)
        self._thread = threading.Thread(target=self._accept, name="dimse-listener", daemon=True)
        self._thread.start()
        bound = self._listener.getsockname()
        return str(bound[0]), int(bound[1])

    def stop(self) -> None:
        """Stop accepting, let requests in flight end, close what is left."""
        self._stopping.set()
        if self._listener is not None:
            self._listener.close()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            running = dict(self._running)
        for connection in running.values():
            connection.stopping = True
        for thread in running:
            thread.join(STOP_S / max(1, len(running)) + 1.0)
        for thread, connection in running.items():
            if thread.is_alive():
                log.warning("%s did not end in time; its connection is closed", thread.name)
                with suppress(OSError):
                    connection.socket.shutdown(socket.SHUT_RDWR)
                thread.join(5.0)

    def limit(self, max_associations: int, idle_s: float) -> None:
        """Change the limits; associations that are open keep theirs."""
        self._most, self._idle_s = max_associations, float(idle_s)

    @property
    def associations(self) -> int:
        """How many associations are established now."""
        return self._established

    # ── listening ──

    def _accept(self) -> None:
        assert self._listener is not None
        while not self._stopping.is_set():
            try:
                peer, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError as found:
                if self._stopping.is_set():
                    return
                log.error("a connection could not be accepted: %s", found.strerror or found)
                self._stopping.wait(PAUSE_S)  # out of file handles, perhaps: it passes
                continue
            self._begin(peer)

    def _begin(self, peer: socket.socket) -> None:
        connection = Connection(peer)
        thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
        self._reap()
        with self._lock:
            crowded = len(self._running) >= 2 * self._most + 8
            if not crowded:
                self._running[thread] = connection
                thread.start()
        if crowded:
            log.warning("a connection is closed at once: %d are open", len(self._running))
            connection.close()

    def _reap(self) -> None:
        """Forget the threads that have ended."""
        if self._over.is_set():
            self._over.clear()
            with self._lock:
                self._running = {t: c for t, c in self._running.items() if t.is_alive()}

    # ── one association ──

    def _serve(self, connection: Connection) -> None:
        try:
            self._converse(connection)
        except Exception:  # the door's edge: nothing of one peer may end the others
            log.exception("an association ended by an error of ours")
            with suppress(Gone):
                connection.send(pdu.abort(UNEXPECTED, 0))
        finally:
            connection.close()
            self._over.set()

    def _converse(self, connection: Connection) -> None:
        try:
            established = self._establish(connection)
        except (Gone, BadPdu) as found:
            log.info("a connection from %s came to nothing: %s", connection.address, found)
            if isinstance(found, BadPdu):
                with suppress(Gone):
                    connection.send(pdu.abort(UNEXPECTED, INVALID))
                connection.close(LINGER_S)
            return
        if established is None:
            return
        association, peer = established
        threading.current_thread().name = association.name
        try:
            _Conversation(self, association, peer).run()
        finally:
            with self._lock:
                self._established -= 1

    def _establish(self, connection: Connection) -> tuple[Association, PeerRecord | None] | None:
        """Answer the association request; None where it was rejected."""
        kind, length = connection.read_header(ARTIM_S)
        if kind != pdu.ASSOCIATE_RQ or length > pdu.LONGEST_NEGOTIATION:
            raise BadPdu(f"PDU type {kind:02X}H of {length} bytes before any association")
        request = pdu.decode_associate(bytes(connection.read(length)))
        try:
            rights, peer = self._admission.admit(request, connection.address)
            self._take_place()
        except Rejection as refused:
            log.warning("an association from %s is rejected: %s", connection.address, refused)
            connection.send(pdu.reject(refused.result, refused.source, refused.reason))
            connection.close(LINGER_S)
            return None
        answer = accept(request, rights)
        connection.send(pdu.encode_associate(pdu.ASSOCIATE_AC, answer))
        contexts = {c.id: c for c in answer.contexts if c.result == ACCEPTANCE}
        association = Association(
            connection,
            contexts,
            request.max_length,
            calling=request.calling,
            called=request.called,
            idle_s=self._idle_s,
        )
        association.may_store = rights.store  # storage contexts are there for C-GET as well
        association.peer_provides = frozenset(role.sop_class for role in answer.roles if role.scp)
        log.info(
            "%s: %s from %s, %d of %d contexts", association.name, request.calling, association.address,
            len(contexts), len(request.contexts),
        )  # fmt: skip
        return association, peer

    def _take_place(self) -> None:
        with self._lock:
            if self._stopping.is_set():
                raise Rejection(TRANSIENT, 3, 1, "shutting down")
            if self._established >= self._most:
                raise Rejection(TRANSIENT, 3, 2, f"{self._most} associations are open")
            self._established += 1

    # ── requests ──

    def sink_for(self, association: Association, context: Context, command: Command) -> Sink:
        """Where the data set of a message goes: of a C-STORE to the store, of others to memory."""
        if command.field == commands.C_STORE_RQ:
            return self._store.sink(association, context, command)
        return into_memory(association, context, command)

    def dispatch(self, association: Association, message: Message) -> None:
        """Answer one request."""
        command, abstract = message.command, message.context.abstract_syntax
        if command.field == commands.C_STORE_RQ and sop.is_storage(abstract):
            self._store.answer(association, message)
        elif command.field == commands.C_ECHO_RQ:
            association.send(message.context.id, command.response(SUCCESS))
        elif command.field == commands.C_FIND_RQ and abstract == sop.MODALITY_WORKLIST:
            self._worklist.answer(association, message)
        elif command.field == commands.C_FIND_RQ and abstract in sop.FIND:
            self._find.answer(association, message)
        elif command.field == commands.C_MOVE_RQ and abstract in sop.MOVE:
            self._retrieve.move(association, message)
        elif command.field == commands.C_GET_RQ and abstract in sop.GET:
            self._retrieve.get(association, message)
        elif abstract in sop.PERFORMED and command.field in self._performed.serves(abstract):
            self._performed.answer(association, message)
        elif abstract == sop.STORAGE_COMMITMENT and command.field in _COMMITMENT:
            self._commitment.answer(association, message)
        elif command.field & commands.RESPONSE:
            if command.field == commands.N_EVENT_REPORT_RSP and self._commitment.heard(association, message):
                return
            raise BadPdu(f"a {command.name} response to nothing that was asked")
        else:
            words = comment(f"{command.name} is not served on this presentation context")
            association.send(message.context.id, command.response(UNRECOGNISED_OPERATION, comment=words))

    def ended(self, association: Association, peer: PeerRecord | None, did: Counter[str]) -> None:
        """An association is over: tell who watches arrivals, and note what the peer did."""
        self._services.storing.sender_gone(association.name)
        self.noted(peer, did)

    def noted(self, peer: PeerRecord | None, did: Counter[str]) -> None:
        """Note what a configured peer did."""
        if peer is not None and did:
            what = ", ".join(f"{count} {name}" for name, count in did.items())
            self._services.configuring.peer_did(peer.title, what)


class _Conversation:
    """The requests of one association, one after the other, until it ends."""

    def __init__(self, entity: ApplicationEntity, association: Association, peer: PeerRecord | None) -> None:
        self._entity = entity
        self._association = association
        self._peer = peer
        self._did: Counter[str] = Counter()
        self._incoming: IncomingObject | None = None
        self._noted = 0.0

    def run(self) -> None:
        """Serve until release, abort, silence or an error of the peer."""
        association = self._association
        try:
            while True:
                self._request()
        except Released:
            log.info("%s: released", association.name)
        except Stopping:
            association.abort(UNEXPECTED, 0)
        except Gone as found:
            log.info("%s: %s", association.name, found)
            association.abort(UNEXPECTED, 0)
        except (BadPdu, BadCommand) as found:
            log.warning("%s: aborted: %s", association.name, found)
            association.abort(UNEXPECTED, INVALID)
        finally:
            if self._incoming is not None:
                self._incoming.drop()
            self._entity.ended(association, self._peer, self._did)

    def _request(self) -> None:
        self._incoming = None
        message = self._association.receive(self._sink)
        self._did[message.command.name] += 1
        if time.monotonic() - self._noted >= NOTED_EVERY_S:  # an association may stay open for hours
            self._noted = time.monotonic()
            self._entity.noted(self._peer, self._did)
        self._incoming = None  # from here on the SCP owns it
        self._association.cancelled.clear()
        self._entity.dispatch(self._association, message)
        if self._association.connection.stopping:
            raise Stopping("shutting down")

    def _sink(self, association: Association, context: Context, command: Command) -> Sink:
        sink = self._entity.sink_for(association, context, command)
        if isinstance(sink, IncomingObject):
            self._incoming = sink
        return sink
