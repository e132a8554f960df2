"""Where an HL7 sender puts what: the field map of a source, as data (IHE RAD TF-2 4.1 and 4.4).

A map is TOML: the shipped default with a source's own text on top. What the own text names replaces the
default's list of places; tables of translations are added to. The first place that holds something wins.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pacs_core.domain.errors import InvalidValue
from pacs_core.domain.order import Priority

_PLACE = re.compile(r"^([A-Z][A-Z0-9]{2})-(\d{1,3})(?:\.(\d{1,2}))?(?:\.(\d{1,2}))?$")

PATIENT_FIELDS = frozenset(
    "identifier other_identifiers subsumed_identifier name birth_date sex address phone pregnancy allergies "
    "visit_number location patient_class".split()
)
ORDER_FIELDS = frozenset(
    "placer_number filler_number accession_number accession_issuer procedure_id study_uid priority procedure "
    "procedure_description indication question body_part laterality contrast alerts referring_physician "
    "referring_phone requesting_physician admission_id transport patient_state technologist_note step_id "
    "modality start station_aet station_name station_location protocol step_description "
    "performing_physician".split()
)
OPTIONS = frozenset(
    "character_set acknowledge default_issuer identifier_types make_accession_number time_zone".split()
)
TRANSLATIONS = frozenset({"modality", "procedure_modality", "priority"})
OBSERVATIONS = frozenset({"weight", "height"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value lies: ``OBR-18``, ``PID-3.4`` or ``PID-5.1.2``; counted from 1, 0 is not said."""

    segment: str
    field: int
    component: int = 0
    subcomponent: int = 0

    @classmethod
    def parse(cls, text: str) -> Place:
        """Read the written form. Raises InvalidValue naming it."""
        match = _PLACE.match(text.strip())
        if match is None or int(match.group(2)) == 0:
            raise InvalidValue(
                f"{text!r} is no place in a message, which looks like OBR-18 or PID-3.4", "field map"
            )
        numbers = (int(match.group(n) or 0) for n in (2, 3, 4))
        return cls(match.group(1), *numbers)

    def __str__(self) -> str:
        numbers = [str(n) for n in (self.field, self.component, self.subcomponent) if n]
        return f"{self.segment}-{'.'.join(numbers)}"

    @property
    def location(self) -> str:
        """The place as ERR-2 writes it, first of its segments: ``OBR^1^18``."""
        parts = [self.segment, "1", str(self.field)]
        if self.component:
            parts += ["1", str(self.component)]
        return "^".join(parts)


@dataclass(frozen=True, slots=True)
class FieldMap:
    """How one source's messages are read.

    `character_set` is a table 0211 name for messages without MSH-18, `acknowledge` is ``asked`` or
    ``always``, `time_zone` an IANA name where the sender's civil times are not the site's.
    """

    patient: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)
    order: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)
    observations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    modality: Mapping[str, str] = field(default_factory=dict)
    procedure_modality: Mapping[str, str] = field(default_factory=dict)
    priority: Mapping[str, Priority] = field(default_factory=dict)
    character_set: str = ""
    acknowledge: str = "asked"
    default_issuer: str = ""
    identifier_types: tuple[str, ...] = ()
    make_accession_number: bool = False
    time_zone: str = ""

    @classmethod
    def read(cls, *texts: str) -> FieldMap:
        """Read TOML texts, later ones on top. Raises InvalidValue naming the line that is wrong."""
        merged = cls()
        for text in texts:
            merged = merged._with(text)
        return merged

    def _with(self, text: str) -> FieldMap:
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as failure:
            raise InvalidValue(f"the field map is no TOML: {failure}", "field map") from None
        _only(table, {"options", "patient", "order", "observations"} | TRANSLATIONS, text)
        options = _section(table, "options", text)
        _only(options, OPTIONS, text)
        return FieldMap(
            patient={**self.patient, **_places(_section(table, "patient", text), PATIENT_FIELDS, text)},
            order={**self.order, **_places(_section(table, "order", text), ORDER_FIELDS, text)},
            observations={**self.observations, **_observations(_section(table, "observations", text), text)},
            modality={**self.modality, **_words(_section(table, "modality", text), text)},
            procedure_modality={
                **self.procedure_modality,
                **_words(_section(table, "procedure_modality", text), text),
            },
            priority={**self.priority, **_priorities(_section(table, "priority", text), text)},
            character_set=_text(options, "character_set", self.character_set, text),
            acknowledge=_choice(options, "acknowledge", self.acknowledge, ("asked", "always"), text),
            default_issuer=_text(options, "default_issuer", self.default_issuer, text),
            identifier_types=_list(options, "identifier_types", self.identifier_types, text),
            make_accession_number=_flag(options, "make_accession_number", self.make_accession_number, text),
            time_zone=_zone(options, "time_zone", self.time_zone, text),
        )


