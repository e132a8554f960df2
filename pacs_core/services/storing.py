"""Keeping a received object: file synced first, then its row, its match and the journal in one commit."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pacs_core.domain.errors import ReadingRoomError
from pacs_core.domain.events import Event
from pacs_core.domain.reconciliation import Received
from pacs_core.domain.records import InstanceRecord, SeriesRecord, StudyRecord
from pacs_core.domain.study import InstanceHeader, Origin
from pacs_core.domain.times import instant
from pacs_core.ports import TOLD, BlobStore, BlobWriter, Clock, Index, Transaction
from pacs_core.services.performed_procedures import hold_wrong_entry, mistaken
from pacs_core.services.querying import said_by
from pacs_core.services.reconciling import Reconciling

log = logging.getLogger("reading_room.store")

DOORS = frozenset({"dimse", "stow", "import"})
"""The doors that objects come in by."""


class Kept(StrEnum):
    """What became of an object that was accepted."""

    STORED = "stored"
    ALREADY_THERE = "already there"
    OTHER_BYTES = "stored beside other bytes of the same UID"


@dataclass(frozen=True, slots=True)
class ReceivedObject:
    """A whole object in a blob writer that is not committed yet, with what intake found out about it."""

    header: InstanceHeader
    digest: str
    size: int
    data_set_offset: int


@dataclass(frozen=True, slots=True)
class Refound:
    """An object that lies in the store already: its blob's key, how it came and when (UTC)."""

    key: str
    received: ReceivedObject
    origin: Origin
    at: str


def door_of(key: str) -> str:
    """The door a blob came in by, as `Storing.begin` noted it in its key; empty where it did not."""
    return next((part for part in key.split(".")[1:-1] if part in DOORS), "")


def torn(key: str, digest: str) -> bool:
    """Say whether a blob's key tells another digest than its data set has: its sync never came."""
    told = next((part for part in key.split(".")[1:-1] if len(part) == TOLD), "")
    return bool(told) and not digest.startswith(told)


