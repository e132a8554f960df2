"""Filling archives with the same studies, and the questions about them whose answers are known."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from io import BytesIO
from itertools import islice
from pathlib import Path

from benchmarks.archives import objects
from benchmarks.archives.servers import Server
from benchmarks.archives.wire import Requestor

FIRST_DAY = date(2020, 1, 1)
LANES = 4
STATION, STATION_DAY, STATION_DAY_CIVIL = "CT01", "20260302", "2026-03-02"
STEPS_EACH = 4
TOGETHER = 100
"""Orders in one commit."""


@dataclass(frozen=True, slots=True)
class Question:
    """A C-FIND identifier and how many answers are right."""

    identifier: bytes
    answers: int


@dataclass(frozen=True, slots=True)
class Filled:
    """An archive of so many studies, one patient each: number n is P(n), of a day and a name of its own."""

    studies: int

    def questions(self) -> list[Question]:
        """Twenty by patient ID, twenty by the beginning of a name, each with one answer."""
        chosen = [1 + n * (self.studies - 1) // 20 for n in range(20)]
        by_id = [Question(_study_keys(PatientID=f"P{n:08d}"), 1) for n in chosen]
        return by_id + [Question(_study_keys(PatientName=f"{_name(n)}*"), 1) for n in chosen]


def _name(number: int) -> str:
    """Ten letters that no other number has."""
    letters = ""
    for _ in range(5):
        number, digit = divmod(number, 26)
        letters += chr(ord("A") + digit)
    return f"{letters}^MARK"


def filled(archives: Sequence[Server], there: int, upto: int) -> Filled:
    """Send the studies that are missing to every archive, the same bytes to each."""
    numbers = range(there + 1, upto + 1)
    uids = {n: (objects.fresh_uid(), objects.fresh_uid(), objects.fresh_uid()) for n in numbers}
    threads = [
        threading.Thread(target=_send, args=(server, numbers[lane::LANES], uids))
        for server in archives
        for lane in range(LANES)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Filled(upto)


def _send(server: Server, numbers: Sequence[int], uids: dict[int, tuple[str, str, str]]) -> None:
    template = objects.header_only()
    requestor = Requestor(server.port, server.title, [template.sop_class])
    for number in numbers:
        day = FIRST_DAY + timedelta(days=number % 2000)
        own = objects.dated(template, number, day.strftime("%Y%m%d"), _name(number))
        requestor.store(own, *uids[number])
    requestor.release()


def _encoded(**keys: object) -> bytes:
    from pydicom.dataset import Dataset
    from pydicom.filewriter import dcmwrite

    found = Dataset()
    for keyword, value in keys.items():
        setattr(found, keyword, value)
    whole = BytesIO()
    dcmwrite(whole, found, implicit_vr=False, little_endian=True)
    return whole.getvalue()


def _study_keys(**more: str) -> bytes:
    wanted = ("PatientID", "PatientName", "PatientBirthDate", "StudyDate", "StudyTime", "AccessionNumber")
    keys = dict.fromkeys((*wanted, "StudyInstanceUID", "StudyDescription"), "")
    return _encoded(QueryRetrieveLevel="STUDY", **{**keys, **more})


def study_identifier(study: str) -> bytes:
    """The identifier of a C-GET of one study."""
    return _encoded(QueryRetrieveLevel="STUDY", StudyInstanceUID=study)


def station_day() -> bytes:
    """The worklist question of one station for its day, with the keys a scanner asks for (PS3.4 K.6.1.2)."""
    from pydicom.dataset import Dataset

    step = Dataset()
    step.ScheduledStationAETitle, step.ScheduledProcedureStepStartDate = STATION, STATION_DAY
    step.Modality = step.ScheduledProcedureStepStartTime = step.ScheduledProcedureStepID = ""
    step.ScheduledProcedureStepDescription = step.ScheduledPerformingPhysicianName = ""
    named = (
        "PatientName",
        "PatientID",
        "PatientBirthDate",
        "PatientSex",
        "AccessionNumber",
        "StudyInstanceUID",
    )
    keys: dict[str, object] = dict.fromkeys(
        (*named, "RequestedProcedureID", "RequestedProcedureDescription"), ""
    )
    return _encoded(**keys, ScheduledProcedureStepSequence=[step])


def scheduled(data: Path, steps: int) -> None:
    """Make a data folder with so many scheduled steps, 25 of them of that station on its day."""
    from pacs_core.domain.identifiers import PatientIdentifier
    from pacs_core.domain.order import PlaceOrder, StepRequest
    from pacs_core.domain.patient import RegisterPatient
    from pacs_core.ports import Transaction
    from pacs_core.runtime.node import Node
    from pacs_core.runtime.settings import load

    def step(number: int) -> StepRequest:
        day = FIRST_DAY + timedelta(days=number % 2000)
        mine = number % (steps // 25) == 0
        start, station = (STATION_DAY_CIVIL, STATION) if mine else (day.isoformat(), f"CT{number % 40 + 10}")
        return StepRequest(modality="CT", start_date=start, start_time="09:30:00", station_aet=station)

    def order(number: int) -> PlaceOrder:
        patient = RegisterPatient(
            PatientIdentifier(f"P{number:08d}"), name=_name(number), birth_date="1970-01-02", sex="F"
        )
        own = tuple(step(number * STEPS_EACH + each) for each in range(STEPS_EACH))
        accession = f"A{number:06d}"
        return PlaceOrder(patient, accession=accession, placer_number=accession, steps=own, source="RIS")

    def place(some: list[PlaceOrder], tx: Transaction) -> None:
        for one in some:
            orders.apply(tx, one, "RIS")

    data.parent.mkdir(parents=True)
    with Node(load(data)) as node:
        orders = node.open().services.orders
        numbers = iter(range(steps // STEPS_EACH))
        while some := [order(number) for number in islice(numbers, TOGETHER)]:
            node.services.index.write(partial(place, some))
