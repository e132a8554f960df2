"""`kill -9` in the middle of everything: nothing acknowledged is missing when the node starts again.

Orders and patients by MLLP, images by DCMTK's storescu, drafts, strokes and signatures by HTTP, all at once.
"""

from __future__ import annotations

import os
import random
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pacs_core.archive import models as m
from pacs_core.archive.importing import import_bytes
from pacs_core.archive.protocol import Archive
from pacs_core.domain.errors import ReadingRoomError
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.measurement import Measurement
from pacs_core.domain.records import DestinationRecord
from pacs_core.domain.report import Section
from pacs_core.domain.study import Origin
from pacs_core.ports import Transaction
from pacs_core.runtime.node import Node
from pacs_core.runtime.settings import load
from tests.support.dicom_bytes import dicom_file
from tests.support.hl7_door import Sender
from tests.support.serving import PATIENCE, Serving, port_of, serving
from tests.support.web_node import PASSWORD, quick_passwords

ADT = (
    "MSH|^~\\&|RIS|HOSP|RR|HOSP|20260302100000||ADT^A04|D{n}|P|2.3.1\r"
    "EVN|A04|20260302100000\rPID|1||N{n}^^^HOSP||STORM^NUMBER{n}||19700102|F\r"
)
ORM = (
    "MSH|^~\\&|RIS|HOSP|RR|HOSP|20260302100000||ORM^O01|C{n}|P|2.3.1\r"
    "PID|1||N{n}^^^HOSP||STORM^NUMBER{n}||19700102|F\r"
    "ORC|NW|PL{n}|F{n}|||||^^^20260302110000^^R\r"
    "OBR|1|PL{n}|F{n}|CTCH^CT chest^L||||||||||||||ACC{n}|RP{n}|SP{n}||||CT\r"
)
TO_READ = 12
"""Studies that lie there before the storm, to be drafted, measured and signed."""


@dataclass
class Told:
    """What was acknowledged so far, by kind; waits for more of it."""

    things: dict[str, list[int]] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def add(self, kind: str, number: int) -> None:
        with self.changed:
            self.things.setdefault(kind, []).append(number)
            self.changed.notify_all()

    def count(self) -> int:
        return sum(len(numbers) for numbers in self.things.values())

    def wait_for(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.count() >= count, PATIENCE), self.things


