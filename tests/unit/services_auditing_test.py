"""A change and its line of the audit are one commit; what failed is never called allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pacs_core.archive import models as m
from pacs_core.archive.local import LocalArchive
from pacs_core.database.repositories.accounts import AuditRows
from pacs_core.domain.access import Actor, Role
from pacs_core.domain.errors import Conflict, NotSignedIn, StorageFailure
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.order import CancelOrder, OrderReference, PlaceOrder, StepRequest
from pacs_core.domain.patient import MergePatients, RegisterPatient
from pacs_core.domain.report import Section
from tests.support.spine import Spine, spine
from tests.support.web_node import quick_passwords

PASSWORD = "correct horse"
READER = Actor("eva", Role.READER, "Eva", "", "192.0.2.7")
SECTIONS = (Section("Findings", "none"),)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Spine]:
    with quick_passwords(), spine(tmp_path) as made:
        made.services.access.add_account("eva", "reader", PASSWORD, "Eva")
        yield made


def archive(house: Spine, actor: Actor = READER) -> LocalArchive:
    return LocalArchive(house.services, actor, None)  # type: ignore[arg-type]  # nothing here asks the node


def audited(house: Spine, verb: str) -> list[tuple[str, str, str]]:
    with house.index.read() as tx:
        return [(a.actor, a.subject, a.outcome) for a in tx.audit.before(0, 100) if a.verb == verb]


def sign(house: Spine, password: str = PASSWORD) -> None:
    archive(house).reports.sign(m.SignRequest("1.2.3", password, SECTIONS, "final"))


def test_a_change_whose_line_cannot_be_written_is_not_made(
    house: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.image()

    def broken(*_: object) -> None:
        raise StorageFailure("no", "index")

    with monkeypatch.context() as patch:
        patch.setattr(AuditRows, "append", broken)
        with pytest.raises(StorageFailure):
            archive(house).worklist.claim("1.2.3")
    assert house.study().locked_by == ""
    archive(house).worklist.claim("1.2.3")
    assert house.study().locked_by == "eva"
    assert audited(house, "claim") == [("eva", "1.2.3", "allowed")]


def test_a_patient_made_by_hand_and_the_line_are_one_commit(house: Spine) -> None:
    desk = archive(house, Actor("desk", Role.FRONT_DESK, "Desk"))
    made = desk.schedule.save_patient(m.PatientForm(name="New^Person"))
    assert audited(house, "save patient") == [("desk", made.patient_id, "allowed")]
    order = desk.schedule.place_order(m.OrderForm(patient_id=made.patient_id, modality="CT", procedure="CT"))
    assert audited(house, "place order") == [("desk", order.accession, "allowed")]


def test_a_signature_that_fails_does_not_look_allowed(house: Spine) -> None:
    house.image()
    sign(house)
    assert audited(house, "sign")[0] == ("eva", "eva", "allowed")
    with pytest.raises(Conflict):
        sign(house)
    with pytest.raises(NotSignedIn):
        sign(house, "wrong horse")
    assert [outcome for *_, outcome in audited(house, "sign")] == ["wrong password", "refused", "allowed"]
    assert audited(house, "sign report") == [("eva", "1.2.3", "allowed")]


def test_a_second_commit_is_not_needed(house: Spine) -> None:
    """Nothing is left to fail once the change is made."""
    house.image()
    commits: list[Callable[..., object]] = []
    write = house.index.write
    house.index.write = lambda work, **how: (commits.append(work), write(work, **how))[1]  # type: ignore[method-assign]
    archive(house).worklist.claim("1.2.3")
    assert len(commits) == 1


def test_what_messages_change_is_audited_with_their_source(house: Spine) -> None:
    inbound = house.services.inbound
    patient = RegisterPatient(PatientIdentifier("P1"), name="DOE^JANE")
    placed = PlaceOrder(patient, accession="A1", placer_number="PL1", steps=(StepRequest(),), source="RIS")
    commands = [
        ("ADT^A04", patient),
        ("ORM^O01", placed),
        ("ADT^A40", MergePatients(RegisterPatient(PatientIdentifier("P2")), PatientIdentifier("P1"))),
        ("ORM^O01", CancelOrder(OrderReference(accession="A1"))),
    ]
    for number, (kind, command) in enumerate(commands):
        message, _ = inbound.accept(
            b"MSH", source="RIS", address="192.0.2.9", sender="RIS|S", control_id=f"C{number}",
            digest=str(number), message_type=kind,
        )  # fmt: skip
        inbound.apply(message.id, [command], lambda _: b"")
    with house.index.read() as tx:
        rows = [(a.actor, a.verb, a.subject, a.outcome, a.detail) for a in tx.audit.before(0, 100)]
    assert rows[:4][::-1] == [
        ("RIS", "save patient", "P1", "allowed", "ADT^A04 C0"),
        ("RIS", "place order", "A1", "allowed", "ORM^O01 C1"),
        ("RIS", "merge patients", "P1 into P2", "allowed", "ADT^A40 C2"),
        ("RIS", "cancel", "A1", "allowed", "ORM^O01 C3"),
    ]
