"""QIDO-RS: searching studies, series and instances (PS3.18 10.6)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields

from starlette.requests import Request
from starlette.responses import Response

from pacs_core.archive import codec
from pacs_core.archive.routes import JSON, parse_query
from pacs_core.domain.access import Actor, Verb
from pacs_core.domain.records import StudyKeys
from pacs_core.services.querying import InstanceAnswer, SeriesAnswer, StudyAnswer
from pacs_core.web.attributes import DICOM_JSON, JsonAttributes, put, put_known
from pacs_core.web.blocking import Blocking
from pacs_core.web.callers import actor_of
from pacs_core.web.node import WebNode
from pacs_core.web.paths import ROOT, accepted, base_url, path_uids
from pacs_core.web.problems import not_acceptable
from pacs_core.web.qido_keys import INSTANCE, SERIES, STUDY, Question, question
from pacs_core.web.responses import answer
from pacs_core.web.routing import At, Endpoint

LONGEST = 600
_LEVELS = {STUDY: "studies", SERIES: "series", INSTANCE: "instances"}
_PATHS = (
    ("/studies", STUDY),
    ("/studies/{study}/series", SERIES),
    ("/series", SERIES),
    ("/studies/{study}/series/{series}/instances", INSTANCE),
    ("/studies/{study}/instances", INSTANCE),
    ("/instances", INSTANCE),
)


class Qido:
    """The search resources."""

    def __init__(self, node: WebNode, blocking: Blocking) -> None:
        self._node = node
        self._blocking = blocking

    def endpoints(self) -> list[At]:
        """Every search resource."""
        return [At(ROOT + path, "GET", self._search(level)) for path, level in _PATHS]

    def _search(self, level: int) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            actor = actor_of(request)
            media_type = _media_type(request)
            asked = question(level, parse_query(request.scope["query_string"]), **_path_keys(request))
            found = await self._blocking.run(self._find, actor, level, asked, base_url(request))
            more = len(found) > asked.limit
            body = codec.dump(found[: asked.limit])
            response = answer(request, body, media_type)
            for words in _warnings(asked, more=more):
                response.headers.append("Warning", f'299 ReadingRoom "{words}"')
            return response

        return endpoint

    def _find(self, actor: Actor, level: int, asked: Question, base: str) -> list[JsonAttributes]:
        self._node.access.require(actor, Verb.VIEW)
        querying = self._node.querying
        keys, limit, offset = asked.keys, asked.limit + 1, asked.offset
        if level == STUDY:
            found = [study_json(a, asked, base) for a in querying.studies(keys, limit, offset)]
        elif level == SERIES:
            found = [series_json(a, asked, base) for a in querying.series(keys, limit, offset)]
        else:
            found = [instance_json(a, asked, base) for a in querying.instances(keys, limit, offset)]
        answers = min(len(found), asked.limit)
        detail = f"{answers} answers to {told(keys) or 'no keys'}"
        self._node.access.note(actor, "query", f"QIDO-RS {_LEVELS[level]}", detail=detail)
        return found


def told(keys: StudyKeys) -> str:
    """The keys that were given a value, with it, for the audit."""
    given = {f.name: _plain(f.name, getattr(keys, f.name)) for f in fields(keys)}
    words = ", ".join(f"{name}={value}" for name, value in given.items() if value)
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 3]}..."


def _plain(name: str, value: str | tuple[str, ...]) -> str:
    if isinstance(value, str):
        return value
    between = " to " if name.endswith(("_date", "_time")) else " "
    return between.join(value) if any(value) else ""


def _path_keys(request: Request) -> dict[str, tuple[str, ...]]:
    uids = path_uids(request)
    names = {"study": "study_uids", "series": "series_uids"}
    return {names[level]: (uid,) for level, uid in uids.items()}


def _media_type(request: Request) -> str:
    for one in accepted(request):
        if one.full in (DICOM_JSON, "*/*", "application/*"):
            return DICOM_JSON
        if one.full == JSON:
            return JSON
    raise not_acceptable(f"a search is answered as {DICOM_JSON}")


def _warnings(asked: Question, *, more: bool) -> Iterable[str]:
    if more:
        yield "There are additional results that can be requested"
    if asked.fuzzy:
        yield "The fuzzymatching parameter is not supported. Only literal matching has been performed."
    if asked.unsupported:
        yield f"These attributes were not matched: {', '.join(asked.unsupported)}"


def _path_study(asked: Question) -> bool:
    return bool(asked.keys.study_uids)


def study_json(found: StudyAnswer, asked: Question, base: str) -> JsonAttributes:
    """A study's attributes (PS3.18 table 10.6.3-3)."""
    out = _study_attributes(found)
    put(out, "RetrieveURL", f"{base}/studies/{found.study.study_uid}")
    return out