@dataclass
class Storm:
    """The senders around one node; their numbers go on from round to round."""

    folder: Path
    storescu: Path
    images_each: int
    told: Told = field(default_factory=Told)
    next_number: dict[str, int] = field(default_factory=dict)
    ending: threading.Event = field(default_factory=threading.Event)
    failures: list[Exception] = field(default_factory=list)

    def take(self, kind: str) -> int:
        number = self.next_number.get(kind, 1)
        self.next_number[kind] = number + 1
        return number

    @contextmanager
    def blow(self, node: Serving) -> Iterator[None]:
        """Every sender in a thread of its own, until the node is gone."""
        whole = (self.patients, self.orders, self.images, self.drafts, self.strokes, self.signatures)
        threads = [threading.Thread(target=self._until_gone, args=(sender, node)) for sender in whole]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            for thread in threads:
                thread.join(PATIENCE)

    def _until_gone(self, sender: Callable[[Serving], None], node: Serving) -> None:
        try:
            sender(node)
        except (OSError, ReadingRoomError, AssertionError) as failure:
            if not self.ending.is_set():
                self.failures.append(failure)

    def patients(self, node: Serving) -> None:
        self._messages(node, "patient", ADT)

    def orders(self, node: Serving) -> None:
        self._messages(node, "order", ORM)

    def _messages(self, node: Serving, kind: str, text: str) -> None:
        with Sender(port_of(node.facts["hl7"])) as sender:
            while True:
                number = self.take(kind)
                answer = sender.exchange(text.format(n=number).encode())
                assert b"\rMSA|AA|" in answer, answer
                self.told.add(kind, number)

    def images(self, node: Serving) -> None:
        files = []
        for _ in range(self.images_each):
            number = self.take("image")
            files.append(self.folder / f"{number}.dcm")
            files[-1].write_bytes(image(number))
        command = [self.storescu, "-v", "-aec", "READINGROOM", *node.facts["dicom"].split(":")]
        with subprocess.Popen(
            [*map(str, command), *map(str, files)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TCP_NODELAY": "1"},
        ) as scu:
            assert scu.stderr is not None
            sent = 0
            for line in scu.stderr:
                if "Sending file:" in line:
                    sent = int(Path(line.rsplit(" ", 1)[1].strip()).stem)
                if "Received Store Response (Success)" in line:
                    self.told.add("image", sent)

    def drafts(self, node: Serving) -> None:
        with reader(node) as archive:
            while True:
                number = self.take("draft")
                archive.reports.save_draft(to_read(1), "", str(number))
                self.told.add("draft", number)

    def strokes(self, node: Serving) -> None:
        with reader(node) as archive:
            while True:
                number = self.take("stroke")
                archive.measurements.save(stroke(number))
                self.told.add("stroke", number)

    def signatures(self, node: Serving) -> None:
        with reader(node) as archive:
            while True:
                number = self.take("signature")
                text = (Section("Findings", f"number {number}."),)
                archive.reports.sign(m.SignRequest(to_sign(number), PASSWORD, text, "preliminary"))
                self.told.add("signature", number)


@contextmanager
def reader(node: Serving) -> Iterator[Archive]:
    door = node.door()
    try:
        yield door.sign_in("eva", PASSWORD)
    finally:
        door.close()


def to_read(number: int) -> str:
    return f"1.2.77.{number}"


def to_sign(number: int) -> str:
    return to_read(2 + number % (TO_READ - 1))


def image(number: int) -> bytes:
    return dicom_file(f"1.2.88.{number % 5}", number, AccessionNumber=f"ACC{number}", PatientID=f"N{number}")


def stroke(number: int) -> Measurement:
    return Measurement(
        f"1.2.99.{number}", "length", to_read(2), "1", "1", 1, ((0, 0, 0), (1, float(number), 1))
    )


def furnish(data: Path) -> None:
    """An account, a destination nobody listens at, and studies to read."""
    with quick_passwords(), Node(load(data)) as node:
        services = node.open().services
        services.access.add_account("eva", "reader", PASSWORD, "Eva")
        services.configuring.save_destination(DestinationRecord("RIS", "127.0.0.1", 9, 3, 0, "C"), "t")
        for number in range(1, TO_READ + 1):
            line = import_bytes(services.storing, dicom_file(to_read(number)), Origin("import"), "file")
            assert line.outcome == "stored"


def missing(data: Path, told: Told) -> dict[str, list[int]]:
    """What was acknowledged and is not there, and what is there and contradicts itself."""
    with Node(load(data)) as node:
        node.open()
        with node.services.index.read() as tx:
            there: dict[str, Callable[[int], bool]] = {
                "patient": lambda n: has_patient(tx, n),
                "order": lambda n: len(tx.orders.by_accession(f"ACC{n}")) == 1 and has_patient(tx, n),
                "image": lambda n: has_image(tx, node, n),
                "draft": lambda n: int(tx.reports.drafts(to_read(1))[0].content) >= n,
                "stroke": lambda n: tx.measurements.find(f"1.2.99.{n}") is not None,
                "signature": lambda n: is_signed(tx, n),
            }
            gone = {kind: [n for n in found if not there[kind](n)] for kind, found in told.things.items()}
            check_whole(tx, node)
    return {kind: numbers for kind, numbers in gone.items() if numbers}


def has_patient(tx: Transaction, number: int) -> bool:
    found = tx.patients.find(PatientIdentifier(f"N{number}", "HOSP"))
    return found is not None and found.demographics.name == f"STORM^NUMBER{number}"


def has_image(tx: Transaction, node: Node, number: int) -> bool:
    found = tx.studies.find_instance(f"1.2.88.{number % 5}.1.{number}")
    if found is None:
        return False
    stored = node.store.read(found.blob_key, found.dataset_offset)
    return image(number).endswith(stored) and len(stored) == found.size


def is_signed(tx: Transaction, number: int) -> bool:
    (report,) = tx.reports.of_study(to_sign(number))
    signed = [v for v in tx.reports.versions(report.id) if f"number {number}." in v.content]
    return len(signed) == 1 and report.state == "preliminary"


def check_whole(tx: Transaction, node: Node) -> None:
    assert set(tx.studies.blob_keys()) == set(node.store.keys())
    numbers = [change.sequence for change in tx.journal.since(0, 1_000_000)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert not list(node.store.unfinished())


def storm(folder: Path, storescu: Path, rounds: int, each: int) -> None:
    """Kill the node so many times, each time once a random number of things more was acknowledged."""
    data = folder / "data"
    furnish(data)
    whole = Storm(folder, storescu, each)
    chance = random.Random(20260302)
    for _ in range(rounds):
        before = whole.told.count()
        with ExitStack() as around:
            node = around.enter_context(serving(data))
            around.enter_context(whole.blow(node))
            whole.ending.clear()
            whole.told.wait_for(before + chance.randint(each // 2, each))
            whole.ending.set()
            node.kill()
        assert whole.failures == []
        assert missing(data, whole.told) == {}
    assert set(whole.told.things) == {"patient", "order", "image", "draft", "stroke", "signature"}


def test_nothing_acknowledged_is_missing_after_kill_9(tmp_path: Path, dcmtk: Callable[[str], Path]) -> None:
    storm(tmp_path, dcmtk("storescu"), rounds=3, each=30)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_nothing_acknowledged_is_missing_after_many_kills(
    tmp_path: Path, dcmtk: Callable[[str], Path]
) -> None:
    storm(tmp_path, dcmtk("storescu"), rounds=25, each=400)
