"""Storage commitment (PS3.4 annex J): transactions kept synced, objects checked byte by byte, reports
repeated until the peer has taken them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from pacs_core.domain.commitment import (
    CLASS_INSTANCE_CONFLICT,
    LASTS_DAYS,
    NO_SUCH_OBJECT,
    PROCESSING_FAILURE,
    Commitment,
    CommitmentState,
    Reference,
)
from pacs_core.domain.delivery import Outcome, OutcomeKind, RetryPolicy, next_step
from pacs_core.domain.errors import Duplicate, NotFound
from pacs_core.domain.events import Event
from pacs_core.domain.identifiers import new_uid
from pacs_core.domain.records import PeerRecord
from pacs_core.domain.times import instant, read_instant
from pacs_core.ports import BlobStore, Clock, Index, Transaction
from pacs_core.services.integrity import Fault, fault_of

SAME_ASSOCIATION_S = 10.0
"""So long the association that asked may hear the result before a new one is opened for it."""

ASKED_AGAIN_S = 86400.0
"""A peer that took our request and said nothing of its result is asked again after a day."""

_POLICY = RetryPolicy(refused_tries=1 << 30)


class Carrier(Protocol):
    """Brings requests and reports to peers; never raises for a peer's behaviour, that is an Outcome."""

    def report(self, peer: PeerRecord, commitment: Commitment) -> Outcome: ...
    def ask(self, peer: PeerRecord, commitment: Commitment) -> Outcome: ...


