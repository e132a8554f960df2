"""C-FIND and QIDO-RS queries against a naive oracle over everything that lies in an archive (PS3.4 C.4.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacs_core.domain.identifiers import PatientIdentifier
from pacs_core.domain.patient import MergePatients, RegisterPatient
from pacs_core.domain.records import StudyKeys
from tests.support import oracle
from tests.support.spine import Spine, spine

MR = "1.2.840.10008.5.1.4.1.1.4"
CT = "1.2.840.10008.5.1.4.1.1.2"


@dataclass(frozen=True)
class Person:
    """A person as the archive should know them: every identifier as (value, issuer), the main one first."""

    ids: tuple[tuple[str, str], ...]
    name: str
    birth: str
    sex: str


@dataclass(frozen=True)
class Image:
    """One image with its series and study."""

    study: str
    series: int
    number: int
    person: Person
    accession: str = ""
    date: str = ""
    time: str = ""
    study_id: str = ""
    description: str = ""
    referrer: str = ""
    modality: str = "CT"
    series_description: str = ""
    body_part: str = ""
    linked_to: str = ""

    @property
    def series_uid(self) -> str:
        return f"{self.study}.{self.series}"

    @property
    def uid(self) -> str:
        return f"{self.series_uid}.{self.number}"

    @property
    def sop_class(self) -> str:
        return MR if self.modality == "MR" else CT


YAMADA = Person((("P1", "HOSP"),), "Yamada^Tarou=山田^太郎=やまだ^たろう", "1970-01-02", "M")
MUELLER = Person((("P2", ""),), "Müller^Jörg", "1980-03-04", "M")
SAME_NUMBER = Person((("P1", "OTHER"),), "Doe^Jane^A", "1970-01-02", "F")
MERGED_TWICE = Person((("P5", "HOSP"), ("P4", "HOSP"), ("P3", "HOSP")), "Merged^Marie", "1999-12-31", "F")
UNKNOWN = Person((("X*1", ""),), "Un?known^Willi", "", "")
NAMELESS = Person((("P7", "HOSP"),), "", "2001-01-01", "O")
PEOPLE = (YAMADA, MUELLER, SAME_NUMBER, MERGED_TWICE, UNKNOWN, NAMELESS)

IMAGES = [
    Image(
        "1.1",
        1,
        1,
        YAMADA,
        "A1",
        "2026-01-01",
        "10:00:00",
        "S1",
        "CT Thorax",
        "Arzt^Anna",
        "CT",
        "Axial",
        "CHEST",
    ),
    Image(
        "1.1",
        1,
        2,
        YAMADA,
        "A1",
        "2026-01-01",
        "10:00:00",
        "S1",
        "CT Thorax",
        "Arzt^Anna",
        "CT",
        "Axial",
        "CHEST",
    ),
    Image("1.1", 2, 1, YAMADA, "A1", "2026-01-01", "10:00:00", "S1", "CT Thorax", "Arzt^Anna", "SR", "Dose"),
    Image(
        "1.2",
        1,
        1,
        YAMADA,
        "A2",
        "2026-01-02",
        "23:59:59",
        "S2",
        "MR Kopf",
        "Müller^Max",
        "MR",
        "T1 ax",
        "HEAD",
    ),
    Image(
        "1.3", 1, 1, MUELLER, "A1", "2026-01-01", "00:00:00", "S1", "ct thorax", "", "CT", "axial", "CHEST"
    ),
    Image("1.4", 1, 1, SAME_NUMBER, "", "", "", "", "", "", "CR"),
    Image("1.5", 1, 1, MERGED_TWICE, "B-5", "2025-12-31", "12:00:00", "", "US [Abdomen]", "Arzt^Anna", "US"),
    Image("1.6", 1, 1, MERGED_TWICE, "B_6", "2025-12-31", "12:30:00", "", "100% US_Abd", "", "US"),
    Image("1.7", 1, 1, UNKNOWN, "A%1", "2024-02-29", "08:00:00", "S7", "MG", "", "MG", "R CC", "BREAST"),
    Image("1.8", 1, 1, NAMELESS, "A8", "2026-01-02", "07:00:00", "S8", "CT", "", "CT"),
    Image("1.9", 1, 1, MUELLER, "WRONG", "2026-01-03", "09:00:00", "S9", "CT", "", "CT", linked_to="RIGHT"),
]


@dataclass(frozen=True)
class Study:
    """The images of a study together."""

    images: list[Image] = field(default_factory=list)

    @property
    def first(self) -> Image:
        return self.images[0]


def studies() -> dict[str, Study]:
    found: dict[str, Study] = {}
    for image in IMAGES:
        found.setdefault(image.study, Study()).images.append(image)
    return found


# ---------------------------------------------------------------- the archive with all of it


def register(house: Spine, person: Person, identifier: tuple[str, str]) -> None:
    command = RegisterPatient(
        PatientIdentifier(*identifier), name=person.name, birth_date=person.birth, sex=person.sex
    )
    house.services.patients.register(command, "RIS")


def store(house: Spine, image: Image) -> None:
    value, issuer = image.person.ids[-1]
    house.image(
        image.study,
        image.number,
        sop_instance_uid=image.uid,
        series_instance_uid=image.series_uid,
        sop_class_uid=image.sop_class,
        patient_id=value,
        issuer_of_patient_id=issuer,
        patient_name=image.person.name,
        patient_birth_date=image.person.birth,
        patient_sex=image.person.sex,
        accession_number=image.accession,
        study_date=image.date,
        study_time=image.time,
        study_id=image.study_id,
        study_description=image.description,
        referring_physician=image.referrer,
        modality=image.modality,
        series_number=image.series,
        series_description=image.series_description,
        body_part=image.body_part,
    )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spine]:
    with spine(tmp_path_factory.mktemp("archive")) as made:
        for person in PEOPLE:
            if person is not UNKNOWN:
                for identifier in person.ids:
                    register(made, person, identifier)
        for image in IMAGES:
            store(made, image)
        for older, newer in (("P3", "P4"), ("P4", "P5")):
            survivor = RegisterPatient(PatientIdentifier(newer, "HOSP"))
            made.services.patients.merge(MergePatients(survivor, PatientIdentifier(older, "HOSP")), "RIS")
        order = made.order("RIGHT", "P2")
        made.services.reconciling.link("1.9", order.id, "tech")
        yield made


# ---------------------------------------------------------------- the oracle


def person_fits(keys: StudyKeys, person: Person) -> bool:
    if keys.patient_id.strip("*"):
        mine = any(
            oracle.text(keys.patient_id, value) and (not keys.issuer or not issuer or issuer == keys.issuer)
            for value, issuer in person.ids
        )
    else:
        mine = not keys.issuer or keys.issuer in [issuer for _, issuer in person.ids]
    return (
        mine
        and oracle.name(keys.patient_name, person.name)
        and oracle.between(keys.birth_date, person.birth)
        and oracle.text(keys.sex, person.sex)
    )


def study_fits(keys: StudyKeys, study: Study) -> bool:
    one = study.first
    modalities = {i.modality for i in study.images}
    return (
        person_fits(keys, one.person)
        and oracle.text(keys.accession, one.linked_to or one.accession)
        and (not keys.study_uids or one.study in keys.study_uids)
        and oracle.between(keys.study_date, one.date)
        and oracle.between(keys.study_time, one.time)
        and oracle.text(keys.study_id, one.study_id)
        and oracle.text(keys.study_description, one.description, fold=True)
        and oracle.name(keys.referring_physician, one.referrer)
        and (not keys.modalities or any(oracle.text(w, m) for w in keys.modalities for m in modalities))
        and (not keys.series_uids or any(i.series_uid in keys.series_uids for i in study.images))
        and (not keys.instance_uids or any(i.uid in keys.instance_uids for i in study.images))
    )


def series_fits(keys: StudyKeys, image: Image) -> bool:
    return (
        (not keys.series_uids or image.series_uid in keys.series_uids)
        and oracle.text(keys.modality, image.modality)
        and oracle.text(keys.series_number, str(image.series))
        and oracle.text(keys.series_description, image.series_description, fold=True)
        and oracle.text(keys.body_part, image.body_part)
    )


def image_fits(keys: StudyKeys, image: Image) -> bool:
    return (
        (not keys.instance_uids or image.uid in keys.instance_uids)
        and (not keys.sop_classes or image.sop_class in keys.sop_classes)
        and oracle.text(keys.instance_number, str(image.number))
    )


# ---------------------------------------------------------------- questions


Keys = dict[str, st.SearchStrategy[Any]]


def some(values: list[str]) -> st.SearchStrategy[str]:
    """A value that is there, or nearly: cut off with a wild card, with one inside, padded, in capitals."""

    @st.composite
    def near(draw: st.DrawFn) -> str:
        value = draw(st.sampled_from(values))
        at = draw(st.integers(0, len(value)))
        forms = [value, value[:at] + "*", "*" + value[at:], value[:at] + "?" + value[at + 1 :], f"{value} "]
        return draw(st.sampled_from([*forms, value.upper(), value.lower(), "*", "?"]))

    return st.one_of(st.just(""), st.just(""), near())


def ranges(values: list[str]) -> st.SearchStrategy[tuple[str, str]]:
    end = st.sampled_from(["", *sorted(set(values) - {""})])
    return st.one_of(st.just(("", "")), st.tuples(end, end))


def lists(values: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.one_of(
        st.just(()), st.lists(st.sampled_from([*values, "9.9"]), min_size=1, max_size=3).map(tuple)
    )


def of(name: str) -> list[str]:
    return sorted({getattr(image, name) for image in IMAGES})


PERSON_KEYS: Keys = {
    "patient_id": some([value for person in PEOPLE for value, _ in person.ids]),
    "issuer": st.sampled_from(["", "", "HOSP", "OTHER", "NONE"]),
    "patient_name": some([g for p in PEOPLE for g in (p.name, *p.name.split("="), p.name.split("^")[0])]),
    "birth_date": ranges([person.birth for person in PEOPLE]),
    "sex": some(["M", "F", "O"]),
}
STUDY_KEYS: Keys = {
    "accession": some([*of("accession"), "RIGHT"]),
    "study_uids": lists(of("study")),
    "series_uids": lists(of("series_uid")),
    "instance_uids": lists(of("uid")),
    "study_date": ranges(of("date")),
    "study_time": ranges(of("time")),
    "study_id": some(of("study_id")),
    "study_description": some(of("description")),
    "referring_physician": some(of("referrer")),
    "modalities": st.one_of(st.just(()), some(of("modality")).map(lambda m: (m,) if m else ())),
}
BELOW_KEYS: Keys = {
    "modality": some(of("modality")),
    "series_number": some(["1", "2"]),
    "series_description": some(of("series_description")),
    "body_part": some(of("body_part")),
    "sop_classes": lists([CT, MR]),
    "instance_number": some(["1", "2"]),
}


def keys_of(*parts: Keys) -> st.SearchStrategy[StudyKeys]:
    """One to three keys with values: all of them at once would seldom find anything."""
    known = {name: values for part in parts for name, values in part.items()}
    few = st.lists(st.sampled_from(sorted(known)), min_size=1, max_size=3, unique=True)
    asked = few.flatmap(lambda names: st.fixed_dictionaries({name: known[name] for name in names}))
    return asked.map(lambda values: StudyKeys(**values))


@settings(max_examples=150)
@given(keys=keys_of(PERSON_KEYS, STUDY_KEYS))
def test_studies_are_found_as_the_oracle_says(house: Spine, keys: StudyKeys) -> None:
    found = [a.study.study_uid for a in house.services.querying.studies(keys)]
    assert sorted(found) == sorted(uid for uid, study in studies().items() if study_fits(keys, study))


@settings(max_examples=80)
@given(keys=keys_of(PERSON_KEYS, STUDY_KEYS, BELOW_KEYS))
def test_series_and_instances_are_found_as_the_oracle_says(house: Spine, keys: StudyKeys) -> None:
    fitting = [i for s in studies().values() if study_fits(keys, s) for i in s.images if series_fits(keys, i)]
    series = [a.series.series_uid for a in house.services.querying.series(keys)]
    assert sorted(series) == sorted({i.series_uid for i in fitting})
    instances = [a.instance.sop_instance_uid for a in house.services.querying.instances(keys)]
    assert sorted(instances) == sorted(i.uid for i in fitting if image_fits(keys, i))
    files = [f.instance.sop_instance_uid for f in house.services.retrieving.files(keys)]
    assert sorted(files) == sorted(instances)


@settings(max_examples=40)
@given(keys=keys_of(PERSON_KEYS))
def test_patients_are_found_once_each_with_their_studies(house: Spine, keys: StudyKeys) -> None:
    found = {p.identifier: n for p, n in house.services.querying.patients(keys)}
    counted: dict[PatientIdentifier, int] = {}
    for study in studies().values():
        if study_fits(keys, study):
            main = PatientIdentifier(*study.first.person.ids[0])
            counted[main] = counted.get(main, 0) + 1
    assert found == counted


@settings(max_examples=15)
@given(offset=st.integers(0, 12), limit=st.integers(1, 12))
def test_pages_of_an_answer_are_parts_of_the_whole(house: Spine, offset: int, limit: int) -> None:
    whole = [a.study.study_uid for a in house.services.querying.studies(StudyKeys())]
    page = [a.study.study_uid for a in house.services.querying.studies(StudyKeys(), limit, offset)]
    assert page == whole[offset : offset + limit]
    dates = [a.study.study_date for a in house.services.querying.studies(StudyKeys())]
    assert dates == sorted(dates, reverse=True)


@pytest.mark.parametrize("identifier", ["P3", "P4", "P5"])
def test_a_merge_of_a_merge_is_found_under_every_number(house: Spine, identifier: str) -> None:
    found = house.services.querying.studies(StudyKeys(patient_id=identifier))
    assert sorted(a.study.study_uid for a in found) == ["1.5", "1.6"]
