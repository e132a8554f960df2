"""A QIDO-RS query as search keys of the index (PS3.18 8.3.4, 10.6.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from pacs_core.domain.errors import InvalidValue
from pacs_core.domain.identifiers import is_tolerable_uid
from pacs_core.domain.matching import split_range
from pacs_core.domain.records import StudyKeys
from pacs_core.domain.times import civil_date, civil_time
from pacs_core.web.attributes import keyword_of

MAX_LIMIT = 1000
STUDY, SERIES, INSTANCE = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: keys, slice, further attributes wanted (None: all), and what could not be taken up."""

    keys: StudyKeys
    limit: int = MAX_LIMIT
    offset: int = 0
    include: frozenset[str] | None = frozenset()
    unsupported: tuple[str, ...] = ()
    fuzzy: bool = False


def _text(value: str, _: str) -> str:
    return value


def _uids(value: str, name: str) -> tuple[str, ...]:
    uids = tuple(u.strip() for u in value.replace("\\", ",").split(",") if u.strip())
    for uid in uids:
        if not is_tolerable_uid(uid):
            raise InvalidValue(f"{name}: {uid[:70]!r} is no UID", name)
    return uids


def _list(value: str, _: str) -> tuple[str, ...]:
    return tuple(v.strip() for v in value.replace("\\", ",").split(",") if v.strip())


def _dates(value: str, name: str) -> tuple[str, str]:
    low, high = split_range(value)
    return _one(civil_date, low, name), _one(civil_date, high, name)


def _times(value: str, name: str) -> tuple[str, str]:
    """A time range; an end that leaves out minutes or seconds reaches to their last instant."""
    low, high = split_range(value)
    end = _one(civil_time, high, name)
    digits = len(high.replace(":", "").split(".")[0])
    return _one(civil_time, low, name), {2: f"{end[:2]}:59:59.999999", 4: f"{end[:5]}:59.999999"}.get(
        digits, f"{end}.999999"
    ) if end else ""


def _one(read: Callable[[str], str], text: str, name: str) -> str:
    found = read(text) if text else ""
    if text and not found:
        raise InvalidValue(f"{name}: {text[:40]!r} is no date or time", name)
    return found


Reader = Callable[[str, str], object]

_KEYS: dict[str, tuple[int, str, Reader]] = {
    "PatientID": (STUDY, "patient_id", _text),
    "IssuerOfPatientID": (STUDY, "issuer", _text),
    "PatientName": (STUDY, "patient_name", _text),
    "PatientBirthDate": (STUDY, "birth_date", _dates),
    "PatientSex": (STUDY, "sex", _text),
    "AccessionNumber": (STUDY, "accession", _text),
    "StudyInstanceUID": (STUDY, "study_uids", _uids),
    "StudyDate": (STUDY, "study_date", _dates),
    "StudyTime": (STUDY, "study_time", _times),
    "StudyID": (STUDY, "study_id", _text),
    "StudyDescription": (STUDY, "study_description", _text),
    "ReferringPhysicianName": (STUDY, "referring_physician", _text),
    "ModalitiesInStudy": (STUDY, "modalities", _list),
    "SeriesInstanceUID": (SERIES, "series_uids", _uids),
    "Modality": (SERIES, "modality", _text),
    "SeriesNumber": (SERIES, "series_number", _text),
    "SeriesDescription": (SERIES, "series_description", _text),
    "BodyPartExamined": (SERIES, "body_part", _text),
    "SOPInstanceUID": (INSTANCE, "instance_uids", _uids),
    "SOPClassUID": (INSTANCE, "sop_classes", _uids),
    "InstanceNumber": (INSTANCE, "instance_number", _text),
}


@dataclass
class _Reading:
    level: int
    keys: dict[str, Any] = field(default_factory=dict)
    include: set[str] = field(default_factory=set)
    include_all: bool = False
    unsupported: list[str] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    fuzzy: bool = False

    def take(self, name: str, value: str) -> None:
        if name in ("limit", "offset"):
            self.numbers[name] = _count(name, value)
        elif name == "fuzzymatching":
            self.fuzzy = _truth(name, value)
        elif name == "includefield":
            self._included(value)
        elif name != "accept":
            self._matched(name, value)

    def _included(self, value: str) -> None:
        for one in filter(None, (v.strip() for v in value.split(","))):
            if one.lower() == "all":
                self.include_all = True
            else:
                self.include.add(keyword_of(one))

    def _matched(self, name: str, value: str) -> None:
        keyword = keyword_of(name)
        self.include.add(keyword)
        if not value:
            return
        level, key, read = _KEYS.get(keyword, (99, "", _text))
        if (
            keyword == "Modality" and self.level == STUDY
        ):  # asked by viewers at a level where it is ModalitiesInStudy
            level, key, read = STUDY, "modalities", _list
        if level > self.level:
            self.unsupported.append(name)
        elif key in self.keys:
            raise InvalidValue(f"{name}: given twice", name)
        else:
            self.keys[key] = read(value, name)


def question(level: int, query: Iterable[tuple[str, str]], **path: tuple[str, ...]) -> Question:
    """Read a query at a level; `path` holds the keys the path names.

    Raises InvalidValue naming the parameter.
    """
    reading = _Reading(level)
    for name, value in query:
        reading.take(name, value)
    keys = {**reading.keys, **path}
    return Question(
        StudyKeys(**keys),
        min(reading.numbers.get("limit", MAX_LIMIT), MAX_LIMIT),
        reading.numbers.get("offset", 0),
        None if reading.include_all else frozenset(reading.include) - {""},
        tuple(reading.unsupported),
        reading.fuzzy,
    )


def _count(name: str, value: str) -> int:
    if not value.isdecimal() or len(value) > 9:
        raise InvalidValue(f"{name}: {value[:40]!r} is not a whole number", name)
    return int(value)


def _truth(name: str, value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise InvalidValue(f"{name}: {value[:40]!r} is not true or false", name)
    return value.lower() == "true"
