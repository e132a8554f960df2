"""One archive entered four ways, for the contract suite: in process or over HTTP, with or without files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from pacs_core.archive.local import LocalDoor
from pacs_core.archive.protocol import Archive, Door
from pacs_core.domain.identifiers import new_uid
from pacs_core.domain.measurement import Measurement, Quantity
from pacs_core.domain.order import Order
from pacs_core.domain.report import Section
from pacs_core.remote.archive import RemoteDoor
from tests.support.spine import Spine
from tests.support.web_node import PASSWORD, SECRET, Knocking, open_doors

WAYS = ("in process", "in process without files", "over HTTP on this disk", "over HTTP from afar")
ROLES = ("reader", "technologist", "front-desk", "admin")
SECTIONS = (
    Section("Findings", "None.\r\nSecond | line ^ & ~ \\ émü 山"),
    Section("Impression", "Normal.", "19005-8"),
)


@dataclass
class House:
    """A door of one kind, and the spine behind it to arrange what is to be seen."""

    way: str
    door: Door
    knocking: Knocking
    numbers: count[int] = field(default_factory=lambda: count(1))
    archives: dict[str, Archive] = field(default_factory=dict)

    @property
    def spine(self) -> Spine:
        return self.knocking.node.spine

    @property
    def gives_files(self) -> bool:
        return self.way in WAYS[::2]

    def enter(self, role: str = "reader") -> Archive:
        """The archive as a person of that role."""
        if role not in self.archives:
            self.archives[role] = self.door.sign_in(role, PASSWORD)
        return self.archives[role]

    @property
    def beside(self) -> Archive:
        """The same archive as a reader in this process sees it."""
        return _local_door(self.knocking, local_files=self.gives_files).sign_in("reader", PASSWORD)

    def exam(self, images: int = 1, order: bool = True) -> tuple[str, Order | None]:
        """A new patient's study of so many images, with its order."""
        number = next(self.numbers)
        uid, patient, accession = f"1.9.{number}", f"PAT{number}", f"ACC{number}"
        self.spine.patient(patient, f"TEST^{number}")
        placed = self.spine.order(accession, patient) if order else None
        for n in range(images):
            self.spine.image(
                uid, n + 1, patient_id=patient, patient_name=f"TEST^{number}", accession_number=accession
            )
        return uid, placed


def _local_door(knocking: Knocking, *, local_files: bool) -> LocalDoor:
    return LocalDoor(
        knocking.node.services, knocking.node.facts, knocking.node.sign_in_facts, local_files=local_files
    )


def _door(way: str, knocking: Knocking) -> Door:
    if way.startswith("in process"):
        return _local_door(knocking, local_files=way == WAYS[0])
    secret = SECRET if way == WAYS[2] else ""
    return RemoteDoor(knocking.url, secret, patience_s=2.0)


@contextmanager
def house(way: str, folder: Path) -> Iterator[House]:
    """A house with an account of each role, its doors closed at the end."""
    with open_doors(folder) as knocking:
        access = knocking.node.access
        for role in ROLES[1:]:
            access.add_account(role, role, PASSWORD)
        door = _door(way, knocking)
        try:
            yield House(way, door, knocking)
        finally:
            if isinstance(door, RemoteDoor):
                door.close()


def stroke(study_uid: str, **changes: object) -> Measurement:
    made = Measurement(
        new_uid(), "length", study_uid, f"{study_uid}.1", f"{study_uid}.1.1", 1,
        ((1.5, -2.25, 1e-7), (10.0, 0.0, 3.0)), (Quantity("Length", 12.34567890123, "mm"),),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]  # test shortcut


def held_study(home: House) -> tuple[str, int]:
    number = next(home.numbers)
    uid = f"1.8.{number}"
    home.spine.patient(f"HELD{number}", f"HELD^{number}")
    order = home.spine.order(f"HA{number}", f"HELD{number}")
    home.spine.image(
        uid, 1, patient_id=f"WRONG{number}", patient_name=f"HELD^{number}", accession_number=f"HA{number}"
    )
    return uid, order.id
