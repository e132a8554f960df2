"""Results as ORU^R01 2.5.1 (HL7 v2.5.1 §7.3.1; IHE RAD TF-2 RAD-128), built and validated with hl7apy.

Every text that people typed goes through a slot: hl7apy (1.3.5) escapes ``\\.br\\`` and escape characters
wrongly, so it gets a token to place and validate, and our own writer's escaped text takes the token's place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pacs_core.domain.errors import InvalidValue
from pacs_core.domain.order import Order
from pacs_core.domain.patient import Patient, display_name
from pacs_core.domain.report import Section, VersionKind
from pacs_core.hl7.charsets import UTF8
from pacs_core.hl7.escapes import escape
from pacs_core.hl7.message import Message

if TYPE_CHECKING:
    from hl7apy.core import Group

VERSION = "2.5.1"
_TOKEN = re.compile("\ue000(\\d+)\ue001")
_RESERVED = re.compile("[\ue000\ue001]")
_LOINC = re.compile(r"^\d{1,6}-\d$")
_STATUS = {
    VersionKind.PRELIMINARY: "P",
    VersionKind.FINAL: "F",
    VersionKind.CORRECTION: "C",
    VersionKind.ADDENDUM: "C",
}
"""OBR-25 (table 0123) and OBX-11 (table 0085) by kind; a destination may want F for an addendum."""

TAKEN_BACK = "WITHDRAWN: this result was sent under the wrong order and is not of this exam."
"""What stands in place of every text of a result that is taken back."""

PRELIMINARY_TEXT = "PRELIMINARY REPORT, not finally signed"


@dataclass(frozen=True, slots=True)
class ReportedStudy:
    """The study a result is about, as the order and the images tell it; date and time civil."""

    study_uid: str
    accession: str
    description: str = ""
    modality: str = ""
    date: str = ""
    time: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """Everything one ORU^R01 says. `sections` is the whole text, addenda included; times are aware."""

    control_id: str
    destination: str
    rendered_at: datetime
    patient: Patient
    order: Order | None
    study: ReportedStudy
    kind: VersionKind
    sections: tuple[Section, ...]
    signer: str
    signer_name: str
    signed_at: datetime
    addendum_status: str = "C"
    for_tests: bool = False
    sending_application: str = "READINGROOM"
    sending_facility: str = ""
    taken_back: bool = False

    @property
    def request_status(self) -> str:
        """OBR-25 (table 0123): X, no results, where they are taken back."""
        return "X" if self.taken_back else self.status

    @property
    def status(self) -> str:
        """OBX-11 (table 0085): W, posted for a wrong patient or exam, where the result is taken back."""
        if self.taken_back:
            return "W"
        return self.addendum_status if self.kind is VersionKind.ADDENDUM else _STATUS[self.kind]


class _Slots:
    """Texts put aside while hl7apy builds the structure, and put in afterwards, escaped."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def __call__(self, text: str) -> str:
        """A token for a text; nothing for nothing."""
        text = _RESERVED.sub("", text)
        if not text:
            return ""
        self._texts.append(escape(text))
        return f"\ue000{len(self._texts) - 1}\ue001"

    def fill(self, encoded: str) -> str:
        """The message with every token replaced."""
        return _TOKEN.sub(lambda match: self._texts[int(match.group(1))], encoded)


def render(result: Result) -> bytes:
    """The message, UTF-8, CR-terminated. Raises InvalidValue where it would be no valid ORU^R01 2.5.1."""
    from hl7apy.core import Message as Built
    from hl7apy.exceptions import HL7apyException

    slots = _Slots()
    built = Built("ORU_R01", version=VERSION)
    try:
        _header(built.msh, result, slots)
        outcome = built.add_group("ORU_R01_PATIENT_RESULT")
        _patient(outcome.add_group("ORU_R01_PATIENT"), result, slots)
        _observations(outcome.add_group("ORU_R01_ORDER_OBSERVATION"), result, slots)
        built.validate()
    except HL7apyException as failure:
        raise InvalidValue(f"no valid ORU^R01 {VERSION}: {type(failure).__name__}", "ORU^R01") from failure
    encoded = slots.fill(built.to_er7()).rstrip("\r") + "\r"
    return _checked(encoded.encode("utf-8"), result)


