"""The worklist: search as you type, filters, the table and the chosen exam beside it. Keyboard first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QButtonGroup, QComboBox, QPushButton, QWidget

from pacs_core.archive.models import ExamRow, WorklistQuery
from pacs_core.archive.models import WorklistPage as Page
from workstation.ui import theme, words
from workstation.ui.commands import Command
from workstation.ui.desk import Desk
from workstation.ui.widgets.basics import button, column, label, line, row, search_field
from workstation.ui.widgets.flow import Flow, bar
from workstation.ui.widgets.states import Stateful
from workstation.ui.widgets.table import RowsModel, Table
from workstation.ui.worklist.columns import COLUMNS
from workstation.ui.worklist.detail import ExamDetail
from workstation.ui.worklist.importing import ImportStrip

CHUNK = 200
REFRESH_MS = 120
SEARCH_MS = 120
DETAIL_FROM = 1540
FILTERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("To read", ("arriving", "arrived", "reading", "draft", "preliminary")),
    ("Scheduled", ("scheduled",)),
    ("Signed", ("signed",)),
    ("All", ()),
)
MODALITIES = ("CT", "MR", "PT", "CR", "DX", "MG", "US", "XA", "NM", "RF")


class WorklistPage(QWidget):
    """Lists exams; Enter or a double click opens one in the reading room."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._query, self._total, self._asking_more = WorklistQuery(), 0, False
        self.model: RowsModel[ExamRow] = RowsModel(COLUMNS, lambda r: r.key)
        self.model.more, self.model.sorter = self._more, self._sort
        self.table = Table(self.model, words.t("Worklist"), desk.preferences.columns.get("worklist"))
        self.table.setSortingEnabled(False)
        self._list = Stateful(self.table, words.t("Worklist"))
        self.detail = ExamDetail(self.open_chosen)
        self.search = search_field(
            words.t("Search the worklist"), words.t("Search name, ID, accession, procedure")
        )
        self._count = label("", "quiet", name=words.t("Number of exams"))
        self._modality = QComboBox()
        self._filters = QButtonGroup(self)
        self._build()
        self._wire()
        self._list.loading(words.t("Loading the worklist"))
        self.refresh()

    def _build(self) -> None:
        self.search.setMaximumWidth(theme.current().px(400))
        self._modality.addItem(words.t("All modalities"), "")
        for modality in MODALITIES:
            self._modality.addItem(modality, modality)
        self._modality.setAccessibleName(words.t("Modality"))
        chips = [self._chip(name, statuses) for name, statuses in FILTERS]
        self.search.setMinimumWidth(theme.current().px(220))
        flow = Flow(margin=(12, 8))
        flow.add(self.search, elastic=True)
        flow.add(*chips, self._modality)
        flow.add(self._count, pushed=True)
        top = bar(flow, "ground")
        body = row(self._list, line(upright=True), self.detail, gap=0)
        body.setStretch(0, 1)
        self._import = ImportStrip(self._desk)
        whole = column(top, line(), self._import, body, gap=0)
        whole.setStretch(3, 1)
        self.setLayout(whole)

    def _chip(self, name: str, statuses: tuple[str, ...]) -> QPushButton:
        answer = button(
            words.t(name), lambda: self._filter(statuses), "chip", name=f"{words.t('Show')}: {words.t(name)}"
        )
        answer.setCheckable(True)
        self._filters.addButton(answer)
        answer.setChecked(not statuses)
        return answer

    def _wire(self) -> None:
        self._late = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._late.timeout.connect(self.refresh)
        self._typed = QTimer(self, singleShot=True, interval=SEARCH_MS)
        self._typed.timeout.connect(lambda: self._ask(replace(self._query, text=self.search.text().strip())))
        self._look = QTimer(self, singleShot=True, interval=150)
        self._look.timeout.connect(self._ask_trace)
        self.search.textChanged.connect(lambda _text: self._typed.start())
        self.search.installEventFilter(self)
        self._modality.currentIndexChanged.connect(
            lambda _n: self._ask(replace(self._query, modality=self._modality.currentData()))
        )
        self.table.opened.connect(self.open_exam)
        self.table.chosen.connect(self._choose)
        self._desk.bridge.changed.connect(self._changed)
        self._desk.bridge.back.connect(self.refresh)
        go, find = words.t("Worklist"), words.t("Search the worklist")
        self._desk.commands.add(
            Command("worklist.search", find, self.find, go, ("Ctrl+F",), icon="magnify"),
            Command(
                "worklist.open",
                words.t("Open the chosen exam"),
                self.open_chosen,
                go,
                icon="folder-open-outline",
                enabled=lambda: self.table.current_row() is not None,
            ),
            Command(
                "worklist.refresh",
                words.t("Ask for the list again"),
                self.refresh,
                go,
                ("F5",),
                icon="refresh",
            ),
        )
        self._desk.closing.append(self._keep_columns)

    def _changed(self, _changes: object) -> None:
        if not self._late.isActive():
            self._late.start()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._choose(self.table.current_row())

    def entered(self) -> None:
        (self.table if self._list.is_ready else self.search).setFocus()

    def find(self) -> None:
        self._desk.go("worklist")
        self.search.setFocus()
        self.search.selectAll()

    def bring_in(self, paths: Sequence[Path]) -> None:
        """Bring files and folders into the archive."""
        self._import.bring(paths)

    # ── asking ───────────────────────────────────────────────────────────────────────────────────────

    def _filter(self, statuses: tuple[str, ...]) -> None:
        self._ask(replace(self._query, status=statuses))

    def _sort(self, key: str, down: bool) -> None:
        self._ask(replace(self._query, sort=key, descending=down))

    def _ask(self, query: WorklistQuery) -> None:
        self._query = query
        self.refresh()

    def refresh(self) -> None:
        """Ask for what is shown now, again."""
        query, wanted = self._query, max(CHUNK, min(len(self.model.rows), 5 * CHUNK))
        archive = self._desk.archive
        self._desk.tasks.ask(
            self,
            words.t("read the worklist"),
            lambda: archive.worklist.rows(query, 0, wanted),
            self._show,
            self._failed,
        )

    def _more(self) -> None:
        there = len(self.model.rows)
        if self._asking_more or there >= self._total:
            return
        self._asking_more = True
        query, archive = self._query, self._desk.archive
        self._desk.tasks.ask(
            self,
            words.t("read more of the worklist"),
            lambda: archive.worklist.rows(query, there, CHUNK),
            lambda page: self._append(page, there),
            self._failed,
        )

    def _append(self, page: Page, there: int) -> None:
        self._asking_more = False
        if there == len(self.model.rows):
            self.model.append(page.rows)

    def _show(self, page: Page) -> None:
        self._asking_more, self._total = False, page.total
        self.model.replace(page.rows)
        self._desk.session.queue = tuple(r for r in page.rows if r.study_uid and r.status in FILTERS[0][1])
        if page.rows:
            self._list.ready()
            if self.table.current_row() is None:
                self.table.choose(page.rows[0].key)
            else:
                self._choose(self.table.current_row())
        else:
            self._nothing()
        waiting = sum(1 for r in page.rows if r.status in ("arrived", "arriving"))
        told = words.count(page.total, words.t("exam"), words.t("exams"))
        self._count.setText(f"{told} · {waiting} {words.t('unread')}" if waiting else told)
        self._count.setAccessibleName(self._count.text())

    def _nothing(self) -> None:
        self.detail.show_exam(None)
        if self._query.text or self._query.status or self._query.modality:
            self._list.say(
                "empty",
                words.t("No exam matches"),
                self._sought(),
                (words.t("Show all"), self._show_all),
            )
        else:
            self._list.say(
                "empty",
                words.t("The worklist is empty"),
                words.t("Exams appear here by themselves as orders and images arrive."),
            )

    def _sought(self) -> str:
        """What was looked for and not found."""
        query = self._query
        chip = self._filters.checkedButton()
        narrowed = [chip.text()] if query.status and chip is not None else []
        narrowed += [query.modality] if query.modality else []
        if query.text and narrowed:
            told = words.t("No exam under {filter} has “{text}” in its name, ID, accession or procedure.")
        elif query.text:
            told = words.t("No exam has “{text}” in its name, ID, accession or procedure.")
        else:
            told = words.t("There is no exam under {filter}.")
        return told.format(text=query.text, filter=", ".join(narrowed))

    def _show_all(self) -> None:
        self.search.clear()
        self._modality.setCurrentIndex(0)
        self._filters.buttons()[-1].setChecked(True)
        self._ask(WorklistQuery(sort=self._query.sort, descending=self._query.descending))

    def _failed(self, error: Exception) -> None:
        self._asking_more = False
        told = words.failure(error)
        if self.model.rows and told.kind == "failed":
            self._desk.say(words.t("The list may be old: {words}").format(words=told.words), "waiting")
        else:
            self._list.failed(error, self.refresh)

    # ── choosing and opening ─────────────────────────────────────────────────────────────────────────

    def _choose(self, exam: ExamRow | None) -> None:
        if not self.detail.isVisible():
            return
        self.detail.show_exam(exam)
        self._look.start()

    def _ask_trace(self) -> None:
        exam = self.table.current_row()
        if exam is None or not exam.accession or not self.detail.isVisible():
            self.detail.show_trace(None)
            return
        archive, accession = self._desk.archive, exam.accession
        self._desk.tasks.ask(
            self,
            words.t("read the story of the exam"),
            lambda: archive.trace.of(accession),
            self.detail.show_trace,
            lambda _error: self.detail.show_trace(None),
        )

    def open_chosen(self) -> None:
        if self.table.current_row() is not None:
            self.open_exam(self.table.current_row())

    def open_exam(self, exam: ExamRow) -> None:
        if not exam.study_uid:
            self._desk.say(words.t("This exam has no images yet."), "waiting")
            return
        self._desk.go("read")
        self._desk.session.wanted.emit(exam.study_uid)

    # ── keys and size ────────────────────────────────────────────────────────────────────────────────

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.search and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_PageDown):
                self.table.setFocus()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.open_chosen()
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.search.clear()
                return True
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.detail.setVisible(self.width() >= theme.current().px(DETAIL_FROM))

    def _keep_columns(self) -> None:
        self._desk.preferences.columns["worklist"] = self.table.column_widths()
