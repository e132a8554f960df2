"""The whole loop by hand: the real window on a virtual screen, by names, mouse and keys, the network off."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest

from tests.support.desktop import Box, Seen, facts, wait_for
from tests.support.hospital import (
    DICOM,
    NODULE,
    PIXEL,
    PRIOR_STEP,
    STEP,
    Hospital,
    height,
    lengths,
    running,
)

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        os.name != "posix" or not Path("/proc/self/ns/net").exists(),
        reason="Xvfb and network namespaces: Linux",
    ),
]
SENTENCE = "A solid nodule is seen in the left upper lobe."
HEARD = ("solid nodule", "left upper lobe")


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory, program: Callable[[str], Path]) -> Iterator[Hospital]:
    """One hospital for this module, its reader signed in."""
    log = tmp_path_factory.mktemp("e2e")
    sound = log / "sentence.wav"
    subprocess.run([program("espeak-ng"), "-v", "en-us", "-s", "140", "-w", sound, SENTENCE], check=True)
    with Hospital(log, sound) as made:
        made.seat.open()
        made.sign_in()
        yield made


def test_from_an_order_to_an_acknowledged_report(hospital: Hospital, dcmtk: Callable[[str], Path]) -> None:
    seat, desktop = hospital.seat, hospital.desktop
    hospital.prior_sent("lindstrom-ct-prior", dcmtk("storescu"))
    exam = hospital.ordered("lindstrom-ct")
    seat.row(exam.accession, "Scheduled")
    hospital.scanned(exam)
    seat.row(exam.accession, "61", that=lambda words: "Scheduled" not in words)

    hospital.open_exam(exam, prior=True)
    seat.see("Link of current and prior: linked", begins=True)
    _wheel_moves_both(hospital)
    measured = _measure(hospital)
    _undo_and_redo(hospital, measured)

    desktop.key("ctrl+q")
    seat.press("Go on receiving", "push button")
    wait_for(lambda: not seat.alive, "the window did not close")
    seat.close()
    seat.open()
    hospital.sign_in()
    hospital.open_exam(exam, prior=True)
    assert lengths(hospital.scroll_to(NODULE.centre[2])) == [measured]

    _dictate(hospital)
    _quote_the_measurement(hospital, measured)
    _sign(hospital)
    desktop.key("ctrl+1")
    seat.row(exam.accession, "Signed", "Delivered AA")
    results = hospital.ris.tell("received", accession=exam.accession)
    assert len(results) == 1
    assert f"{measured:.1f} mm" in results[0]["content"]


def _wheel_moves_both(hospital: Hospital) -> None:
    seat_cell, prior = hospital.cell(1), hospital.cell(2)
    before = hospital.desktop.pixels(seat_cell.box)
    z, z_prior = height(seat_cell), height(prior)
    hospital.desktop.move(*seat_cell.box.middle)
    hospital.desktop.wheel(20)
    moved = hospital.cell(1, lambda s: abs(abs(height(s) - z) - 20 * STEP) < 0.01)
    hospital.towards_head = 1 if height(moved) > z else -1
    travelled = height(moved) - z

    def followed(cell: Seen) -> bool:
        return abs((height(cell) - z_prior) - travelled) <= PRIOR_STEP / 2

    hospital.cell(2, followed)
    assert np.mean(hospital.desktop.pixels(seat_cell.box) != before) > 0.02


def _measure(hospital: Hospital) -> float:
    """The nodule's diameter along a row, by a drag between what looks like its edges."""
    cell = hospital.scroll_to(NODULE.centre[2])
    hospital.desktop.key("2", "d")
    hospital.seat.see("Status", begins=True, that=lambda s: "Lung" in s.text or "Lung" in s.name)
    hospital.seat.see("Length", that=lambda s: "checked" in s.states)
    hospital.desktop.drag(*hospital.edges(cell))
    drawn = hospital.cell(1, lambda s: len(lengths(s)) == 1)
    found = lengths(drawn)[0]
    assert abs(found - NODULE.diameter) <= PIXEL
    return found


def _undo_and_redo(hospital: Hospital, measured: float) -> None:
    hospital.desktop.key("ctrl+z")
    hospital.cell(1, lambda s: not lengths(s))
    hospital.desktop.key("ctrl+shift+z")
    hospital.cell(1, lambda s: lengths(s) == [measured])


def _dictate(hospital: Hospital) -> None:
    """Hold the key, say the sentence of the sound file, let go: its words stand in the field."""
    seat = hospital.seat
    field = seat.press("Lungs", "text")
    seat.see("Lungs", "text", that=lambda s: "focused" in s.states)
    assert not any(word in field.text for word in HEARD)
    hospital.desktop.key("ctrl+a")
    hospital.desktop.hold("F4")
    seat.see("Dictate", that=lambda s: "Listening" in s.description)
    hospital.desktop.release("F4")
    seat.see("Lungs", "text", that=lambda s: all(word in s.text for word in HEARD))


def _quote_the_measurement(hospital: Hospital, measured: float) -> None:
    seat = hospital.seat
    hospital.desktop.key("F7")
    seat.press("Dictate")
    _field(hospital, "Impression")
    hospital.desktop.type("Nodule of ")
    hospital.desktop.key("ctrl+shift+m")
    seat.see("Impression", "text", that=lambda s: f"{measured:.1f} mm" in s.text)
    hospital.desktop.type(". No | & ^ ~ here.")
    seat.see("Saved", begins=True)


