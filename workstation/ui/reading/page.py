"""The reading room: opens an exam, hangs it with its prior, keeps it true while it changes, and goes on to
the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget

from pacs_core.archive.models import Dossier, Prior, StudyManifest
from pacs_core.domain.access import Verb
from pacs_core.domain.errors import Conflict
from pacs_core.domain.events import Change
from pacs_core.domain.measurement import Measurement
from workstation.imaging import anchors
from workstation.imaging.display_sets import DisplaySet
from workstation.imaging.volume import Volume
from workstation.session import priors
from workstation.session.hanging import Role
from workstation.session.linking import Tie
from workstation.session.protocols.choosing import hangers
from workstation.session.queue import next_to_read
from workstation.session.reading_session import CellState, sets_of
from workstation.session.spool import SpooledStroke
from workstation.ui import theme, words
from workstation.ui.commands import Command
from workstation.ui.desk import Desk
from workstation.ui.reading.actions import Actions
from workstation.ui.reading.banner import Banner
from workstation.ui.reading.grid import CellGrid
from workstation.ui.reading.registering import Registering
from workstation.ui.reading.room import Room
from workstation.ui.reading.series_strip import SeriesStrip
from workstation.ui.reading.stroke_list import StrokeList
from workstation.ui.reading.tools_bar import ToolsBar
from workstation.ui.widgets.basics import column, line, row
from workstation.ui.widgets.notice import Notice
from workstation.ui.widgets.states import Stateful

REFRESH_MS = 400
NARROW = 1500


ReportOf = Callable[[Desk, Callable[[str], object]], Any]
"""Makes the report panel of a desk, a widget with `allow`, `prior_hung`, `focus` and `leave`; it is told how
to open the next exam.
"""


@dataclass(frozen=True, slots=True)
class PriorFacts:
    """What is read of a prior before it hangs."""

    manifest: StudyManifest
    strokes: tuple[Measurement, ...]
    sets: tuple[DisplaySet, ...]


def images_in(dossier: Dossier) -> int:
    """How many of the study's objects are images."""
    return sum(bool(i.frames) for s in dossier.manifest.series for i in s.instances)


