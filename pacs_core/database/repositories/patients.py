"""Patients, identifiers, visits and merges in the index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

from pacs_core.database.prepared import Prepared
from pacs_core.database.rows import in_parts
from pacs_core.database.schema import imaging_order, patient, patient_identifier, report, study, visit
from pacs_core.domain.errors import Conflict, NotFound
from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.matching import folded_name
from pacs_core.domain.patient import Demographics, Patient

_DEMOGRAPHICS = [f.name for f in fields(Demographics)]


def _identifiers_of_one() -> Select[tuple[str, str, bool, bool]]:
    i, row = patient_identifier.c, bindparam("row", type_=Integer)
    merged = select(row.label("id")).cte("merged", recursive=True)
    merged = merged.union(
        select(patient.c.id).join_from(patient, merged, patient.c.merged_into == merged.c.id)
    )
    own = i.patient_id == row
    return (
        select(i.value, i.issuer, i.main, own.label("own"))
        .where(i.patient_id.in_(select(merged.c.id)))
        .order_by(own.desc(), i.patient_id, i.id)
    )


_PATIENT = Prepared(select(patient).where(patient.c.id == bindparam("row")))
_COLUMNS = patient.c.keys()
_IDENTIFIERS = Prepared(_identifiers_of_one())


class PatientRows:
    """Implements `ports.Patients`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, patient_id: int) -> Patient:
        """The patient of that row; raises NotFound."""
        rows = _PATIENT.rows(self._connection, {"row": patient_id})
        if not rows:
            raise NotFound(f"no patient in row {patient_id}", "patient")
        return self._patient(dict(zip(_COLUMNS, rows[0], strict=True)))

    def current(self, patient_id: int) -> Patient:
        """The patient, or the survivor of its merges."""
        found = self.get(patient_id)
        while found.merged_into is not None:
            found = self.get(found.merged_into)
        return found

    def current_of(self, patient_ids: Iterable[int]) -> dict[int, Patient]:
        """`current` of many, by the row that was asked for."""
        into = self._merges()
        survivors = {asked: _end_of(asked, into) for asked in patient_ids}
        absorbed: dict[int, list[int]] = {}
        for merged in into:
            absorbed.setdefault(_end_of(merged, into), []).append(merged)
        wanted = set(survivors.values())
        known = self._identifiers_of({p for one in wanted for p in (one, *absorbed.get(one, ()))})
        found: dict[int, Patient] = {}
        for part in in_parts(wanted):
            for row in self._connection.execute(select(patient).where(patient.c.id.in_(part))):
                one = int(row.id)
                others = [i for p in sorted(absorbed.get(one, ())) for i, _main in known.get(p, [])]
                found[one] = _made(dict(row._mapping), [*known.get(one, []), *((i, False) for i in others)])
        return {asked: found[survivor] for asked, survivor in survivors.items()}

    def _merges(self) -> dict[int, int]:
        """Everybody who was merged, and into whom."""
        query = select(patient.c.id, patient.c.merged_into).where(patient.c.merged_into.is_not(None))
        return {row.id: row.merged_into for row in self._connection.execute(query)}

    def _identifiers_of(self, patient_ids: set[int]) -> dict[int, list[tuple[PatientIdentifier, bool]]]:
        """Each one's own identifiers, with True the main one."""
        i = patient_identifier.c
        found: dict[int, list[tuple[PatientIdentifier, bool]]] = {}
        for part in in_parts(patient_ids):
            query = (
                select(i.patient_id, i.value, i.issuer, i.main).where(i.patient_id.in_(part)).order_by(i.id)
            )
            for row in self._connection.execute(query):
                one = PatientIdentifier(row.value, row.issuer), bool(row.main)
                found.setdefault(row.patient_id, []).append(one)
        return found

    def find(self, identifier: PatientIdentifier) -> Patient | None:
        """The surviving patient with that identifier; an empty issuer fits any where only one has the
        value.
        """
        if not identifier.value:
            return None
        i = patient_identifier.c
        rows = self._connection.execute(
            select(i.patient_id, i.issuer).where(i.value == identifier.value, i.scope == "")
        ).all()
        exact = [r.patient_id for r in rows if r.issuer == identifier.issuer]
        if exact:
            return self.current(exact[0])
        fitting = {self.current(r.patient_id).id for r in rows if not identifier.issuer or not r.issuer}
        return self.get(fitting.pop()) if len(fitting) == 1 else None

    def add(self, identifier: PatientIdentifier, demographics: Demographics, scope: str = "") -> Patient:
        """A new patient with its main identifier."""
        values = {**asdict(demographics), "name_folded": folded_name(demographics.name), "scope": scope}
        key = self._connection.execute(insert(patient), values).lastrowid
        self._connection.execute(
            insert(patient_identifier),
            {
                "patient_id": key,
                "value": identifier.value,
                "issuer": identifier.issuer,
                "scope": scope,
                "main": True,
            },
        )
        return self.get(int(key))

    def provisional(self, scope: str) -> Patient | None:
        """The provisional patient made for that study, or who it was merged into, where there is one."""
        found = self._connection.execute(select(patient.c.id).where(patient.c.scope == scope)).scalar()
        return None if found is None else self.current(found)

    def strangers(self, identifier: PatientIdentifier) -> Sequence[Patient]:
        """Provisional patients whose images came under that identifier, or who they were merged into."""
        i = patient_identifier.c
        rows = self._connection.execute(
            select(i.patient_id, i.issuer)
            .where(i.value == identifier.value, i.scope != "")
            .order_by(i.patient_id)
        ).all()
        fitting = [r for r in rows if not identifier.issuer or not r.issuer or r.issuer == identifier.issuer]
        people = [self.current(r.patient_id) for r in fitting] if identifier.value else []
        return list({person.id: person for person in people}.values())

    def save(self, patient_id: int, demographics: Demographics) -> Patient:
        """Replace the demographics."""
        values = {**asdict(demographics), "name_folded": folded_name(demographics.name)}
        self._connection.execute(update(patient).where(patient.c.id == patient_id).values(**values))
        return self.get(patient_id)

    def add_identifier(self, patient_id: int, identifier: PatientIdentifier) -> None:
        """Give the patient one more identifier; raises Conflict where another person has it."""
        owner = self._exact_owner(identifier)
        if owner is not None:
            if self.current(owner).id != self.current(patient_id).id:
                raise Conflict(f"the identifier {identifier.value} belongs to another patient", "PID-3")
            return
        self._connection.execute(
            insert(patient_identifier),
            {
                "patient_id": patient_id,
                "value": identifier.value,
                "issuer": identifier.issuer,
                "scope": "",
                "main": False,
            },
        )

    def merge(self, survivor_id: int, subsumed_id: int) -> None:
        """Make one an alias of the other; orders, studies, reports and visits move to the survivor."""
        self._connection.execute(
            update(patient).where(patient.c.id == subsumed_id).values(merged_into=survivor_id)
        )
        for table in (imaging_order, study, report):
            self._connection.execute(
                update(table).where(table.c.patient_id == subsumed_id).values(patient_id=survivor_id)
            )
        self._move_visits(survivor_id, subsumed_id)

    def _move_visits(self, survivor_id: int, subsumed_id: int) -> None:
        """Visits go with their patient; of one that both have, what was said last stays."""
        v, theirs = visit.c, visit.alias()
        same = select(theirs.c.id).where(theirs.c.patient_id == survivor_id, theirs.c.number == v.number)
        newer = same.where(theirs.c.changed_at >= v.changed_at)
        self._connection.execute(delete(visit).where(v.patient_id == subsumed_id, newer.exists()))
        ours = visit.alias()
        mine = select(ours.c.id).where(ours.c.patient_id == subsumed_id, ours.c.number == v.number)
        self._connection.execute(delete(visit).where(v.patient_id == survivor_id, mine.exists()))
        self._connection.execute(
            update(visit).where(v.patient_id == subsumed_id).values(patient_id=survivor_id)
        )

    def visit(self, patient_id: int, number: str, patient_class: str, location: str, at: str) -> None:
        """Remember a visit; the same number again is the same visit."""
        v = visit.c
        values = {"patient_class": patient_class, "location": location, "changed_at": at}
        changed = self._connection.execute(
            update(visit).where(v.patient_id == patient_id, v.number == number).values(**values)
        ).rowcount
        if not changed:
            self._connection.execute(insert(visit), {"patient_id": patient_id, "number": number, **values})

    def search(self, text: str, limit: int) -> Sequence[Patient]:
        """Surviving patients whose folded name or an identifier contains the text."""
        wanted = folded_name(text).strip()
        i = patient_identifier.c
        with_id = select(i.patient_id).where(i.value.icontains(text.strip(), autoescape=True), i.scope == "")
        rows = self._connection.execute(
            select(patient)
            .where(
                patient.c.merged_into.is_(None),
                patient.c.scope == "",
                or_(patient.c.name_folded.contains(wanted, autoescape=True), patient.c.id.in_(with_id)),
            )
            .order_by(patient.c.name_folded, patient.c.id)
            .limit(limit)
        ).all()
        return [self._patient(dict(row._mapping)) for row in rows]

    def _exact_owner(self, identifier: PatientIdentifier) -> int | None:
        i = patient_identifier.c
        owner = self._connection.execute(
            select(i.patient_id).where(
                i.value == identifier.value, i.issuer == identifier.issuer, i.scope == ""
            )
        ).scalar()
        return None if owner is None else int(owner)

    def _patient(self, row: dict[str, Any]) -> Patient:
        return _made(row, self._identifiers(row["id"]))

    def _identifiers(self, patient_id: int) -> list[tuple[PatientIdentifier, bool]]:
        """A person's own identifiers, then those of everybody merged into them; with True the main one."""
        rows = _IDENTIFIERS.rows(self._connection, {"row": patient_id})
        return [(PatientIdentifier(value, issuer), bool(main and own)) for value, issuer, main, own in rows]