class StorageCommitment:
    """Answers for what is stored here, and asks others to; implements an outbox for `runtime.workers`."""

    def __init__(self, index: Index, blobs: BlobStore, clock: Clock) -> None:
        self._index = index
        self._blobs = blobs
        self._clock = clock

    # ── others ask us ──

    def requested(self, peer: str, transaction_uid: str, references: Sequence[Reference]) -> Commitment:
        """Keep a request; the same one again is reported again. Raises Duplicate where the UID was used for
        other objects.
        """
        return self._index.write(lambda tx: self._requested(tx, peer, transaction_uid, tuple(references)))

    def check(self, commitment: Commitment) -> Commitment:
        """Read every object and keep what was found."""
        references = tuple(replace(one, failure=self._failure(one)) for one in commitment.references)
        return self._index.write(
            lambda tx: tx.commitments.update(commitment.id, references=references, checked=True)
        )

    def reported(self, commitment_id: int, words: str) -> Commitment:
        """The peer has taken the report."""
        return self._index.write(lambda tx: self._done(tx, tx.commitments.get(commitment_id), words))

    # ── we ask others ──

    def ask(self, peer: str, references: Sequence[Reference]) -> Commitment:
        """Ask a peer to answer for objects it was sent; the request leaves by the outbox."""
        now = instant(self._clock.now())
        wanted = Commitment(
            new_uid(), peer, True, tuple(references), CommitmentState.WAITING, now, now
        )  # fmt: skip
        return self._index.write(lambda tx: tx.commitments.add(wanted))

    def answered(self, peer: str, transaction_uid: str, references: Sequence[Reference]) -> Commitment:
        """The peer says what became of what we asked for; raises NotFound for what we never asked."""

        def keep(tx: Transaction) -> Commitment:
            known = tx.commitments.find(peer, transaction_uid, ours=True)
            if known is None:
                raise NotFound("we asked for no such commitment", "TransactionUID (0008,1195)")
            said = {one.sop_instance_uid: one for one in references}
            missing = PROCESSING_FAILURE
            found = tuple(
                said.get(one.sop_instance_uid, replace(one, failure=missing)) for one in known.references
            )
            return self._done(tx, tx.commitments.update(known.id, references=found, checked=True), "")

        return self._index.write(keep)

    # ── the outbox ──

    def due(self, limit: int = 100, without: Collection[str] = ()) -> Sequence[Commitment]:
        """What is to be tried now, `without` these peers."""
        with self._index.read() as tx:
            return tx.commitments.due(instant(self._clock.now()), limit, without)

    def next_due(self, without: Collection[str] = ()) -> str:
        """The instant of the next attempt, empty where none waits."""
        with self._index.read() as tx:
            return tx.commitments.next_due(without)

    def attempt(self, commitment_id: int, carrier: Carrier) -> Commitment:
        """Report or ask once, and keep what came of it."""
        with self._index.read() as tx:
            commitment = tx.commitments.get(commitment_id)
            peer = next((p for p in tx.configuration.peers() if p.title == commitment.peer), None)
        if commitment.state in (CommitmentState.DONE, CommitmentState.GIVEN_UP):
            return commitment
        if not commitment.ours and not commitment.checked:
            commitment = self.check(commitment)
        if peer is None:
            outcome = Outcome(OutcomeKind.SILENT, "", f"{commitment.peer} is no peer: its address is unknown")
        else:
            send = carrier.ask if commitment.ours else carrier.report
            outcome = send(peer, commitment)
        return self._index.write(lambda tx: self._record(tx, commitment_id, outcome))

    # ── within a transaction ──

    def _requested(
        self, tx: Transaction, peer: str, uid: str, references: tuple[Reference, ...]
    ) -> Commitment:
        now = self._clock.now()
        due = instant(now + timedelta(seconds=SAME_ASSOCIATION_S))
        known = tx.commitments.find(peer, uid, ours=False)
        if known is None:
            wanted = Commitment(uid, peer, False, references, CommitmentState.WAITING, instant(now), due)
            return tx.commitments.add(wanted)
        if {(r.sop_class_uid, r.sop_instance_uid) for r in known.references} != {
            (r.sop_class_uid, r.sop_instance_uid) for r in references
        }:
            raise Duplicate("the transaction UID was used for other objects", "TransactionUID (0008,1195)")
        return tx.commitments.update(
            known.id, state=CommitmentState.WAITING, checked=False, due_at=due, created_at=instant(now)
        )

    def _failure(self, reference: Reference) -> int:
        with self._index.read() as tx:
            versions = tx.studies.versions_of(reference.sop_instance_uid)
        if not versions:
            return NO_SUCH_OBJECT
        if reference.sop_class_uid not in {one.sop_class_uid for one in versions}:
            return CLASS_INSTANCE_CONFLICT
        faults = [fault_of(self._blobs, one) for one in versions]
        if all(fault is None for fault in faults):
            return 0
        return NO_SUCH_OBJECT if Fault.MISSING in faults else PROCESSING_FAILURE

    def _record(self, tx: Transaction, commitment_id: int, outcome: Outcome) -> Commitment:
        commitment = tx.commitments.get(commitment_id)
        if commitment.state is CommitmentState.DONE:
            return commitment  # its result came while it was on its way
        now = self._clock.now()
        if outcome.kind is OutcomeKind.ACKNOWLEDGED and not commitment.ours:
            return self._done(tx, commitment, outcome.text)
        if outcome.kind is OutcomeKind.ACKNOWLEDGED:
            later = instant(now + timedelta(seconds=ASKED_AGAIN_S))
            return tx.commitments.update(
                commitment_id, state=CommitmentState.ASKED, due_at=later, attempts=commitment.attempts + 1
            )
        step = next_step(_POLICY, outcome, commitment.attempts, commitment.attempts)
        over = now - read_instant(commitment.created_at) > timedelta(days=LASTS_DAYS)
        after = tx.commitments.update(
            commitment_id,
            attempts=commitment.attempts + 1,
            due_at=instant(now + timedelta(seconds=step.delay_s)),
            answer=outcome.text,
            state=CommitmentState.GIVEN_UP if over else commitment.state,
        )
        if over:
            tx.record(_event("commitment.given up", after))
        return after

    def _done(self, tx: Transaction, commitment: Commitment, words: str) -> Commitment:
        if commitment.state is CommitmentState.DONE:
            return commitment
        done = tx.commitments.update(commitment.id, state=CommitmentState.DONE, answer=words)
        tx.record(_event("commitment.received" if done.ours else "commitment.reported", done))
        return done


def _event(kind: str, commitment: Commitment) -> Event:
    detail: dict[str, object] = {
        "objects": len(commitment.references),
        "failed": len(commitment.failed),
        "peer": commitment.peer,
    }
    subject = f"commitment:{commitment.transaction_uid}"
    return Event(kind, 0, subject=subject, actor=commitment.peer, detail=detail)
