"""How a process that serves is asked to end, also from inside a signal handler."""

from __future__ import annotations

import signal
import socket


class Ending:
    """A wish to end that signals, threads and doors may utter, and one thread waits for.

    A byte through a pair of sockets, which the C handler of a signal writes itself (`signal.set_wakeup_fd`).
    Neither `threading.Event` nor a queue will do: a signal handler in Python runs only when the main thread
    comes back from its wait, and a signal that another thread received, or that came in the instant before
    the wait began, wakes no wait for a lock, on any system; and an event's own lock may be held by the very
    thread that the handler runs in.
    """

    def __init__(self) -> None:
        self._hears, self._says = socket.socketpair()
        self._says.setblocking(False)
        self._wished = False

    def __del__(self) -> None:
        self._hears.close()
        self._says.close()

    def wish(self) -> None:
        """Ask for the end; at any time, from anywhere, more than once."""
        self._wished = True
        try:
            self._says.send(b"\0")
        except BlockingIOError:
            return  # it is full of wishes

    def on_signals(self) -> Ending:
        """Let SIGTERM, Ctrl-C and Windows' Ctrl-Break wish it; only in the main thread."""
        signal.set_wakeup_fd(self._says.fileno(), warn_on_full_buffer=False)
        for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
            if hasattr(signal, name):  # the handlers keep the sockets open as long as a signal writes to them
                signal.signal(getattr(signal, name), lambda *_: self.wish())
        return self

    def heed(self) -> None:
        """Raise KeyboardInterrupt where it was wished: between two steps, not inside somebody's lock."""
        if self._wished:
            raise KeyboardInterrupt

    def wait(self) -> None:
        """Return as soon as it was wished."""
        while not self._wished:
            self._hears.recv(4096)  # the handler of a signal that woke it runs before the next look
