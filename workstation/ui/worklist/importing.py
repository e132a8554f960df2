"""Images brought in by hand: dropped on the window or chosen, with progress and a list of what stayed out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QDialog, QFileDialog, QFrame, QLabel, QProgressBar, QWidget

from pacs_core.archive.models import ImportLine
from pacs_core.domain.access import Verb
from workstation.session.importing import Import, ImportState
from workstation.ui import theme, words
from workstation.ui.commands import Command
from workstation.ui.desk import Desk
from workstation.ui.widgets.basics import button, column, label, relook, row, tool
from workstation.ui.widgets.table import Cell, Column, RowsModel, Table

LOOK_MS = 150
OUTCOMES = {
    "not DICOM": ("No DICOM", "quiet"),
    "not storable": ("Cannot be kept", "waiting"),
    "refused": ("Refused", "wrong"),
    "failed": ("Failed", "wrong"),
}


class ImportStrip(QFrame):
    """A line over the worklist while images are brought in, and what became of them when it is over."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._import: Import | None = None
        self.setProperty("look", "panel")
        self._icon, self._words = QLabel(), label("", "", name=words.t("Import"), wrap=True)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(theme.current().px(160))
        self._bar.setAccessibleName(words.t("Import progress"))
        self._stop = button(words.t("Stop"), self.stop, name=words.t("Stop the import"))
        self._list = button(words.t("What stayed out …"), self.show_left_out)
        self._close = tool("close", words.t("Dismiss"), self._dismiss)
        layout = row(
            self._icon, self._words, self._bar, self._list, self._stop, self._close, margin=(12, 4), gap=12
        )
        layout.setStretch(1, 1)
        self.setLayout(layout)
        self._look = QTimer(self, interval=LOOK_MS)
        self._look.timeout.connect(self.refresh)
        self.hide()
        self._add_commands()
        desk.closing.append(self._look.stop)
        self.follow(desk.imports.running)

    def _add_commands(self) -> None:
        place = words.t("Worklist")
        may = self._may
        self._desk.commands.add(
            Command(
                "worklist.import_folder",
                words.t("Import a folder or disc …"),
                self._choose_folder,
                place,
                ("Ctrl+I",),
                icon="folder-open-outline",
                enabled=may,
            ),
            Command(
                "worklist.import_files",
                words.t("Import files or a zip …"),
                self._choose_files,
                place,
                ("Ctrl+Shift+I",),
                icon="folder-open-outline",
                enabled=may,
            ),
        )

    def _may(self) -> bool:
        return self._desk.may(Verb.STORE)

    # ── beginning and ending ─────────────────────────────────────────────────────────────────────────

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self.window(), words.t("Import a folder or disc"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        self._choose(dialog)

    def _choose_files(self) -> None:
        dialog = QFileDialog(self.window(), words.t("Import files or a zip"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        self._choose(dialog)

    def _choose(self, dialog: QFileDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(lambda names: self.bring([Path(name) for name in names]))
        dialog.open()

    def bring(self, paths: Sequence[Path]) -> None:
        """Bring these in, after what is being brought in already."""
        if not paths:
            return
        if not self._may():
            self._desk.say(words.t("Your role may not bring images in."), "wrong")
            return
        desk = self._desk
        desk.go("worklist")
        self.follow(desk.imports.begin(lambda: desk.archive.studies, paths))

    def follow(self, running: Import | None) -> None:
        """Show this import, begun here or by a window that was built anew since."""
        self._import = running
        if running is not None:
            self._look.start()
            self.refresh()

    def stop(self) -> None:
        if self._import is not None:
            self._import.stop()

    def _dismiss(self) -> None:
        self._desk.imports.forget()
        self._import = None
        self.hide()

    # ── showing ──────────────────────────────────────────────────────────────────────────────────────

    def refresh(self) -> None:
        if self._import is None:
            return
        state = self._import.state()
        if state.over:
            self._look.stop()
        told, token = self._told(state)
        icon = {"good": "check-circle-outline", "waiting": "alert-outline", "wrong": "alert-octagon-outline"}
        self._icon.setPixmap(theme.pixmap(icon.get(token, "progress-download"), token or "accent"))
        self._words.setText(told)
        self._words.setAccessibleName(told)
        relook(self._words, token)
        self._bar.setRange(0, state.total)
        self._bar.setValue(state.files)
        for part, there in (
            (self._bar, not state.over),
            (self._stop, not state.over),
            (self._list, state.over and state.refused > 0),
            (self._close, state.over),
        ):
            part.setVisible(there)
        self.show()

    def _told(self, state: ImportState) -> tuple[str, str]:
        assert self._import is not None
        if not state.over:
            names = ", ".join(path.name or str(path) for path in self._import.paths)
            told = words.t("Importing {name}: {files} of about {total} files, {stored} stored")
            stored = state.outcomes["stored"]
            return told.format(name=names, files=state.files, total=state.total, stored=stored), ""
        facts = [words.count(state.outcomes["stored"], words.t("image stored"), words.t("images stored"))]
        if state.outcomes["already there"]:
            facts.append(words.t("{n} already there").format(n=state.outcomes["already there"]))
        if state.refused:
            facts.append(words.t("{n} stayed out").format(n=state.refused))
        facts.append(words.count(state.studies, words.t("study"), words.t("studies")))
        told = " · ".join(facts)
        if state.error is not None:
            return f"{words.t('The import ended early')}: {words.failure(state.error).words} {told}", "wrong"
        if state.stopped:
            return f"{words.t('The import was stopped')}: {told}", "waiting"
        return f"{words.t('Imported')}: {told}", "waiting" if state.amiss else "good"

    def show_left_out(self) -> None:
        """Every file that stayed out, with the reason."""
        if self._import is not None:
            LeftOut(self.window(), self._import.left_out()).open()


def _outcome(line: ImportLine) -> Cell:
    word, token = OUTCOMES.get(line.outcome, (line.outcome, "waiting"))
    return Cell(words.t(word), token=token)


COLUMNS: tuple[Column[ImportLine], ...] = (
    Column("path", "File", lambda line: Cell(line.path, tip=line.path), 420, stretch=True),
    Column("outcome", "Outcome", _outcome, 130),
    Column("words", "Why", lambda line: Cell(line.words, tip=line.words), 330, stretch=True),
)


class LeftOut(QDialog):
    """The files of an import that are not in the archive."""

    def __init__(self, parent: QWidget, lines: Sequence[ImportLine]) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        title = words.t("What stayed out")
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        model: RowsModel[ImportLine] = RowsModel(COLUMNS, lambda line: line.path)
        model.replace(lines)
        self.table = Table(model, title)
        about = words.t("These files are not in the archive. Everything else of the import is.")
        self.setLayout(
            column(
                label(title, "title"),
                label(about, "quiet", wrap=True),
                self.table,
                row(1, button(words.t("Close"), self.reject, "main")),
                margin=(20,),
                gap=10,
            )
        )
        px = theme.current().px
        self.resize(min(px(960), parent.width()), min(px(560), parent.height()))
