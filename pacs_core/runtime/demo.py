"""The demo: a throw-away node with a simulated RIS and scanners beside it, over real sockets."""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

from pacs_core.archive.codec import to_jsonable
from pacs_core.archive.models import DemoUser, SignIn
from pacs_core.domain.errors import ReadingRoomError
from pacs_core.rehearsal.company import Simulator, SimulatorFailed
from pacs_core.rehearsal.demo import DemoImages, demo_images
from pacs_core.rehearsal.history import MovableClock, put_in_place
from pacs_core.rehearsal.populate import Company, begin_day, connect_results, furnish
from pacs_core.rehearsal.recipe import Recipe, load_recipe
from pacs_core.rehearsal.sources import demo_resources
from pacs_core.runtime.child import CoreProcess
from pacs_core.runtime.clock import SystemClock
from pacs_core.runtime.data_folder import INDEX, held
from pacs_core.runtime.ending import Ending
from pacs_core.runtime.node import Node
from pacs_core.runtime.settings import load

log = logging.getLogger("reading_room.node")


PREFIX = "reading-room-demo-"
ABANDONED_S = 3600.0
"""A demo's folder that nobody holds is left over once it has not changed for so long."""


class Demo:
    """Makes the demo, runs it, and takes it away again unless a folder was named for it."""

    def __init__(self, data: Path | None = None) -> None:
        self._throw_away = data is None
        if data is None:
            forget_left_over(Path(tempfile.gettempdir()), time.time())
        self.data = data or Path(tempfile.mkdtemp(prefix=PREFIX))
        self.recipe: Recipe = load_recipe()
        self.company: Company | None = None
        self.settings = load(self.data, None, {"demo": True, **free_doors()})
        self.core = CoreProcess(self.data, self._arguments())
        self.day_is_done = threading.Event()
        self._ending = False
        self._day: threading.Thread | None = None

    def start(self) -> None:
        """Images, history, node and simulators; the day's images then come in by themselves."""
        images = demo_images(offline=demo_resources() / "images", progress=tell)
        for note in images.notes:
            tell(note)
        if not (self.data / INDEX).exists():
            tell("earlier examinations with their reports")
            self._history(images)
        self.core.start()
        self._surround()
        self._day = threading.Thread(target=self._live, name="demo-day", daemon=True)
        self._day.start()

    def headless(self) -> int:
        """Say where it is and how to look at it, then run until Ctrl-C or SIGTERM."""
        facts = self.core.facts
        account = self.recipe.reader
        print("READY " + json.dumps(facts), flush=True)
        tell("there is no display: the demo runs without its window. To look at it:")
        tell(f"  demo user {account.name}, password {account.password}")
        others = [f"{a.name} ({a.role}), password {a.password}" for a in self.recipe.accounts if a != account]
        tell(f"  others: {'; '.join(others)}")
        tell("  the window on a virtual screen: xvfb-run python3 dev.py")
        query = f"-k 0010,0010 -k 0040,0100 -aec {facts['ae']} {spaced(str(facts['dicom']))}"
        tell(f"  the worklist by DICOM: findscu -W {query}")
        accession = self.recipe.exams[0].accession
        tell(f"  the story of an exam: python3 dev.py run trace --data {self.data} {accession}")
        tell("  Ctrl-C ends it")
        Ending().on_signals().wait()
        return 0

    def stop(self) -> None:
        """End simulators and node; a throw-away folder goes with them."""
        self._ending = True
        if self.company is not None:
            self.company.stop()
        self.core.stop()
        if self._day is not None:
            self._day.join(20)
        if self._throw_away:
            shutil.rmtree(self.data, ignore_errors=True)

    def _arguments(self) -> list[str]:
        s = self.settings
        account = self.recipe.reader
        others = tuple(DemoUser(a.name, a.role, a.password) for a in self.recipe.accounts if a != account)
        facts = SignIn("Reading Room", account.name, account.password, others)
        return [
            *("--dicom", f"{s.dicom_host}:{s.dicom_port}", "--hl7", f"{s.hl7_host}:{s.hl7_port}"),
            *("--http", f"{s.http_host}:{s.http_port}"),
            *(
                "--demo-facts",
                json.dumps(to_jsonable(SignIn, facts)),
            ),
        ]

    def _history(self, images: DemoImages) -> None:
        clock = MovableClock(self._zone())
        with Node(self.settings, clock=clock).open() as node:
            furnish(node.archive(node.owner()).administration, self.recipe)
            put_in_place(
                node.services, clock, self.recipe, images, SystemClock(self._zone()).civil_now().date()
            )

    def _tell(self, text: str) -> None:
        if not self._ending:
            tell(text)

    def _zone(self) -> str:
        return SystemClock(self.settings.site_zone).zone_name

    def _surround(self) -> None:
        from pacs_core.remote.archive import RemoteDoor

        facts = self.core.facts
        log_path = self.data / "simulators.log"
        ris = Simulator("ris", ["--node", str(facts["hl7"])], log_path)
        scanners = {
            s.modality: Simulator("scanner", ["--node", str(facts["dicom"]), "--station", s.aet], log_path)
            for s in self.recipe.stations
        }
        self.company = Company(ris, scanners)
        door = RemoteDoor(*(self.core.find() or ("", "")))
        try:
            administration = door.as_owner().administration
            furnish(administration, self.recipe)
            connect_results(administration, self.recipe, self.company)
        finally:
            door.close()

    def _live(self) -> None:
        today = SystemClock(self._zone()).civil_now().date()
        try:
            if self.company is not None:
                begin_day(self.company, self.recipe, today, self._tell)
        except (SimulatorFailed, ReadingRoomError, OSError, ValueError) as error:
            if self._ending:
                return
            log.warning("the demo's day ended early: %s", type(error).__name__)
        finally:
            self.day_is_done.set()


def forget_left_over(place: Path, now: float) -> None:
    """Take away our folders of demos that were killed; those of others and of running demos stay."""
    for folder in place.glob(f"{PREFIX}*"):
        index = folder / INDEX
        with contextlib.suppress(OSError):
            if now - index.stat().st_mtime > ABANDONED_S and not held(folder):
                shutil.rmtree(folder, ignore_errors=True)


def free_doors() -> dict[str, int]:
    """A free port for each listener, so that a core started again after a crash is where it was."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(3)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        ports = [int(one.getsockname()[1]) for one in sockets]
    return dict(zip(("dicom_port", "hl7_port", "http_port"), ports, strict=True))


def spaced(place: str) -> str:
    """``HOST:PORT`` as DCMTK's tools want it."""
    return place.replace(":", " ")


def tell(text: str) -> None:
    """One line of progress for people."""
    print(f"demo: {text}", file=sys.stderr, flush=True)
