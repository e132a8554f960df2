"""A study meets its order, whichever comes first; a person's link can be undone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pacs_core.domain.access import Actor, Role
from pacs_core.domain.errors import Conflict
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.measurement import Measurement
from pacs_core.domain.order import CancelOrder, OrderReference, OrderState, StepRequest
from pacs_core.domain.patient import MergePatients, RegisterPatient
from pacs_core.domain.records import DestinationRecord, StudyKeys
from pacs_core.domain.report import Section
from pacs_core.services.reporting import Signing
from pacs_core.services.retrieving import OF_THE_PERSON, corrections_of
from pacs_core.services.storing import Kept
from tests.support.spine import Spine, spine


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Spine]:
    with spine(tmp_path) as made:
        yield made


def test_order_first_then_images_is_matched(house: Spine) -> None:
    house.patient()
    order = house.order()
    assert house.image() is Kept.STORED
    study = house.study()
    assert (study.reconciliation, study.order_id, study.patient_id) == ("matched", order.id, order.patient_id)
    with house.index.read() as tx:
        assert tx.orders.get(order.id).state is OrderState.IN_PROGRESS


@pytest.mark.parametrize("order_of_arrival", list(itertools.permutations(("adt", "orm", "images"))))
def test_the_order_of_arrival_never_changes_the_outcome(
    house: Spine, order_of_arrival: tuple[str, ...]
) -> None:
    steps = {"adt": house.patient, "orm": house.order, "images": house.image}
    for step in order_of_arrival:
        steps[step]()
    study = house.study()
    assert study.reconciliation == "matched"
    with house.index.read() as tx:
        assert tx.patients.current(study.patient_id).demographics.name == "DOE^JANE"
        assert not tx.holds.all_open()


def test_wrong_patient_is_held_with_reason_then_linked_then_undone(house: Spine) -> None:
    house.patient()
    order = house.order()
    house.image(patient_id="P9", patient_name="ROE^RICHARD")
    before = house.study()
    assert before.reconciliation == "held"
    ((hold, _, suggestions),) = house.services.reconciling.held()
    assert "P9" in hold.reason
    assert "P1" in hold.reason
    assert suggestions[0][0].order.id == order.id
    linked = house.services.reconciling.link("1.2.3", order.id, "tech")
    assert (linked.reconciliation, linked.patient_id) == ("linked", order.patient_id)
    back = house.services.reconciling.undo(hold.id, "tech")
    assert (back.reconciliation, back.patient_id, back.order_id) == ("held", before.patient_id, None)
    with pytest.raises(Conflict):
        house.services.reconciling.undo(hold.id, "tech")


def test_same_id_with_another_name_and_birth_date_is_held(house: Spine) -> None:
    house.patient()
    house.order()
    house.image(patient_name="SMITH^ADAM", patient_birth_date="1999-09-09")
    ((hold, _, _),) = house.services.reconciling.held()
    assert hold.kind == "identity contradicts"


def test_images_of_a_cancelled_order_are_held(house: Spine) -> None:
    house.patient()
    house.order()
    house.services.orders.cancel(CancelOrder(OrderReference(placer_number="PL-A1")), "RIS")
    house.image()
    assert house.study().reconciliation == "held"


def test_same_bytes_twice_are_one_copy_other_bytes_are_both_kept_and_held(house: Spine) -> None:
    house.patient()
    house.order()
    assert house.image(content=b"one") is Kept.STORED
    assert house.image(content=b"one") is Kept.ALREADY_THERE
    assert house.image(content=b"two") is Kept.OTHER_BYTES
    assert len(list(house.store.keys())) == 2
    study = house.study()
    assert (study.instance_count, study.reconciliation) == (1, "held")


def test_merge_moves_orders_studies_and_later_images_of_the_old_id(house: Spine) -> None:
    house.patient("P1")
    house.order()
    house.image()
    survivor = house.patient("P2", "DOE^JANE^NEW")
    command = MergePatients(RegisterPatient(PatientIdentifier("P2")), PatientIdentifier("P1"))
    house.services.patients.merge(command, "RIS")
    study = house.study()
    assert study.patient_id == survivor
    answer = house.services.querying.study("1.2.3")
    assert corrections_of(answer) == {"PatientName": "DOE^JANE^NEW", "PatientID": "P2"}
    house.image(number=2)
    assert house.study().reconciliation == "matched"
    for wanted in ("P1", "P2"):
        assert [a.study.study_uid for a in house.services.querying.studies(StudyKeys(patient_id=wanted))] == [
            "1.2.3"
        ]


def test_a_merge_takes_the_visits_along(house: Spine) -> None:
    def visit(patient: str, number: str, place: str) -> None:
        house.clock.forward(1)
        command = RegisterPatient(PatientIdentifier(patient), visit_number=number, location=place)
        house.services.patients.register(command, "RIS")

    visit("P1", "V1", "ward 1")
    visit("P1", "V2", "old")
    visit("P2", "V2", "new")
    visit("P2", "V3", "old")
    visit("P1", "V3", "new")
    command = MergePatients(RegisterPatient(PatientIdentifier("P2")), PatientIdentifier("P1"))
    survivor = house.services.patients.merge(command, "RIS")
    with house.index.read() as tx:
        rows = tx.studies._connection.exec_driver_sql(  # type: ignore[attr-defined]  # below the port
            "SELECT patient_id, number, location FROM visit ORDER BY number"
        ).fetchall()
    assert [tuple(row) for row in rows] == [
        (survivor.id, "V1", "ward 1"),
        (survivor.id, "V2", "new"),
        (survivor.id, "V3", "new"),
    ]


def test_nothing_of_the_person_whose_number_the_images_bore_goes_out_under_another_name(house: Spine) -> None:
    house.services.patients.register(RegisterPatient(PatientIdentifier("P2"), name="YOUNG^YVES"), "RIS")
    order = house.order("A2", patient="P2")
    house.image(patient_id="P9", issuer_of_patient_id="ELSEWHERE", accession_number="", patient_name="ROE^R")
    house.services.reconciling.link("1.2.3", order.id, "tech")
    answer = house.services.querying.study("1.2.3")
    assert corrections_of(answer) == dict.fromkeys(OF_THE_PERSON, "") | {
        "PatientName": "YOUNG^YVES",
        "PatientID": "P2",
        "IssuerOfPatientID": "",
        "PatientBirthDate": "",
        "PatientSex": "",
        "AccessionNumber": "A2",
    }
    assert (answer.person.name, answer.person.birth_date, answer.person.sex) == ("YOUNG^YVES", "", "")


def leaving(house: Spine) -> dict[int, dict[str, str]]:
    """What is corrected of each image of the study, by its number."""
    files = house.services.retrieving.files(StudyKeys(study_uids=("1.2.3",)))
    found = {f.instance.instance_number or 0: dict(f.corrections) for f in files}
    for file in files:
        one = house.services.retrieving.file(file.instance.sop_instance_uid)
        assert dict(one.corrections) == found[file.instance.instance_number or 0]
    return found


def test_each_image_is_corrected_by_what_it_says_itself(house: Spine) -> None:
    house.patient()
    house.order()
    house.image()
    house.image(number=2, patient_name="ROE^RICHARD", patient_sex="M", patient_birth_date="1980-05-06")
    house.image(number=3, patient_id="P9", patient_name="OTHER^ONE", accession_number="A9")
    house.image(number=4, accession_number="")
    found = leaving(house)
    assert found[1] == {}
    assert found[2] == {"PatientName": "DOE^JANE", "PatientBirthDate": "19700102", "PatientSex": "F"}
    rest = {"PatientName": "DOE^JANE", "PatientID": "P1", "AccessionNumber": "A1"}
    assert found[3] == dict.fromkeys(OF_THE_PERSON, "") | rest
    assert found[4] == {"AccessionNumber": "A1"}


def test_an_image_without_a_number_keeps_to_its_study_when_a_later_one_has_one(house: Spine) -> None:
    house.patient()
    house.order()
    house.image(accession_number="")
    house.image(number=2)
    assert leaving(house) == {1: {"AccessionNumber": "A1"}, 2: {}}


def test_series_of_several_orders_keep_their_own_numbers(house: Spine) -> None:
    house.patient()
    house.order()
    house.order("A2")
    house.image()
    house.image(number=2, accession_number="A2")
    assert leaving(house) == {1: {}, 2: {}}
    third = house.order("A3")
    house.services.reconciling.link("1.2.3", third.id, "tech")
    assert leaving(house) == {1: {"AccessionNumber": "A3"}, 2: {"AccessionNumber": "A3"}}


def test_what_only_the_images_say_of_their_own_patient_stays(house: Spine) -> None:
    house.services.patients.register(RegisterPatient(PatientIdentifier("P1"), name="DOE^JANE"), "RIS")
    house.order()
    house.image()
    answer = house.services.querying.study("1.2.3")
    assert corrections_of(answer) == {}
    assert (answer.person.birth_date, answer.person.sex) == ("1970-01-02", "F")


@pytest.mark.parametrize(
    ("came", "known"),
    [("Muller^Jorg", "Müller^Jörg"), ("De^Boer Jan", "De Boer^Jan"), ("Doe^Jane^Ann", "Doe^Jane Ann")],
)
def test_accents_and_where_a_name_is_divided_are_corrections(house: Spine, came: str, known: str) -> None:
    house.patient(name=came)
    house.order()
    house.image(patient_name=came)
    house.patient(name=known)
    assert corrections_of(house.services.querying.study("1.2.3")) == {"PatientName": known}


def test_case_and_padding_of_a_name_are_none(house: Spine) -> None:
    house.patient(name="Doe^Jane")
    house.order()
    house.image(patient_name="DOE^JANE ^^^ =")
    assert corrections_of(house.services.querying.study("1.2.3")) == {}


def test_a_study_stored_over_the_web_without_its_order_is_held_like_one_of_a_scanner(house: Spine) -> None:
    house.image(door="stow")
    assert house.study().reconciliation == "held"
    house.image("1.2.4", door="import")
    assert house.study("1.2.4").reconciliation == "none"


def test_every_step_of_an_order_has_an_id(house: Spine) -> None:
    house.patient()
    house.order()
    changed = house.order(
        steps=(StepRequest(), StepRequest(description="second"), StepRequest(description="third"))
    )
    ids = [step.step_id for step in changed.steps]
    assert len(set(ids)) == 3
    assert all(ids)


def test_an_order_taken_up_again_with_its_images_there_is_in_progress(house: Spine) -> None:
    house.patient()
    order = house.order()
    house.image()
    house.services.orders.cancel_row(order.id, "", "RIS")
    assert house.order().state is OrderState.IN_PROGRESS
    assert {step.state for step in house.services.orders.get(order.id)[0].steps} == {OrderState.IN_PROGRESS}


def test_a_draft_cannot_be_an_addendum_to_another_study_s_report(house: Spine) -> None:
    house.patient()
    house.order()
    house.image()
    house.image("1.2.4")
    eva = Actor("eva", Role.READER, "Eva")
    other = house.services.reporting.save_draft("1.2.4", "t", "{}", None, eva)
    with pytest.raises(Conflict):
        house.services.reporting.save_draft("1.2.3", "t", "{}", other.report_id, eva)


def test_a_stroke_never_moves_to_another_study(house: Spine) -> None:
    house.image()
    house.image("1.2.4")
    stroke = Measurement(
        "2.25.1", "length", "1.2.3", "1.2.3.1", "1.2.3.1.1", 1, ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0))
    )
    house.services.measuring.save(stroke, "eva")
    with pytest.raises(Conflict):
        house.services.measuring.save(replace(stroke, study_uid="1.2.4"), "eva")
    assert len(house.services.measuring.of_study("1.2.3")) == 1


def test_report_signed_before_the_order_leaves_when_the_order_comes(house: Spine) -> None:
    house.services.configuring.save_destination(DestinationRecord("RIS", "127.0.0.1", 1, 3, 0, "C"), "t")
    house.services.access.add_account("eva", "reader", "correct horse", "Eva")
    house.image()
    signing = Signing("1.2.3", "correct horse", (Section("Findings", "normal"),), "final")
    house.services.reporting.sign(signing, Actor("eva", Role.READER, "Eva"))
    assert not house.services.delivering.open()
    house.patient()
    house.order()
    assert [d.destination for d in house.services.delivering.open()] == ["RIS"]


def orderless(house: Spine, uid: str, **header: object) -> None:
    house.image(uid, accession_number="", **header)


def test_two_studies_under_one_id_without_issuer_or_order_are_one_patient_s(house: Spine) -> None:
    orderless(house, "1.1", study_date="2025-01-01")
    orderless(house, "1.2")
    assert house.study("1.1").patient_id == house.study("1.2").patient_id
    assert [e.study.study_uid for e in house.services.reading_worklist.priors("1.2") if e.study] == ["1.1"]


@pytest.mark.parametrize(
    "other",
    [
        {"patient_name": "ROE^RICHARD"},
        {"patient_birth_date": "1971-01-02"},
        {"patient_sex": "M"},
    ],
)
def test_one_id_with_another_person_behind_it_is_held_with_the_reason(
    house: Spine, other: dict[str, object]
) -> None:
    orderless(house, "1.1")
    orderless(house, "1.2", **other)
    assert house.study("1.1").patient_id != house.study("1.2").patient_id
    with house.index.read() as tx:
        (hold,) = tx.holds.open_for("1.2")
    assert hold.kind == "identity contradicts"
    assert "P1" in hold.reason
    orderless(house, "1.3", **other)
    assert house.study("1.3").patient_id == house.study("1.2").patient_id


def test_imported_studies_that_contradict_are_held_too(house: Spine) -> None:
    house.patient()
    orderless(house, "1.1", door="import")
    orderless(house, "1.2", door="import", patient_name="ROE^RICHARD")
    assert (house.study("1.1").reconciliation, house.study("1.2").reconciliation) == ("none", "held")


def test_what_one_study_does_not_say_another_may_and_a_third_is_measured_by_both(house: Spine) -> None:
    orderless(house, "1.1", patient_birth_date="")
    orderless(house, "1.2")
    orderless(house, "1.3", patient_birth_date="1999-09-09")
    one, two, three = (house.study(f"1.{n}").patient_id for n in (1, 2, 3))
    assert one == two != three


def test_another_issuer_is_another_person(house: Spine) -> None:
    orderless(house, "1.1", issuer_of_patient_id="HERE")
    orderless(house, "1.2", issuer_of_patient_id="THERE")
    assert house.study("1.1").patient_id != house.study("1.2").patient_id


def test_studies_without_a_patient_id_are_never_put_together(house: Spine) -> None:
    orderless(house, "1.1", patient_id="")
    orderless(house, "1.2", patient_id="")
    assert house.study("1.1").patient_id != house.study("1.2").patient_id


def test_a_late_registration_takes_the_studies_that_fit_it_accepted_ones_too(house: Spine) -> None:
    orderless(house, "1.1")
    orderless(house, "1.2")
    orderless(house, "1.3", patient_name="ROE^RICHARD")
    house.services.reconciling.accept("1.1", "tech")
    known = house.patient()
    assert [house.study(f"1.{n}").patient_id == known for n in (1, 2, 3)] == [True, True, False]


def test_images_after_a_merge_of_the_provisional_patient_by_hand_follow_it(house: Spine) -> None:
    orderless(house, "1.1")
    known = house.patient("P7")
    house.services.patients.merge_rows(known, house.study("1.1").patient_id, "tech")
    orderless(house, "1.2")
    assert house.study("1.2").patient_id == known


def test_a_contradiction_is_answered_by_a_merge_of_the_two(house: Spine) -> None:
    known = house.patient("P1", "DOE^JANE")
    orderless(house, "1.1", patient_id="P1", patient_name="SMITH^JANE")
    orderless(house, "1.2", patient_id="P1", patient_name="SMITH^JANE")
    assert _contradicting(house) == {"1.1", "1.2"}
    filed = house.study("1.1").patient_id
    assert filed != known
    house.services.patients.merge_rows(known, filed, "tech")
    assert _contradicting(house) == set()
    assert {house.study(uid).patient_id for uid in ("1.1", "1.2")} == {known}
    orderless(house, "1.3", patient_id="P1", patient_name="SMITH^JANE")
    assert (_contradicting(house), house.study("1.3").patient_id) == (set(), known)
    orderless(house, "1.4", patient_id="P1", patient_name="MILLER^TOM")
    assert _contradicting(house) == {"1.4"}, "a third name is another matter"


def _contradicting(house: Spine) -> set[str]:
    """Studies held because their ID belongs to somebody of another name."""
    held = house.services.reconciling.held()
    return {hold.study_uid for hold, _study, _found in held if hold.kind == "identity contradicts"}
