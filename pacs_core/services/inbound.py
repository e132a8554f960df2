"""Received HL7 messages: journalled raw before anything else, applied in one transaction, kept for a
person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pacs_core.domain.errors import Conflict
from pacs_core.domain.events import Event
from pacs_core.domain.order import CancelOrder, PlaceOrder
from pacs_core.domain.patient import MergePatients, RegisterPatient
from pacs_core.domain.records import MessageRecord
from pacs_core.domain.times import instant
from pacs_core.ports import Clock, Index, Transaction
from pacs_core.services.orders import Orders
from pacs_core.services.patients import Patients

Command = RegisterPatient | MergePatients | PlaceOrder | CancelOrder


class Inbound:
    """The message log and what its messages do."""

    def __init__(self, index: Index, clock: Clock, patients: Patients, orders: Orders) -> None:
        self._index = index
        self._clock = clock
        self._patients = patients
        self._orders = orders

    def accept(
        self,
        raw: bytes,
        *,
        source: str,
        address: str,
        sender: str,
        control_id: str,
        digest: str,
        message_type: str,
    ) -> tuple[MessageRecord, bool]:
        """Journal the raw bytes (synced when this returns); or the earlier twin, with True, that has its
        answer.
        """

        def accept(tx: Transaction) -> tuple[MessageRecord, bool]:
            twin = tx.messages.duplicate_of(sender, control_id, digest)
            if twin is not None:
                return twin, True
            record = MessageRecord(
                id=0,
                received_at=instant(self._clock.now()),
                source=source,
                address=address,
                control_id=control_id,
                sender=sender,
                digest=digest,
                message_type=message_type,
                raw=raw,
                state="received",
                reason="",
                ack=b"",
            )
            return tx.messages.add(record), False

        return self._index.write(accept)

    def apply(
        self, message_id: int, commands: Sequence[Command], ack: bytes, parked: str = ""
    ) -> MessageRecord:
        """Carry out what the message asks for, with its acknowledgement, in one commit.

        `parked` says why a person must look at it (then the state is parked, whatever was carried out).
        Raises what the commands raise; then nothing of the message was done (see `fail`).
        """

        def apply(tx: Transaction) -> MessageRecord:
            message = tx.messages.get(message_id)
            for command in commands:
                self._carry_out(tx, command, message)
            state = "parked" if parked else "processed"
            if parked:
                tx.record(_event("message.parked", message, {"why": parked}))
            return tx.messages.update(message_id, state=state, reason=parked, ack=ack)

        return self._index.write(apply)

    def fail(self, message_id: int, reason: str, ack: bytes) -> MessageRecord:
        """Note that a message could not be carried out and what was answered; a person sees it in the
        Inbox.
        """

        def fail(tx: Transaction) -> MessageRecord:
            message = tx.messages.update(message_id, state="failed", reason=reason, ack=ack)
            tx.record(_event("message.failed", message, {"why": reason}))
            return message

        return self._index.write(fail)

    def late(self, message_id: int, ack: bytes) -> MessageRecord:
        """Note the acknowledgement of a message that is accepted and still being processed."""
        return self._index.write(lambda tx: tx.messages.update(message_id, ack=ack))

    def done(self, message_id: int, note: str, actor: str) -> None:
        """A person has dealt with it."""

        def done(tx: Transaction) -> None:
            message = tx.messages.update(
                message_id, state="done", handled_by=actor, reason=note or "dealt with"
            )
            tx.record(_event("message.done", message, {"by": actor}))

        self._index.write(done)

    def again(self, message_id: int, actor: str) -> MessageRecord:
        """A person wants it processed once more; raises Conflict where it waits for nobody."""

        def again(tx: Transaction) -> MessageRecord:
            message = tx.messages.get(message_id)
            if message.state not in ("parked", "failed"):
                raise Conflict(
                    f"the message is {message.state}: only what waits is processed again", "message"
                )
            tx.record(replace(_event("message.retried", message, {"by": actor}), actor=actor))
            return message

        return self._index.write(again)

    def open(self) -> Sequence[MessageRecord]:
        """Parked and failed messages, oldest first."""
        with self._index.read() as tx:
            return tx.messages.open()

    def unprocessed(self) -> Sequence[MessageRecord]:
        """Accepted ones a crash left over."""
        with self._index.read() as tx:
            return tx.messages.unprocessed()

    def get(self, message_id: int) -> MessageRecord:
        """One message; raises NotFound."""
        with self._index.read() as tx:
            return tx.messages.get(message_id)

    def _carry_out(self, tx: Transaction, command: Command, message: MessageRecord) -> None:
        actor = message.source or message.sender
        if isinstance(command, RegisterPatient):
            self._patients.apply(tx, command, actor)
        elif isinstance(command, MergePatients):
            self._patients.apply_merge(tx, command, actor)
        elif isinstance(command, PlaceOrder):
            self._orders.apply(tx, command, actor)
        else:
            self._orders.apply_cancel(tx, command, actor)


def _event(kind: str, message: MessageRecord, detail: dict[str, object]) -> Event:
    return Event(kind, 0, subject=f"message:{message.id}", actor=message.source, detail=detail)
