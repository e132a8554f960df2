"""The audit of a change is in the commit that makes the change: neither can be kept without the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from pacs_core.domain.access import Actor
from pacs_core.ports import Index, Transaction

T = TypeVar("T")


@dataclass(slots=True)
class Line:
    """A line of the audit that waits for its change; `subject` names it by what the change made."""

    actor: Actor
    verb: str
    subject: Callable[[object], str]
    written: bool = False

    def write(self, tx: Transaction, made: object) -> None:
        """Put the line beside the change."""
        actor = self.actor
        tx.audit.append(
            actor.name, actor.role.value, self.verb, self.subject(made), "allowed", "", actor.address
        )


_waiting: ContextVar[Line | None] = ContextVar("audit_line", default=None)


@contextmanager
def along(line: Line) -> Iterator[Line]:
    """Let the next change that this thread makes within the block take the line along in its commit."""
    token = _waiting.set(line)
    try:
        yield line
    finally:
        _waiting.reset(token)


class AuditedIndex:
    """The index whose writes take a waiting line of the audit along; implements `ports.Index`."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def write(self, work: Callable[[Transaction], T], *, of_synced_files: bool = False) -> T:
        """As `ports.Index.write`; the line is written once, with the first change, and synced with it."""
        line = _waiting.get()
        if line is None or line.written:
            return self._index.write(work, of_synced_files=of_synced_files)

        def both(tx: Transaction) -> T:
            made = work(tx)
            line.write(tx, made)
            return made

        made = self._index.write(both)
        line.written = True
        return made

    def read(self) -> AbstractContextManager[Transaction]:
        """As `ports.Index.read`."""
        return self._index.read()

    def wait_for_change(self, sequence: int, timeout_s: float, *, arrivals: bool = True) -> int:
        """As `ports.Index.wait_for_change`."""
        return self._index.wait_for_change(sequence, timeout_s, arrivals=arrivals)