class Storing:
    """The one way in; success means file and directory are synced, and the row is in the index (contract,
    promise 1).

    The row's commit is not synced by itself: the file is what it is made from, and after a power cut the
    sweep makes it again before the node answers anybody.
    """

    def __init__(self, index: Index, blobs: BlobStore, clock: Clock, reconciling: Reconciling) -> None:
        self._index = index
        self._blobs = blobs
        self._clock = clock
        self._reconciling = reconciling
        self._lock = threading.Lock()
        self._senders: dict[str, set[str]] = {}

    def begin(self, door: str = "", digest: str = "") -> BlobWriter:
        """A writer for the next object; raises OutOfSpace while there is still room to say so.

        `door` is kept in the blob's name, so that it is known where a crash leaves the file without its row;
        so is the beginning of the data set's digest, so that a file torn by a power cut is known.
        """
        return self._blobs.create(f".{door}.dcm" if door else ".dcm", digest)

    def keep(self, writer: BlobWriter, received: ReceivedObject, origin: Origin) -> Kept:
        """Make the written object part of the archive, or throw it away where the same bytes are there.

        Raises OutOfSpace or StorageFailure; then nothing of it was kept.
        """
        writer.commit()
        self._note_sender(received.header.study_instance_uid, origin)
        try:
            kept = self._index.write(
                lambda tx: self._index_object(tx, writer.key, received, origin), of_synced_files=True
            )
        except BaseException:
            self._take_back(writer.key)
            raise
        if kept is Kept.ALREADY_THERE:
            self._blobs.remove(writer.key)
        return kept

    def index_again(self, objects: Iterable[Refound]) -> None:
        """Give objects that lie in the store their rows, all in one commit; the journal knows of them."""
        some = tuple(objects)

        def work(tx: Transaction) -> None:
            for one in some:
                self._index_object(tx, one.key, one.received, one.origin, one.at)

        self._index.write(work)

    def sender_gone(self, association: str) -> None:
        """An association ended: its studies are no longer arriving, which screens are told."""
        with self._lock:
            over = [uid for uid, senders in self._senders.items() if association in senders]
            for uid in over:
                self._senders[uid].discard(association)
                if not self._senders[uid]:
                    del self._senders[uid]
        if over:
            self._index.write(lambda tx: self._settled(tx, over))

    def arriving(self, study_uid: str) -> bool:
        """Say whether somebody who sent images of the study is still connected."""
        with self._lock:
            return study_uid in self._senders

    def all_arriving(self) -> set[str]:
        """Every study of which that is so."""
        with self._lock:
            return set(self._senders)

    def _take_back(self, key: str) -> None:
        """Remove a file the index refused; a commit whose success was not heard of keeps its file."""
        try:
            with self._index.read() as tx:
                has_row = tx.studies.has_blob(key)
        except ReadingRoomError:
            return  # the sweep at the next start finds out
        if not has_row:
            self._blobs.remove(key)

    def _note_sender(self, study_uid: str, origin: Origin) -> None:
        if origin.association:
            with self._lock:
                self._senders.setdefault(study_uid, set()).add(origin.association)

    def _settled(self, tx: Transaction, study_uids: list[str]) -> None:
        for uid in study_uids:
            study = tx.studies.find(uid)
            if study is not None:
                tx.studies.update(uid)
                tx.record(
                    _event("study.received", study, study.calling_aet, {"images": study.instance_count})
                )

    def _index_object(
        self, tx: Transaction, key: str, received: ReceivedObject, origin: Origin, at: str = ""
    ) -> Kept:
        header = received.header
        versions = tx.studies.digests_of(header.sop_instance_uid)
        if received.digest in versions:
            return Kept.ALREADY_THERE
        now = at or instant(self._clock.now())
        study = tx.studies.find(header.study_instance_uid)
        fresh = study is None
        if study is None:
            study = self._new_study(tx, header, origin, now)
        series = self._series(tx, study, header)
        news = _news(study, header)
        instance = _instance(received, key, study, series.id, now, current=not versions)
        modalities = _with_modality(study.modalities, header.modality)
        tx.studies.add_instance(instance, last_received_at=now, modalities=modalities, **news)
        if versions:
            self._hold(
                tx, study, "other bytes", "an object came again under the same UID with other bytes", now
            )
        elif not fresh and _other_patient(study, header):
            self._hold(tx, study, "two patients", "images of one study carry different patient IDs", now)
        if fresh or news:  # the first image, and one that names an order by further numbers
            study = self._reconciling.settle(tx, tx.studies.get(study.study_uid), origin.caller)
        if fresh and any(mistaken(step) for step in tx.performed.of_study(study.study_uid)):
            hold_wrong_entry(tx, study, now)
        if not at:
            tx.record(_event("images.stored", study, origin.caller, {"count": 1, "door": origin.door}))
        return Kept.OTHER_BYTES if versions else Kept.STORED

    def _new_study(self, tx: Transaction, header: InstanceHeader, origin: Origin, now: str) -> StudyRecord:
        received = Received(
            study_uid=header.study_instance_uid,
            patient_id=header.patient_id,
            issuer=header.issuer_of_patient_id,
            name=header.patient_name,
            birth_date=header.patient_birth_date,
            sex=header.patient_sex,
            accession=header.accession_number,
        )
        patient = self._reconciling.patient_for(tx, received)
        return tx.studies.add(
            StudyRecord(
                id=0,
                study_uid=header.study_instance_uid,
                patient_id=patient.id,
                received_patient_id=header.patient_id,
                received_issuer=header.issuer_of_patient_id,
                received_name=header.patient_name,
                received_birth_date=header.patient_birth_date,
                received_sex=header.patient_sex,
                received_accession=header.accession_number,
                study_id=header.study_id,
                study_date=header.study_date,
                study_time=header.study_time,
                description=header.study_description,
                referring_physician=header.referring_physician,
                modalities=header.modality,
                body_part=header.body_part,
                institution=header.institution,
                station=header.station_name,
                series_count=0,
                instance_count=0,
                reconciliation="none",
                order_id=None,
                first_received_at=now,
                last_received_at=now,
                revision=0,
                calling_aet=origin.caller,
                door=origin.door,
            )
        )

    def _series(self, tx: Transaction, study: StudyRecord, header: InstanceHeader) -> SeriesRecord:
        expected = _whole_number(header.attributes, "ImagesInAcquisition")
        found = tx.studies.find_series(study.id, header.series_instance_uid)
        if found is not None:
            if expected > found.expected_count:
                tx.studies.update_series(found.id, expected_count=expected)
            return found
        linked = tx.studies.requests_of(study.id)
        added = tx.studies.add_series(
            SeriesRecord(
                id=0,
                series_uid=header.series_instance_uid,
                study_id=study.id,
                modality=header.modality,
                series_number=header.series_number,
                description=header.series_description,
                series_date=header.series_date,
                series_time=header.series_time,
                body_part=header.body_part,
                laterality=header.laterality,
                station=header.station_name,
                manufacturer=header.manufacturer,
                instance_count=0,
                expected_count=expected,
            )
        )
        for order_id in linked:
            tx.studies.link_request(study.id, order_id)
        return added

    def _hold(self, tx: Transaction, study: StudyRecord, kind: str, reason: str, now: str) -> None:
        known = {h.kind for h in tx.holds.open_for(study.study_uid)}
        tx.holds.add(study.study_uid, kind, reason, now)
        tx.studies.update(study.study_uid, reconciliation="held")
        if kind not in known:
            tx.record(_event("study.held", study, "", {"kind": kind}, stage=5))


