"""ADT messages to patient commands (HL7 v2.5.1 chapter 3; IHE RAD-1 and RAD-12)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pacs_core.domain.errors import NeedsPerson
from pacs_core.domain.field_map import FieldMap
from pacs_core.domain.patient import MergePatients, RegisterPatient
from pacs_core.hl7.message import Message, Segment
from pacs_core.hl7.patient import register, subsumed
from pacs_core.hl7.scope import Scope
from pacs_core.hl7.status import AckCode, Condition, MessageRefused

UPDATES = frozenset({"A01", "A04", "A05", "A08", "A28", "A31", "A60"})
"""Create or update the patient, and the visit where PV1 says one."""

VISITS = frozenset(
    "A02 A03 A06 A07 A09 A10 A11 A12 A13 A14 A15 A16 A21 A22 A25 A26 A27 A32 A33 A38 A52 A53 A54 A55".split()
)
"""Move, change or end a visit; what PID says of the patient counts as well."""

MERGES = frozenset({"A18", "A34", "A36", "A40", "A47"})
"""MRG-1 is subsumed by PID-3. A18 and A34 are A40's predecessors, A47 gives a person another identifier."""

FOR_A_PERSON = frozenset("A17 A20 A23 A24 A29 A30 A35 A37 A41 A42 A43 A44 A45 A46 A48 A49 A50 A51".split())
"""Events about identity, accounts or deletion that nothing here may decide alone: acknowledged and parked."""

HANDLED = UPDATES | VISITS | MERGES | FOR_A_PERSON

Command = RegisterPatient | MergePatients


def commands(message: Message, field_map: FieldMap, notes: list[str], today: str = "") -> tuple[Command, ...]:
    """What an ADT message asks for. Raises MessageRefused (AR for an unknown event) or NeedsPerson."""
    event = message.kind[1]
    if event not in HANDLED:
        text = f"ADT event {event or '(empty)'} is not known here"
        raise MessageRefused(AckCode.AR, Condition.UNSUPPORTED_EVENT, text, "MSH^1^9^1^2")
    if event in FOR_A_PERSON:
        raise NeedsPerson(
            f"ADT^{event} changes identities or accounts and is left to a person", "MSH^1^9^1^2"
        )
    if event in MERGES:
        return tuple(_merges(field_map, event, Scope(message.segments, notes, today)))
    return (register(Scope(message.segments, notes, today), field_map, f"ADT^{event}"),)


def _merges(field_map: FieldMap, event: str, whole: Scope) -> Iterator[MergePatients]:
    """One merge for each PID with its MRG (ADT_A39 repeats the pair)."""
    for pair in _pairs(whole.segments):
        scope = replace(whole, segments=pair)
        survivor = register(scope, field_map, f"ADT^{event}")
        if not any(segment.name == "MRG" for segment in pair):
            where = f"MRG^{pair[0].sequence}"
            raise MessageRefused(
                AckCode.AE, Condition.SEGMENT_SEQUENCE, "a PID without its MRG segment", where
            )
        yield MergePatients(survivor, subsumed(scope, field_map, survivor.identifier))


def _pairs(segments: Sequence[Segment]) -> list[list[Segment]]:
    """The segments from each PID to the next; the whole message where there is no PID to begin with."""
    starts = [n for n, segment in enumerate(segments) if segment.name == "PID"]
    if not starts:
        return [list(segments)]
    ends = [*starts[1:], len(segments)]
    return [list(segments[start:end]) for start, end in zip(starts, ends, strict=True)]
