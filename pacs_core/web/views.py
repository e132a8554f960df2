"""Finding the stored files behind a path, with the right to see them asked for and the view audited."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from pacs_core.domain.access import Actor, Verb
from pacs_core.domain.errors import NotFound
from pacs_core.domain.records import StudyKeys
from pacs_core.services.retrieving import StoredFile
from pacs_core.web.node import WebNode

AGAIN_S = 600.0
REMEMBERED = 4096


class Views:
    """Looks up files for one caller; a viewer's many small requests on one study are one audit row.

    What one session does to one study within ten minutes is noted once: a viewer asks for each frame.
    """

    def __init__(self, node: WebNode, clock: Callable[[], float] = time.monotonic) -> None:
        self._node = node
        self._clock = clock
        self._lock = threading.Lock()
        self._noted: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    def files(self, actor: Actor, uids: Mapping[str, str], what: str) -> list[StoredFile]:
        """The files below a path's UIDs (study, series, instance); raises Denied or NotFound. Blocks."""
        study = uids["study"]
        self._node.access.require(actor, Verb.VIEW, f"study:{study}")
        keys = StudyKeys(
            study_uids=(study,),
            series_uids=(uids["series"],) if "series" in uids else (),
            instance_uids=(uids["instance"],) if "instance" in uids else (),
        )
        found = self._node.retrieving.files(keys)
        if not found:
            level = list(uids)[-1]
            raise NotFound(f"no {level} {uids[level]} is here", level)
        self._note(actor, study, what)
        return found

    def _note(self, actor: Actor, study: str, what: str) -> None:
        key = (actor.session or actor.name, study, what)
        now = self._clock()
        with self._lock:
            last = self._noted.get(key)
            if last is not None and now - last < AGAIN_S:
                return
            self._noted[key] = now
            self._noted.move_to_end(key)
            if len(self._noted) > REMEMBERED:
                self._noted.popitem(last=False)
        self._node.access.note(actor, what, f"study:{study}", detail="DICOMweb")
