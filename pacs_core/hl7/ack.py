"""Acknowledgements: MSH, MSA and ERR in original and enhanced mode (HL7 v2.5.1 §2.9.2, §2.9.3, §2.15.5).

Built without hl7apy: an answer must be possible to anything, in the sender's own delimiters and letters.
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime

from pacs_core.hl7.escapes import STANDARD, Separators, escape
from pacs_core.hl7.message import Header
from pacs_core.hl7.status import CONDITION_TEXT, AckCode, Condition, Problem

_VERSION = re.compile(r"^2(\.\d){1,2}$")
_OWN_VERSION = "2.5.1"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_OWN_NAME = "READINGROOM"


def answers(
    header: Header, text: str, problem: Problem | None = None, always: bool = False
) -> tuple[bytes, ...]:
    """The acknowledgements a message asks for, in the order they are sent.

    Original mode (MSH-15 and MSH-16 empty, or `always`): one, AA, AE or AR. Enhanced mode: the accept
    acknowledgement by MSH-15, then the application acknowledgement by MSH-16; AL, NE, ER, SU as table 0155.
    """
    code = problem.code if problem else AckCode.AA
    accept, application = header.component(15).upper(), header.component(16).upper()
    if always or not (accept or application):
        return (build(header, code.value, text, problem),)
    wanted = []
    if _due(accept, code):
        wanted.append(build(header, code.accept, text, problem))
    if _due(application, code):
        wanted.append(build(header, code.value, text, problem))
    return tuple(wanted)


def refusal(head: bytes, reason: str, internal: bool = False) -> bytes:
    """The AR for bytes that never became a message: a frame without end or start, or over the limit."""
    condition = Condition.INTERNAL if internal else Condition.SEGMENT_SEQUENCE
    problem = Problem(AckCode.AR, condition, reason, "MSH")
    return build(Header.read(head), AckCode.AR.value, reason, problem)


def build(header: Header, code: str, text: str, problem: Problem | None = None) -> bytes:
    """One acknowledgement; MSA-2 echoes MSH-10 byte for byte."""
    separators = _usable(header.separators)
    version = header.component(12)
    version = version if _VERSION.match(version) else _OWN_VERSION
    segments = [_msh(header, separators, version), _msa(header, separators, version, code, text, problem)]
    if problem is not None:
        segments.append(_err(separators, version, problem))
    return ("\r".join(segments) + "\r").encode("latin_1", "replace")


def _msh(header: Header, separators: Separators, version: str) -> str:
    now = datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000")
    event = _clean(header.component(9, 2), separators)
    kind = ["ACK", event, "ACK"] if event else ["ACK"]
    fields = [
        "MSH",
        separators.encoding_characters,
        _echo(header, 5, separators) or _OWN_NAME,
        _echo(header, 6, separators),
        _echo(header, 3, separators),
        _echo(header, 4, separators),
        now,
        "",
        separators.component.join(kind if version not in ("2.1", "2.2", "2.3") else kind[:2]),
        uuid.uuid4().hex[:20].upper(),
        _echo(header, 11, separators) or "P",
        version,
    ]
    if character_set := _echo(header, 18, separators):
        fields += [""] * 5 + [character_set]
    return separators.field.join(fields)


def _msa(
    header: Header, separators: Separators, version: str, code: str, text: str, problem: Problem | None
) -> str:
    fields = ["MSA", code, _echo(header, 10, separators), _own(text, separators)]
    if problem is not None and not _new_err(version):
        fields += ["", "", _coded(problem.condition, separators.component)]
    return separators.field.join(fields).rstrip(separators.field)


def _err(separators: Separators, version: str, problem: Problem) -> str:
    """ERR as of 2.5 (location, code, severity, user text), before that ERR-1 with all of it inside."""
    location = problem.location.replace("^", separators.component)
    if not _new_err(version):
        parts = [*problem.location.split("^"), "", ""][:3]
        coded = _coded(problem.condition, separators.subcomponent)
        return separators.field.join(["ERR", separators.component.join([*parts, coded])])
    coded = _coded(problem.condition, separators.component)
    text = _own(problem.text, separators)
    return separators.field.join(["ERR", "", location, coded, "E", "", "", "", text])


def _new_err(version: str) -> bool:
    return version not in ("2.1", "2.2", "2.3", "2.3.1", "2.4")


def _coded(condition: Condition, joint: str) -> str:
    return joint.join([str(condition.value), CONDITION_TEXT[condition], "HL70357"])


def _own(text: str, separators: Separators) -> str:
    """Text of ours: plain ASCII, escaped."""
    return escape(text.encode("ascii", "replace").decode("ascii"), separators)


def _echo(header: Header, number: int, separators: Separators) -> str:
    """A field of the sender's header, as written where its delimiters are usable."""
    raw = header.field(number)
    return _CONTROL.sub("", raw) if separators == header.separators else _clean(raw, separators)


def _clean(text: str, separators: Separators) -> str:
    signs = separators.field + separators.encoding_characters
    return "".join(c for c in _CONTROL.sub("", text) if c not in signs)


def _usable(separators: Separators) -> Separators:
    """The sender's delimiters, the standard's own where those could not be read back."""
    used = separators.field + separators.encoding_characters
    fine = len(set(used)) == 5 and not any(c.isalnum() or c.isspace() or ord(c) < 33 for c in used)
    return separators if fine else STANDARD


def _due(condition: str, code: AckCode) -> bool:
    """Whether an acknowledgement is asked for (table 0155)."""
    if condition in ("", "NE"):
        return False
    if condition == "ER":
        return code is not AckCode.AA
    return code is AckCode.AA if condition == "SU" else True
