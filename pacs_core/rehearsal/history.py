"""What was there before the demo began: earlier examinations with their signed reports, at their own times.

The same messages and files that would have come over the wire go in by the same doors' handlers, only that
the clock stands where it stood then.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import pydicom

from pacs_core.archive.importing import import_bytes
from pacs_core.dicom.quiet import quiet_pydicom
from pacs_core.domain.access import Actor, Role
from pacs_core.domain.errors import ReadingRoomError
from pacs_core.domain.report import Section
from pacs_core.domain.study import Origin
from pacs_core.hl7.message import Message
from pacs_core.hl7.receiver import Receiver
from pacs_core.hl7.server import Peer
from pacs_core.hl7.sources import Sources
from pacs_core.rehearsal.demo import DemoImages
from pacs_core.rehearsal.identity import stamp
from pacs_core.rehearsal.recipe import DemoExam, Recipe
from pacs_core.rehearsal.ris_messages import Messages, Outgoing
from pacs_core.services.bundle import Services
from pacs_core.services.reporting import Signing

ORDERED_BEFORE = timedelta(days=1)
SIGNED_AFTER = timedelta(hours=2)


class NotTaken(Exception):
    """The archive did not take a part of the demo's history; the message says which and why."""


class MovableClock:
    """A clock that is set (implements `ports.Clock`)."""

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        self._at = datetime.now(UTC)

    def set(self, civil: datetime) -> None:
        """Stand at a civil (naive) moment of the site."""
        self._at = civil.replace(tzinfo=self._zone).astimezone(UTC)

    def now(self) -> datetime:
        """The moment it stands at, in UTC."""
        return self._at

    def civil_now(self) -> datetime:
        """The same at the site."""
        return self._at.astimezone(self._zone)

    @property
    def zone_name(self) -> str:
        """The site's zone."""
        return self._zone.key


def put_in_place(
    services: Services, clock: MovableClock, recipe: Recipe, images: DemoImages, today: date
) -> tuple[str, ...]:
    """Every exam of the recipe that is over (state ``read``): order, images, signed report; their accessions.

    `services` must run on `clock`, with accounts and the HL7 source in place and no destination yet, so that
    old results are not sent again. Raises NotTaken naming what was refused.
    """
    receiver = Receiver(services.inbound, Sources(services.configuring.sources, open_door=True), clock)
    try:
        return tuple(
            _past(services, clock, receiver, recipe, exam, images, today)
            for exam in recipe.exams
            if exam.state == "read"
        )
    finally:
        receiver.close()


def _past(
    services: Services,
    clock: MovableClock,
    receiver: Receiver,
    recipe: Recipe,
    exam: DemoExam,
    images: DemoImages,
    today: date,
) -> str:
    when = exam.when(today)
    clock.set(when - ORDERED_BEFORE)
    messages = Messages(recipe)
    _hear(receiver, messages.register(recipe.patient(exam.patient)))
    _hear(receiver, messages.order(exam, today))
    clock.set(when)
    for path in images.files(exam.images):
        _store(services, recipe, exam, path.name, _stamped(recipe, exam, when, path.read_bytes()))
    if exam.report:
        clock.set(when + SIGNED_AFTER)
        _sign(services, recipe, exam)
    return exam.accession


def _hear(receiver: Receiver, message: Outgoing) -> None:
    reply = receiver.receive(message.content, Peer("127.0.0.1"))
    answer = Message.parse(reply.frames[0])
    if answer.text("MSA-1") not in ("AA", "CA"):
        raise NotTaken(f"a message was answered {answer.text('MSA-1')}: {answer.text('MSA-3')}")


def _store(services: Services, recipe: Recipe, exam: DemoExam, name: str, content: bytes) -> None:
    station = recipe.station(exam.modality)
    line = import_bytes(services.storing, content, Origin("dimse", station.aet, "", "127.0.0.1"), name)
    if line.outcome not in ("stored", "already there"):
        raise NotTaken(f"image {name} of {exam.key}: {line.outcome}, {line.words}")


def _stamped(recipe: Recipe, exam: DemoExam, when: datetime, content: bytes) -> bytes:
    quiet_pydicom()
    image = pydicom.dcmread(BytesIO(content))
    station = recipe.station(exam.modality)
    stamp(
        image,
        recipe.identity(exam),
        when.strftime("%Y%m%d"),
        when.strftime("%H%M%S"),
        (station.aet, station.name),
    )
    out = BytesIO()
    image.save_as(out, enforce_file_format=True)
    return out.getvalue()


def _sign(services: Services, recipe: Recipe, exam: DemoExam) -> None:
    report, reader = recipe.reports[exam.report], recipe.reader
    sections = tuple(Section(heading, text, code) for heading, code, text in report.sections)
    actor = Actor(reader.name, Role.READER, reader.full_name)
    try:
        services.reporting.sign(Signing(exam.study_uid, reader.password, sections, "final"), actor)
    except ReadingRoomError as refusal:
        raise NotTaken(f"the report of {exam.key}: {refusal.message}") from refusal
