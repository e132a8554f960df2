"""Who is asking, and what a role may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The roles of an account (contract.md, `user add`)."""

    READER = "reader"
    TECHNOLOGIST = "technologist"
    FRONT_DESK = "front-desk"
    ADMIN = "admin"


class Verb(StrEnum):
    """What can be asked for; every method of the archive names one."""

    VIEW = "view"
    MEASURE = "measure"
    REPORT = "report"
    SIGN = "sign"
    SCHEDULE = "schedule"
    RECONCILE = "reconcile"
    STORE = "store"
    ADMINISTER = "administer"
    SELF = "self"


_ALLOWED: dict[Role, frozenset[Verb]] = {
    Role.READER: frozenset(
        {
            Verb.VIEW,
            Verb.MEASURE,
            Verb.REPORT,
            Verb.SIGN,
            Verb.RECONCILE,
            Verb.STORE,
            Verb.SCHEDULE,
            Verb.SELF,
        }
    ),
    Role.TECHNOLOGIST: frozenset({Verb.VIEW, Verb.SCHEDULE, Verb.RECONCILE, Verb.STORE, Verb.SELF}),
    Role.FRONT_DESK: frozenset({Verb.SCHEDULE, Verb.SELF}),
    Role.ADMIN: frozenset(
        {Verb.VIEW, Verb.SCHEDULE, Verb.RECONCILE, Verb.STORE, Verb.ADMINISTER, Verb.MEASURE, Verb.SELF}
    ),
}


OWNER = "owner"
"""The actor by holding the data folder; no account can have this name."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The person or program behind a call; `session` is its opaque session name for the audit."""

    name: str
    role: Role
    full_name: str = ""
    session: str = ""
    address: str = ""


def allows(role: Role, verb: Verb) -> bool:
    """Say whether a role may use a verb."""
    return verb in _ALLOWED[role]
