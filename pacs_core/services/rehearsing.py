"""A rehearsal on a live node: what it needs for its time, and everything of it removed again."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, replace

from pacs_core.domain.access import Actor, Role
from pacs_core.domain.errors import NotFound, ReadingRoomError
from pacs_core.domain.events import Event
from pacs_core.domain.order import OrderState
from pacs_core.domain.records import Hl7SourceRecord, PeerRecord, StudyRecord
from pacs_core.domain.rehearsal import PREFIX, Removed, counted
from pacs_core.domain.times import instant
from pacs_core.ports import BlobStore, Clock, Index, Transaction
from pacs_core.services.access import Access
from pacs_core.services.configuring import Configuring
from pacs_core.services.reconciling import received_of

log = logging.getLogger("reading_room.node")

PORT = 104
"""What the rehearsal's scanner gives as its own port; it only ever calls."""


@dataclass(frozen=True, slots=True)
class Begun:
    """The one name of a rehearsal's reader, HL7 source and scanner, and the reader's password."""

    name: str
    password: str


class Rehearsing:
    """Begins and ends rehearsals; what one left that was killed is removed before the next, or at a start."""

    def __init__(
        self, index: Index, blobs: BlobStore, clock: Clock, access: Access, configuring: Configuring
    ) -> None:
        self._index = index
        self._blobs = blobs
        self._clock = clock
        self._access = access
        self._configuring = configuring

    def begin(self, hl7_host: str, dicom_host: str, actor: Actor) -> Begun:
        """Make a reader, an HL7 source and a scanner that call from these hosts; raises InvalidValue."""
        self.end(actor.name)
        begun = Begun(f"{PREFIX}-{secrets.token_hex(3).upper()}", secrets.token_urlsafe(24))
        name = begun.name
        try:
            self._configuring.save_source(Hl7SourceRecord(name, hl7_host, "", "", ""), actor.name)
            peer = PeerRecord(name, dicom_host, PORT, "OT", name, True, True, False, True)
            self._configuring.save_peer(peer, actor.name)
            self._access.add_account(name, Role.READER.value, begun.password, "Rehearsal", actor.name)
        except ReadingRoomError:
            self.end(actor.name)
            raise
        self._access.note(actor, "rehearse", name)
        return begun

    def any_left(self) -> bool:
        """Say whether a rehearsal was begun and not ended: one is on, or was killed."""
        with self._index.read() as tx:
            return tx.rehearsals.any_left()

    def end(self, by: str) -> Removed:
        """Remove every row, file and account of rehearsals; journal and audit keep their lines."""
        removed = self._index.write(lambda tx: self._remove(tx, by))
        for key in removed.blob_keys:
            self._blobs.remove(key)
        if removed.anything:
            log.info("rehearsal removed: %s", counted(removed.rows))
        return removed

    def _remove(self, tx: Transaction, by: str) -> Removed:
        for study in tx.rehearsals.strangers():
            self._give_back(tx, study, by)
        for order_id in tx.rehearsals.borrowed_orders():
            self._free(tx, order_id)
        removed = tx.rehearsals.remove()
        if removed.anything:
            for uid in removed.study_uids:
                tx.record(Event("study.removed", 0, study_uid=uid, subject=f"study:{uid}", actor=by))
            tx.record(Event("rehearsal.removed", 0, subject=PREFIX, actor=by, detail=dict(removed.rows)))
            tx.audit.append(by, "", "remove rehearsal", PREFIX, "allowed", counted(removed.rows), "")
        return removed

    def _give_back(self, tx: Transaction, study: StudyRecord, by: str) -> None:
        """A real study that somebody linked to the rehearsal's order: held again, as it came."""
        received = received_of(study)
        known = next((h for h in tx.holds.resolved(1000) if h.study_uid == study.study_uid), None)
        patient_id = known.previous_patient_id if known and known.previous_patient_id else study.patient_id
        tx.studies.unlink_requests(study.id)
        back = tx.studies.update(study.study_uid, order_id=None, patient_id=patient_id, reconciliation="held")
        for report in tx.reports.of_study(study.study_uid):
            tx.reports.update(report.id, order_id=None, patient_id=patient_id)
        reason = "it was linked to an order of a rehearsal, which is over"
        tx.holds.add(study.study_uid, "rehearsal", reason, instant(self._clock.now()))
        tx.record(
            Event(
                "study.held",
                5,
                patient_id=back.patient_id,
                study_uid=received.study_uid,
                subject=f"study:{received.study_uid}",
                actor=by,
                detail={"kind": "rehearsal"},
            )
        )

    def _free(self, tx: Transaction, order_id: int) -> None:
        """A real order that only a rehearsal's study was linked to: it is scheduled again."""
        try:
            order = tx.orders.get(order_id)
        except NotFound:
            return
        if order.state is OrderState.IN_PROGRESS and len(tx.studies.of_order(order_id)) == 1:
            steps = tuple(replace(step, state=OrderState.SCHEDULED) for step in order.steps)
            tx.orders.save(
                replace(order, state=OrderState.SCHEDULED, steps=steps), instant(self._clock.now())
            )
