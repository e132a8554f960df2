"""What is known of the chosen exam: person, question, images, identity, result and the seven stages."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QSizePolicy, QVBoxLayout, QWidget

from pacs_core.archive.models import ExamRow, ExamTrace
from pacs_core.domain.patient import display_name
from workstation.ui import theme, words
from workstation.ui.widgets.basics import button, column, discard, label, line, row
from workstation.ui.widgets.scrolling import ScrollArea
from workstation.ui.widgets.stages import StagesList
from workstation.ui.worklist import columns as said


class ExamDetail(QFrame):
    """The side panel of the worklist."""

    def __init__(self, open_exam: Callable[[], object]) -> None:
        super().__init__()
        self.setProperty("look", "panel")
        self.setAccessibleName(words.t("Chosen exam"))
        self._name = label("", "heading", wrap=True)
        self._person = label("", "quiet", wrap=True)
        self._facts = QVBoxLayout()
        self._stages = StagesList()
        self._open = button(words.t("Open exam"), open_exam, "main", tip=words.t("Open the exam (Enter)"))
        inside = QWidget()
        body = column(
            self._name,
            self._person,
            self._facts,
            line(),
            label(words.t("Story of this exam"), "caption"),
            self._stages,
            1,
            margin=(16, 16),
            gap=12,
        )
        self._facts.setSpacing(theme.current().px(8))
        inside.setLayout(body)
        area = ScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        foot = row(self._open, margin=(16, 12))
        self.setLayout(column(area, line(), foot, gap=0))
        self._open.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedWidth(theme.current().px(344))
        self.show_exam(None)

    def show_exam(self, exam: ExamRow | None) -> None:
        self._clear()
        self._open.setEnabled(exam is not None and bool(exam.study_uid))
        if exam is None:
            self._name.setText(words.t("No exam chosen"))
            self._person.setText(words.t("Choose a row to see what is known of it."))
            self._stages.show_trace(None)
            return
        self._name.setText(exam.patient_display or words.t("No name"))
        parts = (
            words.sex(exam.sex),
            words.age(exam.birth_date, exam.study_date),
            words.iso_date(exam.birth_date),
        )
        number = f"{exam.patient_id} {exam.issuer}".strip()
        self._person.setText(" · ".join(p for p in (*parts, number) if p))
        for caption, text, token in self._lines(exam):
            self._fact(caption, text, token)

    def _lines(self, exam: ExamRow) -> list[tuple[str, str, str]]:
        images, result, identity = said.images(exam), said.result(exam), said.identity(exam)
        lines = [
            (words.t("Procedure"), exam.procedure, ""),
            (words.t("Indication"), exam.indication, ""),
            (words.t("Accession"), exam.accession, ""),
            (words.t("Images"), f"{images.text} {images.trailing}".strip(), images.token),
            (
                words.t("Identity"),
                " · ".join(p for p in (identity.text, exam.hold_reason) if p),
                identity.token,
            ),
            (
                words.t("Result"),
                " · ".join(p for p in (result.text, exam.acknowledgement) if p),
                result.token,
            ),
            (words.t("Open by"), exam.locked_by, "waiting"),
            (words.t("Referrer"), display_name(exam.referring_physician), ""),
        ]
        return [(caption, text, "" if token == "text" else token) for caption, text, token in lines if text]

    def _fact(self, caption: str, text: str, token: str) -> None:
        block = QWidget()
        block.setLayout(
            column(
                label(caption, "caption"),
                label(text, token, name=f"{caption}: {text}", wrap=True, selectable=True),
                gap=0,
            )
        )
        self._facts.addWidget(block)

    def _clear(self) -> None:
        while (item := self._facts.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                discard(widget)

    def show_trace(self, trace: ExamTrace | None) -> None:
        self._stages.show_trace(trace)
