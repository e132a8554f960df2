"""How a process that serves is asked to end, also from inside a signal handler."""

from __future__ import annotations

import os
import queue
import signal

# A blocked main thread hears no signal on Windows: it wakes up now and then.
_HEARING_S = 1.0 if os.name == "nt" else None


class Ending:
    """A wish to end that signals, threads and doors may utter, and one thread waits for.

    Not a `threading.Event`: its lock is held for a moment by the thread that begins to wait, and a signal
    handler that runs in just that moment in that thread waits for the lock for ever. `SimpleQueue.put` is
    reentrant.
    """

    def __init__(self) -> None:
        self._wishes: queue.SimpleQueue[None] = queue.SimpleQueue()

    def wish(self) -> None:
        """Ask for the end; at any time, from anywhere, more than once."""
        self._wishes.put(None)

    def on_signals(self) -> Ending:
        """Let SIGTERM, Ctrl-C and Windows' Ctrl-Break wish it; only in the main thread."""
        for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), lambda *_: self.wish())
        return self

    def heed(self) -> None:
        """Raise KeyboardInterrupt where it was wished: between two steps, not inside somebody's lock."""
        if not self._wishes.empty():
            raise KeyboardInterrupt

    def wait(self) -> None:
        """Return as soon as it was wished."""
        while True:
            try:
                return self._wishes.get(timeout=_HEARING_S)
            except queue.Empty:
                continue
