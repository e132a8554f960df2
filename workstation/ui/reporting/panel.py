"""The report panel: order strip, the report being written, prior reports, the microphone and the
signature.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QComboBox, QFrame, QSplitter, QStackedWidget, QWidget

from pacs_core.archive.models import DraftView, Prior, ReportView
from pacs_core.domain.access import Verb
from pacs_core.domain.errors import NotFound, ReadingRoomError
from workstation.reporting import composer
from workstation.reporting.facts import OrderFacts, facts_of
from workstation.reporting.template_model import Template
from workstation.session.spool import SpooledDraft
from workstation.ui import theme, words
from workstation.ui.desk import Desk
from workstation.ui.reporting import follow_up
from workstation.ui.reporting.controls import ReportActions, ReportFoot
from workstation.ui.reporting.form import ReportForm
from workstation.ui.reporting.library import template_library
from workstation.ui.reporting.order_strip import OrderStrip
from workstation.ui.reporting.quoting import Quoting
from workstation.ui.reporting.signed_view import PriorReports, SignedReport
from workstation.ui.reporting.signing import Signing
from workstation.ui.reporting.spoken import Spoken
from workstation.ui.widgets.basics import column, label, line, relook, row

LOW = 860


class ReportPanel(QFrame):
    """One report of one exam. It talks to the images through the session alone."""

    def __init__(self, desk: Desk, open_next: Callable[[str], object]) -> None:
        super().__init__()
        self.desk, self.session, self._open_next = desk, desk.session, open_next
        self.setProperty("look", "panel")
        self.setAccessibleName(words.t("Report"))
        self.library = template_library()
        self.history: composer.History | None = None
        self.facts = OrderFacts()
        self.kind = "final"
        self.report: ReportView | None = None
        self.study_uid, self._allowed, self._why_not = "", False, ""
        self.spoken, self.quoting, self.signing = Spoken(self), Quoting(self), Signing(self)
        self.dictation = self.spoken.dictation
        self.order, self.form = OrderStrip(), ReportForm()
        self.signed, self.priors = SignedReport(), PriorReports()
        self._title = label("", "strong", name=words.t("Report state"))
        self._template = QComboBox()
        self.foot = ReportFoot(self)
        self._low = False
        self._build()
        self.actions_ = ReportActions(self)
        self._listen()
        self.show_again()

    # ── building ─────────────────────────────────────────────────────────────────────────────────────

    def _build(self) -> None:
        px = theme.current().px
        self._template.setAccessibleName(words.t("Template"))
        self._template.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._template.setMinimumContentsLength(14)
        head = row(self._title, 1, self._template, margin=(16, 6))
        self._texts = QSplitter(Qt.Orientation.Vertical)  # an addendum is written under the signed text
        self._texts.setChildrenCollapsible(False)
        self._texts.setHandleWidth(px(4))
        for number, text in enumerate((self.signed, self.form)):
            self._texts.addWidget(text)
            self._texts.setStretchFactor(number, 1)
        self._text = QStackedWidget()
        self._text.addWidget(self._texts)
        self._text.addWidget(column_widget(1, label(words.t("Open an exam to report it."), "quiet"), 2))
        report = column_widget(head, line(), self._text, gap=0)
        report.layout().setStretch(2, 1)
        self._parts = QSplitter(Qt.Orientation.Vertical)
        self._parts.setChildrenCollapsible(False)
        self._parts.setHandleWidth(px(4))
        for part in (report, self.priors):
            self._parts.addWidget(part)
        self._parts.setStretchFactor(0, 7)
        self._parts.setStretchFactor(1, 3)
        self._parts.setSizes([700, 300])
        whole = column(self.order, line(), self._parts, line(), self.foot, gap=0)
        whole.setStretch(2, 1)
        self.setLayout(whole)
        self.setMinimumWidth(px(340))

    def _listen(self) -> None:
        session = self.session
        session.opened.connect(self._opened)
        session.facts_changed.connect(self._facts_changed)
        session.strokes_changed.connect(self.quoting.strokes_changed)
        session.closed.connect(self._closed)
        self.form.edited.connect(self._edited)
        self.form.placed.connect(self._placed)
        self.form.entered.connect(self._entered)
        self.form.stepped.connect(self.step)
        self.form.pointed.connect(self.quoting.show_stroke)
        self.form.settled.connect(self.spoken.settle)
        self.form.replaced.connect(self.spoken.replace)
        self._template.activated.connect(lambda _n: self._change_template(self._template.currentData()))
        self.dictation.command.connect(self.actions_.spoken)
        if self.desk.keeper is not None:
            self.desk.keeper.draft_saved.connect(self._saved)

    # ── opening and leaving ──────────────────────────────────────────────────────────────────────────

    @property
    def draft(self) -> composer.Draft | None:
        return self.history.draft if self.history is not None else None

    def _opened(self) -> None:
        dossier = self.session.dossier
        assert dossier is not None
        self.study_uid = dossier.exam.study_uid
        self.spoken.doubts.clear()
        self.facts = facts_of(dossier)
        self.report = dossier.reports[-1] if dossier.reports else None
        self.kind = "final"
        self.history = None
        self.allow(False, words.t("Taking the exam …"))
        draft = self._kept_draft()
        if draft is not None:
            self._take_up(draft)
        elif self.report is None or not self.report.versions:
            self.history = composer.History(
                composer.start_draft(self.library.choose(self.facts).template, self.facts)
            )
        self.order.show_dossier(dossier)
        self.priors.show_reports(dossier.prior_reports)
        self.priors.setVisible(self.priors.count > 0)
        self.foot.saved("")
        self.show_again(cursor=True)

    def _kept_draft(self) -> DraftView | SpooledDraft | None:
        """The newest draft of this study: of this machine's spool, else of the archive."""
        spooled = self.desk.spool.draft_of(self.study_uid)
        if spooled is not None:
            return spooled
        drafts = [
            r.draft
            for r in (self.session.dossier.reports if self.session.dossier else ())
            if r.draft is not None
        ]
        own = [d for d in drafts if d.author == self.desk.archive.who.name]
        saved = self._saved_since()
        return max((*own, *([saved] if saved else [])), key=lambda d: d.revision, default=None)

    def _saved_since(self) -> DraftView | None:
        """What the archive took from here, maybe after it was asked for this exam; unless signed since."""
        saved = self.desk.keeper.saved(self.study_uid) if self.desk.keeper is not None else None
        signed = self.report.versions[-1].signed_at if self.report and self.report.versions else ""
        return saved if saved is not None and saved.saved_at > signed else None

    def _take_up(self, kept: DraftView | SpooledDraft) -> None:
        """Go on where it was left; one that cannot be read is said so and never thrown away."""
        try:
            draft = composer.draft_from_json(kept.content)
        except ReadingRoomError as error:
            self.desk.say(
                words.t("The draft could not be read and is kept as it is: {why}").format(why=error.message),
                "wrong",
            )
            return
        self.history = composer.History(draft)
        kinds = {follow_up.ADDENDUM: "addendum", follow_up.CORRECTION: "correction"}
        self.kind = kinds.get(draft.template.identifier, "final")
        self.desk.say(words.t("Your draft is where you left it."), "quiet")

    def prior_hung(self, prior: Prior) -> None:
        """A prior hangs beside: its report comes first, and Comparison names it where nobody wrote there
        yet.
        """
        dossier = self.session.dossier
        if dossier is None:
            return
        self.priors.show_reports(dossier.prior_reports, prior.study_uid)
        self.priors.setVisible(self.priors.count > 0)
        self.facts = facts_of(dossier, (prior,))
        draft = self.draft
        if draft is None or draft.frozen:
            return
        fresh = composer.start_draft(draft.template, self.facts)
        merged = [
            f.identifier for f in draft.fields if f.merge == "comparison" and f.identifier in draft.untouched
        ]
        if merged:
            values = {**draft.values, **{name: fresh.values[name] for name in merged}}
            assert self.history is not None
            self.history = composer.History(replace(draft, values=values))
            self.show_again()

    def allow(self, allowed: bool, why: str = "") -> None:
        """Whether this reader has the exam to report."""
        self._allowed, self._why_not = allowed and self.desk.may(Verb.REPORT), why
        self.show_again()
        if self._allowed:
            self.quoting.strokes_changed()

    def leave(self) -> None:
        """The exam is being left: nothing is lost, the draft is in the spool already."""
        self.dictation.release()
        self.signing.put_away()

    def _closed(self) -> None:
        self.study_uid, self.history, self.report = "", None, None
        self.order.show_dossier(None)
        self.priors.hide()
        self.show_again()

    def _facts_changed(self) -> None:
        dossier = self.session.dossier
        if dossier is None:
            return
        self.facts = facts_of(dossier, (self.session.prior,) if self.session.prior else ())
        self.report = dossier.reports[-1] if dossier.reports else self.report
        self.order.show_dossier(dossier)
        self.show_again()

    # ── showing ──────────────────────────────────────────────────────────────────────────────────────

    @property
    def writing(self) -> bool:
        return self.history is not None and self._allowed

    def show_again(self, cursor: bool = False, focus: bool = False) -> None:
        draft = self.draft
        signed = self.report if self.report is not None and self.report.versions else None
        self._text.setCurrentIndex(0 if draft is not None or signed is not None else 1)
        self.form.setVisible(draft is not None)
        self.signed.setVisible(signed is not None and (draft is None or self.kind == "addendum"))
        if signed is not None:
            self.signed.show_report(signed)
        if draft is not None:
            self.form.show_draft(draft, self._allowed, lambda name: self.spoken.of(draft, name))
            if cursor:
                self.form.put_cursor(draft, focus)
        self._show_title()
        self._show_templates()
        self.foot.refresh(self)
        self.desk.commands.refresh()

    def _show_title(self) -> None:
        if not self.study_uid:
            text, look = words.t("Report"), ""
        elif not self._allowed and self.history is not None:
            text, look = self._why_not or words.t("Read only"), "waiting"
        elif self.history is not None:
            text, look = (
                {"addendum": words.t("Addendum"), "correction": words.t("Correction")}.get(
                    self.kind, words.t("Draft")
                ),
                "",
            )
        else:
            state = words.state(words.REPORT, self.report.state if self.report else "")
            text, look = words.t(state.word) or words.t("Report"), state.token
        self._title.setText(text)
        self._title.setAccessibleName(f"{words.t('Report state')}: {text}")
        relook(self._title, look or "strong")

    def _show_templates(self) -> None:
        draft = self.draft
        shown = draft is not None and self.kind == "final" and self._allowed
        self._template.setVisible(shown)
        if not shown or draft is None:
            return
        if self._template.count() == 0:
            for template in self.library.templates:
                self._template.addItem(template.title, template)
        place = next(
            (n for n, t in enumerate(self.library.templates) if t.identifier == draft.template.identifier), -1
        )
        self._template.setCurrentIndex(place)

    def focus(self) -> None:
        if self.draft is not None:
            self.form.put_cursor(self.draft, True)

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────

    def change(
        self, draft: composer.Draft, typing: bool = False, cursor: bool = True, focus: bool = False
    ) -> None:
        """Take a new state of the draft: shown, kept on this machine at once, on its way to the archive."""
        if self.history is None or not self._allowed:
            return
        before = self.history.draft
        self.history.do(draft, typing)
        self.show_again(cursor=cursor, focus=focus)
        if (before.values, before.quotes, before.template) != (draft.values, draft.quotes, draft.template):
            self._keep()

    def _keep(self) -> None:
        draft = self.draft
        if draft is None or self.desk.keeper is None:
            return
        self.foot.saved(words.t("saving …"))
        addendum_to = self.report.report_id if self.report is not None and self.kind != "final" else None
        self.desk.keeper.draft(
            SpooledDraft(
                self.study_uid, draft.template.identifier, composer.draft_to_json(draft), addendum_to
            )
        )

    def _saved(self, study_uid: str, at: str) -> None:
        if study_uid == self.study_uid:
            self.foot.saved(f"{words.t('saved')} {words.local_moment(at)}" if at else words.t("saved"))

    def _edited(self, field_id: str, text: str, caret: int) -> None:
        if self.draft is not None:
            self.change(composer.edit_shown(self.draft, field_id, text, caret), typing=True, cursor=False)

    def _placed(self, field_id: str, anchor: int, caret: int) -> None:
        draft = self.draft
        if draft is not None and self.history is not None and not draft.frozen:
            seen = composer.shown(draft, field_id)
            cursor = composer.Cursor(field_id, seen.to_raw(caret), seen.to_raw(anchor))
            self.history.do(replace(draft, cursor=cursor))

    def _entered(self, field_id: str) -> None:
        draft = self.draft
        if draft is not None and self.history is not None and draft.cursor.field_id != field_id:
            self.history.do(composer.move_to(draft, field_id))

    def step(self, by: int) -> None:
        """The next or the previous field."""
        if self.draft is not None:
            moved = composer.next_field(self.draft) if by > 0 else composer.previous_field(self.draft)
            self.change(moved, focus=True)

    def go_to_field(self, field_id: str) -> None:
        if self.draft is not None and field_id in self.draft.values:
            self.change(composer.move_to(self.draft, field_id), focus=True)

    def select(self, field_id: str, start: int, end: int) -> None:
        """Mark a stretch of a field's shown text."""
        draft = self.draft
        if draft is not None:
            seen = composer.shown(draft, field_id)
            cursor = composer.Cursor(field_id, seen.to_raw(end), seen.to_raw(start))
            self.change(replace(draft, cursor=cursor), focus=True)

    def _change_template(self, template: Template | None) -> None:
        if (
            self.draft is not None
            and template is not None
            and template.identifier != self.draft.template.identifier
        ):
            self.change(composer.change_template(self.draft, template, self.facts), focus=True)

    def show_and_keep(self, cursor: bool = False) -> None:
        """What changed shows, and is on its way to where it is safe."""
        self.show_again(cursor)
        self._keep()

    def undo(self) -> None:
        if self.history is not None:
            self.history.undo()
            self.show_and_keep(cursor=True)

    def redo(self) -> None:
        if self.history is not None:
            self.history.redo()
            self.show_and_keep(cursor=True)

    # ── after the signature ──────────────────────────────────────────────────────────────────────────

    def forget_draft(self, study_uid: str) -> None:
        """It was signed or thrown away: it leaves this machine too."""
        if self.desk.keeper is not None:
            self.desk.keeper.forget(study_uid)

    def signed_as(self, report: ReportView, study_uid: str, then_next: bool) -> None:
        """The archive signed it: the signed text in the draft's place, or the next exam."""
        if study_uid != self.study_uid:
            return
        self.report, self.history = report, None
        self.show_again()
        if then_next:
            self._open_next(study_uid)

    def begin(self, kind: str) -> None:
        """Begin an addendum, or a correction of the whole text."""
        if self.report is None or not self.report.versions or self.history is not None:
            return
        template = (
            follow_up.addendum() if kind == "addendum" else follow_up.correction(self.report.versions[-1])
        )
        self.kind = kind
        draft = composer.start_draft(template, OrderFacts(study_uid=self.study_uid))
        self.history = composer.History(draft)
        self.show_again(cursor=True, focus=True)

    def discard(self) -> None:
        """Throw the draft away: the template as it was, or the signed text again."""
        archive, uid = self.desk.archive, self.study_uid
        self.forget_draft(uid)
        self.desk.tasks.act(
            self,
            words.t("discard the draft"),
            lambda: archive.reports.discard_draft(uid),
            lambda _none: self.forget_draft(uid),
            failed=lambda error: (
                None if isinstance(error, NotFound) else self.desk.say(words.failure(error).words, "wrong")
            ),
        )
        if self.report is not None and self.report.versions:
            self.history, self.kind = None, "final"
        elif self.history is not None:
            self.history.do(composer.start_draft(self.history.draft.template, self.facts))
        self.show_again(cursor=True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little height the report comes first: the order shortened, the prior report
        folded.
        """
        super().resizeEvent(event)
        low = self.height() < theme.current().px(LOW)
        if low != self._low:
            self._low = low
            self.order.shorten(low)
            self.priors.fold(low)


def column_widget(*items: QWidget | QBoxLayout | int, gap: int = 8) -> QFrame:
    """A frame around a column."""
    answer = QFrame()
    answer.setLayout(column(*items, gap=gap))
    return answer
