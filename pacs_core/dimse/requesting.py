"""Requests over one association with another AE (PS3.7 9.1, 10.1): echo, store, find, move and get, and the
normalized ones."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from pacs_core.dicom import charset
from pacs_core.dicom.dictionary import KEYWORD, TAG
from pacs_core.dicom.headers import Header
from pacs_core.dicom.json import value_representation
from pacs_core.dicom.part10 import part10_prefix
from pacs_core.dicom.sources import read_data_set
from pacs_core.dicom.transfer_syntaxes import is_implicit
from pacs_core.dimse import commands, status
from pacs_core.dimse import sop_classes as sop
from pacs_core.dimse.association import Association, Memory, Message, Released
from pacs_core.dimse.commands import BadCommand, Command
from pacs_core.dimse.connection import Gone
from pacs_core.dimse.identifiers import encode_item, texts_in
from pacs_core.dimse.pdu import BadPdu, Context
from pacs_core.dimse.sending import Outgoing
from pacs_core.dimse.sending import store as send_object
from pacs_core.domain.errors import Busy, InvalidValue, Refused

KeyMapping = Mapping[str, object]
"""Keys by keyword: text, number, or for a sequence a list of such mappings; "" asks for a value."""

Answer = dict[str, object]
"""An answer by keyword: text, number or a list of them, or a list of such mappings for a sequence."""

LARGEST_OBJECT = 1 << 32
PATIENCE_S = 120.0
"""Seconds between two responses."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one object: `kind` is success, warning or failure, `status` the number, `words` why."""

    path: Path
    sop_instance_uid: str
    kind: str
    status: int
    words: str


@dataclass(slots=True)
class Moved:
    """How a C-MOVE or C-GET ended; `files` are what a C-GET brought."""

    status: int = 0
    kind: str = "success"
    words: str = ""
    completed: int = 0
    failed: int = 0
    warnings: int = 0
    failed_uids: list[str] = field(default_factory=list)
    pending: int = 0
    files: list[Path] = field(default_factory=list)


