"""Dictated words in their place: blanks, capitals, spoken punctuation, choices and numbers."""

from __future__ import annotations

import pytest

from workstation.reporting import composer
from workstation.reporting.dictated_text import fitted, spoken_forms
from workstation.reporting.dictation import context_for
from workstation.reporting.facts import OrderFacts
from workstation.reporting.templates import TemplateLibrary, read_template


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("There is a 12 millimeters nodule.", "There is a 12 mm nodule."),
        ("A twelve millimeter nodule", "A 12 mm nodule"),
        ("12 by 8 millimeters", "12 x 8 mm"),
        ("twelve by eight centimetres", "12 x 8 cm"),
        ("three point 5 centimeters", "3.5 cm"),
        ("40 percent stenosis", "40 % stenosis"),
        ("No effusion, period", "No effusion."),
        ("No effusion period New line. The heart is normal.", "No effusion.\nThe heart is normal."),
        ("No effusion full stop new paragraph the heart", "No effusion.\n\nThe heart"),
        ("lungs comma pleura", "lungs, pleura"),
        ("The colon is normal.", "The colon is normal."),
        ("in the follow-up period there was growth", "in the follow-up period there was growth"),
        ("one of two kidneys", "one of two kidneys"),
        ("two lesions of four millimeters", "two lesions of 4 mm"),
    ],
)
def test_spoken_forms(spoken: str, written: str) -> None:
    assert spoken_forms(spoken) == written


@pytest.mark.parametrize(
    ("before", "words", "after", "whole"),
    [
        ("", "the lungs are clear.", "", "The lungs are clear."),
        ("There is a", "Solid nodule.", "", "There is a solid nodule."),
        ("There is a", "CT finding.", "", "There is a CT finding."),
        ("There is a", "Baker cyst.", "", "There is a Baker cyst."),
        ("No effusion.", "no mass.", "", "No effusion. No mass."),
        ("No effusion. ", "No mass.", "", "No effusion. No mass."),
        ("No ", "Mass.", " or effusion.", "No mass or effusion."),
        ("The heart", "is normal", ". Lungs clear.", "The heart is normal. Lungs clear."),
        ("One", "new line. two", "", "One\nTwo"),
        ("Measuring (", "12 mm", ")", "Measuring (12 mm)"),
        ("Seen on", "A", "view", "Seen on a view"),
        ("", "   ", "", ""),
    ],
)
def test_words_fit_in(before: str, words: str, after: str, whole: str) -> None:
    assert before + fitted(before, words, after) + after == whole


def draft_with(field: str) -> composer.Draft:
    return composer.start_draft(read_template(f"<title>T</title><body><p>{field}</p></body>"))


CATEGORIES = "".join(f"<option>{n} - words of {n}</option>" for n in range(6))


@pytest.mark.parametrize(
    ("field", "words", "value"),
    [
        ("<select id='f'><option>Right<option>Left</select>", "left.", "Left"),
        ("<select id='f'><option>Right<option>Left</select>", "The right side.", "Right"),
        ("<select id='f'><option>Right<option>Left</select>", "left or right", "Left or right"),
        ("<select id='f' data-reading-room-open='false'><option>Right<option>Left</select>", "both", ""),
        (f"<select id='f'>{CATEGORIES}</select>", "category four", "4 - words of 4"),
        (f"<select id='f'>{CATEGORIES}</select>", "2.", "2 - words of 2"),
        ("<input id='f' type='number'>", "forty is 42 milliliters", "42"),
        ("<input id='f' type='number'>", "twelve", "12"),
        ("<input id='f' type='number'>", "3 point 5", "3.5"),
        ("<input id='f' type='number'>", "nothing of the kind", ""),
        ("<input id='f'>", "one new line two", "One Two"),
    ],
)
def test_fields_take_what_they_can(field: str, words: str, value: str) -> None:
    assert composer.insert_dictation(draft_with(field), words).values["f"] == value


def test_several_choices_stand_together() -> None:
    field = "<select id='f' multiple><option>Without contrast.<option>With contrast.</select>"
    draft = composer.insert_dictation(draft_with(field), "without contrast")
    assert draft.values["f"] == "Without contrast."
    draft = composer.insert_dictation(draft, "with contrast")
    assert draft.values["f"] == "Without contrast. With contrast."


def test_the_engine_is_told_the_report_so_far() -> None:
    facts = OrderFacts(modality="CT", body_part="CHEST", procedure="CT chest", indication="cough")
    draft = composer.start_draft(TemplateLibrary().choose(facts).template, facts)
    draft = composer.set_text(draft, "lungs", "A nodule in the right")
    context = context_for(draft, facts)
    assert context.prompt.endswith("Lungs: A nodule in the right")
    assert context.prompt.startswith("CT chest. cough.")
    assert "No pleural effusion or pneumothorax." in context.prompt
    assert "atelectasis" in context.hotwords
