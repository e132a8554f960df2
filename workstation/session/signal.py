"""A signal without Qt: call every listener in order, and refuse to be emitted from within itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, ParamSpec

P = ParamSpec("P")


class ReentryError(RuntimeError):
    """A listener caused the very signal that was calling it: two facts chase each other."""


class Signal(Generic[P]):
    """Listeners of one fact. Emitting inside an emission of the same signal raises `ReentryError`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._listeners: list[Callable[P, object]] = []
        self._emitting = False

    def connect(self, listener: Callable[P, object]) -> Callable[[], None]:
        """Add a listener; call the answer to remove it again."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def emit(self, *args: P.args, **kwargs: P.kwargs) -> None:
        if self._emitting:
            raise ReentryError(f"{self.name} was emitted by one of its own listeners")
        self._emitting = True
        try:
            for listener in tuple(self._listeners):
                listener(*args, **kwargs)
        finally:
            self._emitting = False
