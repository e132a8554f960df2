"""The loop with marked people, good and bad, at INFO: nothing of them in the log or on standard error."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

import httpx
import pytest

from pacs_core.archive import models as m
from pacs_core.dimse import scu
from pacs_core.domain.errors import ReadingRoomError
from pacs_core.domain.records import DestinationRecord
from pacs_core.domain.report import Section
from pacs_core.runtime.node import Node
from pacs_core.runtime.settings import load
from tests.support.dicom_bytes import dicom_file
from tests.support.hl7_door import Sender
from tests.support.mllp_receiver import MLLPReceiver, answer
from tests.support.serving import Serving, port_of, serving
from tests.support.web_node import PASSWORD, quick_passwords

NAME, PATIENT, BORN, WORDS = "ZZMARKED^QUILLON", "MRKDPAT77", "19010203", "marked-finding-xyzzy"
MARKS = ("ZZMARKED", "QUILLON", PATIENT, BORN, "1901-02-03", WORDS)
STUDY = "1.2.826.0.1"
ADT = (
    "MSH|^~\\&|RIS|HOSP|RR|HOSP|20260302100000||{kind}|D{n}|P|2.5.1\r"
    f"EVN|A04|20260302100000\rPID|1||{PATIENT}^^^HOSP||{NAME}||{BORN}|{{sex}}\r"
)
ORM = (
    "MSH|^~\\&|RIS|HOSP|RR|HOSP|20260302100000||ORM^O01|C{n}|P|2.5.1\r"
    f"PID|1||{PATIENT}{{other}}^^^HOSP||{NAME}||{BORN}|F\r"
    "ORC|{control}|PL1|F1|||||^^^{start}^^R\r"
    "OBR|1|PL1|F1|CTCH^CT chest^L||||||||||||||ACC1|RP1|SP1||||CT\r"
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def furnish(data: Path, port: int) -> None:
    with quick_passwords(), Node(load(data)) as node:
        services = node.open().services
        services.access.add_account("eva", "reader", PASSWORD, "Eva")
        services.configuring.save_destination(DestinationRecord("RIS", "127.0.0.1", port, 2, 0, "C"), "t")


def test_nothing_of_a_patient_is_in_the_log(data: Path) -> None:
    refusal = answer("AE", f"{NAME} {PATIENT} is not known here", f"ERR||PID^1^5|207^{NAME}|E||||{NAME}\r")
    with MLLPReceiver(refusal, answer()) as receiver:
        furnish(data, receiver.port)
        with serving(data, "-v") as node:
            messages(node)
            images(node, data.parent)
            queries(node)
            web(node)
            report(node, receiver)
            assert node.end() == 0
    said = node.complaints()
    assert "reading_room" in said, "nothing was logged: this test sees nothing"
    for loud in ("hl7", "dimse"):
        assert f"reading_room.{loud}" in said
    found = {mark: [line for line in said.splitlines() if mark.lower() in line.lower()] for mark in MARKS}
    assert {mark: lines for mark, lines in found.items() if lines} == {}
    assert not any(mark in line for mark in MARKS for line in node.said)


def messages(node: Serving) -> None:
    """Good ones, and each way to be wrong."""
    with Sender(port_of(node.facts["hl7"])) as sender:
        for n, (kind, sex) in enumerate(
            (("ADT^A04", "F"), ("ADT^A08", "F"), ("ADT^A04", NAME), (NAME, "F"), ("ADT^A40", "F"))
        ):
            sender.exchange(ADT.format(kind=kind, n=n, sex=sex).encode())
        for n, (other, control, start) in enumerate(
            (("", "NW", "20260302110000"), ("9", "NW", "20260302110000"), ("", NAME, "20260302110000"),
             ("", "NW", NAME), ("x" * 80, "NW", "20260302110000"), ("", "XO", "20260302120000"))
        ):  # fmt: skip
            sender.exchange(ORM.format(n=n, other=other, control=control, start=start).encode())
        sender.exchange(f"PID|1||{PATIENT}||{NAME}".encode())
    with socket.create_connection(("127.0.0.1", port_of(node.facts["hl7"])), 20) as cut:
        cut.sendall(b"\x0b" + ADT.format(kind="ADT^A04", n=99, sex="F").encode())


def images(node: Serving, folder: Path) -> None:
    """The exam, one of another person's, one with values that are none, and one that is broken."""
    marked = {"PatientName": NAME, "PatientID": PATIENT, "PatientBirthDate": BORN, "AccessionNumber": "ACC1"}
    files = {
        "good": dicom_file(STUDY, 1, **marked),
        "other": dicom_file(f"{STUDY}.2", 1, **{**marked, "PatientName": "ROE^R", "AccessionNumber": ""}),
        "same": dicom_file(STUDY, 1, **marked, StudyDescription=NAME),
        "cut": dicom_file(STUDY, 3, **marked)[:700],
    }
    for name, content in files.items():
        path = folder / f"{name}.dcm"
        path.write_bytes(content)
        with contextlib.suppress(ReadingRoomError, OSError):
            list(scu.store(*at(node), [path], "CT1"))


def queries(node: Serving) -> None:
    for keys in (
        {"PatientName": NAME, "PatientID": PATIENT},
        {"PatientBirthDate": NAME},
        {"StudyDate": PATIENT},
    ):
        with contextlib.suppress(ReadingRoomError):
            scu.find(*at(node), {**keys, "StudyInstanceUID": ""})
        with contextlib.suppress(ReadingRoomError):
            scu.worklist(*at(node), "CT1", keys=keys)


def web(node: Serving) -> None:
    """Searches and uploads, the wrong ones too, and a sign-in under a patient's name."""
    door = node.door()
    try:
        session = door.sign_in("eva", PASSWORD)
        with contextlib.suppress(ReadingRoomError):
            door.sign_in(NAME, PATIENT)
        session.worklist.rows(m.WorklistQuery(text=NAME))
        session.studies.open(STUDY)
        with contextlib.suppress(ReadingRoomError):
            session.studies.store(NAME, b"no image of " + NAME.encode())
        with contextlib.suppress(ReadingRoomError):
            session.studies.open(PATIENT)
    finally:
        door.close()
    with httpx.Client(base_url=node.facts["http"]) as stranger:
        for path in (f"/dicom-web/studies?PatientName={NAME}", f"/api/v1/patients/{PATIENT}", f"/{NAME}"):
            assert stranger.get(path).status_code in (401, 404)


def report(node: Serving, receiver: MLLPReceiver) -> None:
    """Drafted, signed with a wrong and the right password, refused in words with the name, then taken."""
    door = node.door()
    try:
        archive = door.sign_in("eva", PASSWORD)
        archive.reports.save_draft(STUDY, "t", WORDS)
        text = (Section("Findings", WORDS),)
        with contextlib.suppress(ReadingRoomError):
            archive.reports.sign(m.SignRequest(STUDY, NAME, text, "final"))
        archive.reports.sign(m.SignRequest(STUDY, PASSWORD, text, "final"))
        receiver.wait_for(1)
    finally:
        door.close()


def at(node: Serving) -> tuple[str, int, str]:
    host, port = node.facts["dicom"].split(":")
    return host, int(port), "READINGROOM"