def _field(hospital: Hospital, name: str) -> None:
    """Step through the report until a field has the cursor."""

    def there() -> bool:
        if any("focused" in s.states for s in hospital.seat.look(name, "text")):
            return True
        hospital.desktop.key("F3")
        return False

    wait_for(there, f"no field {name}")


def _sign(hospital: Hospital) -> None:
    seat, desktop = hospital.seat, hospital.desktop
    password = hospital.recipe.reader.password
    desktop.key("F12")
    seat.see("Password to sign")
    for box in seat.look("I have seen these and sign all the same"):
        desktop.click(box.box.x + 8, box.box.middle[1])
    seat.fill("Password to sign", password + "x", "password text")
    seat.press("Sign the report", "push button")
    seat.see("Signing message: The password is wrong.")
    seat.fill("Password to sign", password, "password text")
    seat.press("Sign the report", "push button")
    wait_for(lambda: not seat.look("Password to sign"), "the dialog stayed")


def test_killed_in_mid_stroke_and_in_mid_sentence_everything_comes_back(hospital: Hospital) -> None:
    seat, desktop = hospital.seat, hospital.desktop
    exam = hospital.ordered("phantom-ct")
    hospital.scanned(exam)
    hospital.open_exam(exam)
    cell = hospital.scroll_to(NODULE.centre[2])
    desktop.key("2", "d")
    seat.see("Status", begins=True, that=lambda s: "Lung" in s.name)
    start, end = hospital.edges(cell)

    desktop.move(*start)
    desktop.press()
    desktop.move((start[0] + end[0]) / 2, start[1])
    _kill_core(hospital)
    desktop.move(*end)
    desktop.let_go()
    drawn = lengths(hospital.cell(1, lambda s: len(lengths(s)) == 1))
    wait_for(lambda: _kept(hospital, exam.study_uid), "the archive never got the stroke")

    seat.press("Lungs", "text")
    seat.see("Lungs", "text", that=lambda s: "focused" in s.states)
    desktop.type("Half a sen")
    _kill_core(hospital, wait=False)
    desktop.type("tence and its end.")
    seat.see("Lungs", "text", that=lambda s: "Half a sentence and its end." in s.text)
    seat.kill()
    seat.open()
    hospital.sign_in()
    hospital.open_exam(exam)
    seat.see("Lungs", "text", that=lambda s: "Half a sentence and its end." in s.text)
    assert lengths(hospital.scroll_to(NODULE.centre[2])) == drawn


def _kill_core(hospital: Hospital, wait: bool = True) -> None:
    """Kill -9; the window brings it back by itself."""
    before = int(facts(hospital.data)["pid"])
    os.kill(before, signal.SIGKILL)
    if wait:

        def back() -> bool:
            pid = int(facts(hospital.data).get("pid", before))
            return pid != before and running(pid)

        wait_for(back, "the core did not come back")
        assert hospital.seat.alive


def _kept(hospital: Hospital, study_uid: str) -> bool:
    """Whether the index on disk has a measurement of the study."""
    with contextlib.closing(sqlite3.connect(f"file:{hospital.data}/index.sqlite?mode=ro", uri=True)) as index:
        return bool(index.execute("select 1 from measurement where study_uid = ?", (study_uid,)).fetchone())


def test_renamed_and_merged_while_open(
    hospital: Hospital, dcmtk: Callable[[str], Path], tmp_path: Path
) -> None:
    seat, desktop = hospital.seat, hospital.desktop
    exam, survivor = hospital.ordered("sokolova-ct"), hospital.recipe.patient("dimitriou")
    hospital.scanned(exam, images=3)
    hospital.open_exam(exam)
    cell = hospital.cell(1)
    seat.press("Lungs", "text")
    desktop.key("ctrl+a")
    desktop.type("The draft stays.")
    seat.see("Lungs", "text", that=lambda s: s.text == "The draft stays.")
    corner = Box(cell.box.x + cell.box.width // 2, cell.box.y + 6, cell.box.width // 2 - 30, 34)
    before = desktop.pixels(corner)

    hospital.ris.tell("rename", patient="sokolova", name="Соколова-Новая^Вера")
    seat.see("Patient: Соколова-Новая, Вера", begins=True)
    wait_for(lambda: not np.array_equal(desktop.pixels(corner), before), "the corner kept the old name")

    hospital.ris.tell("register", patient="dimitriou")
    hospital.ris.tell("merge", survivor="dimitriou", subsumed="sokolova")
    seat.see("Patient: Δημητρίου, Νίκος")
    seat.see(f"{survivor.id} DEMO", begins=True)
    seat.see("Lungs", "text", that=lambda s: s.text == "The draft stays.")

    host, port = DICOM.split(":")
    keys = ("-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={exam.study_uid}")
    titles = ("-aet", "DEMO_CT1", "-aec", "READINGROOM")
    desktop.run(dcmtk("getscu"), "-S", *titles, *keys, "-od", tmp_path, host, port)
    given = [pydicom.dcmread(path) for path in tmp_path.iterdir()]
    assert {str(one.PatientID) for one in given} == {survivor.id}
    assert {str(one.PatientName) for one in given} == {survivor.name}
