"""Earlier studies ranked by region, modality, side and age, each with its reason; and which of them hangs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pacs_core.archive.models import ExamRow
from pacs_core.archive.priors import age_words, comparable, rank
from pacs_core.domain.anatomy import regions, side
from tests.support.fake_archive import exam, patient
from workstation.session.priors import choose


def study(
    uid: str, modality: str, procedure: str, date: str = "2026-03-02", part: str = "", report: str = ""
) -> ExamRow:
    return exam(
        uid, patient(1), None, modality=modality, procedure=procedure, body_part=part, study_date=date,
        images=9, report_state=report,
    )  # fmt: skip


NOW = "2026-11-22"
TABLES = (
    (
        study("0", "CT", "CT Chest with contrast", NOW),
        (
            (study("1", "CT", "CT Chest"), "same body part, same modality, 9 months earlier"),
            (study("2", "CT", "CT Chest", "2024-11-20"), "same body part, same modality, 2 years earlier"),
            (study("3", "CR", "Chest PA", "2026-11-21"), "same body part, 1 day earlier"),
            (
                study("7", "CT", "CT Abdomen", "2026-11-15"),
                "neighbouring body part, same modality, 7 days earlier",
            ),
            (study("4", "CT", "CT Head", "2026-11-15"), "same modality, 7 days earlier"),
            (study("5", "US", "US Abdomen", "2026-11-20"), "2 days earlier"),
            (
                study("6", "CT", "CT Chest", "2026-12-24"),
                "same body part, same modality, later than this study",
            ),
        ),
        "1",
    ),
    (
        study("0", "MR", "MR Knee left", NOW),
        (
            (
                study("1", "MR", "MRT Knie links", "2025-11-22"),
                "same body part, same modality, 12 months earlier",
            ),
            (study("2", "CR", "XR Knee left", "2026-11-20"), "same body part, 2 days earlier"),
            (
                study("3", "MR", "MR Knee right", "2026-10-22"),
                "same body part, same modality, the other side, 4 weeks earlier",
            ),
        ),
        "1",
    ),
    (
        study("0", "PT/CT", "PET-CT skull base to mid thigh", NOW),
        (
            (
                study("1", "PT/CT", "PET-CT whole body", "2026-05-22", report="final"),
                "same body part, same modality, 6 months earlier, with a report",
            ),
            (study("2", "CT", "CT Chest", "2026-11-01"), "same body part, same modality, 3 weeks earlier"),
            (
                study("3", "MR", "MR Abdomen", "2026-11-01"),
                "same body part, MR, read beside it, 3 weeks earlier",
            ),
        ),
        "1",
    ),
)


def test_of_one_day_only_the_earlier_is_a_prior_and_like_comes_before_unlike() -> None:
    now = replace(study("0", "CT", "CT chest", NOW), study_time="08:40:00")
    others = [
        replace(study("later", "PT/CT", "FDG PET-CT chest", NOW), study_time="13:30:00"),
        replace(study("earlier", "PT/CT", "FDG PET-CT chest", NOW), study_time="07:10:00"),
        replace(study("untimed", "CT/PT", "FDG PET-CT chest", NOW), study_time=""),
        study("half a year", "CT", "CT chest", "2026-05-22"),
    ]
    ranked = rank(now, others)
    assert ranked[0].study_uid == "half a year"
    assert ranked[-1].study_uid == "later"
    assert ranked[-1].reason == "same body part, same modality, later than this study"
    assert {p.study_uid for p in ranked if p.score < 0} == {"later"}
    chosen = choose(ranked, "CT", "", "CT chest").prior
    assert chosen is not None
    assert chosen.study_uid == "half a year"


@pytest.mark.parametrize(("current", "expected", "hung"), TABLES)
def test_priors_in_their_order_with_their_reasons(
    current: ExamRow, expected: tuple[tuple[ExamRow, str], ...], hung: str
) -> None:
    found = rank(current, [row for row, _ in reversed(expected)])
    assert [(p.study_uid, p.reason) for p in found] == [(row.study_uid, words) for row, words in expected]
    chosen = choose(found, current.modality, current.body_part, current.procedure)
    assert chosen.prior is not None
    assert (chosen.prior.study_uid, chosen.reason) == (hung, found[0].reason)


def test_neither_another_region_nor_a_later_study_is_hung() -> None:
    current = study("0", "CT", "CT Chest", NOW)
    others = [study("1", "CT", "CT Head"), study("2", "CT", "CT Chest", "2026-12-01")]
    chosen = choose(rank(current, others), "CT", "", "CT Chest")
    assert chosen.prior is None
    assert chosen.reason == "no earlier study of this body part"


def test_a_neighbouring_region_hangs_where_there_is_none_of_the_same() -> None:
    current = study("0", "CT", "CT Chest", NOW)
    found = rank(current, [study("1", "CT", "CT Head", NOW), study("2", "CT", "CT Abdomen", "2024-01-01")])
    chosen = choose(found, "CT", "CHEST", "CT Chest")
    assert chosen.prior is not None
    assert chosen.prior.study_uid == "2"
    older = study("3", "CR", "Chest PA", "2016-01-01")
    chosen = choose(rank(current, [study("2", "CT", "CT Abdomen"), older]), "CT", "CHEST", "CT Chest")
    assert chosen.prior is not None
    assert chosen.prior.study_uid == "3"


def test_the_same_region_of_another_modality_goes_before_another_region_of_the_same() -> None:
    current = study("0", "CT", "CT Chest", NOW)
    found = rank(current, [study("1", "CT", "CT Head", NOW), study("2", "CR", "Chest PA", "2016-01-01")])
    chosen = choose(found, "CT", "CHEST", "CT Chest")
    assert chosen.prior is not None
    assert chosen.prior.study_uid == "2"


def test_studies_that_do_not_say_their_region_compare_by_modality() -> None:
    current = study("0", "CT", "Follow-up", NOW)
    found = rank(current, [study("1", "US", "Follow-up"), study("2", "CT", "Follow-up", "2020-01-01")])
    chosen = choose(found, "CT", "", "Follow-up")
    assert chosen.prior is not None
    assert chosen.prior.study_uid == "2"


@pytest.mark.parametrize(
    ("one", "other", "how"),
    [
        ("CT", "CT", 2),
        ("PT/CT", "CT", 2),
        ("CT", "MR", 1),
        ("CR", "DX", 1),
        ("CT", "CR", 0),
        ("", "CR", 2),
        ("CT/SR", "MR/SR", 1),
    ],
)
def test_modalities_that_compare(one: str, other: str, how: int) -> None:
    assert comparable(one, other) == comparable(other, one) == how


@pytest.mark.parametrize(
    ("days", "words"),
    [(0, "the same day"), (1, "1 day earlier"), (20, "20 days earlier"), (30, "4 weeks earlier"),
     (244, "8 months earlier"), (1100, "3 years earlier")],
)  # fmt: skip
def test_ages_in_words(days: int, words: str) -> None:
    assert age_words(days) == words


@pytest.mark.parametrize(
    ("text", "found", "of_side"),
    [
        ("CT ABD PELVIS(WITH CHEST IMAGES) W IV CON", {"abdomen", "pelvis", "chest"}, ""),
        ("CHEST_TO_PELVIS", {"abdomen", "pelvis", "chest"}, ""),
        ("CT des Schädels", {"head"}, ""),
        ("MR prostaat kanker", {"pelvis", "prostate"}, ""),
        ("LSPINE", {"spine", "lumbar spine"}, ""),
        ("XR Knee Left 2 views", {"knee"}, "L"),
        ("R Hand", {"hand"}, "R"),
        ("MURMUR, R/O VSD", {"heart"}, ""),
        ("Hips both", {"hip", "pelvis"}, "B"),
        ("Thoracic spine", {"spine", "thoracic spine"}, ""),
        ("Follow-up", set(), ""),
    ],
)
def test_regions_and_sides_in_words(text: str, found: set[str], of_side: str) -> None:
    assert regions(text) == found
    assert side(text) == of_side
