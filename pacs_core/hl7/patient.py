"""PID, PV1, AL1 and OBX to what the archive is told of a patient (IHE RAD TF-2 4.1, 4.12)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from pacs_core.domain.errors import InvalidValue, NeedsPerson
from pacs_core.domain.field_map import FieldMap, Place
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.patient import RegisterPatient
from pacs_core.hl7 import fields
from pacs_core.hl7.message import Repetition
from pacs_core.hl7.scope import Found, Scope
from pacs_core.hl7.status import AckCode, Condition, MessageRefused

_LONG_STRING = 64
_PREGNANT = "B6"
_NOT_A_PERSON = frozenset({"AN", "VN", "VS"})
"""Identifier types (table 0203) that name an account or a visit."""


def register(scope: Scope, field_map: FieldMap, event: str) -> RegisterPatient:
    """What a message says of its patient. Raises MessageRefused without a PID or a patient ID."""
    if not any(segment.name == "PID" for segment in scope.segments):
        raise MessageRefused(
            AckCode.AE, Condition.SEGMENT_SEQUENCE, "the message has no PID segment", "PID^1"
        )
    places = field_map.patient
    identifier = _identifier(scope, field_map, places["identifier"])
    return RegisterPatient(
        identifier=identifier,
        name=_name(scope, places["name"]),
        birth_date=_checked(scope, places["birth_date"], partial(fields.birth_date, today=scope.today)),
        sex=_checked(scope, places["sex"], fields.sex),
        address=_of(scope, places["address"], fields.address),
        phone=_of(scope, places["phone"], fields.phone),
        weight_kg=_observed(scope, field_map, "weight", fields.kilograms),
        height_m=_observed(scope, field_map, "height", fields.metres),
        allergies=allergies(scope, field_map),
        pregnancy=_pregnancy(scope, places["pregnancy"]),
        other_identifiers=_others(scope, field_map, identifier),
        visit_number=scope.text(places["visit_number"]),
        location=_of(scope, places["location"], fields.location),
        patient_class=scope.text(places["patient_class"]),
        event=event,
    )


def subsumed(scope: Scope, field_map: FieldMap, survivor: PatientIdentifier) -> PatientIdentifier:
    """MRG's identifier, to be merged away. Raises MessageRefused where missing or the survivor's own."""
    found = scope.first(field_map.patient["subsumed_identifier"])
    choices = _choices(scope, field_map, field_map.patient["subsumed_identifier"])
    if found is None or not choices:
        text = "no prior patient identifier to merge"
        raise MessageRefused(AckCode.AE, Condition.REQUIRED_FIELD_MISSING, text, "MRG^1^1")
    # Of several prior identifiers the one of the survivor's issuer is the counterpart of PID-3.
    same = [one for one in choices if one.issuer == survivor.issuer]
    chosen = _fitting((same or choices)[0], found)
    if chosen == survivor:
        text = "prior and surviving patient identifier are the same"
        raise MessageRefused(AckCode.AE, Condition.DUPLICATE_KEY, text, found.location)
    return chosen


def allergies(scope: Scope, field_map: FieldMap) -> str | None:
    """Every allergy in words, joined by semicolons."""
    named = [fields.words(found.repetition) for found in scope.every(field_map.patient["allergies"])]
    if not named:
        return None
    return "; ".join(dict.fromkeys(one for one in named if one))


def _identifier(scope: Scope, field_map: FieldMap, places: Sequence[Place]) -> PatientIdentifier:
    choices = _choices(scope, field_map, places)
    found = scope.first(places)
    if not choices or found is None:
        text = "no patient identifier"
        raise MessageRefused(AckCode.AE, Condition.REQUIRED_FIELD_MISSING, text, _location(places))
    return _fitting(choices[0], found)


def _choices(scope: Scope, field_map: FieldMap, places: Sequence[Place]) -> list[PatientIdentifier]:
    """Patient identifiers, best first: by the source's preferred types, then as they were sent."""
    wanted = field_map.identifier_types
    ranked = []
    for found in scope.every(places):
        identifier = fields.identifier(found.repetition, field_map.default_issuer)
        if identifier is not None:
            kind = found.repetition.text(5) or ""
            ranked.append((wanted.index(kind) if kind in wanted else len(wanted), identifier))
    return [identifier for _, identifier in sorted(ranked, key=lambda pair: pair[0])]


