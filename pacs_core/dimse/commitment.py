"""Storage Commitment Push Model, both sides: N-ACTION and N-EVENT-REPORT (PS3.4 annex J).

As SCP the result leaves on the association that asked while it is open and quiet, else on one of ours to the
peer, where we propose to be the SCP (PS3.7 D.3.3.4).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress

from pacs_core.dicom.dictionary import TAG, name_of
from pacs_core.dicom.headers import Header
from pacs_core.dicom.sources import read_data_set
from pacs_core.dimse import commands, status
from pacs_core.dimse import sop_classes as sop
from pacs_core.dimse.association import Association, Message, Released
from pacs_core.dimse.client import connect
from pacs_core.dimse.commands import BadCommand
from pacs_core.dimse.connection import Gone
from pacs_core.dimse.pdu import BadPdu, Role
from pacs_core.dimse.requesting import Client, encode_keys
from pacs_core.domain.commitment import PROCESSING_FAILURE, Commitment, Reference
from pacs_core.domain.delivery import Outcome, OutcomeKind
from pacs_core.domain.errors import EmptyValue, MissingValue, ReadingRoomError, Refused
from pacs_core.domain.records import PeerRecord
from pacs_core.services.storage_commitment import StorageCommitment

log = logging.getLogger("reading_room.dimse")

LISTEN_S = 10.0
"""So long the association on which we asked stays open for its result."""

REQUEST = 1
"""Action Type ID of Request Storage Commitment."""

ALL_SAFE, SOME_FAILED = 1, 2
"""Event Type IDs."""


class CommitmentSCP:
    """Answers storage commitment requests, and takes the results of ours."""

    def __init__(self, commitment: StorageCommitment, peer: str = "") -> None:
        """`peer` is who answers where we asked for the association; else it is who calls."""
        self._commitment = commitment
        self._peer = peer

    def answer(self, association: Association, message: Message) -> None:
        """Carry out an N-ACTION or an N-EVENT-REPORT, commit, and respond."""
        answers = {commands.N_ACTION_RQ: self._requested, commands.N_EVENT_REPORT_RQ: self._told}
        answer = answers.get(message.command.field)
        if answer is None:
            raise BadPdu(f"a {message.command.name} is out of place here")
        try:
            answer(association, message)
        except ReadingRoomError as error:
            response = status.normalized_failure(message.command, error)
            log.warning("%s: storage commitment refused with %04XH", association.name, response.status)
            association.send(message.context.id, response)

    def heard(self, association: Association, message: Message) -> bool:
        """The peer's response to a report on this association; false where there was none."""
        row = association.reports.pop(message.command.number(commands.RESPONDED_TO), None)
        if row is None:
            return False
        if message.command.status == status.SUCCESS:
            self._commitment.reported(row, "on the association that asked")
        return True

    def _requested(self, association: Association, message: Message) -> None:
        kind = message.command.number(commands.ACTION_TYPE)
        if kind != REQUEST:
            words = f"action {kind} is not known"
            refusal = message.command.response(status.NO_SUCH_ACTION, comment=words)
            association.send(message.context.id, refusal)
            return
        header = read_data_set(message.data, 0, message.context.transfer_syntaxes[0]).header
        uid, references = _transaction(header), _references(header, "ReferencedSOPSequence")
        if not references:
            tag = TAG["ReferencedSOPSequence"]
            raise EmptyValue("no object is named", name_of(tag))
        kept = self._commitment.requested(association.calling, uid, references)
        association.send(message.context.id, message.command.response(status.SUCCESS))
        checked = self._commitment.check(kept)
        if not association.connection.waiting():  # it asks no more and is still there: it may be told here
            self._report_here(association, message, checked)

    def _report_here(self, association: Association, message: Message, commitment: Commitment) -> None:
        number = association.next_message_id()
        association.reports[number] = commitment.id
        syntax = message.context.transfer_syntaxes[0]
        association.send(message.context.id, _report(number, commitment), _result(commitment, syntax))

    def _told(self, association: Association, message: Message) -> None:
        header = read_data_set(message.data, 0, message.context.transfer_syntaxes[0]).header
        references = (
            *_references(header, "ReferencedSOPSequence"),
            *_references(header, "FailedSOPSequence"),
        )
        peer = self._peer or association.calling
        self._commitment.answered(peer, _transaction(header), references)
        association.send(message.context.id, message.command.response(status.SUCCESS))


