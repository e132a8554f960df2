"""What the archive promises, whichever way it is entered (architecture §7)."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from pacs_core.archive import models as m
from pacs_core.archive.protocol import Archive
from pacs_core.domain.errors import Conflict, Denied, InvalidValue, NotFound, NotSignedIn
from pacs_core.domain.report import Section, VersionKind
from tests.support.houses import PASSWORD, SECTIONS, House, held_study, stroke

# ---------------------------------------------------------------- the worklist


def test_rows_are_found_counted_and_sliced(home: House) -> None:
    uids = [home.exam()[0] for _ in range(3)]
    page = home.enter().worklist.rows(m.WorklistQuery(sort="accession"), 0, 2)
    assert len(page.rows) == 2
    assert page.total >= 3
    one = home.enter().worklist.row(f"study:{uids[0]}")
    assert (one.study_uid, one.images, one.reconciliation) == (uids[0], 1, "matched")
    found = home.enter().worklist.rows(m.WorklistQuery(text=one.accession))
    assert one in found.rows


def test_a_row_that_is_not_there(home: House) -> None:
    for key in ("study:9.9.9", "order:999999"):
        with pytest.raises(NotFound):
            home.enter().worklist.row(key)
    with pytest.raises(InvalidValue) as caught:
        home.enter().worklist.rows(m.WorklistQuery(sort="nonsense"))
    assert caught.value.where == "sort"


def test_an_exam_is_read_by_one(home: House) -> None:
    uid, _ = home.exam()
    home.spine.services.access.add_account(f"other{uid}", "reader", PASSWORD)
    other = home.door.sign_in(f"other{uid}", PASSWORD)
    assert home.enter().worklist.claim(uid).locked_by == "reader"
    with pytest.raises(Conflict, match="reader"):
        other.worklist.claim(uid)
    assert other.worklist.claim(uid, take_over=True).locked_by == f"other{uid}"
    assert other.worklist.release(uid).locked_by == ""


# ---------------------------------------------------------------- studies


def store_real(home: House, shared_data: Path, folder: str = "ct-phantom-tilt") -> tuple[str, bytes]:
    path = min((shared_data / "studies" / folder).rglob("*.dcm"))
    content = path.read_bytes()
    line = home.enter("technologist").studies.store(path.name, content)
    assert line.outcome in ("stored", "already there"), line
    return line.study_uid, content


def test_a_file_goes_in_and_comes_back_byte_for_byte(home: House, shared_data: Path) -> None:
    uid, content = store_real(home, shared_data)
    assert home.enter("technologist").studies.store("again", content).outcome == "already there"
    instance = home.enter().studies.manifest(uid).series[0].instances[0]
    assert home.enter().studies.file(instance.sop_instance_uid, original=True) == content


def test_frames_lie_where_the_locators_say(home: House, shared_data: Path) -> None:
    sent = [store_real(home, shared_data, f) for f in ("ct-phantom-tilt", "petct-acrin-nsclc-042")]
    for (uid, content), syntax in zip(sent, ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.80"), strict=True):
        instance = home.enter().studies.manifest(uid).series[0].instances[0]
        (place,) = instance.frames
        pixels = home.enter().studies.frame(instance.sop_instance_uid, 1)
        assert pixels.transfer_syntax == instance.transfer_syntax == syntax
        assert all(part in content for part in pixels.fragments)
        assert isinstance(place, m.LocalFile) is home.gives_files
        if isinstance(place, m.LocalFile):
            data = Path(place.path).read_bytes()
            parts = place.fragments or ((place.offset, place.length),)
            assert tuple(data[a : a + n] for a, n in parts) == pixels.fragments


def test_what_is_not_there_and_what_is_no_dicom(home: House, shared_data: Path) -> None:
    uid, _ = store_real(home, shared_data)
    instance = home.enter().studies.manifest(uid).series[0].instances[0]
    studies = home.enter().studies
    for ask in (
        lambda: studies.open("9.9.9"),
        lambda: studies.renew("9.9.9"),
        lambda: studies.manifest("9.9.9"),
        lambda: studies.frame("9.9.9", 1),
        lambda: studies.frame(instance.sop_instance_uid, 2),
        lambda: studies.frame(instance.sop_instance_uid, 0),
        lambda: studies.file("9.9.9"),
    ):
        with pytest.raises(NotFound):
            ask()
    assert home.enter("technologist").studies.store("x.txt", b"no DICOM at all").outcome == "not DICOM"
    assert home.enter("technologist").studies.store("empty", b"").outcome == "not DICOM"


def test_a_dossier_holds_all_that_is_needed_to_begin(home: House) -> None:
    uid, order = home.exam(images=3)
    assert order is not None
    home.enter().measurements.save(stroke(uid))
    dossier = home.enter().studies.open(uid)
    assert dossier.exam.study_uid == dossier.manifest.study_uid == uid
    assert dossier.order is not None
    assert dossier.order.accession == order.accession.value
    assert len(dossier.manifest.series[0].instances) == 3
    assert len(dossier.measurements) == 1
    assert any(r.verb == "view" and uid in r.subject for r in home.enter("admin").administration.audit())


def views(home: House, uid: str) -> int:
    """Audit lines of looks at a study."""
    rows = home.enter("admin").administration.audit()
    return sum(r.verb == "view" and r.subject == f"study:{uid}" for r in rows)


def test_a_window_that_asks_again_is_one_look_in_the_audit(home: House) -> None:
    uid, _ = home.exam()
    archive = home.door.sign_in("reader", PASSWORD)
    opened = archive.studies.open(uid)
    before = home.spine.services.index.wait_for_change(0, 0.0)
    for _ in range(3):
        assert replace(archive.studies.renew(uid), sequence=0) == replace(opened, sequence=0)
        assert archive.studies.manifest(uid) == opened.manifest
    assert views(home, uid) == 1
    assert home.spine.services.index.wait_for_change(0, 0.0) == before, "a refresh must not call for the next"
    archive.studies.open(uid)
    assert views(home, uid) == 2


@pytest.mark.parametrize("way", ["renew", "manifest"])
def test_the_first_look_of_a_sign_in_is_audited_whichever_way_it_comes(home: House, way: str) -> None:
    uid, _ = home.exam()
    for number in (1, 2):
        archive = home.door.sign_in("reader", PASSWORD)
        getattr(archive.studies, way)(uid)
        assert views(home, uid) == number


def test_a_corrected_object_carries_the_new_identity_and_the_original_stays(
    home: House, shared_data: Path
) -> None:
    file = min((shared_data / "studies/mr-head-sagittal-hfs").rglob("*.dcm")).read_bytes()
    uid = home.enter("technologist").studies.store("mr", file).study_uid
    row = home.enter().worklist.row(f"study:{uid}")
    form = m.PatientForm(row.patient_id, row.issuer, "Renamed^Person")
    home.enter("front-desk").schedule.save_patient(form)
    order = home.enter("front-desk").schedule.place_order(
        m.OrderForm(row.patient_id, row.issuer, procedure="MR brain", modality="MR")
    )
    if home.enter().worklist.row(f"study:{uid}").order_id is None:
        home.enter("technologist").inbox.link(uid, order.id)
    instance = home.enter().studies.manifest(uid).series[0].instances[0].sop_instance_uid
    corrected = home.enter().studies.file(instance)
    assert b"Renamed^Person" in corrected
    assert home.enter().studies.file(instance, original=True) == file


# ---------------------------------------------------------------- measurements


def test_a_stroke_is_kept_exactly_and_once(home: House) -> None:
    uid, _ = home.exam()
    measurements = home.enter().measurements
    drawn = stroke(uid, details={"bone": "no"}, label="Läsion", instance_number=None, series_number=7)
    saved = measurements.save(drawn)
    assert (saved.tracking_uid, saved.points, saved.quantities) == (
        drawn.tracking_uid,
        drawn.points,
        drawn.quantities,
    )
    assert (saved.details, saved.label, saved.author) == ({"bone": "no"}, "Läsion", "reader")
    measurements.save(drawn)
    assert [one.tracking_uid for one in measurements.of(uid)] == [drawn.tracking_uid]
    assert measurements.remove(drawn.tracking_uid).deleted
    assert measurements.of(uid) == ()
    measurements.save(drawn)
    assert len(measurements.of(uid)) == 1


def test_a_stroke_on_nothing_is_refused(home: House) -> None:
    with pytest.raises(NotFound):
        home.enter().measurements.save(stroke("9.9.9"))
    with pytest.raises(InvalidValue):
        home.enter().measurements.save(stroke(home.exam()[0], tracking_uid=""))
    with pytest.raises(NotFound):
        home.enter().measurements.remove("9.9.9")


# ---------------------------------------------------------------- reports


def test_a_report_is_drafted_signed_and_never_changes(home: House) -> None:
    uid, _ = home.exam()
    reports = home.enter().reports
    first = reports.save_draft(uid, "ct-chest", '{"text": "half a sentence"}')
    again = reports.save_draft(uid, "ct-chest", '{"text": "a whole sentence"}')
    assert (again.content, again.revision) == ('{"text": "a whole sentence"}', first.revision + 1)
    with pytest.raises(NotSignedIn):
        reports.sign(m.SignRequest(uid, "wrong password", SECTIONS))
    signed = reports.sign(m.SignRequest(uid, PASSWORD, SECTIONS))
    (version,) = signed.versions
    assert (version.kind, version.sections, version.signer) == (VersionKind.FINAL, SECTIONS, "reader")
    with pytest.raises(Conflict):
        reports.sign(m.SignRequest(uid, PASSWORD, SECTIONS, report_id=signed.report_id))
    with pytest.raises(InvalidValue):
        reports.sign(m.SignRequest(uid, PASSWORD, SECTIONS, "correction", report_id=signed.report_id))
    added = reports.sign(
        m.SignRequest(uid, PASSWORD, (Section("Addendum", "More."),), "addendum", report_id=signed.report_id)
    )
    assert added.versions[0] == version
    assert len(added.versions) == 2
    assert reports.of(uid)[-1] == added
    assert added in reports.of_patient(added.patient_key)


def test_another_reader_s_draft_is_named_and_stays_theirs(home: House) -> None:
    uid, _ = home.exam()
    home.spine.services.access.add_account(f"second{uid}", "reader", PASSWORD)
    second = home.door.sign_in(f"second{uid}", PASSWORD)
    home.enter().worklist.claim(uid)
    home.enter().reports.save_draft(uid, "plain", "first words")
    second.worklist.claim(uid, take_over=True)
    (seen,) = second.reports.of(uid)
    assert (seen.draft, seen.drafting) == (None, ("reader",))
    second.reports.save_draft(uid, "plain", "other words")
    (seen,) = home.enter().reports.of(uid)
    assert seen.draft is not None
    assert (seen.draft.content, seen.drafting) == ("first words", (f"second{uid}",))


def test_a_draft_can_be_thrown_away(home: House) -> None:
    uid, _ = home.exam()
    home.enter().reports.save_draft(uid, "t", "{}")
    home.enter().reports.discard_draft(uid)
    assert all(r.draft is None for r in home.enter().reports.of(uid))


# ---------------------------------------------------------------- trace and administration


def test_an_exam_has_its_story(home: House) -> None:
    _, order = home.exam()
    assert order is not None
    story = home.enter().trace.of(order.accession.value)
    assert [s.number for s in story.stages] == [1, 2, 3, 4, 5, 6, 7]
    assert story.missing
    assert any(e.kind == "images.stored" and dict(e.detail)["count"] == 1 for e in story.events)
    with pytest.raises(NotFound):
        home.enter().trace.of("no such number")


def test_the_administrator_keeps_peers_sources_and_destinations(home: House) -> None:
    office = home.enter("admin").administration
    peer = m.Peer("CT9", "10.0.0.9", 104, "CT", "CT 9", may_query=False)
    assert replace(office.save_peer(peer), last_seen="", last_did="") == peer
    assert peer.title in {p.title for p in office.peers()}
    assert office.echo("CT9").state == "fail"
    office.remove_peer("CT9")
    with pytest.raises(NotFound):
        office.remove_peer("CT9")
    with pytest.raises(InvalidValue) as caught:
        office.save_peer(m.Peer("CT9", "10.0.0.9", 99_999))
    assert caught.value.where == "port"
    source = m.Hl7Source("RIS9", "10.0.0.8", character_set="8859/1")
    assert office.save_hl7_source(source).name == "RIS9"
    assert "RIS9" in {s.name for s in office.hl7_sources()}
    office.remove_hl7_source("RIS9")
    office.save_destination(m.Destination("EHR9", "10.0.0.7", 2575, paused=True))
    assert "EHR9" in {d.name for d in office.destinations()}
    office.remove_destination("EHR9")


def test_the_administrator_keeps_accounts_and_tokens(home: House) -> None:
    office = home.enter("admin").administration
    name = f"new{next(home.numbers)}"
    assert office.add_user(name, "reader", PASSWORD, "Dr. New").role == "reader"
    with pytest.raises(Conflict):
        office.add_user(name, "reader", PASSWORD)
    with pytest.raises(InvalidValue) as caught:
        office.add_user(name + "x", "king", PASSWORD)
    assert caught.value.where == "role"
    session = home.door.sign_in(name, PASSWORD)
    assert office.disable_user(name).disabled
    with pytest.raises(NotSignedIn):
        home.door.sign_in(name, PASSWORD)
    if home.way.startswith("over HTTP"):
        with pytest.raises(NotSignedIn):
            session.worklist.rows(m.WorklistQuery())
    office.set_password(name, "another password")
    made = office.add_token(f"t{name}", "reader")
    assert made.secret
    assert all(not t.secret for t in office.tokens())
    office.revoke_token(f"t{name}")
    with pytest.raises(NotFound):
        office.revoke_token(f"t{name}")


# ---------------------------------------------------------------- changes


def test_the_feed_tells_what_happened_in_order(home: House) -> None:
    start = home.enter().changes.since(10**12).sequence
    uid, _ = home.exam()
    page = home.enter().changes.since(start)
    numbers = [c.sequence for c in page.changes]
    assert numbers == list(range(start + 1, start + 1 + len(numbers)))
    assert page.sequence == numbers[-1]
    assert uid in {c.study_uid for c in page.changes}
    assert home.enter().changes.since(start, limit=1).changes == page.changes[:1]


def test_the_feed_wakes_who_waits(home: House) -> None:
    start = home.enter().changes.since(10**12).sequence
    found: list[m.ChangesPage] = []
    waiting = threading.Thread(target=lambda: found.append(home.enter().changes.since(start, wait_s=30)))
    waiting.start()
    home.exam(order=False)
    waiting.join(25)
    assert found[0].changes[0].sequence == start + 1
    assert home.enter().changes.since(found[0].sequence + 10**6, wait_s=0.01).changes == ()


# ---------------------------------------------------------------- the same, whichever way


def test_settings_are_read_and_changed_the_same_way_everywhere(home: House) -> None:
    admin = home.enter("admin").administration
    assert admin.settings() == home.knocking.node.facts.settings_list()
    after = admin.save_settings({"dicom.ae": "OTHER", "http.hosts": ["a", "b"], "dicom.idle_s": 60})
    assert after == admin.settings() == home.knocking.node.facts.settings_list()
    assert {s.key: s.value for s in after if s.value != s.default} == {
        "dicom.ae": "OTHER", "http.hosts": ["a", "b"], "dicom.idle_s": 60
    }  # fmt: skip
    for values, where in (({"dicom.port": 99999}, "dicom.port"), ({"dicom.sped": 1}, "dicom.sped")):
        with pytest.raises(InvalidValue) as caught:
            admin.save_settings(values)
        assert caught.value.where == where
    with pytest.raises(Denied):
        home.enter().administration.settings()


def everything_read(
    archive: Archive, uid: str, order_id: int, accession: str, patient_key: int
) -> dict[str, object]:
    return {
        "rows": archive.worklist.rows(m.WorklistQuery(), 0, 500),
        "row": archive.worklist.row(f"study:{uid}"),
        "manifest": archive.studies.manifest(uid),
        "priors": archive.studies.priors(uid),
        "strokes": archive.measurements.of(uid),
        "reports": archive.reports.of(uid),
        "of patient": archive.reports.of_patient(patient_key),
        "day": archive.schedule.day("2026-03-02"),
        "patients": archive.schedule.patients("test"),
        "order": archive.schedule.order(order_id),
        "counts": archive.inbox.counts(),
        "held": archive.inbox.held(),
        "resolved": archive.inbox.resolved(),
        "messages": archive.inbox.messages(),
        "deliveries": archive.inbox.deliveries(),
        "trace": archive.trace.of(accession),
        "node": archive.administration.node(),
        "changes": archive.changes.since(0),
    }


def test_every_answer_is_equal_to_the_one_in_process(home: House, shared_data: Path) -> None:
    uid, order = home.exam(images=2)
    assert order is not None
    held_study(home)
    store_real(home, shared_data)
    home.enter("admin").administration.save_destination(m.Destination("EHR", "127.0.0.1", 9, paused=True))
    home.enter().measurements.save(stroke(uid))
    home.enter().reports.save_draft(uid, "t", "{}")
    home.enter().reports.sign(m.SignRequest(uid, PASSWORD, SECTIONS))
    key = home.enter().worklist.row(f"study:{uid}").patient_key
    asked = (uid, order.id, order.accession.value, key)
    beside = home.beside
    dossiers = [replace(archive.studies.open(uid), sequence=0) for archive in (beside, home.enter())]
    assert dossiers[0] == dossiers[1]
    here, there = everything_read(beside, *asked), everything_read(home.enter(), *asked)
    for name, answer in here.items():
        assert there[name] == answer, name
