"""The core behind one window: the one that holds the data folder, or a watched child of its own."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Sequence
from pathlib import Path

from pacs_core.domain.errors import ReadingRoomError
from pacs_core.runtime.child import CoreProcess
from pacs_core.runtime.data_folder import held, running
from pacs_core.runtime.doors import own_trust

log = logging.getLogger("reading_room.node")

STOP_S = 20.0
START_S = 30.0
"""How long a core that another process starts may take until it is ready."""


class Seat:
    """Attaches to a core that runs, else starts one; either is started again where it is killed.

    A core that an earlier window left behind belongs to whoever sits here now, who may end it. One that
    somebody else serves is left alone.
    """

    def __init__(self, data: Path, arguments: Sequence[str] = ()) -> None:
        self._data = data
        self._core = CoreProcess(data, arguments)
        self._left_behind = False
        self._attached = False

    def begin(self) -> None:
        """Attach, or start a core; raises StorageFailure with its own last line where it does not start."""
        facts = _announced(self._data)
        self._attached = bool(facts)
        self._left_behind = bool(facts.get("left_behind"))
        if self._attached:
            self._core.adopt()
        else:
            self._core.start()

    @property
    def ours(self) -> bool:
        """Whether this window decides if the core goes on when it closes."""
        return self._left_behind or not self._attached

    def find(self) -> tuple[str, str] | None:
        """Where the core is now: its URL and secret; None while it is not there."""
        return self._core.find()

    def trust(self) -> bool | ssl.SSLContext:
        """Whom to trust as that core."""
        return own_trust(running(self._data))

    def close(self, goes_on: bool = True) -> None:
        """The window is gone: the core goes on without it, or ends once what is in flight is done."""
        if goes_on or not self.ours:
            self._core.leave()
            return
        if self._core.pid:
            self._core.stop()
            return
        self._core.leave()
        self._end_the_other()

    def _end_the_other(self) -> None:
        """Ask the core that an earlier window left behind to end, and wait until the folder is free."""
        from pacs_core.remote.archive import RemoteDoor

        facts = running(self._data)
        if not facts:
            return
        door = RemoteDoor(str(facts["http"]), str(facts["secret"]), verify=own_trust(facts))
        try:
            door.as_owner().administration.stop()
        except ReadingRoomError as error:
            log.error("the core could not be ended: %s", type(error).__name__)
            return
        finally:
            door.close()
        deadline = time.monotonic() + STOP_S
        while held(self._data) and time.monotonic() < deadline:
            time.sleep(0.05)


def _announced(data: Path) -> dict[str, object]:
    """What the core that holds the folder says of itself, waited for while it starts; else empty."""
    deadline = time.monotonic() + START_S
    while not (facts := running(data)) and _is_held(data) and time.monotonic() < deadline:
        time.sleep(0.05)
    return facts


def _is_held(data: Path) -> bool:
    try:
        return held(data)
    except PermissionError:
        return False  # another user's: starting a core there says so
