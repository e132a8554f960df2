"""Results: same bytes again through silence, three refusals then a person, an order's results never out of
order.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pacs_core.domain.access import Actor, Role
from pacs_core.domain.delivery import DeliveryState, Outcome, OutcomeKind
from pacs_core.domain.errors import Conflict, InvalidValue, LockedOut, NotSignedIn
from pacs_core.domain.records import DestinationRecord
from pacs_core.domain.report import Section
from pacs_core.services.reporting import Signing
from tests.support.spine import Spine, spine

EVA = Actor("eva", Role.READER, "Eva")
SILENT = Outcome(OutcomeKind.SILENT, "", "no answer")
REFUSED = Outcome(OutcomeKind.REFUSED, "AE", "unknown order")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Spine]:
    with spine(tmp_path) as made:
        made.services.configuring.save_destination(DestinationRecord("RIS", "127.0.0.1", 1, 3, 0, "C"), "t")
        made.services.access.add_account("eva", "reader", "correct horse", "Eva")
        made.patient()
        made.order()
        made.image()
        yield made


def sign(house: Spine, kind: str = "final", text: str = "normal", reason: str = "") -> None:
    signing = Signing("1.2.3", "correct horse", (Section("Findings", text),), kind, reason)
    house.services.reporting.sign(signing, EVA)


def attempt_due(house: Spine) -> list[str]:
    return [house.services.delivering.attempt(d.id).state for d in house.services.delivering.due()]


def test_silence_is_retried_for_ever_with_the_same_bytes(house: Spine) -> None:
    sign(house)
    house.transmitter.answers = [SILENT] * 50
    for _ in range(50):
        assert attempt_due(house) == [DeliveryState.SILENT]
        assert attempt_due(house) == []
        house.clock.forward(601)
    assert attempt_due(house) == [DeliveryState.DELIVERED]
    assert len(set(house.transmitter.sent)) == 1
    assert attempt_due(house) == []


def test_three_refusals_then_a_person_and_the_same_control_id_after_retry(house: Spine) -> None:
    sign(house)
    house.transmitter.answers = [REFUSED] * 3
    states = []
    for _ in range(3):
        states += attempt_due(house)
        house.clock.forward(601)
    assert states == [DeliveryState.REFUSED, DeliveryState.REFUSED, DeliveryState.DEAD]
    assert attempt_due(house) == []
    (dead,) = house.services.delivering.open()
    house.services.delivering.retry(dead.id, "eva")
    assert attempt_due(house) == [DeliveryState.DELIVERED]
    assert len({control for _, _, control in house.transmitter.sent}) == 1


def test_an_addendum_waits_for_the_report_before_it(house: Spine) -> None:
    sign(house)
    sign(house, "addendum", "and one more thing")
    house.transmitter.answers = [SILENT]
    assert attempt_due(house) == [DeliveryState.SILENT]
    house.clock.forward(601)
    assert attempt_due(house) == [DeliveryState.DELIVERED]
    assert attempt_due(house) == [DeliveryState.DELIVERED]
    versions = [payload.split(b"|")[2] for _, payload, _ in house.transmitter.sent]
    assert versions == [b"1", b"1", b"2"]


def test_a_signed_report_is_not_signed_again_and_a_correction_needs_a_reason(house: Spine) -> None:
    sign(house)
    with pytest.raises(Conflict):
        sign(house)
    with pytest.raises(InvalidValue):
        sign(house, "correction")
    sign(house, "correction", "left, not right", reason="side")


def test_wrong_passwords_lock_and_sign_nothing(house: Spine) -> None:
    wrong = Signing("1.2.3", "wrong", (Section("Findings", "normal"),), "final")
    for _ in range(4):
        with pytest.raises(NotSignedIn):
            house.services.reporting.sign(wrong, EVA)
    with pytest.raises(LockedOut):
        house.services.reporting.sign(wrong, EVA)
    with pytest.raises(LockedOut):
        sign(house)
    assert not house.services.delivering.open()
    house.clock.forward(3700)
    sign(house)
    assert len(house.services.delivering.open()) == 1
