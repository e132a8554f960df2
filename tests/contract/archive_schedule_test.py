"""Orders by hand, and what waits for a person, whichever way the archive is entered."""

from __future__ import annotations

import pytest

from pacs_core.archive import models as m
from pacs_core.domain.errors import Conflict, InvalidValue, NotFound
from tests.support.houses import House, held_study


def test_a_new_patient_or_order_never_takes_another_one_s_number(home: House) -> None:
    uid, order = home.exam()
    assert order is not None
    row = home.enter().worklist.row(f"study:{uid}")
    desk = home.enter("front-desk").schedule
    with pytest.raises(Conflict):
        desk.save_patient(m.PatientForm(row.patient_id, row.issuer, "Somebody^Else", new=True))
    with pytest.raises(Conflict):
        desk.place_order(m.OrderForm(row.patient_id, row.issuer, row.accession, modality="CT"))
    again = home.enter().worklist.row(f"study:{uid}")
    assert (again.patient_name, again.procedure) == (row.patient_name, row.procedure)
    home.enter("front-desk").schedule.save_patient(m.PatientForm(f"NEW{uid}", "", "New^Person", new=True))


def test_the_front_desk_makes_moves_and_cancels_an_order(home: House) -> None:
    desk = home.enter("front-desk").schedule
    made = desk.save_patient(
        m.PatientForm(name="Müller^Jörg", birth_date="1950-12-31", sex="M", weight_kg=71.5)
    )
    assert made in desk.patients("muller")
    form = m.OrderForm(
        made.patient_id,
        made.issuer,
        procedure="MR knee",
        modality="MR",
        start_date="2026-03-02",
        start_time="14:30",
        priority="STAT",
    )
    placed = desk.place_order(form)
    assert placed.accession_is_ours
    assert placed.accession
    assert placed in desk.day("2026-03-02").orders
    moved = desk.reschedule(placed.id, "2026-03-05", "08:15", "MR1")
    assert [(s.start_date, s.start_time, s.station_aet) for s in moved.steps] == [
        ("2026-03-05", "08:15:00", "MR1")
    ]
    assert desk.note(placed.id, "in a wheelchair").technologist_note == "in a wheelchair"
    assert desk.cancel(placed.id, "did not come").state == "cancelled"
    assert desk.order(placed.id).state == "cancelled"
    with pytest.raises(Conflict):
        desk.reschedule(placed.id, "2026-03-06", "08:15")


def test_a_bad_form_is_named_by_its_field(home: House) -> None:
    desk = home.enter("front-desk").schedule
    for form, where in (
        (m.PatientForm(name="A^B", birth_date="31.12.1950"), "birth_date"),
        (m.PatientForm(name="A^B", birth_date="2999-01-01"), "birth_date"),
        (m.PatientForm(name="A^B", sex="male"), "sex"),
        (m.PatientForm(name="A\\B^C"), "name"),
        (m.PatientForm(name="A" * 65), "name"),
        (m.PatientForm(), "name"),
    ):
        with pytest.raises(InvalidValue) as caught:
            desk.save_patient(form)
        assert caught.value.where == where
    made = desk.save_patient(m.PatientForm(name="Has^Nothing Ordered"))
    for order, where in (
        (m.OrderForm(made.patient_id, made.issuer, modality="CT", procedure=" "), "procedure"),
        (m.OrderForm(made.patient_id, made.issuer, procedure="CT chest"), "modality"),
        (
            m.OrderForm(made.patient_id, made.issuer, procedure="CT", modality="CT", priority="SOON"),
            "priority",
        ),
        (
            m.OrderForm(made.patient_id, made.issuer, procedure="CT", modality="CT", start_time="175"),
            "start_time",
        ),
    ):
        with pytest.raises(InvalidValue) as caught:
            desk.place_order(order)
        assert caught.value.where == where
    with pytest.raises(NotFound):
        desk.place_order(m.OrderForm("nobody has this", modality="CT"))
    with pytest.raises(NotFound):
        desk.order(999_999)
    with pytest.raises(InvalidValue) as caught:
        desk.day("tomorrow")
    assert caught.value.where == "date"


def test_two_patients_become_one(home: House) -> None:
    desk = home.enter("front-desk").schedule
    survivor = desk.save_patient(m.PatientForm(name="Same^Person"))
    subsumed = desk.save_patient(m.PatientForm(name="Same^Persson"))
    assert desk.merge_patients(survivor.key, subsumed.key).key == survivor.key
    with pytest.raises(Conflict):
        desk.merge_patients(survivor.key, survivor.key)


# ---------------------------------------------------------------- inbox


def test_a_held_study_is_linked_and_the_link_undone(home: House) -> None:
    uid, order_id = held_study(home)
    inbox = home.enter("technologist").inbox
    (held,) = (h for h in inbox.held() if h.study_uid == uid)
    assert held.reason
    assert order_id in {s.order.id for s in held.suggestions}
    assert held.filed is not None
    assert (held.known, held.signed, held.delivered) == (None, False, ())
    assert inbox.counts().held >= 1
    assert inbox.link(uid, order_id).reconciliation == "linked"
    with pytest.raises(Conflict):
        inbox.link(uid, order_id)
    (resolved,) = (h for h in inbox.resolved() if h.study_uid == uid)
    assert inbox.undo(resolved.hold_id).reconciliation == "held"
    with pytest.raises(Conflict):
        inbox.undo(resolved.hold_id)
    assert inbox.accept(uid).reconciliation != "held"


def test_a_study_under_the_id_of_another_name_names_both_people_and_a_merge_answers_it(home: House) -> None:
    number = next(home.numbers)
    uid = f"1.9.{number}"
    home.spine.patient(f"SAME{number}", f"KNOWN^{number}")
    home.spine.image(uid, 1, patient_id=f"SAME{number}", patient_name="OTHER^NAME", accession_number="")
    archive = home.enter("technologist")
    (held,) = (h for h in archive.inbox.held() if h.study_uid == uid)
    assert held.kind == "identity contradicts"
    assert held.filed is not None
    assert held.known is not None
    assert (held.filed.display_name, held.known.patient_id) == ("OTHER, NAME", f"SAME{number}")
    archive.schedule.merge_patients(held.known.key, held.filed.key)
    kinds = {h.kind for h in archive.inbox.held() if h.study_uid == uid}
    assert "identity contradicts" not in kinds
