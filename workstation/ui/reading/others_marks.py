"""What other objects of the open studies say on their images: read in the background, shown read-only."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from workstation.imaging.documents.kinds import DocumentRef, Kind
from workstation.imaging.headers import FrameHeader
from workstation.imaging.marks import WITH_MARKS, Mark, marks_of
from workstation.imaging.marks.model import Form
from workstation.imaging.view_frame import ViewFrame
from workstation.rendering.display_list import DisplayList
from workstation.rendering.marks import marks_list, shown_on
from workstation.session.reading_session import ReadingSession
from workstation.ui import words
from workstation.ui.desk import Desk

MOST = 60
"""Objects of one study that are read for their marks, the newest first."""


class OthersMarks(QObject):
    """One per reading room; `changed` when there are more marks, or when they are shown or hidden."""

    changed = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk, self._session = desk, desk.session
        self._marks: dict[str, tuple[Mark, ...]] = {}
        self._asked: set[str] = set()
        self.shown = True
        session: ReadingSession = desk.session
        for signal in (session.opened, session.sets_changed):
            signal.connect(self._ask)
        session.closed.connect(self._forget)

    def toggle(self) -> None:
        self.shown = not self.shown
        self.changed.emit()

    @property
    def any(self) -> bool:
        return any(self._marks.values())

    def _forget(self) -> None:
        self._marks.clear()
        self._asked.clear()

    def _ask(self) -> None:
        """Read what is new of the open studies' objects, the newest of each series first."""
        for offered in self._session.documents.values():
            able = [d for d in offered if d.kind in WITH_MARKS and not d.why_not]
            newest = sorted(able, key=lambda d: d.number or 0, reverse=True)[:MOST]
            for one in newest:
                if one.sop_instance_uid not in self._asked:
                    self._asked.add(one.sop_instance_uid)
                    self._read(one)

    def _read(self, one: DocumentRef) -> None:
        archive, uid = self._desk.archive, one.sop_instance_uid

        def learn(found: tuple[Mark, ...]) -> None:
            if uid in self._asked:
                self._marks[uid] = found
                self.changed.emit()

        self._desk.tasks.ask(
            self,
            words.t("read what others drew"),
            lambda: marks_of(one.kind, archive.studies.file(uid)),
            learn,
            lambda _error: self._asked.discard(uid),
            tag=uid,
        )

    def _others(self) -> list[Mark]:
        """All marks but those of strokes that are here as such; what several objects say, by one of them."""
        known, said_by = self._session.measurements, self._said_by()
        return [
            mark
            for uid, marks in self._marks.items()
            for mark in marks
            if mark.tracking_uid not in known and said_by.get(mark.tracking_uid, uid) == uid
        ]

    def _said_by(self) -> dict[str, str]:
        """Which object tells of a finding by its tracking UID: the newest, a presentation state first."""
        offered = [d for some in self._session.documents.values() for d in some]
        rank = {d.sop_instance_uid: (d.kind is Kind.PRESENTATION, d.number or 0) for d in offered}
        in_order = sorted(self._marks, key=lambda uid: rank.get(uid, (False, 0)))
        return {m.tracking_uid: uid for uid in in_order for m in self._marks[uid] if m.tracking_uid}

    def over(self, frame: ViewFrame, header: FrameHeader | None) -> DisplayList:
        """The display list of all that others drew on a picture."""
        return marks_list(frame, header, self._others()) if self.shown else DisplayList()

    def key_words(self, frame: ViewFrame) -> tuple[str, ...]:
        """Who marked this image as a key image."""
        found = [m for m in self._others() if m.form is Form.KEY and shown_on(frame, m)]
        return tuple(dict.fromkeys(m.maker or words.t("unknown") for m in found)) if self.shown else ()