def _instance(
    received: ReceivedObject, key: str, study: StudyRecord, series_id: int, now: str, *, current: bool
) -> InstanceRecord:
    header = received.header
    frames = [[f.offset, f.length, [list(p) for p in f.fragments]] for f in header.frames]
    return InstanceRecord(
        id=0,
        sop_instance_uid=header.sop_instance_uid,
        series_id=series_id,
        study_id=study.id,
        sop_class_uid=header.sop_class_uid,
        transfer_syntax_uid=header.transfer_syntax_uid,
        instance_number=header.instance_number,
        rows=header.rows,
        columns=header.columns,
        number_of_frames=header.number_of_frames,
        blob_key=key,
        size=received.size,
        digest=received.digest,
        dataset_offset=received.data_set_offset,
        pixel_offset=header.pixel_offset,
        pixel_length=header.pixel_length,
        frames=json.dumps(frames, separators=(",", ":")) if frames else "",
        attributes=json.dumps(
            dict(header.attributes), ensure_ascii=False, separators=(",", ":"), default=str
        ),
        received_at=now,
        current=current,
        identity=_identity(header, study),
    )


def _identity(header: InstanceHeader, study: StudyRecord) -> str:
    """Whom the image says it is of, where its study's record says otherwise.

    An image without an accession number says so too: the study takes a later image's.
    """
    said = {
        "PatientName": header.patient_name,
        "PatientID": header.patient_id,
        "IssuerOfPatientID": header.issuer_of_patient_id,
        "PatientBirthDate": header.patient_birth_date,
        "PatientSex": header.patient_sex,
        "AccessionNumber": header.accession_number,
    }
    if said == said_by(study) and header.accession_number:
        return ""
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def _news(study: StudyRecord, header: InstanceHeader) -> dict[str, object]:
    """The columns of a study that this image adds a number to, by which it names its order."""
    own = study.received_accession or header.accession_number
    further = {n for n in (header.accession_number, *header.request_accessions) if n} - {own}
    wanted = {
        "received_accession": own,
        "received_accession_issuer": study.received_accession_issuer or header.accession_issuer,
        "further_accessions": _joined(study.further_accessions, further),
        "received_steps": _joined(study.received_steps, header.step_ids),
    }
    return {name: value for name, value in wanted.items() if value != getattr(study, name)}


def _joined(known: str, more: Iterable[str]) -> str:
    """Numbers by backslash, each once and in order; one that holds a backslash is no number of DICOM."""
    parts = {part for part in (*known.split("\\"), *more) if part and "\\" not in part}
    return "\\".join(sorted(parts))


def _with_modality(known: str, modality: str) -> str:
    parts = [m for m in known.split("\\") if m]
    return known if not modality or modality in parts else "\\".join((*parts, modality))


def _other_patient(study: StudyRecord, header: InstanceHeader) -> bool:
    return header.patient_id != study.received_patient_id


def _whole_number(attributes: Mapping[str, object], keyword: str) -> int:
    value = attributes.get(keyword)
    return value if isinstance(value, int) and value > 0 else 0


def _event(kind: str, study: StudyRecord, actor: str, detail: dict[str, object], stage: int = 4) -> Event:
    return Event(
        kind,
        stage,
        patient_id=study.patient_id,
        order_id=study.order_id,
        study_uid=study.study_uid,
        subject=f"study:{study.study_uid}",
        actor=actor,
        detail=detail,
    )