class Client:
    """Requests over one association; used as a context manager it releases at the end, or aborts after an
    error."""

    def __init__(self, association: Association) -> None:
        self.association = association

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.association.release()
        else:
            self.association.abort()

    def echo(self) -> None:
        """C-ECHO; raises Refused where the status is no success, Busy where no answer comes."""
        context = self._context(sop.VERIFICATION)
        command = commands.request(commands.C_ECHO_RQ, self.association.next_message_id(), sop.VERIFICATION)
        with worded(self.association):
            self.association.send(context.id, command)
            answer = self.association.receive(idle_s=30.0)
        if answer.command.status != status.SUCCESS:
            raise Refused(status.meaning(answer.command.status).words, self.association.called)

    def store(self, outgoing: Outgoing) -> Sent:
        """C-STORE one object; a status that is no success is told in the answer, not raised.

        Raises Refused where the peer accepts the object in no transfer syntax, Busy where it is gone.
        """
        with worded(self.association):
            answer = send_object(self.association, outgoing, idle_s=PATIENCE_S)
        said = answer.command
        meaning = status.meaning(said.status)
        words = said.text(commands.COMMENT) or meaning.words
        return Sent(outgoing.path, outgoing.sop_instance_uid, meaning.kind, said.status, words)

    def find(
        self, sop_class: str, keys: KeyMapping, *, character_set: str = "ISO_IR 192", most: int = 0
    ) -> list[Answer]:
        """C-FIND; with `most` the request is cancelled after so many answers. Raises Refused where it
        fails."""
        context = self._context(sop_class)
        found: list[Answer] = []
        with closing(self._responses(commands.C_FIND_RQ, context, keys, character_set)) as responses:
            for message in responses:
                if message.command.has_data_set and (not most or len(found) < most):
                    found.append(read_answer(message.data, context.transfer_syntaxes[0]))
                    if len(found) == most:
                        number = message.command.number(commands.RESPONDED_TO)
                        self.association.send(context.id, commands.cancel(number))
        return found

    def move(self, sop_class: str, keys: KeyMapping, destination: str) -> Moved:
        """C-MOVE to another AE; a failure is told in the answer."""
        context = self._context(sop_class)
        outcome = Moved()
        with closing(
            self._responses(commands.C_MOVE_RQ, context, keys, destination=destination)
        ) as responses:
            for message in responses:
                _note(outcome, message)
        return outcome

    def get(self, sop_class: str, keys: KeyMapping, folder: Path) -> Moved:
        """C-GET into a folder, each object as it came behind a file meta of ours; a failure is told in the
        answer."""
        context = self._context(sop_class)
        outcome = Moved()

        def keep(message: Message) -> None:
            outcome.files.append(_keep(self.association, message, folder))

        with closing(self._responses(commands.C_GET_RQ, context, keys, on_store=keep)) as responses:
            for message in responses:
                _note(outcome, message)
        return outcome

    def create(self, sop_class: str, instance_uid: str, attributes: KeyMapping) -> str:
        """N-CREATE; the UID of what was created. Raises Refused with the peer's words."""
        answer = self.normalized(commands.N_CREATE_RQ, sop_class, attributes, affected_instance=instance_uid)
        return answer.command.text(commands.AFFECTED_INSTANCE) or instance_uid

    def set(self, sop_class: str, instance_uid: str, attributes: KeyMapping) -> None:
        """N-SET; raises Refused with the peer's words."""
        self.normalized(commands.N_SET_RQ, sop_class, attributes, requested_instance=instance_uid)

    def read(self, sop_class: str, instance_uid: str, tags: tuple[int, ...] = ()) -> Answer:
        """N-GET the attributes of these tags, or all; raises Refused with the peer's words."""
        more: dict[str, commands.Value] = {"attributes": tags} if tags else {}
        answer = self.normalized(commands.N_GET_RQ, sop_class, None, requested_instance=instance_uid, **more)
        return read_answer(answer.data, answer.context.transfer_syntaxes[0])

    def normalized(
        self, field: int, sop_class: str, keys: KeyMapping | None, **more: commands.Value
    ) -> Message:
        """An N- request and its response; `more` are command elements. Raises Refused where it failed."""
        context = self._context(sop_class)
        number = self.association.next_message_id()
        data = encode_keys(keys, context.transfer_syntaxes[0]) if keys is not None else None
        command = commands.request(field, number, sop_class, data_set=data is not None, **more)
        with worded(self.association):
            self.association.send(context.id, command, data)
            answer = self.association.receive(idle_s=PATIENCE_S)
        said = status.meaning(answer.command.status)
        if said.kind == "failure" or answer.command.status == status.DUPLICATE_INSTANCE:
            words = answer.command.text(commands.COMMENT) or said.words
            raise Refused(
                f"{self.association.called}: {words} ({answer.command.status:04X}H)", self.association.called
            )
        return answer

    def _context(self, sop_class: str) -> Context:
        for context in self.association.contexts.values():
            if context.abstract_syntax == sop_class:
                return context
        called = self.association.called
        raise Refused(f"{called} does not offer {sop.name_of(sop_class)}", called)

    def _responses(
        self,
        kind: int,
        context: Context,
        keys: KeyMapping,
        character_set: str = "ISO_IR 192",
        *,
        destination: str = "",
        on_store: Callable[[Message], None] | None = None,
    ) -> Generator[Message, None, None]:
        number = self.association.next_message_id()
        command = commands.request(kind, number, context.abstract_syntax, data_set=True)
        if destination:
            command.values[commands.DESTINATION] = destination
        data = encode_keys(keys, context.transfer_syntaxes[0], character_set)
        with worded(self.association):
            self.association.send(context.id, command, data)
            while True:
                message = self.association.receive(_any_size, PATIENCE_S)
                if message.command.field == commands.C_STORE_RQ and on_store:
                    on_store(message)
                    continue
                said = status.meaning(message.command.status)
                if said.kind == "failure" and kind == commands.C_FIND_RQ:
                    words = message.command.text(commands.COMMENT) or said.words
                    raise Refused(f"{self.association.called}: {words}", self.association.called)
                yield message
                if said.kind != "pending":
                    return


def _any_size(association: Association, context: Context, command: Command) -> Memory:
    return Memory(LARGEST_OBJECT)


