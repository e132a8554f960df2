"""`rehearse --live`: a test order and a test result on a node that works, and nothing of it left."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from pacs_core.archive import models as m
from pacs_core.archive.protocol import Archive
from pacs_core.domain.access import Actor, Role
from pacs_core.domain.records import DestinationRecord
from pacs_core.domain.rehearsal import ISSUER
from pacs_core.domain.report import Section
from pacs_core.services.reporting import Signing
from tests.machine import CHECKOUT
from tests.support.commands import Ended, command
from tests.support.mllp_receiver import MLLPReceiver, answer, silence
from tests.support.serving import PATIENCE, Serving, program, serving
from tests.support.spine import Spine, spine

KEPT = {"journal", "audit", "counter", "schema_version", "sqlite_sequence"}
"""What only grows, and is no trace of a patient that never was."""

OPEN = "[hl7]\ninsecure = true\n"
WIDE = ("--dicom", "0.0.0.0:0", "--hl7", "0.0.0.0:0", "--http", "127.0.0.1:0")
ORDER = m.OrderForm("REAL1", accession="REAL-ACC-1", procedure="CT chest", modality="CT")


def rows(data: Path) -> dict[str, list[str]]:
    """Everything in the index but what only grows, and the files beside it."""
    found: dict[str, list[str]] = {}
    with closing(sqlite3.connect(f"file:{data / 'index.sqlite'}?mode=ro", uri=True)) as plain:
        for line in plain.iterdump():
            if line.startswith("INSERT INTO"):
                found.setdefault(line.split('"')[1], []).append(line)
    found["files"] = sorted(path.name for path in (data / "store").rglob("*.dcm"))
    return {name: lines for name, lines in found.items() if name not in KEPT}


@contextmanager
def entered(node: Serving) -> Iterator[Archive]:
    door = node.door()
    try:
        yield door.as_owner()
    finally:
        door.close()


def live(node: Serving, *words: str, stdin: str = "") -> tuple[Ended, list[dict[str, Any]]]:
    done = command("rehearse", "--live", "--json", "--data", str(node.data), *words, stdin=stdin)
    return done, json.loads(done.stdout) if done.stdout else []


def red(lines: list[dict[str, Any]]) -> list[str]:
    return [line["name"] for line in lines if not line["done"]]


def lived_in(node: Serving) -> None:
    """A patient with an order, and sessions that were there before."""
    with entered(node) as archive:
        archive.schedule.save_patient(m.PatientForm("REAL1", "", "REAL^PERSON", "1960-05-05", "F"))
        archive.schedule.place_order(ORDER)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Serving]:
    """A node open to the network, so that only configured peers and sources are let in."""
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "config.toml").write_text(OPEN, encoding="utf-8")
    with serving(tmp_path / "data", doors=WIDE) as running:
        lived_in(running)
        yield running


def test_the_result_goes_to_tests_alone_and_nothing_is_left(node: Serving) -> None:
    with MLLPReceiver() as tests, MLLPReceiver() as ward, entered(node) as archive:
        save = archive.administration.save_destination
        save(m.Destination("TESTS", "127.0.0.1", tests.port, hold_seconds=600, reserved_for_tests=True))
        save(m.Destination("WARD", "127.0.0.1", ward.port))
        before = rows(node.data)
        done, lines = live(node)
        assert (done.returncode, red(lines)) == (0, []), lines
        assert [line["number"] for line in lines] == list(range(1, 9))
        assert ward.received == []
        (result,) = tests.received
        head = result.split(b"\r")[0].split(b"|")
        assert head[8] == b"ORU^R01^ORU_R01"
        assert head[10] == b"T"
        assert f"^^^{ISSUER}".encode() in result
        assert lines[6]["facts"]["control_ids"] == [head[9].decode()]
        assert rows(node.data) == before
        kinds = {c.kind for c in archive.changes.since(0).changes}
        assert kinds >= {"patient.registered", "order.placed", "images.stored", "report.signed"}
        assert kinds >= {"delivery.delivered", "study.removed", "rehearsal.removed"}
        verbs = {a.verb for a in archive.administration.audit()}
        assert verbs >= {"rehearse", "sign", "remove rehearsal"}


def test_a_row_s_number_is_never_another_s(node: Serving) -> None:
    """The journal of what was removed must not become the story of who comes next."""
    assert live(node)[0].returncode == 0
    with entered(node) as archive:
        archive.schedule.save_patient(m.PatientForm("REAL2", "", "NEXT^PERSON"))
        archive.schedule.place_order(
            m.OrderForm("REAL2", accession="NEXT-1", procedure="CT chest", modality="CT")
        )
        story = archive.trace.of("NEXT-1")
    assert [e.kind for e in story.events] == ["patient.registered", "order.placed"]
    assert {e.actor for e in story.events} == {"owner"}


def test_without_a_destination_for_tests_it_says_so_and_does_the_rest(node: Serving) -> None:
    with MLLPReceiver() as ward, entered(node) as archive:
        archive.administration.save_destination(m.Destination("WARD", "127.0.0.1", ward.port))
        before = rows(node.data)
        done, lines = live(node)
        assert (done.returncode, red(lines)) == (0, [])
        assert "no destination is for tests" in lines[6]["words"]
        assert ward.received == []
        assert rows(node.data) == before


def test_a_stage_that_fails_is_red_and_everything_is_removed_all_the_same(node: Serving) -> None:
    with MLLPReceiver(answer("AE", "not today")) as tests, entered(node) as archive:
        save = archive.administration.save_destination
        save(m.Destination("TESTS", "127.0.0.1", tests.port, refused_tries=1, reserved_for_tests=True))
        before = rows(node.data)
        done, lines = live(node)
        assert (done.returncode, red(lines)) == (1, ["report"])
        assert "not today" in lines[6]["words"]
        assert rows(node.data) == before


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(
            signal.SIGTERM, marks=pytest.mark.skipif(os.name != "posix", reason="Windows knows no polite end")
        ),
        pytest.param(signal.SIGINT, marks=pytest.mark.skipif(os.name != "posix", reason="as above")),
        None,
    ],
    ids=["SIGTERM", "Ctrl-C", "killed"],
)
def test_ended_in_the_middle_it_is_removed_by_itself_or_by_the_next_start(
    tmp_path: Path, how: int | None
) -> None:
    with MLLPReceiver(silence) as tests:
        with serving(tmp_path / "data") as node:
            lived_in(node)
            with entered(node) as archive:
                destination = m.Destination("TESTS", "127.0.0.1", tests.port, reserved_for_tests=True)
                archive.administration.save_destination(destination)
            before = rows(node.data)
            code = _ended_in_the_middle(node, tests, how)
            if how is not None:
                assert code == 1
                assert rows(node.data) == before
                return
            left = rows(node.data)
            assert len(left["study"]) == 1
            assert len(left["account"]) == 1
        with serving(tmp_path / "data") as again:
            assert rows(again.data) == before
            with entered(again) as archive:
                assert archive.worklist.rows(m.WorklistQuery()).total == 1


def _ended_in_the_middle(node: Serving, tests: MLLPReceiver, how: int | None) -> int:
    """End the command once the result is on its way and nobody answers it."""
    words = program("rehearse", "--live", "--data", str(node.data))
    with subprocess.Popen(words, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as playing:
        tests.wait_for(1, PATIENCE)
        playing.kill() if how is None else playing.send_signal(how)
        playing.communicate(timeout=PATIENCE)
    return playing.returncode


def test_the_next_rehearsal_removes_what_a_killed_one_left(node: Serving) -> None:
    before = rows(node.data)
    with entered(node) as archive:
        archive.administration.begin_rehearsal("127.0.0.1", "127.0.0.1")
        assert rows(node.data) != before
    assert live(node)[0].returncode == 0
    assert rows(node.data) == before


def test_an_admin_s_password_is_asked_for_and_a_reader_may_not(node: Serving) -> None:
    with entered(node) as archive:
        archive.administration.add_user("boss", "admin", "boss password")
        archive.administration.add_user("rita", "reader", "rita password")
    done, lines = live(node, "--user", "boss", "--password-stdin", stdin="boss password\n")
    assert (done.returncode, red(lines)) == (0, [])
    for name, password, says in (("rita", "rita password", "admin"), ("boss", "wrong one", "wrong")):
        done, lines = live(node, "--user", name, "--password-stdin", stdin=f"{password}\n")
        assert (done.returncode, lines) == (1, [])
        assert says in done.stderr


def test_without_a_node_it_says_so_and_makes_none(tmp_path: Path) -> None:
    done = command("rehearse", "--live", "--data", str(tmp_path / "data"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "no node runs" in done.stderr
    assert not (tmp_path / "data").exists()


def test_drills_never_touch_a_live_node(tmp_path: Path) -> None:
    assert command("rehearse", "--live", "--drill", "late-order", "--data", str(tmp_path)).returncode == 2


def test_a_real_study_linked_to_the_rehearsal_s_order_comes_back_held(tmp_path: Path) -> None:
    """Somebody clicked in the wrong row in those seconds: neither study nor real order is lost."""
    with spine(tmp_path) as house:
        house.patient()
        real_order = house.order()
        house.image(study="1.2.3", accession_number="", issuer_of_patient_id="")
        begun = house.services.rehearsing.begin("127.0.0.1", "127.0.0.1", _boss())
        test_order = house.order("RH1", "REHEARSAL-1", source=begun.name)
        header = {"patient_id": "REHEARSAL-1", "issuer_of_patient_id": ISSUER, "patient_name": "REHEARSAL^X"}
        house.image(study="9.9.9", accession_number="", **header)
        house.services.reconciling.link("1.2.3", test_order.id, "somebody")
        house.services.reconciling.link("9.9.9", real_order.id, "somebody")
        house.services.rehearsing.end("boss")
        study = house.study("1.2.3")
        assert (study.reconciliation, study.order_id) == ("held", None)
        with house.index.read() as tx:
            assert tx.patients.current(study.patient_id).demographics.name == "DOE^JANE"
            assert tx.orders.get(real_order.id).state == "scheduled"
            assert tx.studies.find("9.9.9") is None
            assert not tx.orders.by_accession("RH1")
            assert [h.kind for h in tx.holds.open_for("1.2.3")] == ["rehearsal"]
        assert [a.name for a in house.services.access.accounts()] == []


def test_what_is_rehearsed_and_signed_elsewhere_never_reaches_a_real_receiver(tmp_path: Path) -> None:
    """A rehearsal's images under a real order, or a real source that writes its name small: tests alone."""
    with spine(tmp_path) as house:
        for name, reserved in (("WARD", False), ("TESTS", True)):
            record = DestinationRecord(name, "127.0.0.1", 2575, 3, 0, "C", reserved)
            house.services.configuring.save_destination(record, "boss")
        house.services.access.add_account("rita", "reader", "rita password")
        marks = {"issuer_of_patient_id": ISSUER, "patient_id": "R1", "patient_name": "REHEARSAL^X"}
        for study, accession, source, header, to in (
            ("1.1", "A1", "RIS", {}, {"WARD"}),
            ("1.2", "A2", "RIS", marks, {"TESTS"}),
            ("1.3", "A3", "rehearsal-ris", {}, {"TESTS"}),
        ):
            house.patient()
            order = house.order(accession, source=source)
            house.image(study=study, accession_number="", **header)
            house.services.reconciling.link(study, order.id, "somebody")
            assert _sent_to(house, study) == to, study


def _sent_to(house: Spine, study: str) -> set[str]:
    signing = Signing(study, "rita password", (Section("Findings", "None."),), "final")
    report = house.services.reporting.sign(signing, Actor("rita", Role.READER, "Rita"))
    with house.index.read() as tx:
        return {d.destination for d in tx.deliveries.of_report(report.id)}


def _boss() -> Actor:
    return Actor("boss", Role.ADMIN)
