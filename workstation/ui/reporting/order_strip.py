"""The order strip above the report: why the exam was asked for, and what to mind."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout

from pacs_core.archive.models import Dossier
from pacs_core.domain.patient import display_name
from workstation.ui import theme, words
from workstation.ui.widgets.basics import column, discard, label, row, tool
from workstation.ui.widgets.snug import Snug


class OrderStrip(QFrame):
    """Indication and question, referrer with phone, contrast, allergies, pregnancy, alerts, technologist's
    note.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("look", "panel")
        self.setAccessibleName(words.t("Order"))
        self._title = label(words.t("Order"), "strong")
        self._fold = tool("chevron-up", words.t("Fold the order"), self._toggle)
        self._body = QFrame()
        self._dossier: Dossier | None = None
        self._short = False
        self._grid = QGridLayout(self._body)
        self._grid.setContentsMargins(0, 0, 0, 0)
        px = theme.current().px
        self._grid.setHorizontalSpacing(px(12))
        self._grid.setVerticalSpacing(px(4))
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnMinimumWidth(0, px(88))
        head = row(self._title, 1, self._fold)
        self.setLayout(column(head, Snug(self._body), margin=(16, 8), gap=4))

    def _toggle(self) -> None:
        self.shorten(not self._short)

    def shorten(self, short: bool) -> None:
        """Only the question and what must not be missed, or everything."""
        if short != self._short:
            self._short = short
            self._fold.setIcon(theme.icon("chevron-down" if short else "chevron-up"))
            self._fill()

    def show_dossier(self, dossier: Dossier | None) -> None:
        self._dossier = dossier
        self._fill()

    def _fill(self) -> None:
        dossier = self._dossier
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                discard(widget)
        if dossier is None:
            return
        order = dossier.order
        title = order.procedure if order else words.t("No order")
        if order is not None and order.accession_is_ours:
            title = f"{title} · {words.t('accession made here')}"
        self._title.setText(title)
        for number, (caption, text, token) in enumerate(self._shown(dossier)):
            self._grid.addWidget(label(caption, "quiet"), number, 0)
            self._grid.addWidget(
                label(text, token, name=f"{caption}: {text}", wrap=True, selectable=True), number, 1
            )
            self._grid.itemAtPosition(number, 0).setAlignment(Qt.AlignmentFlag.AlignTop)

    def _shown(self, dossier: Dossier) -> list[tuple[str, str, str]]:
        lines = self._lines(dossier)
        must = [one for one in lines if one[2]]
        return (must or lines[:1]) if self._short else lines

    def _lines(self, dossier: Dossier) -> list[tuple[str, str, str]]:
        order, patient = dossier.order, dossier.patient
        if order is None:
            return [
                (
                    words.t("Order"),
                    words.t("There is no order for this study. The report waits for one before it is sent."),
                    "waiting",
                )
            ]
        phone = f"{display_name(order.referring_physician)} · {order.referring_phone}".strip(" ·")
        alerts = " · ".join(dict.fromkeys(p for p in (order.alerts, patient.alerts) if p))
        allergies = " · ".join(dict.fromkeys(p for p in (order.allergies, patient.allergies) if p))
        lines = [
            (words.t("Indication"), order.indication, ""),
            (words.t("Question"), order.question, "strong"),
            (words.t("Referrer"), phone, ""),
            (words.t("Contrast"), order.contrast, ""),
            (words.t("Allergies"), allergies, "waiting"),
            (words.t("Pregnancy"), order.pregnancy or patient.pregnancy, "waiting"),
            (words.t("Alerts"), alerts, "wrong"),
            (words.t("Technologist"), order.technologist_note, ""),
        ]
        return [one for one in lines if one[1]]