@contextmanager
def worded(association: Association) -> Iterator[None]:
    """Turn the end of the conversation into an error in words."""
    try:
        yield
    except (Gone, Released, BadPdu, BadCommand) as found:
        association.abort()
        words = str(found) or "the peer released the association"
        raise Busy(f"{association.called}: {words}", association.called) from found


def _keep(association: Association, message: Message, folder: Path) -> Path:
    """Write an object that a C-GET brought, and say so; its name is its SOP Instance UID."""
    command, syntax = message.command, message.context.transfer_syntaxes[0]
    uid = command.text(commands.AFFECTED_INSTANCE)
    if not uid or not set(uid) <= set("0123456789."):
        association.send(message.context.id, command.response(status.MISMATCH))
        raise Refused("an object came without a usable SOP Instance UID", association.called)
    path = folder / f"{uid}.dcm"
    prefix = part10_prefix(command.text(commands.AFFECTED_CLASS), uid, syntax, association.called)
    path.write_bytes(prefix + message.data)
    association.send(message.context.id, command.response(status.SUCCESS))
    return path


def _note(outcome: Moved, message: Message) -> None:
    command = message.command
    meaning = status.meaning(command.status)
    if meaning.kind == "pending":
        outcome.pending += 1
    outcome.status, outcome.kind = command.status, meaning.kind
    outcome.words = command.text(commands.COMMENT) or meaning.words
    outcome.completed = command.number(commands.COMPLETED, outcome.completed)
    outcome.failed = command.number(commands.FAILED, outcome.failed)
    outcome.warnings = command.number(commands.WARNING, outcome.warnings)
    if command.has_data_set and meaning.kind != "pending":
        header = read_data_set(message.data, 0, message.context.transfer_syntaxes[0]).header
        outcome.failed_uids = header.texts(TAG["FailedSOPInstanceUIDList"])


@lru_cache(maxsize=1024)
def tag_of(keyword: str) -> int:
    """The tag of a keyword; raises InvalidValue where the standard has no such attribute."""
    if keyword in TAG:
        return TAG[keyword]
    from pydicom.datadict import tag_for_keyword

    tag = tag_for_keyword(keyword)
    if tag is None:
        raise InvalidValue(f"{keyword!r} is no DICOM attribute", keyword)
    return int(tag)


@lru_cache(maxsize=4096)
def keyword_of(tag: int) -> str:
    """The keyword of a tag, or its eight digits."""
    if tag in KEYWORD:
        return KEYWORD[tag]
    from pydicom.datadict import keyword_for_tag

    return keyword_for_tag(tag) or f"{tag:08X}"


def encode_keys(keys: KeyMapping, transfer_syntax_uid: str, character_set: str = "ISO_IR 192") -> bytes:
    """An identifier from keys by keyword; the character set is said where a value needs it."""
    values = _by_tag(keys)
    texts = list(texts_in(values))
    declared = charset.best_character_set(texts, character_set)
    if not all(text.isascii() for text in texts):
        values[TAG["SpecificCharacterSet"]] = declared
    return encode_item(values, declared, is_implicit(transfer_syntax_uid))


def _by_tag(keys: KeyMapping) -> dict[int, object]:
    out: dict[int, object] = {}
    for keyword, value in keys.items():
        items = [part for part in value if isinstance(part, Mapping)] if isinstance(value, list) else []
        out[tag_of(keyword)] = [_by_tag(part) for part in items] if items else value
    return out


def read_answer(data: bytes, transfer_syntax_uid: str) -> Answer:
    """An identifier by keyword."""
    return _read(read_data_set(data, 0, transfer_syntax_uid).header)


def _read(header: Header) -> Answer:
    out: Answer = {}
    for tag in header.tags():
        vr = value_representation(header, tag)
        if vr == "SQ":
            out[keyword_of(tag)] = [_read(part) for part in header.items(tag)]
        elif vr in ("US", "UL", "SS", "SL", "FL", "FD"):
            out[keyword_of(tag)] = header.number(tag)
        else:
            out[keyword_of(tag)] = header.text(tag)
    return out
