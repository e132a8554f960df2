"""The manifest of a study: series, instances and where each frame's bytes lie."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from pacs_core.archive import models as m
from pacs_core.domain.records import InstanceRecord
from pacs_core.ports import BlobStore, Transaction
from pacs_core.services.querying import StudyAnswer, answer_of

BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
Locate = Callable[[InstanceRecord], Path | None]


def study_manifest(tx: Transaction, study_uid: str, blobs: BlobStore, *, local: bool) -> m.StudyManifest:
    """Everything a viewer needs; locators are files where `local` and the bytes can be read in place."""
    answer = answer_of(tx, tx.studies.get(study_uid))
    series = tuple(
        m.SeriesManifest(
            series_uid=s.series_uid,
            modality=s.modality,
            number=s.series_number,
            description=s.description,
            body_part=s.body_part,
            laterality=s.laterality,
            instances=tuple(
                _instance(i, blobs.path(i.blob_key) if local else None)
                for i in tx.studies.instances_of(answer.study.id, s.id)
            ),
        )
        for s in tx.studies.series_of(answer.study.id)
    )
    return _manifest(answer, series)


def _manifest(answer: StudyAnswer, series: tuple[m.SeriesManifest, ...]) -> m.StudyManifest:
    study, patient = answer.study, answer.patient
    return m.StudyManifest(
        study_uid=study.study_uid,
        patient_key=patient.id,
        patient_id=patient.identifier.value,
        patient_name=patient.demographics.name,
        study_date=study.study_date,
        study_time=study.study_time,
        description=study.description,
        accession=answer.accession,
        series=series,
        revision=study.revision,
    )


def _instance(record: InstanceRecord, path: Path | None) -> m.InstanceManifest:
    return m.InstanceManifest(
        sop_instance_uid=record.sop_instance_uid,
        sop_class_uid=record.sop_class_uid,
        transfer_syntax=record.transfer_syntax_uid,
        instance_number=record.instance_number,
        rows=record.rows,
        columns=record.columns,
        number_of_frames=record.number_of_frames,
        attributes=json.loads(record.attributes) if record.attributes else {},
        frames=_locators(record, path),
    )


def _locators(record: InstanceRecord, path: Path | None) -> tuple[m.LocalFile | m.Url, ...]:
    """A locator per frame; a file locator only for bytes that can be read as they lie."""
    places = json.loads(record.frames) if record.frames else []
    if path is None or record.transfer_syntax_uid in (BIG_ENDIAN, DEFLATED) or not places:
        return tuple(
            m.Url(record.sop_instance_uid, number, record.transfer_syntax_uid)
            for number in range(1, (record.number_of_frames if record.rows else 0) + 1)
        )
    text = str(path)
    return tuple(
        m.LocalFile(text, offset, length, record.transfer_syntax_uid, tuple((a, b) for a, b in fragments))
        for offset, length, fragments in places
    )
