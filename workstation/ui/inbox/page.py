"""The inbox: a list of each kind of thing that waits, the chosen one beside it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QBoxLayout, QFrame, QPlainTextEdit, QSplitter, QTabWidget, QWidget

from pacs_core.archive.models import (
    DeliveryView,
    ExamRow,
    HeldStudy,
    MessageView,
    OrderView,
    PatientView,
    ResolvedHold,
    Suggestion,
)
from pacs_core.domain.access import Verb
from pacs_core.domain.patient import display_name
from workstation.ui import theme, words
from workstation.ui.desk import Desk
from workstation.ui.inbox import consequences
from workstation.ui.inbox.held import HeldDetail
from workstation.ui.widgets.basics import button, column, label, line, panel, row
from workstation.ui.widgets.form import ask_yes
from workstation.ui.widgets.notice import Notice
from workstation.ui.widgets.states import Stateful
from workstation.ui.widgets.table import Cell, Column, RowsModel, Table

REFRESH_MS = 200

HELD: tuple[Column[HeldStudy], ...] = (
    Column("since", "Since", lambda h: Cell(words.local_moment(h.since)), 132, keep=2),
    Column(
        "reason",
        "Reason",
        lambda h: Cell(h.reason, "alert-octagon-outline", "wrong", h.reason),
        280,
        stretch=True,
        lines=2,
    ),
    Column(
        "name",
        "As received",
        lambda h: Cell(display_name(h.received_name), trailing=h.received_patient_id, bold=True),
        220,
        stretch=True,
    ),
    Column("modality", "Mod.", lambda h: Cell(h.modality), 64),
    Column("accession", "Accession", lambda h: Cell(h.received_accession), 112, keep=1),
    Column("images", "Images", lambda h: Cell(str(h.images)), 80),
    Column(
        "best",
        "Best guess",
        lambda h: Cell(
            f"{round(h.suggestions[0].score * 100)} %  {h.suggestions[0].order.accession}"
            if h.suggestions
            else words.t("no order found"),
            token="good" if h.suggestions and h.suggestions[0].score >= 0.8 else "quiet",
        ),
        148,
    ),
)
RESOLVED: tuple[Column[ResolvedHold], ...] = (
    Column("at", "When", lambda r: Cell(words.local_moment(r.at)), 132),
    Column("name", "Patient", lambda r: Cell(display_name(r.patient_name), bold=True), 180, stretch=True),
    Column("accession", "Accession", lambda r: Cell(r.accession), 112),
    Column("how", "How", lambda r: Cell(r.how, trailing=r.by), 180, stretch=True),
)
MESSAGES: tuple[Column[MessageView], ...] = (
    Column("at", "Received", lambda x: Cell(words.local_moment(x.received_at)), 132),
    Column("source", "Source", lambda x: Cell(x.source), 104),
    Column("type", "Type", lambda x: Cell(x.message_type), 104),
    Column("state", "State", lambda x: Cell(words.t(x.state.capitalize()), "tray-alert", "waiting"), 124),
    Column("reason", "Why it waits", lambda x: Cell(x.reason, tip=x.reason), 280, stretch=True, lines=2),
    Column("control", "Control ID", lambda x: Cell(x.control_id), 120, keep=1),
)


def _delivery_state(delivery: DeliveryView) -> Cell:
    state = words.state(words.DELIVERY, delivery.state)
    return Cell(words.t(state.word), state.icon, state.token)


DELIVERIES: tuple[Column[DeliveryView], ...] = (
    Column("state", "State", _delivery_state, 176),
    Column("destination", "To", lambda d: Cell(d.destination), 96),
    Column("name", "Patient", lambda d: Cell(display_name(d.patient_name), bold=True), 180, stretch=True),
    Column("accession", "Accession", lambda d: Cell(d.accession), 112),
    Column(
        "answer",
        "Last answer",
        lambda d: Cell(f"{d.answer_code} {d.answer}".strip() or words.t("no answer yet")),
        240,
        stretch=True,
    ),
    Column("attempts", "Attempts", lambda d: Cell(str(d.attempts)), 88),
    Column(
        "next",
        "Next attempt",
        lambda d: Cell(words.local_moment(d.next_attempt_at) if d.next_attempt_at else ""),
        132,
        keep=1,
    ),
)


class InboxPage(QWidget):
    """Held studies, resolved ones to undo, messages, deliveries."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.held: RowsModel[HeldStudy] = RowsModel(HELD, lambda h: h.hold_id)
        self.resolved: RowsModel[ResolvedHold] = RowsModel(RESOLVED, lambda r: r.hold_id)
        self.messages: RowsModel[MessageView] = RowsModel(MESSAGES, lambda x: x.id)
        self.deliveries: RowsModel[DeliveryView] = RowsModel(DELIVERIES, lambda d: d.id)
        self.notice = Notice()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        merge = self.merge if desk.may(Verb.SCHEDULE) else None
        self.detail = HeldDetail(self.link, self.accept, merge)
        self._raw = QPlainTextEdit(readOnly=True)
        self._build()
        self._late = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._late.timeout.connect(self.refresh)
        desk.bridge.changed.connect(self._changed)
        desk.bridge.back.connect(self.refresh)
        for body in self._bodies:
            body.loading()
        self.refresh()

    # ── building ─────────────────────────────────────────────────────────────────────────────────────

    def _build(self) -> None:
        self.held_table = Table(self.held, words.t("Held studies"))
        self.resolved_table = Table(self.resolved, words.t("Resolved studies"))
        self.message_table = Table(self.messages, words.t("Unprocessed messages"))
        self.delivery_table = Table(self.deliveries, words.t("Undelivered results"))
        self._bodies = [
            Stateful(t, t.accessibleName())
            for t in (self.held_table, self.resolved_table, self.message_table, self.delivery_table)
        ]
        self.tabs.setAccessibleName(words.t("Inbox"))
        self.tabs.addTab(self._held_tab(), words.t("Held studies"))
        self.tabs.addTab(self._message_tab(), words.t("Messages"))
        self.tabs.addTab(self._delivery_tab(), words.t("Results"))
        self.tabs.addTab(self._resolved_tab(), words.t("Resolved lately"))
        self.held_table.chosen.connect(self.detail.show_held)
        self.message_table.chosen.connect(self._show_message)
        self.delivery_table.chosen.connect(lambda chosen: self._retry.setEnabled(chosen is not None))
        self.resolved_table.chosen.connect(lambda chosen: self._undo.setEnabled(chosen is not None))
        for control in (self._again, self._done, self._retry, self._undo):
            control.setEnabled(False)
        whole = column(self.notice, self.tabs, gap=0)
        whole.setStretch(1, 1)
        self.setLayout(whole)
        self.detail.show_held(None)

    def _held_tab(self) -> QWidget:
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(self._bodies[0])
        split.addWidget(self.detail)
        split.setStretchFactor(0, 1)
        split.setSizes([theme.current().px(860), theme.current().px(520)])
        self.detail.setMinimumWidth(theme.current().px(400))
        return split

    def _message_tab(self) -> QWidget:
        self._raw.setAccessibleName(words.t("The message as received"))
        self._raw.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._raw.setPlaceholderText(words.t("Choose a message to read it as it was received."))
        self._done = button(
            words.t("Dealt with"), self.message_done, icon="check", tip=words.t("Take it off this list")
        )
        self._again = button(
            words.t("Process again"),
            self.process_again,
            icon="refresh",
            tip=words.t("Carry it out now, as if it had just come: after its source or its order was mended"),
        )
        head = row(label(words.t("As received"), "caption"), 1, self._again, self._done)
        below = panel(column(head, self._raw, margin=(16, 8)))
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.addWidget(self._bodies[2])
        split.addWidget(below)
        split.setStretchFactor(0, 1)
        return split

    def _delivery_tab(self) -> QWidget:
        self._retry = button(words.t("Try again now"), self.retry, icon="refresh")
        about = label(
            words.t("Silence is retried for ever by itself; what a receiver refuses comes back to a person."),
            "quiet",
        )
        return self._with_foot(self._bodies[3], row(about, 1, self._retry, margin=(16, 8)))

    def _resolved_tab(self) -> QWidget:
        self._undo = button(words.t("Undo the link"), self.undo, icon="undo")
        about = label(
            words.t("A link can be undone while nothing was signed on it; the study is then held as before."),
            "quiet",
        )
        return self._with_foot(self._bodies[1], row(about, 1, self._undo, margin=(16, 8)))

    @staticmethod
    def _with_foot(body: Stateful, foot: QWidget | QBoxLayout) -> QFrame:
        answer = panel(column(body, line(), foot, gap=0), "ground")
        answer.layout().setStretch(0, 1)
        return answer

    def _changed(self, _changes: object) -> None:
        if not self._late.isActive():
            self._late.start()

    def entered(self) -> None:
        self.refresh()

    # ── asking ───────────────────────────────────────────────────────────────────────────────────────

    def refresh(self) -> None:
        inbox = self._desk.archive.inbox
        ask = self._desk.tasks.ask
        parts: tuple[tuple[int, RowsModel, Stateful, Callable[[], object], str, str], ...] = (
            (
                0,
                self.held,
                self._bodies[0],
                inbox.held,
                words.t("Nothing is held"),
                words.t("Every study found its order. One that does not turns up here with its reason."),
            ),
            (
                1,
                self.messages,
                self._bodies[2],
                inbox.messages,
                words.t("No message waits"),
                words.t("HL7 messages that could not be processed turn up here as they were received."),
            ),
            (
                2,
                self.deliveries,
                self._bodies[3],
                inbox.deliveries,
                words.t("Every result is delivered"),
                words.t("A result that waits for its acknowledgement turns up here."),
            ),
            (
                3,
                self.resolved,
                self._bodies[1],
                inbox.resolved,
                words.t("Nothing was resolved lately"),
                words.t("Studies that a person linked or kept stand here, to be undone."),
            ),
        )
        for tab, model, body, question, empty, about in parts:
            ask(
                self,
                f"{words.t('read the inbox')} {tab}",
                question,
                lambda rows, t=tab, m=model, b=body, e=empty, a=about: self._show(t, m, b, rows, e, a),
                lambda error, b=body: b.failed(error, self.refresh),
            )

    def _show(self, tab: int, model: RowsModel, body: Stateful, rows: tuple, empty: str, about: str) -> None:
        model.replace(rows)
        names = (words.t("Held studies"), words.t("Messages"), words.t("Results"), words.t("Resolved lately"))
        self.tabs.setTabText(tab, f"{names[tab]}  {len(rows)}" if rows and tab < 3 else names[tab])
        if not rows:
            body.say("empty", empty, about)
            if tab == 0:
                self.detail.show_held(None)
            return
        body.ready()
        table = body.content
        if isinstance(table, Table):
            chosen = table.current_row()
            if chosen is None or model.find(model.identity(chosen)) < 0:
                table.setCurrentIndex(model.index(0, 0))
            elif tab == 0:
                self.detail.show_held(chosen)

    # ── acting ───────────────────────────────────────────────────────────────────────────────────────

    def link(self, held: HeldStudy, suggestion: Suggestion) -> None:
        """Link; where receivers have results that this touches, it is said and asked first."""
        told = consequences.of_link(held, suggestion)
        if not told:
            self._link(held, suggestion.order)
            return
        ask_yes(
            self,
            words.t("Link this study?"),
            "\n\n".join(told),
            words.t("Link it"),
            lambda: self._link(held, suggestion.order),
        )

    def merge(self, held: HeldStudy) -> None:
        """Make the person a study came in as, and the one its ID belongs to, one; asked first."""
        filed, known = held.filed, held.known
        if filed is not None and known is not None:
            ask_yes(
                self,
                words.t("Merge these two patients?"),
                consequences.of_merge(filed, known),
                words.t("Merge them"),
                lambda: self._merge(filed, known),
            )

    def _merge(self, filed: PatientView, known: PatientView) -> None:
        archive = self._desk.archive
        told = words.t("Merged: images that came as {filed} are of {known} now.").format(
            filed=filed.display_name, known=known.display_name
        )

        def merged(_patient: PatientView) -> None:
            self.notice.say(told, "good")
            self.refresh()

        self._desk.tasks.act(
            self,
            words.t("merge the patients"),
            lambda: archive.schedule.merge_patients(known.key, filed.key),
            merged,
            self._refused,
        )

    def _link(self, held: HeldStudy, order: OrderView) -> None:
        archive = self._desk.archive
        told = words.t("Linked to {accession}, {name}.").format(
            accession=order.accession, name=order.patient.display_name
        )
        self.detail.acting(True)
        self._desk.tasks.act(
            self,
            words.t("link the study"),
            lambda: archive.inbox.link(held.study_uid, order.id),
            lambda _row: self._resolved(held, told),
            self._refused,
        )

    def accept(self, held: HeldStudy) -> None:
        archive = self._desk.archive
        self.detail.acting(True)
        self._desk.tasks.act(
            self,
            words.t("keep the study"),
            lambda: archive.inbox.accept(held.study_uid),
            lambda _row: self._resolved(held, words.t("Kept without an order.")),
            self._refused,
        )

    def _resolved(self, held: HeldStudy, told: str) -> None:
        self.notice.say(told, "good", ((words.t("Undo"), lambda: self._undo_hold(held.hold_id)),))
        self.refresh()

    def undo(self) -> None:
        chosen = self.resolved_table.current_row()
        if chosen is not None:
            self._undo_hold(chosen.hold_id)

    def _undo_hold(self, hold_id: int) -> None:
        archive = self._desk.archive
        self._desk.tasks.act(
            self, words.t("undo the link"), lambda: archive.inbox.undo(hold_id), self._undone, self._refused
        )

    def _undone(self, _row: ExamRow) -> None:
        self.notice.hush()
        self._desk.say(words.t("Undone: the study is held again, as it was."), "good")
        self.refresh()

    def retry(self) -> None:
        chosen, archive = self.delivery_table.current_row(), self._desk.archive
        if chosen is not None:
            self._desk.tasks.act(
                self,
                words.t("try the delivery again"),
                lambda: archive.inbox.retry(chosen.id),
                lambda _d: (self._desk.say(words.t("It is tried again now."), "quiet"), self.refresh()),
                self._refused,
            )

    def message_done(self) -> None:
        chosen, archive = self.message_table.current_row(), self._desk.archive
        if chosen is not None:
            self._desk.tasks.act(
                self,
                words.t("mark the message"),
                lambda: archive.inbox.message_done(chosen.id),
                lambda _n: self.refresh(),
                self._refused,
            )

    def process_again(self) -> None:
        chosen, archive = self.message_table.current_row(), self._desk.archive
        if chosen is not None:
            self._desk.tasks.act(
                self,
                words.t("process the message again"),
                lambda: archive.inbox.process_again(chosen.id),
                self._processed,
                self._refused,
            )

    def _processed(self, message: MessageView) -> None:
        if message.state in ("parked", "failed"):
            self.notice.say(words.t("It still waits: {reason}").format(reason=message.reason), "waiting")
        else:
            self.notice.hush()
            self._desk.say(words.t("The message was carried out."), "good")
        self.refresh()

    def _show_message(self, message: MessageView | None) -> None:
        self._raw.setPlainText(message.text.replace("\r", "\n") if message else "")
        for control in (self._again, self._done):
            control.setEnabled(message is not None)

    def _refused(self, error: Exception) -> None:
        told = words.failure(error)
        self.notice.say(f"{told.title}: {told.words}", "wrong")
        self.refresh()
