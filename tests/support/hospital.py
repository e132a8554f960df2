"""A small hospital round one desktop: a data folder, simulated RIS and scanner, phantoms with their truth."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np

from pacs_core.archive.models import Destination
from pacs_core.rehearsal.demo import MANIFEST
from pacs_core.rehearsal.headers import SeriesHeader
from pacs_core.rehearsal.identity import stamp
from pacs_core.rehearsal.phantoms import Ellipsoid, Scene, Sphere, classic_series, stack
from pacs_core.rehearsal.phantoms.series import PhantomSeries
from pacs_core.rehearsal.populate import furnish
from pacs_core.rehearsal.recipe import DemoExam, load_recipe
from pacs_core.runtime.clock import SystemClock
from pacs_core.runtime.node import Node
from pacs_core.runtime.settings import load
from tests.support.desktop import Desktop, Seat, Seen, facts, wait_for

DICOM, HL7 = "127.0.0.1:11112", "127.0.0.1:2575"
IMAGES = "phantom"
NODULE = Sphere((30.0, 0.0, -12.0), 20.0, 60.0, "nodule")
PRIOR_NODULE = replace(NODULE, diameter=14.0)
STEP, PRIOR_STEP = 2.0, 5.0
PIXEL = 0.8
PRIOR_SHIFT = 85.0
"""How far (mm, towards the head) the prior's frame of reference lies from the current one's."""
SIDE = re.compile(r"\b([HF]) ([0-9.]+) mm")


def chest(nodule: Sphere) -> Scene:
    """A hollow body with one nodule in it; every slice differs from the next."""
    body = Ellipsoid((0.0, 0.0, 0.0), (90.0, 62.0, 130.0), 55.0, "body")
    lung = Ellipsoid((0.0, 0.0, 0.0), (80.0, 52.0, 122.0), -850.0, "lung")
    return Scene((body, lung, nodule))


def current_series() -> PhantomSeries:
    """61 slices, 2 mm apart."""
    slices = stack((192, 256, 61), (PIXEL, PIXEL, STEP))
    return classic_series(chest(NODULE), slices, SeriesHeader("e2e-current", "CT", 2, "CHEST 2MM", "CHEST"))


def prior_series() -> PhantomSeries:
    """The same body six months ago: 25 slices 5 mm apart, other pixels, another frame of reference."""
    slices = stack((160, 224, 25), (0.9, 0.9, PRIOR_STEP))
    made = classic_series(
        chest(PRIOR_NODULE), slices, SeriesHeader("e2e-prior", "CT", 3, "CHEST 5MM", "CHEST")
    )
    for image in made.images:
        x, y, z = (float(v) for v in image.ImagePositionPatient)
        image.ImagePositionPatient = [x, y, z + PRIOR_SHIFT]
        if "SliceLocation" in image:
            image.SliceLocation = z + PRIOR_SHIFT
    return made


class Hospital:
    """The node's data folder with accounts and interfaces, the players, and the window's seat."""

    def __init__(self, log: Path, sound: Path | None = None) -> None:
        self._closing = contextlib.ExitStack()
        self.log = log
        try:
            self._set_up(sound)
        except BaseException:
            self.close()
            raise

    def _set_up(self, sound: Path | None) -> None:
        self.desktop = self._closing.enter_context(Desktop())
        self.data = self.desktop.folder / "data"
        self.recipe = load_recipe()
        self.today = SystemClock().civil_now().date()
        images = self.desktop.folder / "images"
        current_series().save(images / IMAGES / "series")
        (images / MANIFEST).write_text(json.dumps({"chest": "none", "notes": []}), encoding="utf-8")
        self._closing.callback(self._end_core)
        log = self.log / "players.log"
        module = (sys.executable, "-m")
        self.ris = self.desktop.player("ris", *module, "pacs_core.rehearsal.ris", "--node", HL7, log=log)
        self._closing.callback(self.ris.stop)
        self.scanner = self.desktop.player(
            "scanner", *module, "pacs_core.rehearsal.scanner", "--node", DICOM, "--images", images, log=log
        )
        self._closing.callback(self.scanner.stop)
        with Node(load(self.data, None, {})).open() as node:
            administration = node.archive(node.owner()).administration
            furnish(administration, self.recipe)
            host, port = str(self.ris.facts["hl7"]).split(":")
            administration.save_destination(Destination(self.recipe.ris, host, int(port)))
        options = ("--sound-file", sound) if sound is not None else ()
        self.seat = Seat(self.desktop, ("--data", self.data, *options), self.log / "window.log")
        self._closing.callback(self.seat.close)

    def _end_core(self) -> None:
        pid = int(facts(self.data).get("pid", 0))
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            wait_for(lambda: not running(pid), "the core did not end")

    def close(self) -> None:
        """Everything ends."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ── what others do ──

    def ordered(self, key: str) -> DemoExam:
        """The RIS registers the patient and orders the exam."""
        exam = self.recipe.exam(key)
        for answer in (
            self.ris.tell("register", patient=exam.patient),
            self.ris.tell("order", exam=key, today=self.today.isoformat()),
        ):
            assert answer["code"] == "AA", answer
        return exam

    def scanned(self, exam: DemoExam, images: int = 0) -> None:
        """The scanner takes the step from its worklist and sends its images."""
        done = self.scanner.tell("acquire", accession=exam.accession, images=IMAGES, limit=images)
        assert done["stored"] == len(done["sent"]) > 0, done

    def prior_sent(self, key: str, storescu: Path) -> DemoExam:
        """The study before, sent by DCMTK."""
        exam = self.ordered(key)
        when = exam.when(self.today)
        folder = self.desktop.folder / f"prior-{key}"
        made = prior_series()
        for image in made.images:
            stamp(image, self.recipe.identity(exam), f"{when:%Y%m%d}", f"{when:%H%M%S}", ("DEMO_CT1", "CT 1"))
        files = made.save(folder)
        host, port = DICOM.split(":")
        self.desktop.run(storescu, "-aet", "DEMO_CT1", "-aec", "READINGROOM", host, port, *files)
        return exam

    # ── what the reader does ──

    def sign_in(self) -> None:
        """Type name and password, and wait for the worklist."""
        account = self.recipe.reader
        self.seat.see("Sign in", "push button", that=lambda s: "enabled" in s.states)
        self.seat.fill("User", account.name)
        self.seat.fill("Password", account.password, "password text")
        self.seat.press("Sign in", "push button")
        self.seat.see("Search the worklist", "text")

    def open_exam(self, exam: DemoExam, *, prior: bool = False) -> None:
        """Double click on the exam's row, wait until its picture is painted."""
        self.desktop.key("ctrl+1")
        row = self.seat.row(exam.accession, that=lambda words: "Scheduled" not in words)
        patient = next(cell for cell in row if cell.box.width and cell.name)
        self.desktop.click(*patient.box.middle, times=2)
        self.cell(1)
        if prior:
            self.cell(2)

    def cell(self, number: int, that: Callable[[Seen], bool] = lambda _s: True) -> Seen:
        """A cell whose picture is painted, and is as wanted."""
        return self.seat.see(
            f"Cell {number}:", begins=True, that=lambda s: SIDE.search(s.description) is not None and that(s)
        )

    def scroll_to(self, z: float) -> Seen:
        """Turn the wheel over the first cell until its slice is the one at z mm."""
        cell = self.cell(1)
        self.desktop.move(*cell.box.middle)
        notches = round((z - height(cell)) / STEP)
        self.desktop.wheel(notches * self.towards_head)
        return self.cell(1, lambda s: abs(height(s) - z) <= STEP / 2)

    towards_head = 1
    """+1 where the next image lies nearer to the head; learnt by the first turn of the wheel."""

    def edges(self, cell: Seen) -> tuple[tuple[float, float], tuple[float, float]]:
        """The left and right end of the widest bright thing on the cell's middle line, on the screen."""
        x, y = cell.box.x, cell.box.middle[1]
        line = self.desktop.pixels()[y, x + 4 : x + cell.box.width - 24].astype(float).mean(axis=1)
        halfway = (line.min() + line.max()) / 2
        bright = np.concatenate([[False], line > halfway, [False]])
        starts = np.flatnonzero(~bright[:-1] & bright[1:])
        ends = np.flatnonzero(bright[:-1] & ~bright[1:]) - 1
        widest = int(np.argmax(ends - starts))
        return (x + 4 + float(starts[widest]), float(y)), (x + 4 + float(ends[widest]), float(y))


def height(cell: Seen) -> float:
    """Where the picture lies along the body, mm towards the head (LPS z)."""
    found = SIDE.search(cell.description)
    assert found is not None, cell
    return float(found[2]) * (1 if found[1] == "H" else -1)


def lengths(cell: Seen) -> list[float]:
    """The lengths drawn on the picture, mm."""
    drawn = cell.description.split(" mm", 1)[1] if " mm" in cell.description else ""
    return [float(number) for number in re.findall(r"([0-9.]+) mm", drawn)]


def running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return told.rpartition(")")[2].split()[0] not in ("Z", "X")
