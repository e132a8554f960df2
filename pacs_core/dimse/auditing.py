"""What others asked, were given and changed, in the audit: who, which keys, how many answers (PS3.15
A.5.3.10).
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from pacs_core.dicom.dictionary import KEYWORD, name_of
from pacs_core.dimse.association import Association
from pacs_core.dimse.identifiers import Keys
from pacs_core.domain.access import Actor, Role
from pacs_core.domain.errors import ReadingRoomError
from pacs_core.services.auditing import Line, along
from pacs_core.services.bundle import Services

log = logging.getLogger("reading_room.dimse")

LONGEST = 600
POLLED_AGAIN = timedelta(minutes=10)
"""A scanner asks for its worklist all day: the same question with as many answers is one row in this time."""

REMEMBERED = 4096


def actor_of(association: Association) -> Actor:
    """The application entity behind an association."""
    return Actor(f"ae:{association.calling}", Role.TECHNOLOGIST, association.calling, "", association.address)


def changing(association: Association, verb: str, subject: str) -> AbstractContextManager[Line]:
    """The change made within the block takes its line of the audit along in its commit."""
    return along(Line(actor_of(association), verb, lambda made: subject))


def told(keys: Keys) -> str:
    """The keys that were given a value, with it; sequences by their items."""
    parts = []
    for tag in keys.tags():
        name = KEYWORD.get(tag) or name_of(tag)
        if inner := keys.item(tag):
            parts.append(f"{name}({told(inner)})")
        elif text := keys.text(tag):
            parts.append(f"{name}={text}")
    words = ", ".join(parts)
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 3]}..."


class Audit:
    """Writes the audit rows of DICOM queries, views and exports."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._polled: OrderedDict[tuple[str, str, str, str, int], datetime] = OrderedDict()

    def queried(self, association: Association, what: str, keys: Keys, answers: int) -> None:
        """A query was answered."""
        self._note(association, "query", what, f"{answers} answers to {told(keys) or 'no keys'}")

    def polled(self, association: Association, what: str, keys: Keys, answers: int) -> None:
        """A query that is asked again and again was answered."""
        question = told(keys)
        key = (association.calling, association.address, what, question, answers)
        now = self._services.clock.now()
        with self._lock:
            last = self._polled.pop(key, None)
            again = last is not None and now - last < POLLED_AGAIN
            self._polled[key] = last if again and last else now
            if len(self._polled) > REMEMBERED:
                self._polled.popitem(last=False)
        if not again:
            self._note(association, "query", what, f"{answers} answers to {question or 'no keys'}")

    def exported(self, association: Association, study_uid: str, count: int, how: str) -> None:
        """Objects of a study left."""
        self._note(association, "export", f"study:{study_uid}", f"{count} {how}")

    def viewed(self, association: Association, subject: str, how: str) -> None:
        """What is kept of one subject was asked for by its UID."""
        self._note(association, "view", subject, how)

    def _note(self, association: Association, verb: str, subject: str, detail: str) -> None:
        """What was given is given: an audit that cannot be written is an error of ours, not of the asker."""
        try:
            self._services.access.note(actor_of(association), verb, subject, detail=detail)
        except ReadingRoomError as error:
            log.error("%s: the audit could not be written: %s", association.name, error.message)
