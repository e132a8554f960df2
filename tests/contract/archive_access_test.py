"""Who comes into the archive and what is written down of it, whichever way it is entered."""

from __future__ import annotations

import pytest

from pacs_core.archive import models as m
from pacs_core.domain.errors import Denied, LockedOut, NotFound, NotSignedIn
from tests.support.houses import PASSWORD, SECTIONS, House, stroke


def test_the_sign_in_page_knows_the_node(home: House) -> None:
    if home.way.endswith("afar"):  # the facts are for who shows the core's secret
        with pytest.raises(NotSignedIn):
            home.door.sign_in_facts()
    else:
        assert home.door.sign_in_facts() == m.SignIn("Test node", demo_user="demo")


def test_a_person_is_known_by_name_and_role(home: House) -> None:
    assert home.enter("technologist").who == m.WhoAmI("technologist", "technologist", "technologist")


def test_a_wrong_password_and_a_wrong_name_are_the_same_to_the_asker(home: House) -> None:
    said = set()
    for name in ("reader", "nobody"):
        with pytest.raises(NotSignedIn) as caught:
            home.door.sign_in(name, "wrong password")
        assert not isinstance(caught.value, LockedOut)
        said.add(caught.value.message)
    assert len(said) == 1
    home.door.sign_in("reader", PASSWORD).sign_out()


def test_too_many_wrong_passwords_say_how_long_to_wait(home: House) -> None:
    home.spine.services.access.add_account("guessed", "reader", PASSWORD)
    for _ in range(4):
        with pytest.raises(NotSignedIn):
            home.door.sign_in("guessed", "wrong password")
    for attempt in ("wrong password", PASSWORD):
        with pytest.raises(LockedOut) as caught:
            home.door.sign_in("guessed", attempt)
        assert 0 < caught.value.retry_after <= 60


def test_a_session_that_was_ended_answers_no_more(home: House) -> None:
    archive = home.door.sign_in("reader", PASSWORD)
    archive.worklist.rows(m.WorklistQuery())
    archive.sign_out()
    with pytest.raises(NotSignedIn):
        archive.worklist.rows(m.WorklistQuery())


def test_what_a_role_may_not_is_denied_and_audited(home: House) -> None:
    with pytest.raises(Denied):
        home.enter("front-desk").worklist.rows(m.WorklistQuery())
    with pytest.raises(Denied):
        home.enter("technologist").reports.save_draft("1.2", "t", "{}")
    with pytest.raises(Denied):
        home.enter("reader").administration.users()
    denied = [r for r in home.enter("admin").administration.audit() if r.outcome == "denied"]
    assert {r.actor for r in denied} >= {"front-desk", "technologist", "reader"}


def test_every_change_is_audited_with_its_subject_and_who_made_it(home: House) -> None:
    uid, order = home.exam()
    assert order is not None
    reader, desk, admin = home.enter(), home.enter("front-desk"), home.enter("admin")
    reader.worklist.claim(uid)
    made = stroke(uid)
    reader.measurements.save(made)
    reader.measurements.remove(made.tracking_uid)
    reader.reports.sign(m.SignRequest(uid, PASSWORD, SECTIONS, "final"))
    person = desk.schedule.save_patient(m.PatientForm(name="Audited^Person"))
    desk.schedule.note(order.id, "walks")
    admin.administration.save_peer(m.Peer("AUDITED", "127.0.0.1", 104))
    rows = admin.administration.audit()
    seen = {(r.actor, r.verb, r.subject) for r in rows if r.outcome == "allowed"}
    assert seen >= {
        ("reader", "claim", uid),
        ("reader", "save measurement", uid),
        ("reader", "remove measurement", made.tracking_uid),
        ("reader", "sign report", uid),
        ("front-desk", "save patient", person.patient_id),
        ("front-desk", "note", str(order.id)),
        ("admin", "save peer", "AUDITED"),
    }


def test_a_change_that_was_refused_is_not_audited_as_one(home: House) -> None:
    with pytest.raises(NotFound):
        home.enter("front-desk").schedule.cancel(987654)
    assert not any(r.subject == "987654" for r in home.enter("admin").administration.audit())


def test_the_text_of_a_discarded_draft_is_told_to_readers_alone(home: House) -> None:
    uid, _ = home.exam()
    before = home.enter().changes.since(0, limit=1).sequence
    home.enter().reports.save_draft(uid, "t", "words of the draft")
    home.enter().reports.discard_draft(uid)
    for role, told in (("reader", True), ("technologist", False), ("front-desk", False), ("admin", False)):
        changes = home.enter(role).changes.since(before).changes
        (gone,) = [c for c in changes if c.kind == "report.discarded" and c.study_uid == uid]
        assert ("words of the draft" in str(gone.detail)) is told
    accession = home.enter().worklist.row(f"study:{uid}").accession
    assert "words of the draft" not in str(home.enter("technologist").trace.of(accession).events)