def _bad(text: str, key: str, why: str) -> InvalidValue:
    """The error, with the line where the key stands."""
    pattern = re.compile(rf"^\s*\[?\s*[\"']?{re.escape(key)}[\"']?\s*[=\]]")
    lines = text.split("\n")
    line = next((number for number, one in enumerate(lines, 1) if pattern.match(one)), 0)
    return InvalidValue(f"line {line}: {key}: {why}" if line else f"{key}: {why}", "field map")


def _only(table: Mapping[str, object], known: frozenset[str] | set[str], text: str) -> None:
    for key in table:
        if key not in known:
            raise _bad(text, key, f"unknown name; known are {', '.join(sorted(known))}")


def _section(table: Mapping[str, object], name: str, text: str) -> Mapping[str, object]:
    section = table.get(name, {})
    if not isinstance(section, dict):
        raise _bad(text, name, "must be a table, like [order]")
    return section


def _places(section: Mapping[str, object], known: frozenset[str], text: str) -> dict[str, tuple[Place, ...]]:
    _only(section, known, text)
    places: dict[str, tuple[Place, ...]] = {}
    for name in section:
        try:
            places[name] = tuple(Place.parse(place) for place in _list(section, name, (), text))
        except InvalidValue as failure:
            raise (
                failure if failure.message.startswith("line") else _bad(text, name, failure.message)
            ) from None
    return places


def _observations(section: Mapping[str, object], text: str) -> dict[str, tuple[str, ...]]:
    _only(section, OBSERVATIONS, text)
    return {name: tuple(one.upper() for one in _list(section, name, (), text)) for name in section}


def _words(section: Mapping[str, object], text: str) -> dict[str, str]:
    return {key.upper(): _text(section, key, "", text) for key in section}


def _priorities(section: Mapping[str, object], text: str) -> dict[str, Priority]:
    known = tuple(priority.value for priority in Priority)
    return {key.upper(): Priority(_choice(section, key, "", known, text)) for key in section}


def _text(table: Mapping[str, object], key: str, default: str, text: str) -> str:
    value = table.get(key, default)
    if not isinstance(value, str):
        raise _bad(text, key, "must be a text in quotes")
    return value


def _zone(table: Mapping[str, object], key: str, default: str, text: str) -> str:
    value = _text(table, key, default, text)
    try:
        return ZoneInfo(value).key if value else ""
    except (ZoneInfoNotFoundError, ValueError):
        raise _bad(text, key, "must be a zone like Europe/Berlin") from None


def _flag(table: Mapping[str, object], key: str, default: bool, text: str) -> bool:
    value = table.get(key, default)
    if not isinstance(value, bool):
        raise _bad(text, key, "must be true or false")
    return value


def _choice(table: Mapping[str, object], key: str, default: str, known: tuple[str, ...], text: str) -> str:
    value = _text(table, key, default, text)
    if value not in known:
        raise _bad(text, key, f"must be one of {', '.join(known)}")
    return value


def _list(table: Mapping[str, object], key: str, default: tuple[str, ...], text: str) -> tuple[str, ...]:
    value = table.get(key, list(default))
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _bad(text, key, 'must be a list of texts, like ["OBR-18", "OBR-3"]')
    return tuple(value)
