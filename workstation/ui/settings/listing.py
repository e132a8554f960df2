"""A settings page that is a table with add, change and remove, each a small form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtWidgets import QWidget

from workstation.ui import words
from workstation.ui.desk import Desk
from workstation.ui.widgets.basics import button, column, label, line, row
from workstation.ui.widgets.form import Form, FormDialog, ask_yes
from workstation.ui.widgets.states import Stateful
from workstation.ui.widgets.table import Column, RowsModel, Table

R = TypeVar("R")


@dataclass(frozen=True)
class Subject(Generic[R]):
    """What a listing page lists and how it is changed. `remove` None: it cannot be; `extra` are further
    buttons.
    """

    name: str
    one: str
    about: str
    empty: str
    columns: tuple[Column[R], ...]
    identity: Callable[[R], object]
    read: Callable[[], tuple[R, ...]]
    form: Callable[[R | None], Form]
    save: Callable[[R | None, dict[str, str]], object]
    remove: Callable[[R], object] | None = None
    extra: tuple[tuple[str, str, Callable[[R], object]], ...] = ()
    changes: bool = True
    saved: Callable[[Any], str] | None = None


class Listing(QWidget, Generic[R]):
    """One settings page."""

    def __init__(self, desk: Desk, subject: Subject[R]) -> None:
        super().__init__()
        self._desk, self._subject = desk, subject
        self.model: RowsModel[R] = RowsModel(subject.columns, subject.identity)
        self.table = Table(self.model, subject.name)
        self._body = Stateful(self.table, subject.name)
        self._dialog: FormDialog | None = None
        add = button(
            words.t("Add"),
            lambda: self._edit(None),
            "main",
            icon="plus",
            name=f"{words.t('Add')}: {subject.one}",
        )
        self._buttons = []
        if subject.changes:
            self._buttons.append(
                button(words.t("Change"), lambda: self._edit(self.table.current_row()), icon="pencil-outline")
            )
        for name, icon, run in subject.extra:
            self._buttons.append(button(name, lambda r=run: self._extra(r), icon=icon))
        if subject.remove is not None:
            self._buttons.append(button(words.t("Remove"), self._remove, "danger", icon="delete-outline"))
        head = column(
            label(subject.name, "heading"), label(subject.about, "quiet", wrap=True), margin=(24, 16), gap=4
        )
        whole = column(head, line(), self._body, line(), row(add, 1, *self._buttons, margin=(24, 8)), gap=0)
        whole.setStretch(2, 1)
        self.setLayout(whole)
        self.table.chosen.connect(lambda _r: self._enable())
        if subject.changes:
            self.table.opened.connect(self._edit)
        self._body.loading()
        self.refresh()

    def refresh(self) -> None:
        self._desk.tasks.ask(
            self,
            f"{words.t('read')} {self._subject.name}",
            self._subject.read,
            self._show,
            lambda error: self._body.failed(error, self.refresh),
        )

    def _show(self, rows: tuple[R, ...]) -> None:
        self.model.replace(rows)
        if rows:
            self._body.ready()
            if self.table.current_row() is None:
                self.table.setCurrentIndex(self.model.index(0, 0))
        else:
            self._body.say("empty", self._subject.empty)
        self._enable()

    def _enable(self) -> None:
        for control in self._buttons:
            control.setEnabled(self.table.current_row() is not None and bool(self.model.rows))

    def _edit(self, thing: R | None) -> None:
        title = f"{words.t('Change') if thing is not None else words.t('Add')}: {self._subject.one}"
        dialog = FormDialog(
            self, title, self._subject.form(thing), words.t("Save"), lambda values: self._save(thing, values)
        )
        self._dialog = dialog
        dialog.open()
        next(iter(dialog.form.fields.values())).setFocus()

    def _save(self, thing: R | None, values: dict[str, str]) -> None:
        dialog = self._dialog
        assert dialog is not None

        def saved(answer: object) -> None:
            dialog.done_with()
            said = self._subject.saved(answer) if self._subject.saved is not None else ""
            self._desk.say(said or words.t("Saved; it takes effect at once."), "good")
            self.refresh()

        self._desk.tasks.act(
            self,
            f"{words.t('save')} {self._subject.one}",
            lambda: self._subject.save(thing, values),
            saved,
            dialog.refuse,
        )

    def _extra(self, run: Callable[[R], object]) -> None:
        thing = self.table.current_row()
        if thing is not None:
            self._desk.tasks.act(self, self._subject.one, lambda: run(thing), self._answered)

    def _answered(self, answer: object) -> None:
        said = getattr(answer, "words", "")
        if said:
            good = getattr(answer, "state", "ok") == "ok"
            self._desk.say(f"{getattr(answer, 'name', '')}: {said}", "good" if good else "wrong")
        self.refresh()

    def _remove(self) -> None:
        thing, remove = self.table.current_row(), self._subject.remove
        if thing is None or remove is None:
            return
        name = str(self._subject.identity(thing))
        ask_yes(
            self,
            words.t("Remove {name}?").format(name=name),
            words.t("It will no longer be known here. What it sent stays."),
            words.t("Remove"),
            lambda: self._desk.tasks.act(
                self, words.t("remove"), lambda: remove(thing), lambda _n: self.refresh()
            ),
        )
