"""Results to their destinations: implements `ports.Transmitter` over MLLP."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from pacs_core.domain.delivery import Outcome, OutcomeKind
from pacs_core.domain.errors import ReadingRoomError
from pacs_core.domain.records import DeliveryRecord, DestinationRecord, StudyRecord, VersionRecord
from pacs_core.domain.report import Section, VersionKind
from pacs_core.domain.times import read_instant
from pacs_core.hl7.client import MLLPClient, NoAnswer
from pacs_core.hl7.message import Message
from pacs_core.hl7.oru import ReportedStudy, Result, render
from pacs_core.ports import Clock, Transaction
from pacs_core.services.reporting import version_of

log = logging.getLogger("reading_room.deliver")

_ACCEPTED = ("AA", "CA")
_REFUSED = ("AE", "AR", "CE", "CR")


class MLLPTransmitter:
    """One persistent connection to each destination; a destination's messages go one after the other."""

    def __init__(
        self,
        clock: Clock,
        *,
        connect_s: float = 10.0,
        answer_s: float = 30.0,
        sending_facility: str = "",
        tls: Callable[[DestinationRecord], ssl.SSLContext | None] = lambda destination: None,
    ) -> None:
        self._clock = clock
        self._connect_s = connect_s
        self._answer_s = answer_s
        self._facility = sending_facility
        self._tls = tls
        self._guard = threading.Lock()
        self._lines: dict[str, _Line] = {}

    def render(self, tx: Transaction, delivery: DeliveryRecord, destination: DestinationRecord) -> bytes:
        """The ORU^R01 of one signed version, with the patient and order as they are known now.

        Raises InvalidValue where no valid message can be made of it, NotFound where a part is gone.
        """
        report = tx.reports.get(delivery.report_id)
        study = tx.studies.get(report.study_uid)
        order = tx.orders.get(delivery.order_id) if delivery.order_id is not None else None
        whose = order.patient_id if order and delivery.takes_back else study.patient_id
        signed = tx.reports.version(delivery.version_id)
        version = version_of(signed)
        zone = ZoneInfo(self._clock.zone_name)
        result = Result(
            control_id=delivery.control_id,
            destination=destination.name,
            rendered_at=self._clock.now().astimezone(zone),
            patient=tx.patients.current(whose),
            order=order,
            study=_reported(study, order.accession.value if order else ""),
            kind=version.kind,
            sections=whole_text(signed, tx.reports.versions(report.id)),
            signer=version.signer,
            signer_name=version.signer_name,
            signed_at=read_instant(version.signed_at).astimezone(zone),
            addendum_status=destination.addendum_status or "C",
            for_tests=destination.reserved_for_tests,
            sending_facility=self._facility,
            taken_back=bool(delivery.takes_back),
        )
        return render(result)

    def send(self, destination: DestinationRecord, payload: bytes, control_id: str) -> Outcome:
        """Send the bytes, wait for their acknowledgement; what a peer does is an Outcome, never raised."""
        line = self._line(destination)
        with line.busy:
            try:
                answer = line.client.exchange(payload, lambda frame: _answers(frame, control_id))
            except NoAnswer as silence:
                log.info("no acknowledgement of %s from %s: %s", control_id, destination.name, silence)
                return Outcome(OutcomeKind.SILENT, "", str(silence))
        return read_acknowledgement(answer)

    def close(self) -> None:
        """Hang up everywhere."""
        with self._guard:
            lines, self._lines = list(self._lines.values()), {}
        for line in lines:
            with line.busy:
                line.client.close()

    def _line(self, destination: DestinationRecord) -> _Line:
        """The connection to a destination; a changed address gets a new one."""
        with self._guard:
            line = self._lines.get(destination.name)
            if line is None or line.address != (destination.host, destination.port):
                client = MLLPClient(
                    destination.host,
                    destination.port,
                    connect_s=self._connect_s,
                    answer_s=self._answer_s,
                    tls=self._tls(destination),
                )
                if line is not None:
                    line.client.close()
                line = self._lines[destination.name] = _Line(client, (destination.host, destination.port))
            return line


class _Line:
    """A destination's connection and the lock that keeps its messages in order."""

    def __init__(self, client: MLLPClient, address: tuple[str, int]) -> None:
        self.client = client
        self.address = address
        self.busy = threading.Lock()


def read_acknowledgement(answer: bytes) -> Outcome:
    """MSA-1 with MSA-3 and what ERR says, as an outcome; an answer nobody can read counts as silence."""
    try:
        message = Message.parse(answer)
    except ReadingRoomError as failure:
        return Outcome(OutcomeKind.SILENT, "", f"unreadable acknowledgement: {failure.message}")
    code = (message.text("MSA-1") or "").upper()
    text = "; ".join(dict.fromkeys(part for part in (message.text("MSA-3"), *_errors(message)) if part))
    if code in _ACCEPTED:
        return Outcome(OutcomeKind.ACKNOWLEDGED, code, text)
    if code in _REFUSED:
        return Outcome(OutcomeKind.REFUSED, code, text)
    return Outcome(OutcomeKind.SILENT, code, f"unknown acknowledgement code {code[:8] or '(empty)'}")


def whole_text(version: VersionRecord, versions: Sequence[VersionRecord]) -> tuple[Section, ...]:
    """What is sent for a version: an addendum goes out with the text it is added to (OBX-11 C: full text)."""
    signed = version_of(version)
    if signed.kind is not VersionKind.ADDENDUM:
        return signed.sections
    earlier = [version_of(one) for one in versions if one.version <= version.version]
    start = max((n for n, one in enumerate(earlier) if one.kind is not VersionKind.ADDENDUM), default=0)
    base = earlier[start].sections
    sections = list(base)
    for number, addendum in enumerate(earlier[start + 1 :], 1):
        added = [section for section in addendum.sections if section not in base]
        sections += [replace(one, heading=f"ADDENDUM {number}: {one.heading}".rstrip(": ")) for one in added]
    return tuple(sections)


def _reported(study: StudyRecord, accession: str) -> ReportedStudy:
    modality = study.modalities.split("\\")[0].split(",")[0].strip()
    return ReportedStudy(
        study_uid=study.study_uid,
        accession=accession or study.received_accession,
        description=study.description,
        modality=modality,
        date=study.study_date,
        time=study.study_time,
    )


def _answers(frame: bytes, control_id: str) -> bool:
    """Whether a frame is the acknowledgement of our message: MSA-2 is its control ID."""
    try:
        return Message.parse(frame).text("MSA-2") == control_id
    except ReadingRoomError:
        return False


def _errors(message: Message) -> list[str]:
    """What every ERR segment says, place first: ERR-2, ERR-3 and ERR-8, or ERR-1 before 2.5."""
    said = []
    for segment in message.all("ERR"):
        place = " ".join(p for p in (segment.text(2, n) for n in (1, 2, 3)) if p) or segment.text(1, 1)
        words = segment.text(8) or segment.text(3, 2) or segment.text(1, 4, 2)
        code = segment.text(3, 1) or segment.text(1, 4, 1)
        said.append(" ".join(p for p in (place, code, words) if p))
    return said
