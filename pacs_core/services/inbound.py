"""Received HL7 messages: journalled raw before anything else, applied in one transaction, kept for a
person.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pacs_core.domain.errors import Conflict, NeedsPerson
from pacs_core.domain.events import Event
from pacs_core.domain.order import CancelOrder, PlaceOrder
from pacs_core.domain.patient import MergePatients, RegisterPatient
from pacs_core.domain.records import MessageRecord
from pacs_core.domain.times import instant
from pacs_core.ports import Clock, Index, Transaction
from pacs_core.services.order_endings import changed_since, named
from pacs_core.services.orders import Orders
from pacs_core.services.patients import Patients

WAITING = ("parked", "failed")
"""States of a message that a person may have processed again."""

UNDONE = ("received", "failed")
"""States of a message that has had no effect yet."""

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
        """Journal the raw bytes (synced when this returns); or the earlier twin, with True."""

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
        self,
        message_id: int,
        commands: Sequence[Command],
        answer: Callable[[str], bytes],
        parked: Sequence[str] = (),
        *,
        by_hand: bool = False,
    ) -> MessageRecord:
        """Carry out what the message asks for, with its acknowledgement, in one commit.

        `parked` says why a person must look at it (then the state is parked, whatever was carried out), and
        `answer` makes the acknowledgement of these reasons and those found here. A message that was carried
        out is left as it is, unless a person wants it (`by_hand`), which leaves orders alone that were
        changed since it came. Raises what the commands raise; then nothing was done (see `fail`).
        """

        def apply(tx: Transaction) -> MessageRecord:
            message = tx.messages.get(message_id)
            if message.state not in (WAITING if by_hand else UNDONE):
                return message
            waits, left = list(parked), []
            for command in commands:
                try:
                    left.append(self._carry_out(tx, command, message, by_hand))
                except NeedsPerson as reason:
                    waits.append(reason.message)
            why = "; ".join(dict.fromkeys(waits))
            if why:
                tx.record(_event("message.parked", message, {"why": why}))
            said = "; ".join(dict.fromkeys(note for note in (why, *left) if note))
            state = "parked" if why else "processed"
            return tx.messages.update(message_id, state=state, reason=said, ack=answer(why))

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
            if message.state not in WAITING:
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

    def _carry_out(self, tx: Transaction, command: Command, message: MessageRecord, by_hand: bool) -> str:
        """Do what one command asks; returns why it was left undone, empty where it was done."""
        actor = message.source or message.sender
        if isinstance(command, PlaceOrder | CancelOrder):
            repeated = message.state == "failed" and not by_hand  # the sender says it once more, now
            command = replace(
                command, received=instant(self._clock.now()) if repeated else message.received_at
            )
            if by_hand and (note := changed_since(tx, command)):
                return note
        verb, subject = self._done(tx, command, actor)
        detail = f"{message.message_type} {message.control_id}".strip()
        tx.audit.append(actor, "", verb, subject, "allowed", detail, message.address)
        return ""

    def _done(self, tx: Transaction, command: Command, actor: str) -> tuple[str, str]:
        """Carry out a command; returns what the audit calls it, and on whom or what."""
        if isinstance(command, RegisterPatient):
            return "save patient", self._patients.apply(tx, command, actor).identifier.value
        if isinstance(command, MergePatients):
            patient = self._patients.apply_merge(tx, command, actor)
            return "merge patients", f"{command.subsumed.value} into {patient.identifier.value}"
        if isinstance(command, PlaceOrder):
            return "place order", named(self._orders.apply(tx, command, actor))
        order = self._orders.apply_cancel(tx, command, actor)
        return "discontinue" if command.discontinue else "cancel", named(order)


def _event(kind: str, message: MessageRecord, detail: dict[str, object]) -> Event:
    return Event(kind, 0, subject=f"message:{message.id}", actor=message.source, detail=detail)