def _study_attributes(found: StudyAnswer) -> JsonAttributes:
    study, person = found.study, found.person
    out: JsonAttributes = {}
    put(out, "StudyDate", study.study_date)
    put(out, "StudyTime", study.study_time)
    put(out, "AccessionNumber", found.accession)
    put(out, "InstanceAvailability", "ONLINE")
    put(out, "ModalitiesInStudy", study.modalities.split("\\"))
    put(out, "ReferringPhysicianName", study.referring_physician)
    put(out, "StudyDescription", study.description)
    put(out, "PatientName", person.name)
    put(out, "PatientID", found.patient.identifier.value)
    put(out, "IssuerOfPatientID", found.patient.identifier.issuer)
    put(out, "PatientBirthDate", person.birth_date)
    put(out, "PatientSex", person.sex)
    put(out, "StudyInstanceUID", study.study_uid)
    put(out, "StudyID", study.study_id)
    put(out, "NumberOfStudyRelatedSeries", study.series_count)
    put(out, "NumberOfStudyRelatedInstances", study.instance_count)
    return out


def series_json(found: SeriesAnswer, asked: Question, base: str) -> JsonAttributes:
    """A series' attributes, with its study's where the path does not name it (PS3.18 table 10.6.3-4)."""
    out = _series_attributes(found)
    if not _path_study(asked):
        out = _study_attributes(found.of) | out
    study_uid = found.of.study.study_uid
    put(out, "StudyInstanceUID", study_uid)
    put(out, "RetrieveURL", f"{base}/studies/{study_uid}/series/{found.series.series_uid}")
    return out


def _series_attributes(found: SeriesAnswer) -> JsonAttributes:
    series = found.series
    out: JsonAttributes = {}
    put(out, "Modality", series.modality)
    put(out, "SeriesDescription", series.description)
    put(out, "SeriesInstanceUID", series.series_uid)
    put(out, "SeriesNumber", series.series_number)
    put(out, "SeriesDate", series.series_date)
    put(out, "SeriesTime", series.series_time)
    put(out, "BodyPartExamined", series.body_part)
    put(out, "Laterality", series.laterality)
    put(out, "StationName", series.station)
    put(out, "Manufacturer", series.manufacturer)
    put(out, "NumberOfSeriesRelatedInstances", series.instance_count)
    return out


def instance_json(found: InstanceAnswer, asked: Question, base: str) -> JsonAttributes:
    """An instance's attributes, with those of what the path does not name (PS3.18 table 10.6.3-5)."""
    instance, series, study = found.instance, found.of.series, found.of.of.study
    out: JsonAttributes = {}
    if not _path_study(asked):
        out |= _study_attributes(found.of.of)
    if not asked.keys.series_uids:
        out |= _series_attributes(found.of)
    put(out, "StudyInstanceUID", study.study_uid)
    put(out, "SeriesInstanceUID", series.series_uid)
    put(out, "SOPClassUID", instance.sop_class_uid)
    put(out, "SOPInstanceUID", instance.sop_instance_uid)
    put(out, "InstanceAvailability", "ONLINE")
    put(out, "InstanceNumber", instance.instance_number)
    if instance.rows:
        put(out, "Rows", instance.rows)
        put(out, "Columns", instance.columns)
    if instance.number_of_frames > 1:
        put(out, "NumberOfFrames", instance.number_of_frames)
    url = f"{base}/studies/{study.study_uid}/series/{series.series_uid}/instances/{instance.sop_instance_uid}"
    put(out, "RetrieveURL", url)
    wanted: Sequence[str] | None = None
    if asked.include is not None:
        wanted = ("BitsAllocated", *sorted(asked.include))
    put_known(out, _further(instance.attributes), wanted)
    return out


def _further(text: str) -> Mapping[str, object]:
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}
