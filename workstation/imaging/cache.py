"""A cache that counts bytes, not items: least recently used out first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """Anything that knows how many bytes it holds."""

    @property
    def nbytes(self) -> int: ...


V = TypeVar("V", bound=Sized)


class ByteCache(Generic[V]):
    """Keeps what was used last within `limit` bytes; safe to use from many threads.

    `let_go` is called with each entry thrown out for want of room.
    """

    def __init__(self, limit: int, let_go: Callable[[V], None] | None = None) -> None:
        self._limit = limit
        self._let_go = let_go
        self._entries: OrderedDict[Hashable, V] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes held now."""
        with self._lock:
            return sum(entry.nbytes for entry in self._entries.values())

    @property
    def limit(self) -> int:
        return self._limit

    def resize(self, limit: int) -> None:
        """Set another limit and throw out what no longer fits."""
        with self._lock:
            self._limit = limit
            self._trim()

    def get(self, key: Hashable) -> V | None:
        """The entry, now the most recently used, or None."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
            return entry

    def put(self, key: Hashable, entry: V) -> None:
        with self._lock:
            self._entries[key] = entry
            self._entries.move_to_end(key)
            self._trim(keep=key)

    def remove(self, key: Hashable) -> None:
        with self._lock:
            self._entries.pop(key, None)

    def oldest_first(self) -> list[tuple[Hashable, V]]:
        """What is kept, the least recently used first."""
        with self._lock:
            return list(self._entries.items())

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._entries

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    def _trim(self, keep: Hashable | None = None) -> None:
        held = sum(entry.nbytes for entry in self._entries.values())
        for key in list(self._entries):
            if held <= self._limit:
                return
            if key != keep:
                gone = self._entries.pop(key)
                held -= gone.nbytes
                if self._let_go is not None:
                    self._let_go(gone)
