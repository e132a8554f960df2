"""The foot of the report panel (microphone, measurements, saved, sign) and the report's commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QFrame, QLineEdit, QPlainTextEdit, QToolButton

from pacs_core.domain.access import Verb
from workstation.reporting import composer
from workstation.reporting.sign_findings import role_of
from workstation.ui import theme, words
from workstation.ui.commands import Command, HeldKey
from workstation.ui.widgets.basics import button, column, label, row

if TYPE_CHECKING:
    from workstation.ui.reporting.panel import ReportPanel

HEADINGS = ("findings", "impression", "comparison", "technique")
STATES = {
    "ready": ("microphone-outline", "text", "Hold to dictate"),
    "opening": ("microphone", "waiting", "Opening the microphone …"),
    "listening": ("microphone", "wrong", "Listening"),
    "recognising": ("text-recognition", "link", "Writing it down …"),
}


class MicButton(QToolButton):
    """Held, it listens; its level shows as a bar under it."""

    def __init__(self) -> None:
        super().__init__()
        self.level = 0.0
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        self.show_state("ready")

    def show_state(self, state: str) -> None:
        icon, token, text = STATES[state]
        look = theme.current()
        self.setIcon(theme.icon(icon, token))
        self.setIconSize(QSize(look.icon_size, look.icon_size))
        self.setAccessibleName(words.t("Dictate"))
        self.setAccessibleDescription(words.t(text))
        self.setToolTip(f"{words.t(text)} (F4)")
        if state != "listening":
            self.level = 0.0
        self.update()

    def show_level(self, level: float) -> None:
        self.level = level
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.level > 0:
            look, painter = theme.current(), QPainter(self)
            width = round((self.width() - look.px(8)) * min(1.0, self.level * 4))
            painter.fillRect(look.px(4), self.height() - look.px(4), width, look.px(2), look.colour("wrong"))


class ReportFoot(QFrame):
    """What can be done with the report, always in sight."""

    def __init__(self, panel: ReportPanel) -> None:
        super().__init__()
        self._panel = panel
        self.mic = MicButton()
        self.mic.pressed.connect(panel.dictation.press)
        self.mic.released.connect(panel.dictation.release)
        panel.dictation.state_changed.connect(self._dictating)
        panel.dictation.level.connect(self.mic.show_level)
        self._hint = label("", "quiet", name=words.t("Dictation"))
        self._insert = QToolButton()
        self._insert.setIcon(theme.icon("ruler-square"))
        self._insert.setAccessibleName(words.t("Insert a measurement"))
        self._insert.setToolTip(words.t("Insert a measurement (the newest: Ctrl+Shift+M)"))
        self._insert.clicked.connect(self._measurements)
        self._saved = label("", "quiet", name=words.t("Saved"))
        self._sign = button(
            words.t("Sign"), panel.signing.sign, "main", icon="draw-pen", tip=words.t("Sign (F12)")
        )
        self._next = button(
            words.t("Sign + next"),
            lambda: panel.signing.sign(then_next=True),
            tip=words.t("Sign and open the next exam (Ctrl+Enter)"),
        )
        self._addendum = button(
            words.t("Addendum"), lambda: panel.begin("addendum"), icon="note-plus-outline"
        )
        self._correct = button(words.t("Correction"), lambda: panel.begin("correction"))
        self._drop = button(words.t("Discard"), panel.discard, "link", tip=words.t("Discard the draft"))
        first = row(self.mic, self._insert, self._hint, 1, self._saved, gap=4)
        second = row(self._addendum, self._correct, self._drop, 1, self._next, self._sign, gap=8)
        self.setLayout(column(first, second, margin=(16, 8), gap=8))

    def _dictating(self, state: str) -> None:
        self.mic.show_state(state)
        self._hint.setText("" if state == "ready" else words.t(STATES[state][2]))

    def _measurements(self) -> None:
        menu = self._panel.quoting.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self._insert.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def saved(self, text: str) -> None:
        self._saved.setText(text)

    def refresh(self, panel: ReportPanel) -> None:
        writing, may = panel.writing, panel.desk.may(Verb.SIGN)
        signed = panel.report is not None and bool(panel.report.versions) and panel.history is None
        for control in (self.mic, self._insert, self._sign, self._next):
            control.setVisible(not signed)
            control.setEnabled(writing and (may or control in (self.mic, self._insert)))
        for control in (self._addendum, self._correct):
            control.setVisible(signed and may)
            control.setEnabled(panel._allowed)
        self._drop.setVisible(writing and panel.kind != "final")


class ReportActions:
    """The commands of the report, spoken ones included."""

    def __init__(self, panel: ReportPanel) -> None:
        self._panel = panel
        place = words.t("Report")
        writing = lambda: panel.writing  # noqa: E731  (one of many)
        signing = lambda: panel.writing and panel.desk.may(Verb.SIGN)  # noqa: E731  (one of three)

        def add(
            name: str,
            title: str,
            run: Callable[[], object],
            *keys: str,
            icon: str = "",
            tip: str = "",
            enabled: Callable[[], bool] = writing,
        ) -> None:
            panel.desk.commands.add(
                Command(
                    f"report.{name}", words.t(title), run, place, keys, words.t(tip), icon, enabled=enabled
                )
            )

        add("focus", "Go to the report", panel.focus, "F7", icon="file-document-edit-outline")
        add("sign", "Sign", panel.signing.sign, "F12", icon="draw-pen", enabled=signing)
        add(
            "sign_next",
            "Sign and open the next exam",
            lambda: panel.signing.sign(then_next=True),
            "Ctrl+Return",
            "Ctrl+Enter",
            enabled=signing,
        )
        add(
            "preliminary",
            "Sign as preliminary",
            lambda: panel.signing.sign("preliminary"),
            "Shift+F12",
            enabled=lambda: signing() and panel.kind == "final",
        )
        add("next_field", "Next field", lambda: panel.step(1), "F3")
        add("previous_field", "Previous field", lambda: panel.step(-1), "Shift+F3")
        add(
            "next_unsure", "Next unsure word", panel.spoken.go_to_next, "F2", tip="Go to the next unsure word"
        )
        add(
            "accept_defaults",
            "Accept the template's text",
            lambda: self._change(composer.accept_defaults),
        )
        add(
            "undo",
            "Undo in the report",
            panel.undo,
            enabled=lambda: panel.history is not None and panel.history.can_undo,
        )
        add(
            "redo",
            "Redo in the report",
            panel.redo,
            enabled=lambda: panel.history is not None and panel.history.can_redo,
        )
        add(
            "insert_measurement",
            "Insert the newest measurement",
            panel.quoting.insert,
            "Ctrl+Shift+M",
            icon="ruler-square",
        )
        add("new_line", "New line", lambda: self._change(lambda draft: composer.insert_text(draft, "\n")))
        add(
            "new_paragraph",
            "New paragraph",
            lambda: self._change(lambda draft: composer.insert_text(draft, "\n\n")),
        )
        for heading in HEADINGS:
            add(
                f"go_to_{heading}",
                words.t("Go to {heading}").format(heading=words.t(heading)),
                lambda h=heading: self._go_to(h),
            )
        add("dictate_file", "Dictate from a sound file", panel.spoken.dictate_file, icon="file-music-outline")
        add(
            "addendum",
            "Begin an addendum",
            lambda: panel.begin("addendum"),
            icon="note-plus-outline",
            enabled=self._is_signed,
        )
        add("correction", "Begin a correction", lambda: panel.begin("correction"), enabled=self._is_signed)
        add("discard", "Discard the draft", panel.discard)
        self._keys()

    def _change(self, changed: Callable[[composer.Draft], composer.Draft]) -> None:
        draft = self._panel.draft
        if draft is not None:
            self._panel.change(changed(draft))

    def _is_signed(self) -> bool:
        report = self._panel.report
        return (
            report is not None
            and bool(report.versions)
            and self._panel.history is None
            and self._panel._allowed
        )

    def _keys(self) -> None:
        """F4 everywhere, the key left of 1 outside of text: hold to speak. Shift+F4: hold to command."""
        panel, window = self._panel, self._panel.desk.window
        self._held = (
            HeldKey(window, Qt.Key.Key_F4, self._press, panel.dictation.release),
            HeldKey(window, Qt.Key.Key_QuoteLeft, self._press, panel.dictation.release, unless=typing),
        )
        for key in self._held:
            QApplication.instance().installEventFilter(key)
        panel.desk.closing.append(self._let_keys_go)

    def _let_keys_go(self) -> None:
        for key in self._held:
            QApplication.instance().removeEventFilter(key)

    def _press(self) -> None:
        if self._panel.writing:
            shift = QApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier
            self._panel.dictation.press(commanding=bool(shift))

    def _go_to(self, heading: str) -> None:
        draft = self._panel.draft
        if draft is None:
            return
        found = next(
            (
                f.identifier
                for s in draft.template.sections
                for p in s.paragraphs
                for f in p.fields
                if s.heading.casefold() == heading or role_of(s) == heading
            ),
            None,
        )
        if found is not None:
            self._panel.go_to_field(found)

    def spoken(self, command: str) -> None:
        """Carry out a spoken command, and say which."""
        known = {
            "view.next_image": "read.next",
            "view.previous_image": "read.previous",
            "view.next_series": "read.series.next",
            "view.previous_series": "read.series.previous",
        }
        try:
            chosen = self._panel.desk.commands[known.get(command, command)]
        except KeyError:
            self._panel.desk.say(words.t("Not possible here."), "waiting")
            return
        self._panel.desk.commands.run(chosen.id)
        self._panel.desk.say(chosen.name, "quiet")


def typing() -> bool:
    """Whether a text has the keyboard."""
    return isinstance(QApplication.focusWidget(), QPlainTextEdit | QLineEdit)
