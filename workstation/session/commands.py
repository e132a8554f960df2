"""Do and undo: every change of the reader's strokes is a command with its opposite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """A change and its opposite, with words for the menu ("Undo: length")."""

    words: str
    do: Callable[[], None]
    undo: Callable[[], None]


class History:
    """What was done, newest last; doing something new forgets what had been undone."""

    def __init__(self, limit: int = 500) -> None:
        self._done: list[Command] = []
        self._undone: list[Command] = []
        self._limit = limit

    def do(self, command: Command) -> None:
        command.do()
        self._done.append(command)
        del self._done[: -self._limit]
        self._undone.clear()

    def undo(self) -> Command | None:
        """Take the newest back; None where there is nothing."""
        if not self._done:
            return None
        command = self._done.pop()
        command.undo()
        self._undone.append(command)
        return command

    def redo(self) -> Command | None:
        if not self._undone:
            return None
        command = self._undone.pop()
        command.do()
        self._done.append(command)
        return command

    def clear(self) -> None:
        self._done.clear()
        self._undone.clear()

    @property
    def can_undo(self) -> str:
        """Words of what would be undone; empty where there is nothing."""
        return self._done[-1].words if self._done else ""

    @property
    def can_redo(self) -> str:
        return self._undone[-1].words if self._undone else ""
