"""Wrong passwords slow the next try down, alike for a name somebody has and for one that nobody has."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from pacs_core.domain.errors import LockedOut, NotSignedIn

FREE_TRIES = 4
"""Wrong passwords without a pause; the fifth locks for a minute, each further one for twice as long."""

LOCK_S = 60.0
LOCK_CAP_S = 3600.0
STRANGERS = 10_000
"""So many names that nobody has are remembered; each new one costs its asker the time of a password."""


@dataclass(frozen=True, slots=True)
class Tries:
    """Wrong passwords since the last right one, and until when (UTC) none is looked at; None: at once."""

    failures: int = 0
    until: datetime | None = None

    def one_more(self, now: datetime) -> Tries:
        """After another wrong password."""
        over = self.failures + 1 - FREE_TRIES
        wait = min(LOCK_CAP_S, LOCK_S * 2 ** min(over - 1, 10)) if over > 0 else 0.0
        return Tries(self.failures + 1, now + timedelta(seconds=wait) if wait else None)

    def refusal(self, now: datetime) -> LockedOut | None:
        """What a try hears while the name is locked."""
        wait = (self.until - now).total_seconds() if self.until else 0.0
        if wait <= 0:
            return None
        return LockedOut(f"too many wrong passwords: try again in {int(-(-wait // 1))} s", wait)

    def answer(self, now: datetime) -> NotSignedIn:
        """What the wrong password that led here hears."""
        return self.refusal(now) or NotSignedIn("the user name or the password is wrong")


class Strangers:
    """Tries under names that nobody has, in memory: they end with the process, as whoever asks cannot see."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tries: OrderedDict[str, Tries] = OrderedDict()

    def of(self, name: str) -> Tries:
        """The tries under a name."""
        with self._lock:
            return self._tries.get(name, Tries())

    def wrong(self, name: str, now: datetime) -> NotSignedIn:
        """Count a wrong password, except while the name is locked; returns the answer."""
        with self._lock:
            before = self._tries.get(name, Tries())
            if refusal := before.refusal(now):
                return refusal
            self._tries[name] = after = before.one_more(now)
            self._tries.move_to_end(name)
            while len(self._tries) > STRANGERS:
                self._tries.popitem(last=False)
            return after.answer(now)
