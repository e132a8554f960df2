"""Orders, requested procedures and scheduled steps in the index."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import LABEL_STYLE_TABLENAME_PLUS_COL as _LABELS
from sqlalchemy import Column, ColumnElement, Connection, and_, delete, exists, insert, or_, select, update

from pacs_core.database.prepared import Prepared, among
from pacs_core.database.repositories.patients import OWNERS, may_be_named
from pacs_core.database.schema import (
    counter,
    imaging_order,
    patient,
    requested_procedure,
    scheduled_procedure_step,
    study,
)
from pacs_core.domain.errors import NotFound
from pacs_core.domain.identifiers import AccessionNumber
from pacs_core.domain.order import Code, Order, OrderReference, OrderState, Priority, ScheduledProcedureStep
from pacs_core.domain.records import WorklistKeys

_O = imaging_order.c
_P = requested_procedure.c
_S = scheduled_procedure_step.c

_PLAIN = (
    "placer_number",
    "filler_number",
    "accession_is_ours",
    "indication",
    "question",
    "referring_physician",
    "referring_phone",
    "requesting_physician",
    "contrast",
    "allergies",
    "alerts",
    "pregnancy",
    "technologist_note",
    "admission_id",
    "transport",
    "patient_state",
    "source",
    "placer_issuer",
    "filler_issuer",
)
_STEP_PLAIN = (
    "step_id",
    "modality",
    "start_date",
    "start_time",
    "station_aet",
    "station_name",
    "location",
    "description",
    "performing_physician",
)
_OPEN = (OrderState.SCHEDULED.value, OrderState.IN_PROGRESS.value)


_ORDERS = (
    select(imaging_order, requested_procedure)
    .join(requested_procedure, _P.order_id == _O.id)
    .order_by(_O.id)
    .set_label_style(_LABELS)
)
"""Every order with its procedure, built once; a question says which."""

_COLUMNS = [f"{column.table.name}_{column.name}" for column in (*_O, *_P)]
_OF_OWNERS = _O.patient_id.in_(OWNERS)
_STEP_COLUMNS = _S.keys()
_ORDERS_BY_ID = Prepared(_ORDERS.where(_O.id.in_(among("ids"))))
_STEPS_OF = Prepared(select(scheduled_procedure_step).where(_S.order_id.in_(among("ids"))).order_by(_S.id))


class OrderRows:
    """Implements `ports.Orders`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, order_id: int) -> Order:
        """One order; raises NotFound."""
        found = self._orders(_O.id == order_id)
        if not found:
            raise NotFound(f"no order in row {order_id}", "order")
        return found[0]

    def of_rows(self, order_ids: Iterable[int]) -> dict[int, Order]:
        """Many orders by their row."""
        rows = _ORDERS_BY_ID.rows(self._connection, {"ids": json.dumps(list(set(order_ids)))})
        found = self._with_steps([dict(zip(_COLUMNS, row, strict=True)) for row in rows])
        return {order.id: order for order in found}

    def with_numbers(self, reference: OrderReference) -> Sequence[Order]:
        """Orders with any of the reference's numbers, in the order in which they were placed."""
        numbers = (
            (_O.placer_number, reference.placer_number),
            (_O.filler_number, reference.filler_number),
            (_O.accession, reference.accession),
        )
        given = [column == value for column, value in numbers if value]
        return self._orders(or_(*given)) if given else []

    def by_accession(self, accession: str, issuer: str = "") -> Sequence[Order]:
        """Orders with that accession number; an empty issuer on either side fits."""
        found = self._orders(_O.accession == accession)
        return [o for o in found if not issuer or not o.accession.issuer or o.accession.issuer == issuer]

    def by_study_uid(self, study_uid: str) -> Sequence[Order]:
        """Orders whose procedure was given that Study Instance UID."""
        return self._orders(_P.study_uid == study_uid)

    def by_step_id(self, step_id: str, patient_id: int) -> Sequence[Order]:
        """Orders of a patient with that scheduled procedure step ID."""
        return self._orders(
            _O.patient_id == patient_id,
            exists().where(_S.order_id == _O.id, _S.step_id == step_id),
        )

    def of_patient(self, patient_id: int) -> Sequence[Order]:
        """All orders of a patient, newest first."""
        return self._orders(_O.patient_id == patient_id)[::-1]

    def add(self, order: Order, at: str) -> Order:
        """Insert an order with its procedure and steps."""
        values = {**_order_values(order), "created_at": at, "changed_at": at}
        order_id = int(self._connection.execute(insert(imaging_order), values).lastrowid)
        self._connection.execute(
            insert(requested_procedure), {"order_id": order_id, **_procedure_values(order)}
        )
        steps = []
        for step in order.steps:
            values = {"order_id": order_id, **_step_values(step)}
            key = self._connection.execute(insert(scheduled_procedure_step), values).lastrowid
            steps.append(replace(step, id=int(key)))
        return replace(order, id=order_id, steps=tuple(steps))

    def save(self, order: Order, at: str) -> Order:
        """Replace an order by row id; its steps are replaced as a whole, those with a row id keep it."""
        self._connection.execute(
            update(imaging_order).where(_O.id == order.id).values(**_order_values(order), changed_at=at)
        )
        self._connection.execute(
            update(requested_procedure).where(_P.order_id == order.id).values(**_procedure_values(order))
        )
        kept = [step.id for step in order.steps if step.id]
        self._connection.execute(
            delete(scheduled_procedure_step).where(_S.order_id == order.id, _S.id.not_in(kept))
        )
        for step in order.steps:
            if step.id:
                self._connection.execute(
                    update(scheduled_procedure_step).where(_S.id == step.id).values(**_step_values(step))
                )
            else:
                self._connection.execute(
                    insert(scheduled_procedure_step), {"order_id": order.id, **_step_values(step)}
                )
        return self.get(order.id)

    def on_day(self, date: str, station: str) -> Sequence[Order]:
        """Orders with a step on a civil day, in order of time."""
        step = select(_S.order_id).where(_S.start_date == date)
        if station:
            step = step.where(_S.station_aet == station)
        found = self._orders(_O.id.in_(step))
        return sorted(found, key=lambda o: (min((s.start_time for s in o.steps), default=""), o.id))

    def waiting(self, limit: int) -> Sequence[Order]:
        """Orders scheduled or in progress without any study."""
        found = self._orders(_O.state.in_(_OPEN), ~exists().where(study.c.order_id == _O.id), limit=limit)
        return sorted(
            found, key=lambda o: min(((s.start_date, s.start_time) for s in o.steps), default=("", ""))
        )

    def scheduled_steps(self, keys: WorklistKeys) -> Sequence[tuple[Order, ScheduledProcedureStep]]:
        """Steps that may fit, by the keys the index can answer; the caller applies the exact rules."""
        where: list[ColumnElement[bool]] = [_S.order_id == _O.id, _O.state.in_(_OPEN), _S.state.in_(_OPEN)]
        low, high = keys.start_date
        if low:
            where.append(_S.start_date >= low)
        if high:
            where.append(_S.start_date <= high)
        if keys.modalities:
            where.append(or_(*(like(_S.modality, wanted) for wanted in keys.modalities)))
        if keys.station_aet:
            where.append(or_(_S.station_aet == "", like(_S.station_aet, keys.station_aet)))
        if keys.accession:
            where.append(like(_O.accession, keys.accession))
        if keys.study_uids:
            where.append(_O.id.in_(select(_P.order_id).where(_P.study_uid.in_(keys.study_uids))))
        if any(keys.birth_date):
            low, high = keys.birth_date
            born = and_(patient.c.birth_date >= low, patient.c.birth_date <= (high or "9"))
            where.append(_O.patient_id.in_(select(patient.c.id).where(born)))
        if _exact(keys.patient_id):
            where.append(_OF_OWNERS)
        named = may_be_named(keys.patient_name)
        if named is not None:
            where.append(_O.patient_id.in_(select(patient.c.id).where(named)))
        rows = self._connection.execute(
            select(_S.order_id, _S.id).where(*where).order_by(_S.start_date, _S.start_time, _S.id),
            {"identifier": keys.patient_id.strip()},
        ).all()
        orders = self.of_rows(r.order_id for r in rows)
        return [(orders[r.order_id], next(s for s in orders[r.order_id].steps if s.id == r.id)) for r in rows]

    def next_number(self, counter_name: str) -> int:
        """The next number of a named counter, never given twice."""
        changed = self._connection.execute(
            update(counter).where(counter.c.name == counter_name).values(value=counter.c.value + 1)
        ).rowcount
        if not changed:
            self._connection.execute(insert(counter), {"name": counter_name, "value": 1})
        return int(
            self._connection.execute(
                select(counter.c.value).where(counter.c.name == counter_name)
            ).scalar_one()
        )

    def _orders(self, *where: ColumnElement[bool], limit: int = 0) -> list[Order]:
        query = _ORDERS.where(*where)
        rows = self._connection.execute(query.limit(limit) if limit else query).mappings()
        return self._with_steps([dict(row) for row in rows])

    def _with_steps(self, rows: Sequence[dict[str, Any]]) -> list[Order]:
        steps = self._steps([row["imaging_order_id"] for row in rows])
        return [_order(row, steps.get(row["imaging_order_id"], ())) for row in rows]

    def _steps(self, order_ids: Sequence[int]) -> dict[int, tuple[ScheduledProcedureStep, ...]]:
        grouped: dict[int, list[ScheduledProcedureStep]] = {}
        for values in _STEPS_OF.rows(self._connection, {"ids": json.dumps(order_ids)}) if order_ids else ():
            row = dict(zip(_STEP_COLUMNS, values, strict=True))
            grouped.setdefault(row["order_id"], []).append(_step(row))
        return {order_id: tuple(steps) for order_id, steps in grouped.items()}