class ReadPage(QWidget):
    """Banner, series, cells, tools and the report of one exam."""

    def __init__(self, desk: Desk, report: ReportOf) -> None:
        super().__init__()
        self.desk, self.session = desk, desk.session
        self.room = Room(desk)
        self.banner, self.notice = Banner(), Notice()
        self.grid = CellGrid(self.room)
        self.strip = SeriesStrip(self.room)
        self.report = report(desk, self.open_next)
        self._claimed = False
        self._show_report = True
        self._refined = ("", "")
        self.registering = Registering(desk.session)
        self._add_commands()
        self.actions_ = Actions(self)
        self.strokes = StrokeList(desk.session, desk.commands)
        self.tools = ToolsBar(desk.commands, self.room)
        self._build()
        self._listen()
        self._nothing()

    # ── building ─────────────────────────────────────────────────────────────────────────────────────

    def _build(self) -> None:
        self._images = QWidget()
        self._beside = row(self.strip, self.grid, self.strokes, gap=0)
        self._beside.setStretch(1, 1)
        over = column(self._beside, line(), self.tools, gap=0)
        over.setStretch(0, 1)
        self._images.setLayout(over)
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.addWidget(self._images)
        self._split.addWidget(self.report)
        self._split.setStretchFactor(0, 1)
        self._split.setStretchFactor(1, 0)
        self._split.setCollapsible(0, False)
        self._split.setHandleWidth(theme.current().px(4))
        self._split.splitterMoved.connect(lambda _p, _i: self._keep_width())
        body = Stateful(self._split, words.t("Reading"))
        self.state = body
        whole = column(self.banner, line(), self.notice, body, gap=0)
        whole.setStretch(3, 1)
        self.setLayout(whole)

    def _add_commands(self) -> None:
        go, report = words.t("Go"), words.t("Report")
        opened = lambda: self.session.dossier is not None  # noqa: E731  (one of five)
        self.desk.commands.add(
            Command(
                "read.next_exam",
                words.t("Open the next exam"),
                self.open_next,
                go,
                ("Ctrl+Down",),
                icon="skip-next-outline",
            ),
            Command(
                "read.close",
                words.t("Close the exam"),
                self.close_exam,
                go,
                ("Ctrl+W",),
                icon="close-circle-outline",
                enabled=opened,
            ),
            Command(
                "read.prior.next",
                words.t("Next prior"),
                lambda: self._step_prior(1),
                go,
                ("Ctrl+Right",),
                enabled=opened,
            ),
            Command(
                "read.prior.previous",
                words.t("Previous prior"),
                lambda: self._step_prior(-1),
                go,
                ("Ctrl+Left",),
                enabled=opened,
            ),
            Command(
                "report.show",
                words.t("Report"),
                self.toggle_report,
                report,
                ("F8",),
                words.t("Show or hide the report"),
                "file-document-edit-outline",
                checked=lambda: self.report.isVisibleTo(self),
            ),
            Command(
                "read.images",
                words.t("Go to the images"),
                self.grid.focus,
                go,
                ("F6",),
                icon="image-outline",
                enabled=opened,
            ),
        )

    def _listen(self) -> None:
        self.session.wanted.connect(self.open_exam)
        self.grid.menu_wanted.connect(self._menu)
        self.grid.reshaped.connect(lambda: self.session.reshape(self.grid.upright))
        self._late = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._late.timeout.connect(self._refresh)
        self.desk.bridge.changed.connect(self._changed)
        self.desk.bridge.back.connect(self._refresh)
        if self.desk.keeper is not None:
            self.desk.keeper.refused.connect(lambda text: self.notice.say(text, "wrong"))
        self.room.arrived.connect(self._refine_tie)
        self.session.hung.connect(self._refine_tie)
        self.desk.closing.append(self._leave)
        self.desk.closing.append(self.registering.stop)

    def entered(self) -> None:
        if self.session.dossier is not None:
            self.grid.focus()

    def _nothing(self) -> None:
        self.banner.show_dossier(None)
        self.tools.stages.show_trace(None)
        self.state.say(
            "empty",
            words.t("No exam is open"),
            words.t("Choose one in the worklist, or open the next one to read."),
            (words.t("Open the next exam"), self.open_next),
        )

    # ── opening ──────────────────────────────────────────────────────────────────────────────────────

    def open_exam(self, study_uid: str) -> None:
        """Open a study; the one that was open is released, its draft is kept."""
        if study_uid == self.session.study_uid:
            self.grid.focus()
            return
        self._leave()
        self.notice.hush()
        self.state.loading(words.t("Opening the exam"))
        archive = self.desk.archive

        def facts() -> tuple[Dossier, tuple[DisplaySet, ...]]:
            dossier = archive.studies.open(study_uid)
            sets = sets_of(dossier.manifest)
            hangers(sets)  # what they mean is known when the window asks
            return dossier, sets

        self.desk.tasks.ask(
            self,
            words.t("open the exam"),
            facts,
            lambda answer: self._opened(*answer),
            lambda error: self.state.failed(error, lambda: self.open_exam(study_uid)),
            tag="open",
        )

    def _opened(self, dossier: Dossier, sets: tuple[DisplaySet, ...]) -> None:
        self.banner.show_dossier(dossier)
        self.session.open(dossier, self.grid.upright, self._spooled(dossier.exam.study_uid), sets)
        self.state.ready()
        self._arrange()
        if not dossier.manifest.series:
            self.notice.say(words.t("No images have come yet. They hang as they arrive."))
        self.actions_.layouts.tell()
        self._claim(dossier)
        exam = dossier.exam
        self._hang_prior(priors.choose(dossier.priors, exam.modality, exam.body_part, exam.procedure))
        self._ask_trace()
        self.grid.focus()

    def _spooled(self, study_uid: str) -> list[Measurement]:
        """Strokes kept on this machine that the archive may not have."""
        things = [t for _n, t in self.desk.spool.waiting() if isinstance(t, SpooledStroke) and not t.removed]
        return [t.measurement for t in things if t.measurement.study_uid == study_uid]

    def _claim(self, dossier: Dossier, take_over: bool = False) -> None:
        """Lock the exam for this reader, so that nobody reports it twice."""
        if not self.desk.may(Verb.REPORT):
            self.report.allow(False, words.t("Your role may look, not report."))
            return
        uid, archive = dossier.exam.study_uid, self.desk.archive
        self.desk.tasks.act(
            self,
            words.t("take the exam"),
            lambda: archive.worklist.claim(uid, take_over),
            lambda _row: self._have_claim(uid),
            lambda error: self._no_claim(dossier, error),
        )

    def _have_claim(self, uid: str) -> None:
        if uid == self.session.study_uid:
            self._claimed = True
            self.report.allow(True)
            self._say_who_writes()

    def _say_who_writes(self) -> None:
        """What another reader began is not lost, and nobody writes it twice without knowing."""
        dossier = self.session.dossier
        others = sorted({who for report in dossier.reports for who in report.drafting}) if dossier else []
        if others:
            told = words.t("{who} has begun a report of this exam; it is kept, and opens for {who} alone.")
            self.notice.say(told.format(who=", ".join(others)), "waiting")

    def _no_claim(self, dossier: Dossier, error: Exception) -> None:
        if dossier.exam.study_uid != self.session.study_uid:
            return
        told = words.failure(error).words
        self.report.allow(False, told)
        actions = (
            ((words.t("Take over"), lambda: (self.notice.hush(), self._claim(dossier, True))),)
            if isinstance(error, Conflict)
            else ()
        )
        self.notice.say(
            f"{told} {words.t('You can look; reporting needs the exam to yourself.')}", "waiting", actions
        )

    # ── priors ───────────────────────────────────────────────────────────────────────────────────────

    def _hang_prior(self, choice: priors.Choice) -> None:
        if choice.prior is None:
            return
        prior, archive = choice.prior, self.desk.archive

        def facts() -> PriorFacts:
            manifest = archive.studies.manifest(prior.study_uid)
            sets = sets_of(manifest)
            hangers(sets)
            return PriorFacts(manifest, archive.measurements.of(prior.study_uid), sets)

        current = self.session.study_uid
        self.desk.tasks.ask(
            self,
            words.t("read the prior"),
            facts,
            lambda answer: self._join(current, prior, choice.reason, answer),
            lambda error: self.notice.say(
                words.t("The prior of {date} could not be read: {why}").format(
                    date=words.iso_date(prior.study_date), why=words.failure(error).words
                )
            ),
            tag="prior",
        )

    def _join(self, current: str, prior: Prior, reason: str, facts: PriorFacts) -> None:
        dossier = self.session.dossier
        if dossier is None or current != self.session.study_uid:
            return
        if facts.manifest.patient_key != dossier.patient.key:
            told = words.t("The study of {date} is of another patient and is not shown as a prior.")
            self.notice.say(told.format(date=words.iso_date(prior.study_date)), "mismatch")
            return
        active = self.session.active
        self.session.join_prior(prior, reason, facts.manifest, facts.strokes, self.grid.upright, facts.sets)
        self.session.activate(active)
        self.report.prior_hung(prior)

    def _step_prior(self, step: int) -> None:
        dossier = self.session.dossier
        able = [p for p in dossier.priors if p.images] if dossier else []
        if not able or dossier is None:
            self.desk.say(words.t("There is no earlier study with images."), "quiet")
            return
        here = next(
            (
                n
                for n, p in enumerate(able)
                if self.session.prior and p.study_uid == self.session.prior.study_uid
            ),
            -1,
        )
        prior = able[(here + step) % len(able)]
        self._hang_prior(
            priors.Choice(
                prior, prior.reason or priors.why(prior, dossier.exam.modality, dossier.exam.body_part)
            )
        )

    def _refine_tie(self, _uid: str = "") -> None:
        """Both series are here whole: let the outline of the body tie them better than their middles did, and
        a registration better than that.
        """
        one = next((c for c in self.session.cells if c.role is Role.CURRENT and c.display_set), None)
        other = next((c for c in self.session.cells if c.role is Role.PRIOR and c.display_set), None)
        if one is None or other is None or one.display_set is None or other.display_set is None:
            return
        tie, pair = self.session.tie(one, other), (one.display_set.uid, other.display_set.uid)
        if tie is None or tie.exact or tie.turn is not None or pair == self._refined:
            return
        a, b = (self.room.load(s, 0).volume for s in (one.display_set, other.display_set))
        if not (a.loaded.all() and b.loaded.all()):
            return
        self._refined = pair
        current, prior = one.display_set, other.display_set
        self.desk.tasks.ask(
            self,
            words.t("tie the prior"),
            lambda: anchors.link(current, prior, a, b),
            lambda found: self._tied(one, other, found, (a, b)),
            lambda _error: None,
            tag="tie",
        )

    def _tied(
        self, one: CellState, other: CellState, found: anchors.Link | None, volumes: tuple[Volume, Volume]
    ) -> None:
        if one.study_uid != self.session.study_uid:
            return
        if found is not None:
            self.session.refine(one, other, Tie(found.offset, found.exact, found.words))
        self.registering.begin(one, other, *volumes)

    # ── keeping it true ──────────────────────────────────────────────────────────────────────────────

    def _changed(self, changes: tuple[Change, ...]) -> None:
        dossier = self.session.dossier
        if dossier is None:
            return
        order = dossier.exam.order_id
        ours = any(
            c.study_uid == dossier.exam.study_uid
            or (order is not None and c.order_id == order)
            or (c.patient_id is not None and c.patient_id == dossier.patient.key)
            or c.subject == f"patient:{dossier.patient.key}"  # merged: the row is the survivor's
            for c in changes
            if c.kind != "study.viewed"
        )
        if ours and not self._late.isActive():
            self._late.start()

    def _refresh(self) -> None:
        uid, archive = self.session.study_uid, self.desk.archive
        if not uid:
            return

        def facts() -> tuple[Dossier, tuple[DisplaySet, ...]]:
            dossier = archive.studies.renew(uid)
            return dossier, self.session.renewed(dossier)

        self.desk.tasks.ask(
            self,
            words.t("read what changed"),
            facts,
            lambda answer: self._renewed(*answer),
            lambda _error: None,
            tag="refresh",
        )
        self._ask_trace()

    def _renewed(self, dossier: Dossier, sets: tuple[DisplaySet, ...]) -> None:
        before = self.session.dossier
        if before is None or dossier.exam.study_uid != self.session.study_uid:
            return
        self.session.refresh(dossier, sets)
        unsaved = self.desk.keeper.unsaved_strokes() if self.desk.keeper else set()
        self.session.learn_strokes(dossier.exam.study_uid, dossier.measurements, unsaved)
        self.banner.show_dossier(dossier)
        was, now = before.patient, dossier.patient
        if (was.display_name, was.patient_id, was.birth_date) != (
            now.display_name,
            now.patient_id,
            now.birth_date,
        ):
            told = words.t(
                "The patient's identity was changed: {was} is now {now}. Images, report and measurements "
                "are as they were."
            )
            self.notice.say(
                told.format(
                    was=f"{was.display_name} ({was.patient_id})", now=f"{now.display_name} ({now.patient_id})"
                )
            )
        joined = images_in(dossier) - images_in(before)
        if joined > 0:
            self.desk.say(words.t("{n} new images joined").format(n=joined), "quiet")

    def _ask_trace(self) -> None:
        accession = self.session.dossier.exam.accession if self.session.dossier else ""
        if accession:
            archive = self.desk.archive
            self.desk.tasks.ask(
                self,
                words.t("read the story of the exam"),
                lambda: archive.trace.of(accession),
                self.tools.stages.show_trace,
                lambda _error: self.tools.stages.show_trace(None),
            )

    # ── leaving ──────────────────────────────────────────────────────────────────────────────────────

    def _leave(self) -> None:
        uid, archive = self.session.study_uid, self.desk.archive
        if not uid:
            return
        self.report.leave()
        if self._claimed:
            self._claimed = False
            self.desk.tasks.act(
                self,
                words.t("release the exam"),
                lambda: archive.worklist.release(uid),
                failed=lambda _error: None,
            )
        self._refined = ("", "")
        self.session.close()
        self.room.forget()

    def close_exam(self) -> None:
        self._leave()
        self._nothing()
        self.desk.go("worklist")

    def open_next(self, after: str = "") -> None:
        """The next exam of the worklist that nobody is reading, an unread STAT before all others."""
        here = after or self.session.study_uid
        chosen = next_to_read(self.session.queue, here, self.desk.archive.who.name)
        if chosen is not None:
            self.desk.go("read")
            self.open_exam(chosen.study_uid)
            return
        self._leave()
        self._nothing()
        self.state.say(
            "empty",
            words.t("Nothing more to read"),
            words.t("New exams turn up in the worklist by themselves."),
            (words.t("Worklist"), lambda: self.desk.go("worklist")),
        )

    # ── shape ────────────────────────────────────────────────────────────────────────────────────────

    def toggle_strokes(self) -> None:
        """The list of measurements beside the images, or away."""
        self.strokes.setVisible(self.strokes.isHidden())
        if self.strokes.isVisible():
            self.strokes.table.setFocus()
        else:
            self.grid.focus()
        self.desk.commands.refresh()

    def toggle_report(self) -> None:
        self._show_report = not self.report.isVisible()
        self._arrange()
        if self._show_report:
            self.report.focus()
        else:
            self.grid.focus()

    def _menu(self, number: int, where: QPoint) -> None:
        self.session.activate(number)
        menu = self.desk.commands.menu(self, words.t("Image"))
        menu.addSeparator()
        menu.addAction(self.desk.commands.action("read.delete"))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(where)

    def _arrange(self) -> None:
        """Upright, wide or narrow: where the strip lies and where the report goes."""
        px = theme.current().px
        upright, narrow = self.height() > self.width() * 1.1, self.width() < px(NARROW)
        self._split.setOrientation(Qt.Orientation.Vertical if upright else Qt.Orientation.Horizontal)
        self.report.setVisible(self._show_report)
        self._lay_strip(upright or narrow)
        self.grid.hide_prior(narrow and not upright and self._show_report)
        if upright:
            self._split.setSizes([round(self.height() * 0.64), round(self.height() * 0.36)])
        else:
            wide = min(px(self.desk.preferences.report_width), round(self.width() * 0.4))
            self._split.setSizes([max(1, self.width() - wide), wide])
        self.desk.commands.refresh()

    def _lay_strip(self, flat: bool) -> None:
        over = self._images.layout()
        if flat == (self.strip.property("flat") is True):
            return
        self.strip.setProperty("flat", flat)
        self.strip.lie(flat)
        if flat:
            self._beside.removeWidget(self.strip)
            over.insertWidget(0, self.strip)
        else:
            over.removeWidget(self.strip)
            self._beside.insertWidget(0, self.strip)

    def _keep_width(self) -> None:
        if self._split.orientation() == Qt.Orientation.Horizontal and self.report.isVisible():
            self.desk.preferences.report_width = round(self.report.width() / theme.current().scale)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