def _header(msh: Group, result: Result, slots: _Slots) -> None:
    msh.msh_3 = slots(result.sending_application)
    msh.msh_4 = slots(result.sending_facility)
    msh.msh_5 = slots(result.destination)
    msh.msh_7 = _time(result.rendered_at)
    msh.msh_9 = "ORU^R01^ORU_R01"
    msh.msh_10 = slots(result.control_id)
    msh.msh_11 = "T" if result.for_tests else "P"
    msh.msh_18 = UTF8


def _patient(group: Group, result: Result, slots: _Slots) -> None:
    patient, known = result.patient, result.patient.demographics
    pid = group.pid
    pid.pid_1 = "1"
    # One repetition an identifier: hl7apy appends to a field each time it is added to.
    for identifier in (patient.identifier, *patient.other_identifiers):
        field = pid.add_field("pid_3")
        field.value = f"{slots(identifier.value)}^^^{slots(identifier.issuer)}".rstrip("^")
    for name in _names(known.name, slots):
        pid.add_field("pid_5").value = name
    pid.pid_7 = known.birth_date.replace("-", "")
    pid.pid_8 = known.sex
    pv1 = group.add_group("ORU_R01_VISIT").pv1
    pv1.pv1_1 = "1"
    pv1.pv1_2 = "U"
    if result.order is not None:
        pv1.pv1_8 = _provider(result.order.referring_physician, slots)
        pv1.pv1_19 = slots(result.order.admission_id)


def _observations(group: Group, result: Result, slots: _Slots) -> None:
    orc = group.orc
    orc.orc_1 = "RE"
    orc.orc_2, orc.orc_3 = _numbers(result, slots)
    _request(group.obr, result, slots)
    for number, (kind, code, subject, text) in enumerate(_contents(result), 1):
        obx = group.add_group("ORU_R01_OBSERVATION").obx
        obx.obx_1 = str(number)
        obx.obx_2 = kind
        obx.obx_3 = "^".join(slots(part) for part in code)
        obx.obx_4 = subject
        obx.obx_5 = slots(text)
        obx.obx_11 = result.status
        obx.obx_14 = _time(result.signed_at)
        obx.obx_16 = f"{slots(result.signer)}^{slots(result.signer_name)}".rstrip("^")


def _request(obr: Group, result: Result, slots: _Slots) -> None:
    order, study = result.order, result.study
    obr.obr_1 = "1"
    obr.obr_2, obr.obr_3 = _numbers(result, slots)
    obr.obr_4 = _procedure(result, slots)
    obr.obr_7 = _civil(study.date, study.time)
    obr.obr_16 = _provider(order.requesting_physician, slots) if order else ""
    obr.obr_18 = slots(study.accession)
    obr.obr_19 = slots(order.procedure_id) if order else ""
    obr.obr_20 = slots(order.steps[0].step_id) if order and order.steps else ""
    obr.obr_22 = _time(result.signed_at)
    obr.obr_24 = slots(study.modality)
    obr.obr_25 = result.request_status
    obr.obr_32 = f"{slots(result.signer)}&{slots(result.signer_name)}".rstrip("&")


def _contents(result: Result) -> list[tuple[str, tuple[str, ...], str, str]]:
    """OBX-2, OBX-3, OBX-4 and OBX-5 of every observation: the study, each section, the signature."""
    study = ("113014", "DICOM Study", "DCM", "", "Study Instance UID")
    rows: list[tuple[str, tuple[str, ...], str, str]] = [("ST", study, "", result.study.study_uid)]
    if result.kind is VersionKind.PRELIMINARY:
        rows.append(("FT", ("STATUS", "Report status", "L"), "", PRELIMINARY_TEXT))
    for number, section in enumerate(result.sections, 1):
        if section.text.strip():
            rows.append(("FT", _section_code(section), str(number), section.text))
    rows.append(("FT", ("SIGNATURE", "Signature", "L"), "", _signature(result)))
    if result.taken_back:
        return rows[:1] + [(kind, code, subject, TAKEN_BACK) for kind, code, subject, _ in rows[1:]]
    return rows


