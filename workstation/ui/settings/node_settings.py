"""The node's settings: every listener, limit and policy of its configuration file, in words."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

from PySide6.QtCore import Qt
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import QCheckBox, QLabel, QLineEdit, QWidget

from pacs_core.archive.models import Setting
from pacs_core.domain.errors import ReadingRoomError
from workstation.ui import theme, words
from workstation.ui.desk import Desk
from workstation.ui.settings.own_pages import Sheet
from workstation.ui.widgets.basics import button, column, label, line, relook, row

SECTIONS = {
    "site": "Site",
    "dicom": "DICOM",
    "hl7": "HL7",
    "http": "DICOMweb and API",
    "store": "Store",
    "reading": "Reading",
}
MOST = 100_000_000
Editor = QCheckBox | QLineEdit


class NodeSettingsPage(QWidget):
    """One control a key; nothing is changed before Save, and then all of it or none."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._settings: tuple[Setting, ...] = ()
        self.editors: dict[str, Editor] = {}
        self._sheet = Sheet(
            words.t("Node"),
            words.t("What this node listens on, its limits and policies. Kept in its config.toml."),
        )
        self._words = label("", "wrong", name=words.t("Message"), wrap=True)
        self._undo = button(words.t("Undo the changes"), self._fill, icon="undo")
        self._save = button(words.t("Save"), self.save, "main", name=words.t("Save the settings"))
        foot = row(self._words, self._undo, self._save, margin=(24, 8))
        foot.setStretch(0, 1)
        whole = column(self._sheet, line(), foot, gap=0)
        whole.setStretch(0, 1)
        self.setLayout(whole)
        self._enable()
        self.refresh()

    def refresh(self) -> None:
        """Read them anew, unless something was changed here and not saved."""
        if self.changed():
            return
        administration = self._desk.archive.administration
        self._desk.tasks.ask(
            self, words.t("read the settings"), administration.settings, self._show, self._failed
        )

    def changed(self) -> dict[str, object]:
        """What is to be saved, by key."""
        before = {s.key: s.value for s in self._settings}
        now = {key: value_of(editor) for key, editor in self.editors.items()}
        return {key: value for key, value in now.items() if value != before[key]}

    def save(self) -> None:
        """Write what was changed."""
        values, administration = self.changed(), self._desk.archive.administration
        self._refuse_nothing()
        self._save.setEnabled(False)
        self._desk.tasks.act(
            self,
            words.t("save the settings"),
            lambda: administration.save_settings(values),
            lambda after: self._saved(after, values),
            self._refused,
        )

    def _show(self, settings: tuple[Setting, ...]) -> None:
        self._settings = settings
        self._fill()

    def _fill(self) -> None:
        self.editors.clear()
        self._sheet.empty()
        self._refuse_nothing()
        for section, keys in groupby(self._settings, lambda s: s.key.partition(".")[0]):
            self._sheet.body.addWidget(label(words.t(SECTIONS.get(section, section)), "title"))
            for setting in keys:
                self._row(setting)
        self._sheet.body.addStretch(1)
        self._enable()

    def _row(self, setting: Setting) -> None:
        editor = editor_of(setting, self._enable)
        editor.setAccessibleName(words.t(setting.words))
        editor.setToolTip(setting.key)
        editor.setFixedWidth(theme.current().px(280))
        self.editors[setting.key] = editor
        about = label(about_default(setting), "quiet", wrap=True)
        under: list[QLabel] = [about]
        if setting.value != setting.running:
            waits = words.t("In effect now: {value}. The change takes effect when the node starts again.")
            under.append(label(waits.format(value=said(setting.running)), "waiting", wrap=True))
        text = column(label(words.t(setting.words), wrap=True), *under, gap=0)
        one = row(text, editor, gap=24)
        one.setStretch(0, 1)
        one.setAlignment(editor, Qt.AlignmentFlag.AlignTop)
        self._sheet.body.addLayout(one)

    def _enable(self) -> None:
        changed = bool(self._settings) and bool(self.changed())
        self._save.setEnabled(changed)
        self._undo.setEnabled(changed)

    def _saved(self, after: tuple[Setting, ...], values: dict[str, object]) -> None:
        waiting = [s for s in after if s.key in values and s.value != s.running]
        self._show(after)
        if waiting:
            self._desk.say(words.t("Saved. What is marked waits for the node's next start."), "waiting")
        else:
            self._desk.say(words.t("Saved; it takes effect at once."), "good")

    def _refused(self, error: Exception) -> None:
        self._enable()
        where = error.where if isinstance(error, ReadingRoomError) else ""
        editor = self.editors.get(where)
        if editor is not None:
            relook(editor, "wrong")
            editor.setFocus()
        self._tell(words.failure(error).words)

    def _refuse_nothing(self) -> None:
        self._tell("")
        for editor in self.editors.values():
            relook(editor, "")

    def _tell(self, text: str) -> None:
        self._words.setText(text)
        self._words.setAccessibleName(f"{words.t('Message')}: {text}" if text else words.t("Message"))

    def _failed(self, error: Exception) -> None:
        self._sheet.empty()
        told = words.failure(error)
        self._sheet.body.addWidget(label(told.title, "wrong"))
        self._sheet.body.addWidget(label(told.words, "quiet", wrap=True))
        self._sheet.body.addLayout(row(button(words.t("Try again"), self.refresh), 1))
        self._sheet.body.addStretch(1)


def editor_of(setting: Setting, changed: Callable[[], object]) -> Editor:
    """The control for a kind of value."""
    if setting.kind == "yes or no":
        box = QCheckBox(words.t("yes"))
        box.setChecked(bool(setting.value))
        box.toggled.connect(lambda _on: changed())
        return box
    text = QLineEdit(said(setting.value))
    text.setPlaceholderText(said(setting.default))
    text.setProperty("kind", setting.kind)
    if setting.kind == "number":
        text.setValidator(QIntValidator(0, MOST, text))
    text.textChanged.connect(lambda _text: changed())
    return text


def value_of(editor: Editor) -> object:
    """What a control says, as the archive takes it."""
    if isinstance(editor, QCheckBox):
        return editor.isChecked()
    text = editor.text().strip()
    if editor.property("kind") == "list":
        return [part.strip() for part in text.split(",") if part.strip()]
    if editor.property("kind") == "number":
        return int(text) if text.isdigit() else None  # none is said: the default
    return text


def said(value: object) -> str:
    """A value for people."""
    if isinstance(value, bool):
        return words.t("yes") if value else words.t("no")
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def about_default(setting: Setting) -> str:
    """The default, and whether a change waits for the next start."""
    default = words.t("Default: {value}").format(value=said(setting.default) or words.t("nothing"))
    return f"{default} · {words.t('needs a start')}" if setting.restart else default
