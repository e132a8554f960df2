"""Files, folders and media brought into the archive on a thread of their own, one file after another."""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pacs_core.archive.from_media import NOTHING_AMISS, bring_in
from pacs_core.archive.models import ImportLine
from pacs_core.archive.protocol import Studies
from pacs_core.dicom.media import expected, find

log = logging.getLogger("reading_room.view")

KEPT = ("stored", "already there")


@dataclass(frozen=True)
class ImportState:
    """How far it is: files looked at, about how many there are, what became of them (by outcome), and the
    studies they belong to. `error` is what ended it before its end.
    """

    files: int = 0
    total: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    studies: int = 0
    over: bool = False
    stopped: bool = False
    error: Exception | None = None

    @property
    def refused(self) -> int:
        """Files that are not in the archive now, but for the indexes of media."""
        return self.files - sum(self.outcomes[word] for word in (*KEPT, "skipped"))

    @property
    def amiss(self) -> bool:
        """Something is to be done again: a file failed or was refused, or the import came to no end."""
        return self.stopped or self.error is not None or any(o not in NOTHING_AMISS for o in self.outcomes)


class Import:
    """One import. `studies` gives the archive's door anew for each file: it may be another after a lock."""

    def __init__(self, studies: Callable[[], Studies], paths: Sequence[Path]) -> None:
        self.paths: tuple[Path, ...] = ()
        self._studies = studies
        self._waiting: deque[Path] = deque()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._outcomes: Counter[str] = Counter()
        self._left: list[ImportLine] = []
        self._uids: set[str] = set()
        self._total = 0
        self._over = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="import", daemon=False)
        self.add(paths)

    def add(self, paths: Sequence[Path]) -> bool:
        """Go on with these afterwards; False where it is over, or about to stop."""
        with self._lock:
            if self._over or self._stop.is_set():
                return False
            self.paths += tuple(paths)
            self._waiting.extend(paths)
            return True

    def begin(self) -> Import:
        """Start; returns at once."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End after the file that is under way; what was stored stays."""
        self._stop.set()

    def state(self) -> ImportState:
        """How far it is now."""
        with self._lock:
            files = sum(self._outcomes.values())
            return ImportState(
                files,
                max(self._total, files),
                Counter(self._outcomes),
                len(self._uids),
                self._over,
                self._stop.is_set(),
                self._error,
            )

    def left_out(self) -> tuple[ImportLine, ...]:
        """Every file that is not in the archive now, and why."""
        with self._lock:
            return tuple(self._left)

    def _run(self) -> None:
        error: Exception | None = None
        try:
            while (path := self._next()) is not None:
                for found in find(path):
                    if self._stop.is_set():
                        break
                    self._note(bring_in(self._studies(), found))
        except Exception as ended:  # the thread's edge: whatever it was, the reader must hear of it
            log.debug("an import ended", exc_info=True)
            error = ended
        finally:
            with self._lock:
                self._error, self._over = error, True

    def _next(self) -> Path | None:
        """The next path; with none left it is over, in the same breath, so that none can be added in vain."""
        with self._lock:
            if not self._waiting or self._stop.is_set():
                self._over = True
                return None
            path = self._waiting.popleft()
        total = expected(path)
        with self._lock:
            self._total += total
        return path

    def _note(self, line: ImportLine) -> None:
        with self._lock:
            self._outcomes[line.outcome] += 1
            if line.study_uid:
                self._uids.add(line.study_uid)
            if line.outcome not in (*KEPT, "skipped"):
                self._left.append(line)


class Imports:
    """The imports of one person, one after another: a second waits for the first."""

    def __init__(self) -> None:
        self.running: Import | None = None

    def begin(self, studies: Callable[[], Studies], paths: Sequence[Path]) -> Import:
        """Start one; where another is under way both go on as one."""
        if self.running is not None and self.running.add(paths):
            return self.running
        self.running = Import(studies, paths).begin()
        return self.running

    def forget(self) -> None:
        """What is over needs no more telling."""
        self.running = None

    def stop(self) -> None:
        """The person leaves."""
        if self.running is not None:
            self.running.stop()