def _exact(value: str) -> bool:
    return bool(value.strip()) and "*" not in value and "?" not in value


def like(column: Column[str], wanted: str) -> ColumnElement[bool]:
    """What wildcard matching (``*`` anything, ``?`` one character) could take, or a little more."""
    wish = wanted.strip()
    if _exact(wish):
        return column == wish
    escaped = "".join("/" + c if c in "%_/" else c for c in wish)
    return column.like(escaped.translate(str.maketrans("*?", "%_")), escape="/")


def _order_values(order: Order) -> dict[str, Any]:
    return {
        **{name: getattr(order, name) for name in _PLAIN},
        "patient_id": order.patient_id,
        "accession": order.accession.value,
        "accession_issuer": order.accession.issuer,
        "state": order.state.value,
        "priority": order.priority.value,
    }


def _procedure_values(order: Order) -> dict[str, Any]:
    return {
        "procedure_id": order.procedure_id,
        "study_uid": order.study_uid,
        "description": order.procedure_description,
        "code_value": order.procedure_code.value,
        "code_scheme": order.procedure_code.scheme,
        "code_meaning": order.procedure_code.meaning,
        "body_part": order.body_part,
        "laterality": order.laterality,
    }


def _step_values(step: ScheduledProcedureStep) -> dict[str, Any]:
    return {
        **{name: getattr(step, name) for name in _STEP_PLAIN},
        "code_value": step.protocol_code.value,
        "code_scheme": step.protocol_code.scheme,
        "code_meaning": step.protocol_code.meaning,
        "state": step.state.value,
    }


def _order(m: dict[str, Any], steps: tuple[ScheduledProcedureStep, ...]) -> Order:
    o, p = "imaging_order_", "requested_procedure_"
    return Order(
        id=m[o + "id"],
        patient_id=m[o + "patient_id"],
        accession=AccessionNumber(m[o + "accession"], m[o + "accession_issuer"]),
        state=OrderState(m[o + "state"]),
        priority=Priority(m[o + "priority"]),
        procedure_id=m[p + "procedure_id"],
        study_uid=m[p + "study_uid"],
        procedure_description=m[p + "description"],
        procedure_code=Code(m[p + "code_value"], m[p + "code_scheme"], m[p + "code_meaning"]),
        body_part=m[p + "body_part"],
        laterality=m[p + "laterality"],
        steps=steps,
        **{name: m[o + name] for name in _PLAIN},
    )


def _step(m: dict[str, Any]) -> ScheduledProcedureStep:
    return ScheduledProcedureStep(
        id=m["id"],
        protocol_code=Code(m["code_value"], m["code_scheme"], m["code_meaning"]),
        state=OrderState(m["state"]),
        **{name: m[name] for name in _STEP_PLAIN},
    )