def _fitting(identifier: PatientIdentifier, found: Found) -> PatientIdentifier:
    """The identifier; where DICOM cannot hold it (VR LO, PS3.5 6.2) a person decides, nothing is cut."""
    for value, what in ((identifier.value, "patient identifier"), (identifier.issuer, "assigning authority")):
        if len(value) > _LONG_STRING or "\\" in value:
            text = f"{what} in {found.place} does not fit DICOM ({_LONG_STRING} characters, no backslash)"
            raise NeedsPerson(text, found.location)
    return identifier


def _others(
    scope: Scope, field_map: FieldMap, identifier: PatientIdentifier
) -> tuple[PatientIdentifier, ...]:
    """The patient's further identifiers; without an issuer one could be anybody's."""
    others: dict[PatientIdentifier, None] = {}
    for found in scope.every(field_map.patient["other_identifiers"]):
        other = fields.identifier(found.repetition, "")
        fits = other is not None and other.issuer and max(len(other.value), len(other.issuer)) <= _LONG_STRING
        if other is not None and fits and (found.repetition.text(5) or "") not in _NOT_A_PERSON:
            others[other] = None
    others.pop(identifier, None)
    return tuple(others)


def _repetitions(scope: Scope, places: Sequence[Place]) -> list[Repetition]:
    """Every repetition of the first place that holds something."""
    found = list(scope.every(places))
    return [
        one.repetition for one in found if one.segment is found[0].segment and one.place == found[0].place
    ]


def _name(scope: Scope, places: Sequence[Place]) -> str | None:
    """The person's name; a message never deletes it: the worklist needs one (PS3.4 K.6)."""
    name = fields.person_name(_repetitions(scope, places))
    found = scope.first(places)
    if name == "" and found is not None:
        scope.ignore(found, "a name is not deleted by a message")
        return None
    return name


def _of(scope: Scope, places: Sequence[Place], read: Callable[[Repetition], str | None]) -> str | None:
    """The first value a reader of whole repetitions makes something of."""
    values = (read(found.repetition) for found in scope.every(places))
    return next((value for value in values if value is not None), None)


def _checked(scope: Scope, places: Sequence[Place], read: Callable[[str | None], str | None]) -> str | None:
    """A value that must have a form; where it has not, it is left as it was and noted."""
    for found in scope.every(places):
        try:
            return read(found.text)
        except InvalidValue as failure:
            scope.ignore(found, failure.message)
    return None


def _pregnancy(scope: Scope, places: Sequence[Place]) -> str | None:
    """Ambulatory status B6 (table 0009); a status that is said without it ends a pregnancy."""
    said = [found.text for found in scope.every(places)]
    if not said:
        return None
    return "pregnant" if _PREGNANT in said else ""


def _observed(
    scope: Scope, field_map: FieldMap, name: str, read: Callable[[str, str], float | None]
) -> float | None:
    """A number that came as OBX, by its code or its text (OBX-3), in the unit of OBX-6."""
    wanted = field_map.observations.get(name, ())
    for segment in scope.segments:
        if segment.name == "OBX":
            names = ((segment.text(3, 1) or "").upper(), (segment.text(3, 2) or "").upper())
            if any(one in wanted for one in names if one):
                return read(segment.text(5) or "", segment.text(6) or "")
    return None


def _location(places: Sequence[Place]) -> str:
    return places[0].location if places else "PID^1^3"