def _made(m: dict[str, Any], known: Sequence[tuple[PatientIdentifier, bool]]) -> Patient:
    """A patient of its row and its identifiers, own ones first, with True the main one."""
    main = next((value for value, is_main in known if is_main), PatientIdentifier(""))
    others = dict.fromkeys(value for value, _ in known if value != main)
    return Patient(
        id=m["id"],
        identifier=main,
        demographics=Demographics(**{name: m[name] for name in _DEMOGRAPHICS}),
        other_identifiers=tuple(others),
        merged_into=m["merged_into"],
        provisional=bool(m["scope"]),
    )


def _end_of(row: int, into: Mapping[int, int]) -> int:
    while row in into:
        row = into[row]
    return row


def _owners() -> Select[tuple[int]]:
    i = patient_identifier.c
    named = select(i.patient_id.label("id")).where(i.value == bindparam("identifier"))
    found = named.cte("owner", recursive=True)
    into = patient.c.merged_into
    found = found.union(
        select(into).join_from(patient, found, patient.c.id == found.c.id).where(into.is_not(None))
    )
    return select(found.c.id)


OWNERS = _owners()
"""Rows of the people with an identifier of that value, and of those they were merged into, however often.

Built once, which costs ten times asking: the value is given as `identifier` when it is asked."""


def may_be_named(wanted: str) -> ColumnElement[bool] | None:
    """Narrows by a wish for a name to what `matches_name` could take; None where the wish says too little."""
    groups = [g for g in wanted.split("=") if g.strip("^ ")]
    letters = [_longest_literal(group) for group in groups]
    if not letters or not all(letters):
        return None
    name = patient.c.name_folded
    return or_(name == "", *(name.contains(text, autoescape=True) for text in letters))


def _longest_literal(wanted: str) -> str:
    literals = wanted.replace("?", "*").replace("^", "*").split("*")
    return max((folded_name(part) for part in literals), key=len)
