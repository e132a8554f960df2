"""A day at the desk: find or make a patient, place an order, see today's steps per station, move and
cancel them.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QDate, Qt, QTimer
from PySide6.QtWidgets import QComboBox, QDateEdit, QFrame, QSplitter, QWidget

from pacs_core.archive.models import DayView, OrderForm, OrderView, PatientForm, PatientView, StepView
from workstation.ui import language, theme, words
from workstation.ui.commands import Command
from workstation.ui.desk import Desk
from workstation.ui.schedule import forms
from workstation.ui.widgets.basics import Elided, button, column, line, panel, row, search_field, tool
from workstation.ui.widgets.flow import Flow, bar
from workstation.ui.widgets.form import FormDialog, ask_yes
from workstation.ui.widgets.states import Stateful
from workstation.ui.widgets.table import Cell, Column, RowsModel, Table

REFRESH_MS = 150


def _step(order: OrderView) -> StepView | None:
    return order.steps[0] if order.steps else None


def _state(order: OrderView) -> Cell:
    step = _step(order)
    state = words.state(
        words.STEP,
        order.state if order.state in ("cancelled", "discontinued") else step.state if step else order.state,
    )
    return Cell(words.t(state.word), state.icon, state.token)


def _start(order: OrderView) -> Cell:
    step = _step(order)
    return Cell(words.clock(step.start_time) if step else "", bold=True)


def _station(order: OrderView) -> Cell:
    step = _step(order)
    return Cell((step.station_aet or words.t("any")) if step else "", trailing=step.location if step else "")


def _accession(order: OrderView) -> Cell:
    return Cell(order.accession, trailing=words.t("ours") if order.accession_is_ours else "")


STEPS: tuple[Column[OrderView], ...] = (
    Column(
        "start",
        "Time",
        _start,
        72,
        order=lambda o: (_step(o).start_date, _step(o).start_time) if _step(o) else ("", ""),
    ),
    Column("station", "Station", _station, 140),
    Column("state", "State", _state, 136),
    Column(
        "priority",
        "Priority",
        lambda o: (
            Cell(words.t("STAT"), "alert-decagram-outline", "wrong", bold=True)
            if o.priority == "STAT"
            else Cell(words.t(o.priority.capitalize()) if o.priority != "ROUTINE" else "")
        ),
        92,
        keep=3,
    ),
    Column("patient", "Patient", lambda o: Cell(o.patient.display_name, bold=True), 190, stretch=True),
    Column("age", "Age", lambda o: Cell(words.sex_and_age(o.patient.sex, o.patient.birth_date)), 92, keep=2),
    Column("modality", "Mod.", lambda o: Cell(_step(o).modality if _step(o) else ""), 64),
    Column("procedure", "Procedure", lambda o: Cell(o.procedure, tip=o.indication), 220, stretch=True),
    Column(
        "images",
        "Images",
        lambda o: Cell(
            str(o.images) if o.images else words.t("none yet"), token="text" if o.images else "quiet"
        ),
        88,
    ),
    Column("accession", "Accession", _accession, 150, keep=1),
)
PEOPLE: tuple[Column[PatientView], ...] = (
    Column(
        "name", "Patient", lambda p: Cell(p.display_name or words.t("No name"), bold=True), 150, stretch=True
    ),
    Column("age", "Age", lambda p: Cell(words.sex_and_age(p.sex, p.birth_date)), 92),
    Column("id", "ID", lambda p: Cell(p.patient_id, trailing=p.issuer), 150),
)


class SchedulePage(QWidget):
    """People on the left, the day on the right."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._day: DayView | None = None
        self._dialog: FormDialog | None = None
        self.people: RowsModel[PatientView] = RowsModel(PEOPLE, lambda p: p.key)
        self.steps: RowsModel[OrderView] = RowsModel(STEPS, lambda o: o.id)
        self.people_table = Table(self.people, words.t("Patients"))
        self.steps_table = Table(
            self.steps, words.t("Steps of the day"), desk.preferences.columns.get("schedule")
        )
        self._people, self._steps = (
            Stateful(self.people_table, words.t("Patients")),
            Stateful(self.steps_table, words.t("Day")),
        )
        self.search = search_field(words.t("Search patients"), words.t("Search patients by name or ID"))
        self._date = QDateEdit()
        self._date.setCalendarPopup(True)
        self._station = QComboBox()
        self._about = Elided("", "quiet").yielding()
        self._about.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._build()
        self._listen()
        self._ask_people()
        self.refresh()

    # ── building ─────────────────────────────────────────────────────────────────────────────────────

    def _build(self) -> None:
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(theme.current().px(4))
        split.addWidget(self._left())
        split.addWidget(self._right())
        split.setStretchFactor(1, 1)
        split.setSizes([theme.current().px(470), theme.current().px(1000)])
        self.setLayout(column(split, gap=0))

    def _left(self) -> QFrame:
        self._new_order = button(words.t("New order"), self.new_order, "main", icon="calendar-plus")
        self._change = tool("account-edit-outline", words.t("Change the patient"), self.change_patient)
        buttons = row(
            button(words.t("New patient"), self.new_patient, icon="account-plus-outline"),
            self._change,
            1,
            self._new_order,
            margin=(12, 8),
        )
        top = row(self.search, margin=(12, 8))
        answer = panel(
            column(top, line(), self._people, line(), buttons, gap=0), "ground", words.t("Patients")
        )
        answer.layout().setStretch(2, 1)
        answer.setMinimumWidth(theme.current().px(340))
        return answer

    def _right(self) -> QFrame:
        self._date.setLocale(language.locale())
        self._date.setDisplayFormat("yyyy-MM-dd ddd")
        self._date.setAccessibleName(words.t("Day shown"))
        self._date.setDate(QDate.currentDate())
        self._date.setMinimumWidth(theme.current().px(156))
        self._station.setAccessibleName(words.t("Station shown"))
        self._station.addItem(words.t("All stations"), "")
        self._station.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        top = Flow(margin=(12, 8))
        top.add(
            tool("chevron-left", words.t("Day before"), lambda: self._move(-1)),
            self._date,
            tool("chevron-right", words.t("Day after"), lambda: self._move(1)),
            button(words.t("Today"), lambda: self._show_day("")),
            self._station,
        )
        top.add(self._about, pushed=True)
        self._later = button(words.t("Reschedule"), self.reschedule, icon="calendar-clock")
        self._note = button(
            words.t("Note"), self.note, icon="note-edit-outline", name=words.t("Technologist's note")
        )
        self._cancel = button(words.t("Cancel order"), self.cancel, "danger", icon="cancel")
        foot = Flow(margin=(12, 8))
        foot.add(self._later, self._note)
        foot.add(self._cancel, pushed=True)
        whole = column(bar(top), line(), self._steps, line(), bar(foot), gap=0)
        answer = panel(whole, "ground", words.t("Day"))
        answer.layout().setStretch(2, 1)
        return answer

    def _listen(self) -> None:
        self._late = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._late.timeout.connect(self.refresh)
        self._typed = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._typed.timeout.connect(self._ask_people)
        self._desk.bridge.changed.connect(self._changed)
        self._desk.bridge.back.connect(self.refresh)
        self.search.textChanged.connect(lambda _t: self._typed.start())
        self._date.dateChanged.connect(lambda _d: self.refresh())
        self._station.activated.connect(lambda _n: self.refresh())
        self.people_table.chosen.connect(lambda _p: self._enable())
        self.people_table.opened.connect(lambda _p: self.new_order())
        self.steps_table.chosen.connect(lambda _o: self._enable())
        self.steps_table.opened.connect(lambda _o: self.reschedule())
        place = words.t("Schedule")
        patient = lambda: self.people_table.current_row() is not None  # noqa: E731  (one of two)
        order = lambda: self.steps_table.current_row() is not None  # noqa: E731  (one of two)
        self._desk.commands.add(
            Command(
                "schedule.patient",
                words.t("New patient"),
                self.new_patient,
                place,
                icon="account-plus-outline",
            ),
            Command(
                "schedule.order",
                words.t("New order for the chosen patient"),
                self.new_order,
                place,
                ("Ctrl+N",),
                icon="calendar-plus",
                enabled=patient,
            ),
            Command(
                "schedule.reschedule",
                words.t("Reschedule the chosen order"),
                self.reschedule,
                place,
                enabled=order,
            ),
            Command("schedule.cancel", words.t("Cancel the chosen order"), self.cancel, place, enabled=order),
        )
        self._enable()

    def _changed(self, _changes: object) -> None:
        if not self._late.isActive():
            self._late.start()

    def entered(self) -> None:
        self.search.setFocus()
        self.refresh()

    def _enable(self) -> None:
        patient, order = self.people_table.current_row(), self.steps_table.current_row()
        self._new_order.setEnabled(patient is not None)
        self._change.setEnabled(patient is not None)
        over = order is None or order.state in ("cancelled", "discontinued", "completed")
        self._later.setEnabled(not over)
        self._cancel.setEnabled(not over)
        self._note.setEnabled(order is not None)

    # ── asking ───────────────────────────────────────────────────────────────────────────────────────

    def _ask_people(self) -> None:
        text, archive = self.search.text().strip(), self._desk.archive
        self._desk.tasks.ask(
            self,
            words.t("find patients"),
            lambda: archive.schedule.patients(text),
            self._show_people,
            lambda error: self._people.failed(error, self._ask_people),
        )

    def _show_people(self, people: tuple[PatientView, ...]) -> None:
        self.people.replace(people)
        if people:
            self._people.ready()
        else:
            self._people.say(
                "empty", words.t("No patient found"), words.t("Make a new one, or search for another name.")
            )
        self._enable()

    def refresh(self) -> None:
        day, station, archive = (
            self._date.date().toString("yyyy-MM-dd"),
            self._station.currentData() or "",
            self._desk.archive,
        )
        if self._day is None:
            self._steps.loading(words.t("Loading the day"))
            day = ""
        self._desk.tasks.ask(
            self,
            words.t("read the day"),
            lambda: archive.schedule.day(day, station),
            self._show_steps,
            lambda error: self._steps.failed(error, self.refresh),
        )

    def _show_steps(self, day: DayView) -> None:
        self._day = day
        self._date.blockSignals(True)
        self._date.setDate(QDate.fromString(day.date, "yyyy-MM-dd"))
        self._date.blockSignals(False)
        self._show_stations(day.stations)
        ordered = sorted(
            day.orders, key=lambda o: (_step(o).start_time, _step(o).station_aet) if _step(o) else ("", "")
        )
        self.steps.replace(ordered)
        today = words.t("today") if day.date == day.today else ""
        told = [words.count(len(day.orders), words.t("step"), words.t("steps")), today, day.zone]
        self._about.setText(" · ".join(t for t in told if t))
        if ordered:
            self._steps.ready()
        else:
            self._steps.say(
                "empty",
                words.t("Nothing is scheduled"),
                words.t("Orders of this day appear here, from the RIS or placed by hand."),
            )
        self._enable()

    def _show_stations(self, stations: tuple[str, ...]) -> None:
        there = [self._station.itemData(n) for n in range(1, self._station.count())]
        for station in stations:
            if station and station not in there:
                self._station.addItem(station, station)

    def _move(self, days: int) -> None:
        self._date.setDate(self._date.date().addDays(days))

    def _show_day(self, day: str) -> None:
        today = day or (self._day.today if self._day else "")
        self._date.setDate(QDate.fromString(today, "yyyy-MM-dd") if today else QDate.currentDate())

    # ── changing ─────────────────────────────────────────────────────────────────────────────────────

    def _open(self, dialog: FormDialog) -> None:
        self._dialog = dialog
        dialog.open()
        first = next(iter(dialog.form.fields.values()))
        first.setFocus()

    def _act(self, what: str, work: Callable[[], object], done: Callable[[object], object]) -> None:
        dialog = self._dialog

        def finished(answer: object) -> None:
            if dialog is not None:
                dialog.done_with()
            done(answer)
            self.refresh()

        self._desk.tasks.act(self, what, work, finished, dialog.refuse if dialog is not None else None)

    def new_patient(self) -> None:
        self._desk.go("schedule")
        self._open(forms.patient_dialog(self, None, self._save_patient))

    def change_patient(self) -> None:
        patient = self.people_table.current_row()
        if patient is not None:
            self._open(forms.patient_dialog(self, patient, self._save_patient))

    def _save_patient(self, form: PatientForm) -> None:
        archive = self._desk.archive
        self._act(
            words.t("save the patient"), lambda: archive.schedule.save_patient(form), self._patient_saved
        )

    def _patient_saved(self, patient: object) -> None:
        assert isinstance(patient, PatientView)
        self._desk.say(
            words.t("{name} is saved with the ID {id}").format(
                name=patient.display_name, id=patient.patient_id
            ),
            "good",
        )
        self.search.setText(patient.patient_id)
        self.people.replace([patient])
        self._people.ready()
        self.people_table.choose(patient.key)

    def new_order(self) -> None:
        patient = self.people_table.current_row()
        if patient is not None:
            day = self._date.date().toString("yyyy-MM-dd")
            stations = self._day.stations if self._day else ()
            self._open(forms.order_dialog(self, patient, day, stations, self._place))

    def _place(self, form: OrderForm) -> None:
        archive = self._desk.archive
        self._act(
            words.t("place the order"),
            lambda: archive.schedule.place_order(form),
            lambda order: self._desk.say(
                words.t("Order placed with accession {number}").format(
                    number=getattr(order, "accession", "")
                ),
                "good",
            ),
        )

    def reschedule(self) -> None:
        order = self.steps_table.current_row()
        if order is None or not self._later.isEnabled():
            return
        archive, stations = self._desk.archive, self._day.stations if self._day else ()

        def save(day: str, time: str, station: str) -> None:
            self._act(
                words.t("reschedule"),
                lambda: archive.schedule.reschedule(order.id, day, time, station),
                lambda _order: self._desk.say(
                    words.t("Moved to {when}").format(when=words.when(day, time)), "good"
                ),
            )

        self._open(forms.reschedule_dialog(self, order, stations, save))

    def note(self) -> None:
        order, archive = self.steps_table.current_row(), self._desk.archive
        if order is not None:
            self._open(
                forms.note_dialog(
                    self,
                    order,
                    lambda text: self._act(
                        words.t("save the note"),
                        lambda: archive.schedule.note(order.id, text),
                        lambda _order: self._desk.say(
                            words.t("The note is saved; the reader sees it."), "good"
                        ),
                    ),
                )
            )

    def cancel(self) -> None:
        order, archive = self.steps_table.current_row(), self._desk.archive
        if order is None or not self._cancel.isEnabled():
            return
        self._dialog = None
        text = words.t(
            "The order of {name} ({procedure}, {accession}) will be cancelled. Stations no longer see it; "
            "images that already came stay linked."
        ).format(name=order.patient.display_name, procedure=order.procedure, accession=order.accession)
        ask_yes(
            self,
            words.t("Cancel this order?"),
            text,
            words.t("Cancel the order"),
            lambda: self._act(
                words.t("cancel the order"),
                lambda: archive.schedule.cancel(order.id),
                lambda _order: self._desk.say(words.t("Order cancelled"), "good"),
            ),
        )
