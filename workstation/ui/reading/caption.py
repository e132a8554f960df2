"""The words of a stroke, written where they stand: a field over the picture, kept with Enter."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit

from pacs_core.domain.measurement import Measurement
from workstation.rendering.strokes import lies_on
from workstation.tools.calibrating import CALIBRATION, known
from workstation.tools.numbers import KNOWN_MM
from workstation.tools.tool import Scene
from workstation.ui import theme, words

if TYPE_CHECKING:
    from workstation.ui.reading.cell import ImageCell

WIDTH = 220
LONGEST = 64
"""Characters of a label: what one content item of a structured report shows on a line."""


class Caption(QLineEdit):
    """One per cell; shown while the words of a stroke are written. Escape leaves them as they were."""

    def __init__(self, cell: ImageCell) -> None:
        super().__init__(cell)
        self._cell = cell
        self._stroke: Measurement | None = None
        self.setMaxLength(LONGEST)
        self.setAccessibleName(words.t("Words beside the measurement"))
        self.returnPressed.connect(self._entered)
        self.hide()

    def ask(self, stroke: Measurement) -> bool:
        """Write the words of a stroke, a new one or one that is there; False where it is not in this cell."""
        picture = self._cell.shown.picture
        if picture is None or not stroke.points or not lies_on(picture.frame, stroke):
            return False
        self._stroke = stroke
        px, ratio = theme.current().px, self._cell.ratio
        x, y, _ = picture.frame.viewport(stroke.points[-1])
        self._length = stroke.kind == CALIBRATION
        hint = words.t("Its length in mm, then Enter") if self._length else words.t("Words, then Enter")
        self.setPlaceholderText(hint)
        self.setText(stroke.details.get(KNOWN_MM, "") if self._length else stroke.label)
        self.selectAll()
        self.resize(min(px(WIDTH), self._cell.width()), self.sizeHint().height())
        room = self._cell.picture_area()
        left = max(0, min(round(x / ratio), room.width() - self.width()))
        top = max(0, min(round(y / ratio) - self.height() // 2, room.height() - self.height()))
        self.move(QPoint(left, top))
        self.show()
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        return True

    def _entered(self) -> None:
        self._keep()
        self._cell.setFocus(Qt.FocusReason.OtherFocusReason)

    def _keep(self) -> None:
        stroke, self._stroke = self._stroke, None
        said = self.text().strip()
        self.hide()
        if stroke is None or not self._is_open(stroke):
            return
        scene = self._cell.hand.scene()
        if stroke.kind == CALIBRATION:
            self._calibrate(stroke, said, scene)
        elif said != stroke.label:
            worded = replace(stroke, label=said)
            if scene is not None:
                self._cell.hand.keep(worded, scene)
            else:
                self._cell.session.put(worded)
            self._cell.session.select(stroke.tracking_uid)

    def _calibrate(self, stroke: Measurement, said: str, scene: Scene | None) -> None:
        known_one = known(stroke, said)
        if known_one is None or scene is None:
            if said:
                self._cell.room.desk.say(words.t("{text} is no length in mm.").format(text=said), "waiting")
            return
        self._cell.hand.keep(known_one, scene)
        self._cell.session.select(stroke.tracking_uid)

    def _is_open(self, stroke: Measurement) -> bool:
        """The exam it is on was not left meanwhile."""
        return any(cell.study_uid == stroke.study_uid for cell in self._cell.session.cells)

    def event(self, event: QEvent) -> bool:
        """While words are written, keys are letters and not commands."""
        commanded = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and not event.modifiers() & commanded
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._stroke = None
            self.hide()
            self._cell.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """What was written is kept, wherever the reader goes on."""
        super().focusOutEvent(event)
        if self._stroke is not None and event.reason() != Qt.FocusReason.PopupFocusReason:
            self._keep()
