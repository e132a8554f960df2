"""The look before signing: every code of the data is reached, and a clean report passes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workstation.reporting import composer
from workstation.reporting.completeness import Severity, Situation, check, may_sign
from workstation.reporting.facts import OrderFacts
from workstation.reporting.placeholders import MeasurementQuote
from workstation.reporting.shipped import code_list
from workstation.reporting.templates import TemplateLibrary, read_template
from workstation.reporting.words import denied, side_before

CHEST = OrderFacts(
    patient_id="P1",
    sex="M",
    study_uid="1.2",
    modality="CT",
    body_part="CHEST",
    indication="Cough",
    technique="CT",
)
KNEE = replace(CHEST, modality="MR", body_part="KNEE", procedure="MR knee left", laterality="L")
NODULE = MeasurementQuote("2.25.1", "Nodule", (12.0,), "mm")


def report(facts: OrderFacts, **texts: str) -> composer.Draft:
    draft = composer.start_draft(TemplateLibrary().choose(facts).template, facts)
    for name, text in {"impression": "Unremarkable.", **texts}.items():
        field = "impression-text" if name == "impression" else name.replace("_", "-")
        draft = composer.set_text(draft, field, text)
    return draft


def form(fields: str, **texts: str) -> composer.Draft:
    draft = composer.start_draft(read_template(f"<title>T</title><body><p>{fields}</p></body>"))
    for name, text in texts.items():
        draft = composer.set_text(draft, name, text)
    return draft


def found(draft: composer.Draft, situation: Situation) -> dict[str, str]:
    return {one.code: one.message for one in check(draft, situation)}


CASES: list[tuple[str, composer.Draft, Situation]] = [
    ("wrong-patient", report(CHEST), Situation(CHEST, open_patient_id="P2")),
    ("wrong-study", report(CHEST), Situation(CHEST, open_study_uid="9.9")),
    ("empty-required", report(CHEST, impression=" "), Situation(CHEST)),
    ("empty-expected", report(CHEST, lungs=""), Situation(CHEST)),
    ("gap-in-sentence", form("There is <input id='a'> of <input id='b'>", b="x"), Situation()),
    (
        "not-a-choice",
        form("<select id='a' data-reading-room-open='false'><option>x</select>", a="y"),
        Situation(),
    ),
    ("not-a-number", form("<input id='a' type='number'>", a="12 mm"), Situation()),
    ("not-a-date", form("<input id='a' type='date'>", a="2026-02-30"), Situation()),
    ("not-a-time", form("<input id='a' type='time'>", a="25:00"), Situation()),
    ("out-of-range", form("<input id='a' type='number' min='0' max='10'>", a="11"), Situation()),
    ("placeholder-left", report(CHEST, lungs="Nodule {m7}."), Situation(CHEST)),
    ("bracket-left", report(CHEST, lungs="Nodule [size]."), Situation(CHEST)),
    ("laterality-images", report(KNEE), Situation(KNEE, image_laterality="R")),
    ("laterality-order", report(KNEE, impression="Tear in the right knee."), Situation(KNEE)),
    ("laterality-field", report(KNEE, side="Right"), Situation(KNEE)),
    (
        "laterality-flip",
        report(CHEST, pleura="Small right effusion. No left effusion.", impression="Left effusion."),
        Situation(CHEST),
    ),
    ("contradiction", report(CHEST, impression="Large pneumothorax."), Situation(CHEST)),
    ("sex-mismatch", report(CHEST, upper_abdomen="The uterus is normal."), Situation(CHEST)),
    ("critical-unrecorded", report(CHEST, impression="Critical finding: tension."), Situation(CHEST)),
    (
        "prior-unknown",
        report(CHEST, comparison_text="CT of 2025-01-01."),
        Situation(CHEST, prior_dates=("2025-01-02",)),
    ),
    ("measurement-unquoted", report(CHEST), Situation(CHEST, measured=(("2.25.1", "Nodule"),))),
    ("images-unviewed", report(CHEST), Situation(CHEST, images_total=10, images_viewed=9)),
    ("images-unviewed", report(CHEST), Situation(CHEST, images_total=1, images_viewed=9, images_shown=20)),
    ("words-unsure", report(CHEST), Situation(CHEST, unsure=(("lungs", 0, 2, "No"),))),
    ("study-incomplete", report(CHEST), Situation(CHEST, images_total=9, images_expected=10)),
    ("still-arriving", report(CHEST), Situation(CHEST, still_arriving=True)),
]


@pytest.mark.parametrize(("code", "draft", "situation"), CASES, ids=[case[0] for case in CASES])
def test_each_check_finds_its_fault_and_nothing_else(
    code: str, draft: composer.Draft, situation: Situation
) -> None:
    findings = check(draft, situation)
    assert {one.code for one in findings} == {code}
    (severity, _) = code_list("sign_checks")[code]
    assert {one.severity for one in findings} == {Severity(severity)}
    assert may_sign(findings) is (severity == "alert")
    for one in findings:
        assert one.start <= one.end <= len(composer.shown(draft, one.field_id).text) if one.field_id else True


def test_every_code_of_the_data_has_its_case() -> None:
    assert {code for code, _, _ in CASES} == set(code_list("sign_checks"))


def test_a_finished_report_passes() -> None:
    draft = report(
        CHEST, lungs="A nodule.", pleura="Small right pleural effusion.", impression="Right effusion."
    )
    draft = composer.insert_measurement(composer.move_to(draft, "lungs"), NODULE)
    situation = Situation(
        CHEST, "P1", "1.2", 10, 10, 10, critical_recorded=False, measured=(("2.25.1", "Nodule"),)
    )
    assert check(draft, situation) == ()


def test_blocking_findings_come_first() -> None:
    draft = report(CHEST, lungs="", impression="")
    severities = [
        one.severity for one in check(draft, Situation(CHEST, open_patient_id="P2", still_arriving=True))
    ]
    assert severities == sorted(severities, key=lambda severity: severity is Severity.ALERT)
    assert severities[0] is Severity.BLOCK
    assert severities[-1] is Severity.ALERT


def test_a_site_may_make_an_alert_a_block() -> None:
    draft = report(CHEST, impression="Critical finding.")
    strict = Situation(CHEST, severities=(("critical-unrecorded", Severity.BLOCK),))
    assert not may_sign(check(draft, strict))
    assert may_sign(check(draft, replace(strict, critical_recorded=True)))


def test_a_deleted_measurement_blocks() -> None:
    draft = composer.insert_measurement(report(CHEST, lungs="Seen:"), NODULE)
    draft = composer.remove_measurement(draft, "2.25.1")
    assert (
        found(draft, Situation(CHEST))["placeholder-left"]
        == '"[Nodule: deleted]" still waits to be filled in.'
    )


@pytest.mark.parametrize(
    ("procedure", "laterality"),
    [("MR KNEE LT", ""), ("MR left knee", ""), ("MR knee", "L"), ("MR knee", "left")],
)
def test_the_ordered_side_is_found_however_it_is_written(procedure: str, laterality: str) -> None:
    facts = replace(KNEE, procedure=procedure, laterality=laterality)
    assert "laterality-images" in found(report(facts), Situation(facts, image_laterality="R"))


@pytest.mark.parametrize(
    "impression",
    [
        "No right knee pain was mentioned to compare the left knee.",
        "Tear of the left knee.",
        "Both knees are normal.",
    ],
)
def test_the_ordered_side_raises_no_flip(impression: str) -> None:
    assert "laterality-flip" not in found(report(KNEE, impression=impression), Situation(KNEE))


def test_labels_carry_their_side() -> None:
    facts = replace(CHEST, modality="US", body_part="ABDOMEN")
    draft = report(facts, right_kidney="An 8 mm stone.", impression="Left renal stone.")
    assert "laterality-flip" in found(draft, Situation(facts))
    draft = report(facts, right_kidney="An 8 mm stone.", impression="Right renal stone.")
    assert "laterality-flip" not in found(draft, Situation(facts))


def test_untouched_template_text_that_denies_the_impression_is_quoted() -> None:
    draft = report(CHEST, impression="Moderate left pleural effusion.")
    message = found(draft, Situation(CHEST))["contradiction"]
    assert 'deny it ("No pleural effusion or pneumothorax.")' in message
    assert "contradiction" not in found(report(CHEST, impression="No pleural effusion."), Situation(CHEST))


@pytest.mark.parametrize(
    ("text", "term", "answer"),
    [
        ("No pleural effusion or pneumothorax.", "pneumothorax", True),
        ("Effusion without pneumothorax", "pneumothorax", True),
        ("No effusion. Pneumothorax.", "Pneumothorax", False),
        ("No effusion, but a pneumothorax", "pneumothorax", False),
        ("The pneumothorax has resolved.", "pneumothorax", True),
        ("Pneumothorax is not seen.", "Pneumothorax", True),
        ("Large pneumothorax", "pneumothorax", False),
    ],
)
def test_denials(text: str, term: str, answer: bool) -> None:
    start = text.index(term)
    assert denied(text, start, start + len(term)) is answer


@pytest.mark.parametrize(
    ("text", "term", "side"),
    [
        ("Left pleural effusion", "effusion", "left"),
        ("Right-sided small effusion", "effusion", "right"),
        ("Bilateral effusions", "effusions", "bilateral"),
        ("Left lung clear. Effusion", "Effusion", ""),
        ("On the left there is in the far distance of it all an effusion", "effusion", ""),
    ],
)
def test_sides(text: str, term: str, side: str) -> None:
    assert side_before(text, text.index(term)) == side
