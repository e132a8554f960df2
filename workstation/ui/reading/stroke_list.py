"""The list of what was drawn: each with its numbers, the change since the prior, and the way to its image."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame

from pacs_core.domain.errors import InvalidValue
from pacs_core.domain.measurement import Measurement
from pacs_core.domain.measurement_words import label_lines_of
from workstation.reporting.placeholders import amount, change, quote_of
from workstation.session.reading_session import ReadingSession
from workstation.session.stroke_places import go_to, paired
from workstation.ui import theme, words
from workstation.ui.commands import Commands
from workstation.ui.reading.tool_names import TOOLS
from workstation.ui.widgets.basics import column, label, line, row
from workstation.ui.widgets.table import Cell, Column, RowsModel, Table

WIDTH = 500
TITLES = {name: title for name, title, _key, _icon, _tip in TOOLS} | {"key_image": "Key image"}
ICONS = {name: icon for name, _title, _key, icon, _tip in TOOLS} | {"key_image": "key-outline"}


def title_of(stroke: Measurement) -> str:
    """What a stroke is called: its own words, else the name of its tool."""
    return stroke.label or words.t(TITLES.get(stroke.kind, stroke.kind.replace("_", " ")))


class StrokeTable(Table):
    """Del deletes the chosen one, as it does on the image."""

    def __init__(self, commands: Commands, model: RowsModel[Measurement], name: str) -> None:
        super().__init__(model, name)
        self._commands = commands

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.current_row() is not None:
            self._commands.run("read.delete")
            return
        super().keyPressEvent(event)


class StrokeList(QFrame):
    """Beside the images while it is wanted; a click brings the image, Del deletes."""

    def __init__(self, session: ReadingSession, commands: Commands) -> None:
        super().__init__()
        self._session, self._showing = session, False
        self.setProperty("look", "panel")
        self.setAccessibleName(words.t("Measurements"))
        self.model: RowsModel[Measurement] = RowsModel(self._columns(), lambda m: m.tracking_uid)
        self.table = StrokeTable(commands, self.model, words.t("Measurements"))
        self.table.chosen.connect(self._chosen)
        self.table.opened.connect(lambda stroke: go_to(session, stroke))
        self.table.clicked.connect(lambda _index: self._go())
        self._none = label(words.t("Nothing is drawn on this study's images yet."), "quiet", wrap=True)
        self._buttons = [commands.button(f"read.{name}") for name in ("label", "delete", "key_image", "keep")]
        head = row(label(words.t("Measurements"), "strong"), 1, *self._buttons, margin=(12, 4))
        whole = column(head, line(), self._none, self.table, gap=0)
        whole.setStretch(3, 1)
        self.setLayout(whole)
        self._size()
        self.hide()
        session.strokes_changed.connect(self.refresh)
        session.hung.connect(self.refresh)
        session.closed.connect(self.refresh)
        theme.hub().changed.connect(self._size)
        self.refresh()

    def _size(self) -> None:
        look = theme.current()
        self.setFixedWidth(look.px(WIDTH))
        for button in self._buttons:
            button.setIconSize(QSize(look.icon_size, look.icon_size))

    def _columns(self) -> tuple[Column[Measurement], ...]:
        return (
            Column("what", words.t("What"), self._what, 190, stretch=True),
            Column("value", words.t("Value"), self._value, 124),
            Column("change", words.t("Change"), self._change, 76, keep=2),
            Column("where", words.t("Where"), self._where, 86, keep=1),
        )

    def _what(self, stroke: Measurement) -> Cell:
        token = "quiet" if self._of_prior(stroke) else "text"
        return Cell(title_of(stroke), ICONS.get(stroke.kind, "ruler"), token, tip=self._tip(stroke))

    @staticmethod
    def _value(stroke: Measurement) -> Cell:
        lines = label_lines_of("", stroke.quantities)
        if stroke.refusal and not lines:
            return Cell(words.t("refused"), "alert-outline", "waiting", tip=stroke.refusal)
        try:
            first = quote_of(replace(stroke, refusal="")) if lines else None
        except InvalidValue:
            first = None
        return Cell(amount(first.values, first.unit) if first is not None else "", tip="\n".join(lines))

    def _change(self, stroke: Measurement) -> Cell:
        """The change of its first number since the prior's stroke it is compared with."""
        before = None if self._of_prior(stroke) else paired(self._session, stroke)
        prior = self._session.prior
        if before is None or prior is None:
            return Cell("")
        try:
            quote = quote_of(stroke, before, prior.study_date)
        except InvalidValue:
            return Cell("")
        if not quote.prior_values:
            return Cell("")
        was = words.t("was {amount} on {date}")
        tip = was.format(amount=amount(quote.prior_values, quote.unit), date=quote.prior_date)
        return Cell(change(quote.values[0], quote.prior_values[0]), tip=tip)

    def _where(self, stroke: Measurement) -> Cell:
        """Series and image; of the prior's its date."""
        if self._of_prior(stroke) and self._session.prior is not None:
            return Cell(
                words.iso_date(self._session.prior.study_date), token="quiet", tip=self._place(stroke)
            )
        series, image = stroke.series_number, stroke.instance_number
        said = " / ".join("" if n is None else str(n) for n in (series, image))
        return Cell(said.strip(" /"), token="quiet", tip=self._place(stroke))

    @staticmethod
    def _place(stroke: Measurement) -> str:
        series, image = stroke.series_number, stroke.instance_number
        return f"{words.t('series')} {series or '?'}, {words.t('image')} {image or '?'}"

    def _tip(self, stroke: Measurement) -> str:
        lines = (title_of(stroke), *label_lines_of("", stroke.quantities), stroke.refusal, stroke.author)
        return "\n".join(part for part in lines if part)

    def _of_prior(self, stroke: Measurement) -> bool:
        return stroke.study_uid != self._session.study_uid

    def refresh(self) -> None:
        """The strokes as they are now: the study's, then the prior's, each oldest first."""
        strokes = sorted(self._session.measurements.values(), key=lambda m: (self._of_prior(m), m.made_at))
        self._showing = True  # what is chosen here now follows the session, and is no wish of the reader
        self.model.replace(strokes)
        self._none.setVisible(not strokes)
        self.table.setVisible(bool(strokes))
        if self._session.selected:
            self.table.choose(self._session.selected)
        self._showing = False

    def _chosen(self, stroke: Measurement | None) -> None:
        if stroke is not None and not self._showing:
            self._session.select(stroke.tracking_uid)

    def _go(self) -> None:
        stroke = self.table.current_row()
        if stroke is not None:
            go_to(self._session, stroke)
