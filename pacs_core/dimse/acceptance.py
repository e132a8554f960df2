"""What is accepted of a proposed association: contexts, transfer syntaxes, roles, extended negotiation
(PS3.7 D.3)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pacs_core.dicom.part10 import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION
from pacs_core.dicom.transfer_syntaxes import BIG_ENDIAN
from pacs_core.dimse import pdu
from pacs_core.dimse import sop_classes as sop
from pacs_core.dimse.association import MAX_PDU
from pacs_core.dimse.pdu import Associate, Context, Role


@dataclass(frozen=True, slots=True)
class Rights:
    """What the peer may do; a context it may not use is rejected at the association."""

    store: bool = True
    query: bool = True
    retrieve: bool = True
    worklist: bool = True


def accept(request: Associate, rights: Rights) -> Associate:
    """The A-ASSOCIATE-AC that answers a request."""
    contexts = tuple(_answer(context, rights) for context in request.contexts)
    accepted = {c.abstract_syntax for c in contexts if c.result == pdu.ACCEPTANCE}
    return Associate(
        called=request.called,
        calling=request.calling,
        contexts=contexts,
        max_length=MAX_PDU,
        implementation_class=IMPLEMENTATION_CLASS_UID,
        implementation_version=IMPLEMENTATION_VERSION,
        roles=tuple(_role(role) for role in request.roles if role.sop_class in accepted),
        extended={
            uid: _extended(uid, said) for uid, said in request.extended.items() if _extends(uid, accepted)
        },
    )


def _answer(context: Context, rights: Rights) -> Context:
    uid = context.abstract_syntax
    served, allowed = _service(uid, rights)
    if not served:
        return replace(context, result=pdu.ABSTRACT_UNKNOWN)
    if not allowed:
        return replace(context, result=pdu.USER_REJECTION)
    chosen = _syntax(context, sop.is_storage(uid))
    if chosen is None:
        return replace(context, result=pdu.TRANSFER_UNKNOWN)
    return replace(context, transfer_syntaxes=(chosen,), result=pdu.ACCEPTANCE)


def _service(uid: str, rights: Rights) -> tuple[bool, bool]:
    """Whether the abstract syntax is served, and whether this peer may use it."""
    if uid == sop.VERIFICATION:
        return True, True
    if uid == sop.MODALITY_WORKLIST or uid in sop.PERFORMED:
        return True, rights.worklist
    if uid == sop.STORAGE_COMMITMENT:
        return True, rights.store
    if uid in sop.FIND:
        return True, rights.query
    if uid in sop.MOVE | sop.GET:
        return True, rights.retrieve
    if sop.is_storage(uid):  # to store, or to be given by C-GET
        return True, rights.store or rights.retrieve
    return False, False


def _syntax(context: Context, storage: bool) -> str | None:
    """The first proposed that fits: for storage any, big endian only where nothing else is offered."""
    proposed = [uid for uid in context.transfer_syntaxes if uid]
    if storage:
        return next((uid for uid in proposed if uid != BIG_ENDIAN), proposed[0] if proposed else None)
    return next((uid for uid in sop.PLAIN_SYNTAXES if uid in proposed), None)


def _role(proposed: Role) -> Role:
    """Storage classes may be received by the requestor (C-GET), and who we asked for storage commitment may
    come to report (PS3.4 J.3.3); other classes have their default roles."""
    if sop.is_storage(proposed.sop_class) or proposed.sop_class == sop.STORAGE_COMMITMENT:
        return proposed
    return replace(proposed, scu=True, scp=False)


def _extends(uid: str, accepted: set[str]) -> bool:
    return uid in sop.QUERY_RETRIEVE and uid in accepted


def _extended(uid: str, said: bytes) -> bytes:
    """Relational queries and retrievals are served; combined date-time, fuzzy names and time zones are not
    (PS3.4 C.5)."""
    relational = bytes((1 if said[:1] == b"\1" else 0,))
    return relational + bytes(max(0, len(said) - 1)) if said else b""
