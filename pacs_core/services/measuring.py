"""Saving strokes: durable when it returns, undone by marking."""

from __future__ import annotations

from dataclasses import replace

from pacs_core.domain.errors import Conflict, InvalidValue, NotFound
from pacs_core.domain.events import Event
from pacs_core.domain.identifiers import is_uid
from pacs_core.domain.measurement import Measurement
from pacs_core.domain.times import instant
from pacs_core.ports import Clock, Index, Transaction


class Measuring:
    """Measurements by tracking UID; the newest save wins, a deletion can be taken back by saving again."""

    def __init__(self, index: Index, clock: Clock) -> None:
        self._index = index
        self._clock = clock

    def of_study(self, study_uid: str) -> list[Measurement]:
        """Strokes on a study that are not deleted."""
        with self._index.read() as tx:
            return list(tx.measurements.of_study(study_uid))

    def save(self, stroke: Measurement, actor: str) -> Measurement:
        """Insert or replace; raises InvalidValue for a bad tracking UID, NotFound for an unknown study,
        Conflict for a stroke of another study.
        """
        if not is_uid(stroke.tracking_uid):
            raise InvalidValue("a measurement needs a UID to be tracked by", "tracking_uid")

        def save(tx: Transaction) -> Measurement:
            study = tx.studies.get(stroke.study_uid)
            known = tx.measurements.find(stroke.tracking_uid)
            if known is not None and known.study_uid != stroke.study_uid:
                raise Conflict("the measurement is on another study", "tracking_uid")
            now = instant(self._clock.now())
            kept = replace(
                stroke,
                author=known.author if known else actor,
                made_at=known.made_at if known else (stroke.made_at or now),
                changed_at=now,
                deleted=False,
            )
            if known is not None and replace(known, changed_at=now) == kept:
                return known
            tx.measurements.put(kept)
            tx.record(_event("measurement.saved", kept, study.patient_id, study.order_id, actor))
            return kept

        return self._index.write(save)

    def remove(self, tracking_uid: str, actor: str) -> Measurement:
        """Mark deleted; raises NotFound."""

        def remove(tx: Transaction) -> Measurement:
            known = tx.measurements.find(tracking_uid)
            if known is None:
                raise NotFound(f"no measurement {tracking_uid}", "tracking_uid")
            gone = replace(known, deleted=True, changed_at=instant(self._clock.now()))
            tx.measurements.put(gone)
            study = tx.studies.get(gone.study_uid)
            tx.record(_event("measurement.removed", gone, study.patient_id, study.order_id, actor))
            return gone

        return self._index.write(remove)


def _event(kind: str, stroke: Measurement, patient_id: int, order_id: int | None, actor: str) -> Event:
    detail = {"kind": stroke.kind, "instance": stroke.instance_uid}
    return Event(
        kind, 6, patient_id, order_id, stroke.study_uid, f"measurement:{stroke.tracking_uid}", actor, detail
    )
