"""What stands before every method of the archive: may the actor do that, and the audit of what was done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from pacs_core.archive import protocol as p
from pacs_core.domain.access import Actor, Verb, allows
from pacs_core.domain.events import Change
from pacs_core.services.auditing import Line, along

Require = Callable[[p.Route, str], None]
Note = Callable[[str, str], None]
Waiting = Callable[[str, Callable[[object], str]], Line]
"""Makes a line of the audit for the verb and what names its subject."""

WITHOUT_A_LINE = frozenset(
    "rows echo store save_draft stop add_user set_password disable_user add_token revoke_token "
    "save_settings begin_rehearsal end_rehearsal".split()
)
"""Methods that change nothing of the record, or write their own line of the audit."""

_WHOSE = {"Measurements": "measurement", "Reports": "report"}
"""What the audit adds to a part's verbs where those alone would not tell."""

_NAMES = ("accession", "study_uid", "patient_id", "title", "name")


class Guarded:
    """A part of the archive whose methods first ask whether the actor may; what they changed is audited."""

    def __init__(self, part: object, declared: type, require: Require, waiting: Waiting, note: Note) -> None:
        for name, function in vars(declared).items():
            route = getattr(function, "__route__", None)
            if route is not None:
                verb = _verb(name, route, declared)
                setattr(self, name, _guard(getattr(part, name), route, verb, require, waiting, note))


def _verb(name: str, route: p.Route, declared: type) -> str:
    """What the audit calls a method, empty where it has no line of its own."""
    if route.method == "GET" or name in WITHOUT_A_LINE:
        return ""
    return f"{name.replace('_', ' ')} {_WHOSE.get(declared.__name__, '')}".strip()


def _guard(
    method: Callable[..., Any], route: p.Route, verb: str, require: Require, waiting: Waiting, note: Note
) -> Callable[..., Any]:
    """The method, whose change takes its line of the audit along in its own commit."""

    def call(*args: Any, **kwargs: Any) -> Any:
        asked = next(iter((*args, *kwargs.values())), None)
        require(route, str(asked) if isinstance(asked, (str, int)) else "")
        if not verb:
            return method(*args, **kwargs)
        with along(waiting(verb, partial(_subject, asked))) as line:
            answer = method(*args, **kwargs)
        if not line.written:  # nothing had to be changed: what was asked for is told all the same
            note(verb, _subject(asked, answer))
        return answer

    return call


def _subject(asked: object, answer: object) -> str:
    """What a change was about: the number or name it was asked with, or that of the form or what was made."""
    if isinstance(asked, (str, int)):
        return str(asked)
    named = (str(_named(one, name)) for name in _NAMES for one in (asked, answer))
    return next((found for found in named if found), "")


def _named(one: object, name: str) -> object:
    """A patient as a record has the patient ID in its identifier."""
    if name == "patient_id" and not hasattr(one, name):
        one, name = getattr(one, "identifier", None), "value"
    return getattr(one, name, "")


def told(changes: Iterable[Change], actor: Actor) -> tuple[Change, ...]:
    """Changes as that actor may hear them: the words of a report that was thrown away are for readers."""
    if allows(actor.role, Verb.REPORT):
        return tuple(changes)
    return tuple(_without_words(change) for change in changes)


def _without_words(change: Change) -> Change:
    if "content" not in change.detail:
        return change
    return replace(change, detail={k: v for k, v in change.detail.items() if k != "content"})
