"""A document in a cell, where a picture would be: pages, words, curves, film, or why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workstation.imaging.documents import Curves, Document, DocumentRef, Facts, Table, Text, Tree, present
from workstation.imaging.documents.pdf import PdfPages
from workstation.imaging.documents.video import VideoFilm
from workstation.ui import theme, words
from workstation.ui.reading.document_curves import DocumentCurves
from workstation.ui.reading.document_film import DocumentFilm
from workstation.ui.reading.document_pages import DocumentPages
from workstation.ui.reading.document_text import DocumentText
from workstation.ui.widgets.basics import clear, label, row

if TYPE_CHECKING:
    from workstation.ui.reading.cell import ImageCell

READABLE = (Facts, Table, Text, Tree)


class DocumentView(QWidget):
    """Covers its cell while a document hangs there; the file is fetched and read on another thread."""

    wanted = Signal(str, int)

    def __init__(self, cell: ImageCell, shown: DocumentRef) -> None:
        super().__init__(cell)
        self._cell, self.shown = cell, shown
        self.document: Document | None = None
        self.failure = ""
        self._title = label("", "strong")
        self._inside = QVBoxLayout()
        self._inside.setContentsMargins(0, 0, 0, 0)
        self._inside.setSpacing(theme.current().px(4))
        layout = QVBoxLayout(self)
        edge = theme.current().px(4)
        layout.setContentsMargins(edge, edge, edge, edge)
        layout.setSpacing(edge)
        layout.addLayout(row(self._title, 1, label(words.t(str(shown.kind)), "quiet"), margin=(8, 2)))
        layout.addLayout(self._inside, 1)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._ask()

    def _ask(self) -> None:
        """Fetch and read it."""
        shown, archive = self.shown, self._cell.room.desk.archive
        self._name(words.t("Loading …"))
        self._cell.room.desk.tasks.ask(
            self,
            words.t("read the document"),
            lambda: present(shown, archive.studies.file(shown.sop_instance_uid)),
            self._take,
            self._failed,
        )

    def _take(self, document: Document) -> None:
        self.document = document
        clear(self._inside)
        readable = [block for block in document.blocks if isinstance(block, READABLE)]
        for block in document.blocks:
            if isinstance(block, PdfPages):
                self._inside.addWidget(DocumentPages(block, self._cell.room.desk.tasks), 3)
            elif isinstance(block, Curves):
                self._inside.addWidget(DocumentCurves(block), 2)
            elif isinstance(block, VideoFilm):
                self._inside.addWidget(DocumentFilm(block), 3)
        if readable or document.warnings:
            page = DocumentText(readable, document.warnings)
            page.wanted.connect(self.wanted)
            self._inside.addWidget(page, 1 if len(readable) < len(document.blocks) else 3)
        for inside in self.findChildren(QWidget):
            inside.installEventFilter(self)
        self._name(" ".join(document.warnings))
        self.update()

    def _failed(self, error: Exception) -> None:
        self.failure = words.t("This document cannot be read: {why}").format(why=words.failure(error).words)
        clear(self._inside)
        told = label(self.failure, "wrong")
        told.setWordWrap(True)
        told.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._inside.addWidget(told)
        self._name(self.failure)

    def _name(self, description: str) -> None:
        self._title.setText(self.shown.title)
        self.setAccessibleName(words.t("Document: {title}").format(title=self.shown.title))
        self.setAccessibleDescription(description)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Whoever works on a part of the document works on this cell."""
        if event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.FocusIn):
            self._cell.session.activate(self._cell.number)
        return False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._cell.setFocus(Qt.FocusReason.MouseFocusReason)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, look = QPainter(self), theme.current()
        painter.fillRect(self.rect(), look.colour("panel"))
        if self._cell.is_active:
            painter.setPen(QPen(look.overlay("active"), look.px(2), j=Qt.PenJoinStyle.MiterJoin))
            inset = look.px(2) // 2
            painter.drawRect(self.rect().adjusted(inset, inset, -inset - 1, -inset - 1))
