"""The fields of one order group to the domain's order, by a source's field map (IHE RAD TF-2 4.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

from pacs_core.domain.errors import InvalidValue, NeedsPerson
from pacs_core.domain.field_map import FieldMap, Place
from pacs_core.domain.identifiers import is_tolerable_uid
from pacs_core.domain.order import Code, PlaceOrder, Priority, StepRequest
from pacs_core.domain.patient import RegisterPatient
from pacs_core.hl7 import fields
from pacs_core.hl7.message import Repetition
from pacs_core.hl7.patient import allergies
from pacs_core.hl7.scope import Found, Scope
from pacs_core.hl7.status import AckCode, Condition, MessageRefused

SHORT_STRING = 16
LONG_STRING = 64
_LIMITS = {
    "accession_number": SHORT_STRING,
    "procedure_id": SHORT_STRING,
    "step_id": SHORT_STRING,
    "station_name": SHORT_STRING,
    "station_location": SHORT_STRING,
    "station_aet": SHORT_STRING,
    "modality": SHORT_STRING,
    "placer_number": LONG_STRING,
    "filler_number": LONG_STRING,
    "accession_issuer": LONG_STRING,
    "admission_id": LONG_STRING,
}
"""Characters that the DICOM attribute behind a field can hold (VR SH, AE, CS: 16; LO: 64; PS3.5 6.2)."""


class OrderReader:
    """Reads one order group; `zone` is the site's, in which scheduled starts are kept."""

    def __init__(self, scope: Scope, field_map: FieldMap, zone: ZoneInfo) -> None:
        self._scope = scope
        self._map = field_map
        self._zone = zone

    def order(self, patient: RegisterPatient, source: str) -> PlaceOrder:
        """The order; None where nothing is said. Raises MessageRefused, NeedsPerson for what is too long."""
        return PlaceOrder(
            patient=patient,
            placer_number=self.number("placer_number"),
            filler_number=self.number("filler_number"),
            placer_issuer=self.issuer("placer_number"),
            filler_issuer=self.issuer("filler_number"),
            accession=self.number("accession_number"),
            accession_issuer=self.number("accession_issuer"),
            procedure_id=self.number("procedure_id"),
            study_uid=self._study_uid(),
            priority=self._priority(),
            procedure_description=self._words("procedure_description"),
            procedure_code=self._code("procedure"),
            body_part=self._words("body_part"),
            laterality=self._words("laterality"),
            indication=self._lines("indication"),
            question=self._lines("question"),
            referring_physician=self._of("referring_physician", fields.provider_name),
            referring_phone=self._of("referring_phone", fields.phone),
            requesting_physician=self._of("requesting_physician", fields.provider_name),
            contrast=self._words("contrast"),
            allergies=allergies(self._scope, self._map),
            alerts=self._lines("alerts"),
            technologist_note=self._lines("technologist_note"),
            admission_id=self.number("admission_id") or None,
            transport=self._words("transport"),
            patient_state=self._words("patient_state"),
            steps=(self._step(),),
            source=source,
        )

    def number(self, name: str) -> str:
        """A number or short name that DICOM must be able to hold; empty where nothing is said."""
        found = self._found(name)
        value = (found.text or "") if found else ""
        limit = _LIMITS[name]
        if found and (len(value) > limit or "\\" in value or any(ord(c) < 32 for c in value)):
            text = (
                f"{name.replace('_', ' ')} in {found.place} has {len(value)} characters, DICOM takes {limit}"
            )
            if len(value) <= limit:
                text = f"{name.replace('_', ' ')} in {found.place} holds a backslash or a control character"
            raise NeedsPerson(text, found.location)
        return value

    def issuer(self, name: str) -> str:
        """Who gave a number: EI.2 to EI.4 beside it, joined by ``^``; empty where nothing is said."""
        found = self._found(name)
        if found is None or found.place.component > 1:
            return ""
        return "^".join(found.repetition.text(n) or "" for n in (2, 3, 4)).rstrip("^")

    def _step(self) -> StepRequest:
        start_date, start_time = self._start()
        return StepRequest(
            step_id=self.number("step_id"),
            modality=self._modality(),
            start_date=start_date,
            start_time=start_time,
            station_aet=self.number("station_aet"),
            station_name=self.number("station_name"),
            location=self.number("station_location"),
            description=self._words("step_description") or "",
            protocol_code=self._protocol() or Code(),
            performing_physician=self._of("performing_physician", fields.provider_name) or "",
        )

    def _places(self, name: str) -> Sequence[Place]:
        return self._map.order[name]

    def _found(self, name: str) -> Found | None:
        return next((one for one in self._scope.every(self._places(name)) if one.text), None)

    def _study_uid(self) -> str:
        found = self._found("study_uid")
        value = (found.text or "") if found else ""
        if found and value and not is_tolerable_uid(value):
            text = f"the Study Instance UID in {found.place} is no UID"
            raise MessageRefused(AckCode.AE, Condition.DATA_TYPE, text, found.location)
        return value

    def _start(self) -> tuple[str, str]:
        found = self._found("start")
        if found is None or not found.text:
            return "", ""
        sender = ZoneInfo(self._map.time_zone) if self._map.time_zone else None
        try:
            return fields.civil_start(found.text, self._zone, sender)
        except InvalidValue as failure:
            text = f"scheduled start in {found.place}: {failure.message}"
            raise MessageRefused(AckCode.AE, Condition.DATA_TYPE, text, found.location) from None

    def _priority(self) -> Priority | None:
        found = self._found("priority")
        if found is None or not found.text:
            return None
        priority = self._map.priority.get(found.text.upper())
        if priority is None:
            self._scope.ignore(found, "priority is not in the source's map")
        return priority

    def _modality(self) -> str:
        value = self.number("modality").upper()
        if value:
            return self._map.modality.get(value, value)
        code = self._code("protocol") or Code()
        return self._map.procedure_modality.get(code.value.upper(), "")

    def _protocol(self) -> Code | None:
        """The alternate triple of OBR-4 is the protocol where there is one (IHE RAD TF-2 table 4.4-6)."""
        found = self._scope.first(self._places("protocol"))
        if found is None:
            return None
        alternate = found.repetition.text(4) or ""
        if not alternate:
            return fields.code(found.repetition)
        return Code(alternate, found.repetition.text(6) or "", fields.plain(found.repetition.text(5) or ""))

    def _code(self, name: str) -> Code | None:
        found = self._scope.first(self._places(name))
        return fields.code(found.repetition) if found else None

    def _words(self, name: str) -> str | None:
        """A text; the component the place names, else what a person would read of the field."""
        for found in self._scope.every(self._places(name)):
            value = found.text if found.place.component else fields.words(found.repetition)
            if value is not None:
                return fields.plain(value)
        return None

    def _lines(self, name: str) -> str | None:
        """All a place says, repetitions and repeated segments as lines; comments (NTE-3) are never split."""
        for place in self._places(name):
            lines = [self._line(found) for found in self._scope.every((place,))]
            if said := [line for line in lines if line is not None]:
                return "\n".join(line for line in said if line)
        return None

    def _line(self, found: Found) -> str | None:
        if found.segment.name == "NTE" and not found.place.component:
            return fields.plain(found.repetition.text(0) or "")
        return fields.plain(found.text or "") if found.place.component else fields.words(found.repetition)

    def _of(self, name: str, read: Callable[[Repetition], str | None]) -> str | None:
        values = (read(found.repetition) for found in self._scope.every(self._places(name)))
        return next((value for value in values if value is not None), None)
