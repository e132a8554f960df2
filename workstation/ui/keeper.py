"""Strokes and drafts on their way: into the spool at once, to the archive behind, again until it has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from pacs_core.archive.models import DraftView
from pacs_core.domain.errors import Busy, NotFound, NotSignedIn, ReadingRoomError, StorageFailure
from pacs_core.domain.measurement import Measurement
from workstation.session.spool import SpooledDraft, SpooledStroke
from workstation.ui import words

if TYPE_CHECKING:
    from workstation.ui.desk import Desk

AGAIN_MS = 1500


class Keeper(QObject):
    """The only one that saves what a reader makes. `draft_saved(study_uid, saved_at)`, `refused(words)`."""

    draft_saved = Signal(str, str)
    refused = Signal(str)

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.window)
        self._desk = desk
        self._sending = self._ended = False
        self._set_aside: set[int] = set()
        self._saved: dict[str, DraftView] = {}
        self._again = QTimer(self, singleShot=True, interval=AGAIN_MS)
        self._again.timeout.connect(self._send)
        desk.session.stroke.connect(self._stroke)
        desk.bridge.back.connect(self._send)
        desk.closing.append(self._end)
        QTimer.singleShot(0, self, self._send)

    def _end(self) -> None:
        """The desk is cleared: what is under way finishes, nothing more is begun."""
        self._ended = True
        self._send()

    def _stroke(self, measurement: Measurement, removed: bool) -> None:
        self._desk.spool.stroke(measurement, removed)
        self._send()

    def draft(self, draft: SpooledDraft) -> None:
        """Keep a draft: on this machine now, in the archive as soon as the one before is there."""
        self._desk.spool.draft(draft)
        self._send()

    def saved(self, study_uid: str) -> DraftView | None:
        """The draft as the archive last took it from here: what was asked of it before may not have it."""
        return self._saved.get(study_uid)

    def forget(self, study_uid: str) -> None:
        """The draft was signed, or is thrown away."""
        self._desk.spool.forget_draft(study_uid)
        self._saved.pop(study_uid, None)

    def unsaved_strokes(self) -> set[str]:
        """Tracking UIDs the archive does not have yet as they are here."""
        return {
            t.measurement.tracking_uid for _n, t in self._desk.spool.waiting() if isinstance(t, SpooledStroke)
        }

    @property
    def idle(self) -> bool:
        return not self._sending and not any(n not in self._set_aside for n, _t in self._desk.spool.waiting())

    def _send(self) -> None:
        """Offer the oldest thing that waits; its answer brings the next."""
        if self._ended and not self._sending:
            self._again.stop()
            self.deleteLater()
        if self._sending or self._ended or self._again.isActive():
            return
        waiting = next(((n, t) for n, t in self._desk.spool.waiting() if n not in self._set_aside), None)
        if waiting is None:
            return
        number, thing = waiting
        self._sending = True
        self._desk.tasks.act(
            self,
            words.t("save"),
            lambda: self._save(thing),
            lambda answer: self._kept(number, thing, answer),
            lambda error: self._failed(number, thing, error),
        )

    def _save(self, thing: SpooledStroke | SpooledDraft) -> object:
        archive = self._desk.archive
        if isinstance(thing, SpooledDraft):
            return archive.reports.save_draft(
                thing.study_uid, thing.template, thing.content, thing.addendum_to
            )
        if not thing.removed:
            return archive.measurements.save(thing.measurement)
        try:
            return archive.measurements.remove(thing.measurement.tracking_uid)
        except NotFound:
            return None  # it never got there: removed is what it is

    def _kept(self, number: int, thing: SpooledStroke | SpooledDraft, answer: object) -> None:
        self._desk.spool.kept(number)
        self._sending = False
        if isinstance(thing, SpooledDraft) and isinstance(answer, DraftView):
            self._saved[thing.study_uid] = answer
        if isinstance(thing, SpooledDraft):
            self.draft_saved.emit(thing.study_uid, getattr(answer, "saved_at", ""))
        self._send()

    def _failed(self, number: int, thing: SpooledStroke | SpooledDraft, error: Exception) -> None:
        self._sending = False
        lasting = isinstance(error, ReadingRoomError) and not isinstance(
            error, Busy | StorageFailure | NotSignedIn
        )
        if lasting:
            self._set_aside.add(number)
            what = words.t("The draft") if isinstance(thing, SpooledDraft) else words.t("The measurement")
            told = words.failure(error).words
            self.refused.emit(
                words.t("{what} was not taken by the archive: {why} It is kept on this machine.").format(
                    what=what, why=told
                )
            )
        if lasting or self._ended:
            self._send()
        else:
            self._again.start()
