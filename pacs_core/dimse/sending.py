"""Stored objects as C-STORE requests: bytes as they are, corrected or transcoded where they must be (PS3.4
C.4.2, C.4.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pacs_core.dicom.coercion import Correction, overlay, overlay_head
from pacs_core.dicom.part10 import locate
from pacs_core.dicom.transcoding import can_transcode, transcode
from pacs_core.dimse import commands
from pacs_core.dimse import sop_classes as sop
from pacs_core.dimse.association import Association, Bytes, Message
from pacs_core.dimse.connection import Gone
from pacs_core.dimse.pdu import BadPdu, Context
from pacs_core.domain.errors import Refused

BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An object on its way out; `corrections` are laid over it, `data_set_offset` is in its file."""

    path: Path
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    data_set_offset: int
    pixel_offset: int | None = None
    corrections: Mapping[str, str] | None = None
    corrected_at: datetime | None = None
    system: str = ""


def context_for(contexts: Iterable[Context], outgoing: Outgoing) -> Context | None:
    """The accepted context for an object: its own syntax, else an uncompressed one it can be given in."""
    fitting = [c for c in contexts if c.abstract_syntax == outgoing.sop_class_uid]
    own = outgoing.transfer_syntax_uid
    for context in fitting:
        if context.transfer_syntaxes[0] == own:
            return context
    if not can_transcode(own):
        return None
    plain = [c for c in fitting if c.transfer_syntaxes[0] in sop.PLAIN_SYNTAXES]
    return min(plain, key=lambda c: sop.PLAIN_SYNTAXES.index(c.transfer_syntaxes[0]), default=None)


def data_set_of(outgoing: Outgoing, syntax: str) -> tuple[int, Iterator[Bytes]]:
    """Size and blocks of the object's data set in a syntax.

    Raises OSError where the file cannot be read; Refused, Damaged or NotStorable where it cannot be
    transcoded.
    """
    correction = _correction(outgoing)
    if syntax != outgoing.transfer_syntax_uid:
        whole = outgoing.path.read_bytes()
        return _whole(transcode(overlay(whole, correction) if correction else whole, syntax))
    if correction is None:
        start = outgoing.data_set_offset
        return outgoing.path.stat().st_size - start, _file_blocks(outgoing.path, start)
    head, rest = overlay_head(outgoing.path, outgoing.pixel_offset, correction)
    start = locate(head).start
    size = len(head) - start + outgoing.path.stat().st_size - rest
    return size, _chain(memoryview(head)[start:], _file_blocks(outgoing.path, rest))


def _correction(outgoing: Outgoing) -> Correction | None:
    if not outgoing.corrections or outgoing.corrected_at is None:
        return None
    return Correction(outgoing.corrections, outgoing.corrected_at, system=outgoing.system)


def _whole(part10: bytes) -> tuple[int, Iterator[Bytes]]:
    start = locate(part10).start
    return len(part10) - start, iter((memoryview(part10)[start:],))


def _chain(first: Bytes, rest: Iterator[Bytes]) -> Iterator[Bytes]:
    yield first
    yield from rest


def _file_blocks(path: Path, start: int) -> Iterator[Bytes]:
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        while block := file.read(BLOCK):
            yield block


@dataclass(frozen=True, slots=True)
class Originator:
    """Who asked for a C-MOVE: its AE title and the number of its request (PS3.7 9.3.1.1)."""

    title: str
    message_id: int


def store(
    association: Association,
    outgoing: Outgoing,
    originator: Originator | None = None,
    idle_s: float | None = None,
) -> Message:
    """Send one object and wait for its response.

    Raises Refused where no accepted context fits, OSError, the errors of `data_set_of`, and those of
    `receive`.
    """
    offered = association.contexts.values()
    context = context_for(offered, outgoing)
    if context is None:
        raise Refused(
            "the receiver accepts the object in no transfer syntax it can be given in", "transfer syntax"
        )
    size, blocks = data_set_of(outgoing, context.transfer_syntaxes[0])
    message_id = association.next_message_id()
    command = commands.request(
        commands.C_STORE_RQ, message_id, outgoing.sop_class_uid, data_set=True,
        affected_instance=outgoing.sop_instance_uid,
    )  # fmt: skip
    if originator is not None:
        command.values[commands.ORIGINATOR] = originator.title
        command.values[commands.ORIGINATOR_ID] = originator.message_id
    try:
        association.send_blocks(context.id, command, size, blocks)
    except OSError as found:
        raise Gone(f"a stored file could not be read to its end: {found.strerror}") from found
    answer = association.receive(idle_s=idle_s)
    expected = (commands.C_STORE_RSP, message_id)
    if (answer.command.field, answer.command.number(commands.RESPONDED_TO)) != expected:
        raise BadPdu(f"a {answer.command.name} where the response to a C-STORE was due")
    return answer
