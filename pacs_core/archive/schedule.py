"""The front desk's part of the archive: patients, orders and their day."""

from __future__ import annotations

from pacs_core.archive import models as m
from pacs_core.archive import views as v
from pacs_core.archive.part import Part
from pacs_core.domain.errors import Conflict, InvalidValue, NotFound
from pacs_core.domain.identifiers import PatientIdentifier, check_person_name
from pacs_core.domain.order import BY_HAND, PlaceOrder, Priority, StepRequest
from pacs_core.domain.patient import RegisterPatient
from pacs_core.domain.times import civil_date, civil_time, no_date


class Schedule(Part):
    """Implements `protocol.Schedule`."""

    def day(self, date: str = "", station: str = "") -> m.DayView:
        today = self.services.clock.civil_now().date().isoformat()
        day = civil_date(date) if date else today
        if not day:
            raise InvalidValue(no_date(date, "a date"), "date")
        rows = self.services.orders.on_day(day, station)
        stations = {p.title for p in self.services.configuring.peers() if p.modality}
        stations |= {s.station_aet for order, *_ in rows for s in order.steps if s.station_aet}
        return m.DayView(
            date=day,
            today=today,
            zone=self.services.clock.zone_name,
            orders=tuple(v.order_view(*row) for row in rows),
            stations=tuple(sorted(stations)),
        )

    def patients(self, text: str, limit: int = 50) -> tuple[m.PatientView, ...]:
        with self.services.index.read() as tx:
            return tuple(v.patient_view(patient) for patient in tx.patients.search(text, limit))

    def save_patient(self, form: m.PatientForm) -> m.PatientView:
        birth = civil_date(form.birth_date) if form.birth_date else ""
        if form.birth_date and not birth:
            raise InvalidValue(no_date(form.birth_date, "a birth date"), "birth_date")
        if birth > self.services.clock.civil_now().date().isoformat():
            raise InvalidValue(f"the birth date {birth} is still to come", "birth_date")
        if form.sex not in ("", "M", "F", "O"):
            raise InvalidValue("the sex is M, F, O or left empty", "sex")
        if not form.name.strip("^ "):
            raise InvalidValue("a patient needs a name", "name")
        check_person_name(form.name, "name")
        identifier = PatientIdentifier(form.patient_id.strip(), form.issuer.strip())
        if identifier.value and form.new:
            self._refuse_known(identifier)
        command = RegisterPatient(
            identifier=identifier,
            name=form.name.strip(),
            birth_date=birth,
            sex=form.sex,
            address=form.address,
            phone=form.phone,
            weight_kg=form.weight_kg,
            allergies=form.allergies,
            alerts=form.alerts,
            pregnancy=form.pregnancy,
            event="by hand",
        )
        return v.patient_view(self.services.patients.register_by_hand(command, self.actor.name))

    def _refuse_known(self, identifier: PatientIdentifier) -> None:
        with self.services.index.read() as tx:
            known = tx.patients.find(identifier)
        if known is not None:
            raise Conflict(
                f"the patient ID {identifier.value} is taken: it is another patient's", "patient_id"
            )

    def merge_patients(self, survivor_key: int, subsumed_key: int) -> m.PatientView:
        return v.patient_view(self.services.patients.merge_rows(survivor_key, subsumed_key, self.actor.name))

    def place_order(self, form: m.OrderForm) -> m.OrderView:
        identifier = PatientIdentifier(form.patient_id, form.issuer)
        with self.services.index.read() as tx:
            if tx.patients.find(identifier) is None:
                raise NotFound(f"no patient has the ID {form.patient_id}", "patient_id")
            if form.accession.strip() and tx.orders.by_accession(form.accession.strip()):
                raise Conflict(f"there is an order with the accession number {form.accession}", "accession")
        order = self.services.orders.place(_order_command(form, identifier), self.actor.name)
        return self.order(order.id)

    def order(self, order_id: int) -> m.OrderView:
        order, patient = self.services.orders.get(order_id)
        with self.services.index.read() as tx:
            studies = tx.studies.of_order(order_id)
        images = sum(s.instance_count for s in studies)
        return v.order_view(order, patient, images, tuple(s.study_uid for s in studies))

    def reschedule(
        self, order_id: int, start_date: str, start_time: str, station_aet: str = ""
    ) -> m.OrderView:
        day, time = _civil(start_date, start_time)
        self.services.orders.reschedule(order_id, day, time, station_aet, self.actor.name)
        return self.order(order_id)

    def cancel(self, order_id: int, reason: str = "") -> m.OrderView:
        self.services.orders.cancel_row(order_id, reason, self.actor.name)
        return self.order(order_id)

    def note(self, order_id: int, technologist_note: str) -> m.OrderView:
        self.services.orders.note(order_id, technologist_note, self.actor.name)
        return self.order(order_id)


def _order_command(form: m.OrderForm, identifier: PatientIdentifier) -> PlaceOrder:
    day, time = _civil(form.start_date, form.start_time)
    try:
        priority = Priority(form.priority)
    except ValueError:
        raise InvalidValue(f"no priority {form.priority}", "priority") from None
    if not form.modality:
        raise InvalidValue("an order needs a modality", "modality")
    if not form.procedure.strip():
        raise InvalidValue("an order says which procedure it is for", "procedure")
    return PlaceOrder(
        patient=RegisterPatient(identifier, event="order by hand"),
        accession=form.accession.strip(),
        priority=priority,
        procedure_description=form.procedure,
        body_part=form.body_part,
        laterality=form.laterality,
        indication=form.indication,
        question=form.question,
        referring_physician=form.referring_physician,
        referring_phone=form.referring_phone,
        contrast=form.contrast,
        technologist_note=form.technologist_note,
        steps=(
            StepRequest(
                modality=form.modality, start_date=day, start_time=time, station_aet=form.station_aet
            ),
        ),
        source=BY_HAND,
    )


def _civil(day: str, time: str) -> tuple[str, str]:
    date, clock = civil_date(day), civil_time(time)
    if day and not date:
        raise InvalidValue(no_date(day, "a date"), "start_date")
    if time and not clock:
        raise InvalidValue("a time is written HH:MM", "start_time")
    return date, clock