def _section_code(section: Section) -> tuple[str, ...]:
    """LOINC where the template names it, else the heading as a local code."""
    if _LOINC.match(section.code):
        return section.code, section.heading, "LN"
    return section.heading.upper()[:20] or "TEXT", section.heading or "Text", "L"


def _signature(result: Result) -> str:
    verb = "Preliminarily signed" if result.kind is VersionKind.PRELIMINARY else "Electronically signed"
    when = result.signed_at.strftime("%Y-%m-%d %H:%M:%S %z")
    return f"{verb} by {result.signer_name or result.signer}, {when}"


def _numbers(result: Result, slots: _Slots) -> tuple[str, str]:
    """Placer and filler order number as EI, each with who gave it as the order said.

    The accession number is the department's own filler number where the RIS gave none.
    """
    order = result.order
    if order is None:
        return "", slots(result.study.accession)
    placer = _entity(order.placer_number, order.placer_issuer, slots)
    return placer, _entity(order.filler_number, order.filler_issuer, slots) or slots(result.study.accession)


def _entity(number: str, issuer: str, slots: _Slots) -> str:
    parts = (number, *issuer.split("^")[:3]) if number else ()
    return "^".join(slots(part) for part in parts)


def _procedure(result: Result, slots: _Slots) -> str:
    """OBR-4, which must not be empty: the order's code, else its words, else the study's."""
    order = result.order
    words = (order.procedure_description if order else "") or result.study.description or "Imaging study"
    if order is not None and order.procedure_code.value:
        code = order.procedure_code
        return f"{slots(code.value)}^{slots(code.meaning or words)}^{slots(code.scheme)}"
    return f"^{slots(words)}"


def _names(name: str, slots: _Slots) -> list[str]:
    """A DICOM PN as XPN repetitions: alphabetic, ideographic and phonetic (XPN.8)."""
    out = []
    for group, code in zip(name.split("="), "AIP", strict=False):
        if group.strip("^ "):
            family, given, middle, prefix, suffix = (
                slots(p.strip()) for p in (group.split("^") + [""] * 5)[:5]
            )
            alone = code == "A" and "=" not in name
            parts = (family, given, middle, suffix, prefix, "", "L", "" if alone else code)
            out.append("^".join(parts).rstrip("^"))
    return out


def _provider(name: str, slots: _Slots) -> str:
    """A DICOM PN as XCN."""
    if not name.strip("^= "):
        return ""
    alphabetic = name.partition("=")[0]
    family, given, middle, prefix, suffix = (slots(p) for p in (alphabetic.split("^") + [""] * 5)[:5])
    return f"^{family}^{given}^{middle}^{suffix}^{prefix}".rstrip("^") or slots(display_name(name))


def _time(moment: datetime) -> str:
    """An aware instant as TS with its offset."""
    return moment.strftime("%Y%m%d%H%M%S%z")


def _civil(date: str, time: str) -> str:
    """A civil date and time as TS without offset."""
    return date.replace("-", "") + (time.replace(":", "")[:6] if date else "")


def _checked(encoded: bytes, result: Result) -> bytes:
    """Read what was written: the words of every section must come back as they were signed."""
    message = Message.parse(encoded)
    read = [segment.text(5, 0) or "" for segment in message.all("OBX")]
    wanted = [_normal(text) for _, _, _, text in _contents(result)]
    if [_normal(text) for text in read] != wanted or message.text("MSH-10") != result.control_id:
        raise InvalidValue("the report's text does not survive HL7 encoding", "OBX^1^5")
    return encoded


def _normal(text: str) -> str:
    lines = _RESERVED.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return lines.strip()