class CommitmentCarrier:
    """Brings reports and requests to peers over associations of our own; implements `Carrier`."""

    def __init__(self, title: str, commitment: StorageCommitment, listen_s: float = LISTEN_S) -> None:
        self._title = title
        self._commitment = commitment
        self._listen_s = listen_s

    def report(self, peer: PeerRecord, commitment: Commitment) -> Outcome:
        """N-EVENT-REPORT to who asked."""
        role = Role(sop.STORAGE_COMMITMENT, scu=False, scp=True)
        return self._carry(peer, (role,), lambda client: self._reported(client, commitment))

    def ask(self, peer: PeerRecord, commitment: Commitment) -> Outcome:
        """N-ACTION; a result that comes on the same association is taken."""
        return self._carry(peer, (), lambda client: self._asked(client, commitment))

    def _carry(self, peer: PeerRecord, roles: tuple[Role, ...], say: Callable[[Client], None]) -> Outcome:
        proposal = (sop.STORAGE_COMMITMENT, sop.PLAIN_SYNTAXES)
        try:
            with Client(
                connect(peer.host, peer.port, peer.title, self._title, [proposal], roles=roles)
            ) as client:
                say(client)
        except Refused as refused:
            return Outcome(OutcomeKind.REFUSED, "", refused.message)
        except ReadingRoomError as silent:
            return Outcome(OutcomeKind.SILENT, "", silent.message)
        return Outcome(OutcomeKind.ACKNOWLEDGED, "0000", f"taken by {peer.title}")

    def _reported(self, client: Client, commitment: Commitment) -> None:
        kind = SOME_FAILED if commitment.failed else ALL_SAFE
        client.normalized(
            commands.N_EVENT_REPORT_RQ, sop.STORAGE_COMMITMENT, result_keys(commitment),
            affected_instance=sop.STORAGE_COMMITMENT_INSTANCE, event_type=kind,
        )  # fmt: skip

    def _asked(self, client: Client, commitment: Commitment) -> None:
        keys = {
            "TransactionUID": commitment.transaction_uid,
            "ReferencedSOPSequence": [_item(one) for one in commitment.references],
        }
        client.normalized(
            commands.N_ACTION_RQ, sop.STORAGE_COMMITMENT, keys,
            requested_instance=sop.STORAGE_COMMITMENT_INSTANCE, action_type=REQUEST,
        )  # fmt: skip
        with suppress(Gone, Released, BadPdu, BadCommand):  # it may as well come on another one
            association = client.association
            scp = CommitmentSCP(self._commitment, association.called)
            scp.answer(association, association.receive(idle_s=self._listen_s))


def result_keys(commitment: Commitment) -> dict[str, object]:
    """The Event Information of a report (PS3.4 table J.3-2)."""
    safe = [_item(one) for one in commitment.references if not one.failure]
    failed = [{**_item(one), "FailureReason": one.failure} for one in commitment.failed]
    keys: dict[str, object] = {"TransactionUID": commitment.transaction_uid}
    if safe:
        keys["ReferencedSOPSequence"] = safe
    if failed:
        keys["FailedSOPSequence"] = failed
    return keys


def _item(reference: Reference) -> dict[str, object]:
    return {
        "ReferencedSOPClassUID": reference.sop_class_uid,
        "ReferencedSOPInstanceUID": reference.sop_instance_uid,
    }


def _report(number: int, commitment: Commitment) -> commands.Command:
    return commands.request(
        commands.N_EVENT_REPORT_RQ, number, sop.STORAGE_COMMITMENT, data_set=True,
        affected_instance=sop.STORAGE_COMMITMENT_INSTANCE,
        event_type=SOME_FAILED if commitment.failed else ALL_SAFE,
    )  # fmt: skip


def _result(commitment: Commitment, syntax: str) -> bytes:
    return encode_keys(result_keys(commitment), syntax)


def _transaction(header: Header) -> str:
    uid = header.text(TAG["TransactionUID"])
    if not uid:
        raise MissingValue("the transaction UID is missing", name_of(TAG["TransactionUID"]))
    return uid


def _references(header: Header, keyword: str) -> list[Reference]:
    return [
        Reference(
            _uid(one, "ReferencedSOPClassUID"),
            _uid(one, "ReferencedSOPInstanceUID"),
            one.integer(TAG["FailureReason"])
            or (0 if keyword == "ReferencedSOPSequence" else PROCESSING_FAILURE),
        )
        for one in header.items(TAG[keyword])
    ]


def _uid(header: Header, keyword: str) -> str:
    value = header.text(TAG[keyword])
    if not value:
        raise MissingValue(f"{keyword} is missing", name_of(TAG[keyword]))
    return value
