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
from pacs_core.services import access
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


def test_a_name_that_nobody_has_takes_the_same_work_as_a_wrong_password(
    house: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    verify = access._verify
    monkeypatch.setattr(access, "_verify", lambda secret, word: tried.append(secret) or verify(secret, word))
    house.services.access.disable("eva", True)
    for name in ("eva", "nobody"):
        with pytest.raises(NotSignedIn):
            house.services.access.sign_in(name, "correct horse")
    assert [secret.startswith("$argon2id$") for secret in tried] == [True, True]


def linked_to_another(house: Spine) -> None:
    house.patient("P2", "ROE^RICHARD")
    house.services.reconciling.link("1.2.3", house.order("A2", patient="P2").id, "tech")


def streams(house: Spine) -> list[tuple[str, str]]:
    with house.index.read() as tx:
        (report,) = tx.reports.of_study("1.2.3")
        return [(d.stream, d.state) for d in tx.deliveries.of_report(report.id)]


def test_a_result_that_was_delivered_goes_to_the_order_its_study_is_linked_to_as_well(house: Spine) -> None:
    sign(house)
    sign(house, "addendum", "more")
    assert attempt_due(house) == attempt_due(house) == [DeliveryState.DELIVERED]
    linked_to_another(house)
    waiting = DeliveryState.WAITING
    assert streams(house)[2:] == [("order:1", waiting), ("order:2", waiting), ("order:2", waiting)]
    house.services.reconciling.link("1.2.3", house.order("A3", patient="P2").id, "tech")
    assert [d.stream for d in house.services.delivering.open()] == ["order:1", "order:3", "order:3"]


def takings(house: Spine) -> list[tuple[str, int, str]]:
    with house.index.read() as tx:
        (report,) = tx.reports.of_study("1.2.3")
        return [(d.stream, d.takes_back, d.state) for d in tx.deliveries.of_report(report.id) if d.takes_back]


def test_what_was_delivered_under_the_wrong_order_is_taken_back_there_once(house: Spine) -> None:
    sign(house)
    sign(house, "addendum", "more")
    assert attempt_due(house) == attempt_due(house) == [DeliveryState.DELIVERED]
    linked_to_another(house)
    assert takings(house) == [("order:1", 2, DeliveryState.WAITING)]
    house.services.reconciling.link("1.2.3", house.order("A3", patient="P2").id, "tech")
    assert takings(house) == [("order:1", 2, DeliveryState.WAITING)]
    while attempt_due(house):
        pass
    assert takings(house) == [("order:1", 2, DeliveryState.DELIVERED)]
    assert len({control for _, _, control in house.transmitter.sent}) == len(house.transmitter.sent) == 5
    told = house.services.tracing.of("A1").events
    assert [e.detail.get("takes_back") for e in told if e.kind == "delivery.queued"][2:] != [None]


def test_linked_back_the_first_order_hears_of_it_again_after_it_was_taken_back(house: Spine) -> None:
    sign(house)
    attempt_due(house)
    linked_to_another(house)
    house.services.reconciling.link("1.2.3", 1, "tech")
    assert streams(house) == [
        ("order:1", DeliveryState.DELIVERED),
        ("order:1", DeliveryState.WAITING),
        ("order:2", DeliveryState.WITHDRAWN),
        ("order:1", DeliveryState.WAITING),
    ]
    assert attempt_due(house) == [DeliveryState.DELIVERED]
    assert takings(house) == [("order:1", 1, DeliveryState.DELIVERED)]
    assert attempt_due(house) == [DeliveryState.DELIVERED]
    linked_to_another_again = house.order("A9", patient="P2").id
    house.services.reconciling.link("1.2.3", linked_to_another_again, "tech")
    assert takings(house)[1:] == [("order:1", 4, DeliveryState.WAITING)]


def test_a_signature_after_the_link_is_not_told_to_the_order_it_left(house: Spine) -> None:
    sign(house)
    attempt_due(house)
    linked_to_another(house)
    sign(house, "correction", "left, not right", reason="side")
    assert [s for s, _ in streams(house)] == ["order:1", "order:1", "order:2", "order:2"]


def test_a_result_on_its_way_to_the_wrong_order_is_withdrawn_when_its_study_is_linked_to_the_right_one(
    house: Spine,
) -> None:
    sign(house)
    house.transmitter.answers = [SILENT]
    attempt_due(house)
    wrong = house.services.delivering.open()[0]
    linked_to_another(house)
    assert streams(house) == [("order:1", DeliveryState.WITHDRAWN), ("order:2", DeliveryState.WAITING)]
    with pytest.raises(Conflict):
        house.services.delivering.retry(wrong.id, "tech")
    house.clock.forward(3600)
    attempt_due(house)
    assert house.services.delivering.open() == []
    assert [control_id for _, _, control_id in house.transmitter.sent].count(wrong.control_id) == 1
    story = house.services.tracing.of("A2").stages[6]
    assert (story.state, "AA" in story.evidence) == ("done", True)
    assert house.services.tracing.of("A1").stages[6].evidence.startswith("withdrawn")


def test_linked_back_the_result_goes_to_the_first_order_after_all(house: Spine) -> None:
    sign(house)
    linked_to_another(house)
    house.services.reconciling.link("1.2.3", 1, "tech")
    assert streams(house) == [
        ("order:1", DeliveryState.WITHDRAWN),
        ("order:2", DeliveryState.WITHDRAWN),
        ("order:1", DeliveryState.WAITING),
    ]


def test_a_second_order_of_the_same_acquisition_withdraws_nothing(house: Spine) -> None:
    sign(house)
    house.order("A0", placer_number="PL-0")
    house.image(number=2, request_accessions=("A0", "A1"))
    assert house.study().order_id == 2
    assert streams(house) == [("order:1", DeliveryState.WAITING), ("order:2", DeliveryState.WAITING)]


@pytest.mark.parametrize(
    ("answer", "state"),
    [(SILENT, DeliveryState.WITHDRAWN), (REFUSED, DeliveryState.WITHDRAWN), (None, DeliveryState.DELIVERED)],
)
def test_an_answer_that_comes_after_the_withdrawal_does_not_set_it_going_again(
    house: Spine, answer: Outcome | None, state: DeliveryState, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign(house)
    house.transmitter.answers = [answer] if answer else []
    send = house.transmitter.send

    def meanwhile(destination: DestinationRecord, payload: bytes, control_id: str) -> Outcome:
        linked_to_another(house)
        return send(destination, payload, control_id)

    monkeypatch.setattr(house.transmitter, "send", meanwhile)
    attempt_due(house)
    assert streams(house)[0] == ("order:1", state)
    assert len(takings(house)) == (
        state is DeliveryState.DELIVERED
    )  # an answer too late: it has arrived there
