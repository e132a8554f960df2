"""A prior laid upon the current study in a process of its own, which ends the moment nobody waits for it."""

from __future__ import annotations

import threading

from workstation.imaging.registration import Cancelled, NoRegistration, Registration, register
from workstation.imaging.registration_grid import Samples
from workstation.imaging.volume import Volume
from workstation.session.child_process import Child, ChildGone, own_environment, own_program
from workstation.session.registration_process import SUBCOMMAND, from_plain, packed

PATIENCE_SECONDS = 600.0
MOST_ANSWER = 1 << 20
STOPPED = NoRegistration("stopped")


class Registrar:
    """One registration; `find` is for a worker thread, `stop` for any."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._child: Child | None = None

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    @property
    def pid(self) -> int | None:
        """The child's process id while there is one."""
        child = self._child
        return child.pid if child is not None else None

    def find(self, current: Volume, prior: Volume, affine: bool = False) -> Registration | NoRegistration:
        """As `register`; raises ChildGone or ChildRefused where the child fails by itself."""
        if self._stop.is_set():
            return STOPPED
        self._child = child = registering_child()  # it wakes while the volumes are sampled
        try:
            return register(current, prior, affine=affine, cancelled=self._stop.is_set, search=self._search)
        except ChildGone:
            if self._stop.is_set():
                return STOPPED
            raise
        finally:
            self._child = None
            child.kill()
            child.close()

    def stop(self) -> None:
        """Nobody waits for it any more: the child is killed, and `find` answers."""
        self._stop.set()
        child = self._child
        if child is not None:
            child.kill()

    def _search(
        self, current: Samples, prior: Samples, *, affine: bool, cancelled: Cancelled
    ) -> Registration | NoRegistration:
        child = self._child
        if child is None or cancelled():
            return STOPPED
        header, body = packed(current, prior, affine)
        answer, _ = child.ask(header, PATIENCE_SECONDS, body)
        try:
            return from_plain(answer["found"])
        except (LookupError, TypeError, ValueError) as error:
            raise ChildGone(f"the answer is none: {error}") from error


def program() -> list[str]:
    """How to start the child."""
    return own_program("workstation.session.registration_process", SUBCOMMAND)


def registering_child() -> Child:
    """One child, just started; raises ChildGone where that cannot be."""
    return Child("the registration", program(), own_environment(), MOST_ANSWER)
