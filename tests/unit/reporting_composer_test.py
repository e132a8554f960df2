"""Writing a report: fields, cursor, measurements that stay live, undo, signing, saving."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacs_core.domain.errors import Conflict, InvalidValue
from pacs_core.domain.measurement import Measurement, Quantity
from pacs_core.domain.report import Section
from workstation.reporting import composer
from workstation.reporting.composer import Draft, History, MeasurementQuote
from workstation.reporting.facts import OrderFacts
from workstation.reporting.templates import TemplateLibrary, read_template

FACTS = OrderFacts(
    modality="CT",
    body_part="CHEST",
    study_uid="1.2.3",
    indication="Cough|fever^~\\&",
    question="Pneumonia?",
    technique="CT chest without contrast",
)
NODULE = MeasurementQuote("2.25.1", "Nodule", (12.04,), "mm", 3, 45, (9.0,), "2026-03-02")
WORDS = "Nodule 12 mm (series 3, image 45), was 9 mm on 2026-03-02, +33 %"


@pytest.fixture
def draft() -> Draft:
    return composer.start_draft(TemplateLibrary().choose(FACTS).template, FACTS)


def text_of(draft: Draft, field_id: str) -> str:
    return composer.shown(draft, field_id).text


def test_merge_fields_come_from_the_order_and_the_cursor_waits_in_the_first_other_field(draft: Draft) -> None:
    assert draft.values["indication-text"] == "Cough|fever^~\\& Pneumonia?"
    assert draft.values["technique-text"] == "CT chest without contrast"
    assert draft.values["comparison-text"] == "None available."
    assert draft.cursor.field_id == "lungs"
    assert (draft.cursor.start, draft.cursor.end) == (0, len(draft.values["lungs"]))


def test_typing_replaces_the_selected_default_and_keeps_every_delimiter(draft: Draft) -> None:
    typed = composer.insert_text(draft, "a|b^c~d\\e&f\r\n#{}[]<>\x0b\x1c\x00end")
    assert typed.values["lungs"] == "a|b^c~d\\e&f\n#{}[]<>\nend"
    assert "lungs" not in typed.untouched
    assert draft.values["lungs"] != typed.values["lungs"], "the draft before is as it was"
    assert "a|b^c~d\\e&f\n#{}[]<>\nend" in composer.plain_text(typed)


def test_fields_are_walked_forward_and_back_and_the_ends_hold(draft: Draft) -> None:
    order = [item.identifier for item in draft.fields]
    walked = [draft.cursor.field_id]
    for _ in order:
        draft = composer.next_field(draft)
        walked.append(draft.cursor.field_id)
    assert walked[: len(order) - 3] == order[3:]
    assert draft.cursor.field_id == order[-1]
    for _ in order:
        draft = composer.previous_field(draft)
    assert draft.cursor.field_id == order[0]


def test_a_touched_field_is_entered_at_its_end_with_nothing_selected(draft: Draft) -> None:
    draft = composer.set_text(draft, "airways", "Patent.")
    draft = composer.move_to(draft, "airways")
    assert (draft.cursor.caret, draft.cursor.anchor) == (7, 7)


def test_a_measurement_is_quoted_and_stays_live(draft: Draft) -> None:
    draft = composer.insert_text(draft, "Upper lobe:")
    draft = composer.insert_measurement(draft, NODULE)
    assert draft.values["lungs"] == "Upper lobe: {m1}"
    assert text_of(draft, "lungs") == f"Upper lobe: {WORDS}"
    draft = composer.update_measurement(draft, replace(NODULE, values=(15.0,)))
    assert "Nodule 15 mm" in text_of(draft, "lungs")
    assert "+67 %" in text_of(draft, "lungs")


def test_quoting_the_same_measurement_again_uses_its_name_and_another_gets_the_next(draft: Draft) -> None:
    draft = composer.insert_measurement(draft, NODULE)
    draft = composer.insert_measurement(draft, NODULE)
    draft = composer.insert_measurement(draft, replace(NODULE, tracking_uid="2.25.2"))
    assert draft.values["lungs"] == "{m1} {m1} {m2}"
    assert set(draft.quotes) == {"m1", "m2"}


def test_a_deleted_measurement_says_so_and_comes_back(draft: Draft) -> None:
    draft = composer.insert_measurement(draft, NODULE)
    gone = composer.remove_measurement(draft, "2.25.1")
    assert text_of(gone, "lungs") == "[Nodule: deleted]"
    assert text_of(composer.update_measurement(gone, NODULE), "lungs") == WORDS


def test_spans_lead_from_the_words_to_the_measurement(draft: Draft) -> None:
    draft = composer.insert_measurement(composer.insert_text(draft, "A"), NODULE)
    draft = composer.insert_text(draft, ", and more")
    shown = composer.shown(draft, "lungs")
    (span,) = shown.spans
    assert shown.text[span.start : span.end] == WORDS
    assert span.tracking_uid == "2.25.1"
    assert shown.to_raw(len(shown.text)) == len(draft.values["lungs"])
    assert shown.to_shown(len(draft.values["lungs"])) == len(shown.text)
    assert shown.to_raw(span.start + 3) == span.raw_end


def test_signing_freezes_words_and_numbers(draft: Draft) -> None:
    draft = composer.insert_measurement(draft, NODULE)
    frozen = composer.freeze(draft)
    assert frozen.values["lungs"] == WORDS
    assert composer.update_measurement(frozen, replace(NODULE, values=(99.0,))) == frozen
    assert composer.report_sections(frozen) == composer.report_sections(draft)
    for change in (
        lambda: composer.set_text(frozen, "lungs", "x"),
        lambda: composer.insert_text(frozen, "x"),
        lambda: composer.insert_measurement(frozen, NODULE),
        lambda: composer.accept_defaults(frozen),
        lambda: composer.change_template(frozen, frozen.template),
    ):
        with pytest.raises(Conflict, match="signed"):
            change()


def test_what_was_frozen_is_not_read_as_a_placeholder_again(draft: Draft) -> None:
    sly = replace(NODULE, label="{m1} {m2}")
    frozen = composer.freeze(composer.insert_measurement(draft, sly))
    assert text_of(frozen, "lungs").startswith("m1 m2 12 mm")


def test_sections_and_page(draft: Draft) -> None:
    draft = composer.set_text(draft, "impression-text", "1. Nodule.\n2. No effusion.")
    sections = composer.report_sections(draft)
    assert [section.heading for section in sections] == [
        "Indication",
        "Technique",
        "Comparison",
        "Findings",
        "Impression",
    ]
    assert sections[-1] == Section("Impression", "1. Nodule.\n2. No effusion.", "19005-8")
    assert "Lungs: No consolidation" in sections[3].text
    assert composer.plain_text(draft).endswith("\n\nIMPRESSION\n1. Nodule.\n2. No effusion.\n")


def test_an_empty_field_takes_its_label_and_sentence_with_it() -> None:
    template = read_template(
        "<title>T</title><body><section data-section-name='Findings'><p><label for='a'>Size:</label>"
        "<input id='a' type='number'><label for='a'>mm</label></p>"
        "<p>There is <select id='b'><option>no<option>a</select> effusion<input id='c'>.</p>"
        "<p>Fixed words.</p></section></body>"
    )
    draft = composer.start_draft(template)
    assert composer.report_sections(draft)[0].text == "Fixed words."
    draft = composer.set_text(composer.set_text(draft, "a", "12"), "b", "no")
    assert composer.report_sections(draft)[0].text == "Size: 12 mm\nThere is no effusion.\nFixed words."


def test_sections_within_a_section_come_with_it() -> None:
    template = read_template(
        "<title>T</title><body><section data-section-name='Findings'><p><input id='a' value='one'></p>"
        "<section data-section-name='Chest'><p><input id='b' value='two'></p></section></section>"
        "<section data-section-name='Impression'><p><input id='c' value='three'></p></section></body>"
    )
    assert composer.report_sections(composer.start_draft(template)) == (
        Section("Findings", "one\n\nChest\ntwo", "59776-5"),
        Section("Impression", "three", "19005-8"),
    )


def test_changing_the_template_loses_nothing_that_was_written(draft: Draft) -> None:
    draft = composer.set_text(draft, "lungs", "A cavity.")
    draft = composer.set_text(draft, "impression-text", "Tuberculosis.")
    draft = composer.insert_measurement(draft, NODULE)
    library = TemplateLibrary()
    other = composer.change_template(draft, library.by_identifier("readingroom.generic.1"), FACTS)
    assert other.values["findings-text"] == "Lungs: A cavity."
    assert text_of(other, "impression-text") == f"Tuberculosis. {WORDS}"
    assert other.study_uid == "1.2.3"


def test_accepting_defaults_makes_filled_fields_ones_own(draft: Draft) -> None:
    accepted = composer.accept_defaults(draft)
    assert accepted.untouched == {"impression-text"}
    assert accepted.values == draft.values


# ---------------------------------------------------------------- an editor that shows measurements in words


def test_typing_beside_a_measurement_keeps_it_live(draft: Draft) -> None:
    draft = composer.insert_measurement(composer.insert_text(draft, "A"), NODULE)
    shown = text_of(draft, "lungs")
    edited = composer.edit_shown(draft, "lungs", f"{shown} growing", len(shown) + 8)
    assert edited.values["lungs"] == "A {m1} growing"
    assert edited.cursor.caret == len("A {m1} growing")
    edited = composer.edit_shown(edited, "lungs", "B" + text_of(edited, "lungs"), 1)
    assert edited.values["lungs"] == "BA {m1} growing"
    assert edited.cursor.caret == 1


def test_typing_into_a_measurement_makes_it_words(draft: Draft) -> None:
    draft = composer.insert_measurement(draft, NODULE)
    draft = composer.insert_measurement(draft, replace(NODULE, tracking_uid="2.25.2", label="Other"))
    shown = text_of(draft, "lungs")
    edited = composer.edit_shown(draft, "lungs", shown.replace("12 mm", "about 12 mm", 1), 13)
    assert edited.values["lungs"] == f"{WORDS.replace('12 mm', 'about 12 mm')} {{m2}}"


GENERIC = TemplateLibrary().by_identifier("readingroom.generic.1")
CHEST = TemplateLibrary().choose(FACTS).template
_PIECES = st.lists(st.sampled_from(["a", "b ", "{m1}", "{m2}", "{m9}", "\n", "é", "|"]), max_size=8).map(
    "".join
)


@given(
    raw=_PIECES,
    cut=st.tuples(st.integers(0, 80), st.integers(0, 80)),
    new=st.sampled_from(["", "x", "a", "{m1", "}"]),
)
def test_an_edit_of_what_is_shown_shows_what_was_typed(raw: str, cut: tuple[int, int], new: str) -> None:
    draft = composer.start_draft(GENERIC)
    quotes = {"m1": replace(NODULE, values=(1.0,)), "m2": replace(NODULE, tracking_uid="2", label="b")}
    draft = replace(composer.set_text(draft, "findings-text", raw), quotes=quotes)
    before = composer.shown(draft, "findings-text").text
    start, end = sorted(min(place, len(before)) for place in cut)
    wanted = before[:start] + new + before[end:]
    edited = composer.edit_shown(draft, "findings-text", wanted, start + len(new))
    after = composer.shown(edited, "findings-text").text
    typed_a_name = composer.shown(
        replace(draft, values={**draft.values, "findings-text": wanted}), "findings-text"
    )
    assert after in {wanted, typed_a_name.text}


# ---------------------------------------------------------------- undo, changes, saving


def test_typing_is_undone_by_words_and_redone(draft: Draft) -> None:
    history = History(draft)
    for letter in "one two":
        history.do(composer.insert_text(history.draft, letter), typing=True)
    assert history.draft.values["lungs"] == "one two"
    assert history.undo().values["lungs"] == "one "
    assert history.undo().values["lungs"] == draft.values["lungs"]
    assert not history.can_undo
    history.redo()
    assert history.redo().values["lungs"] == "one two"
    assert not history.can_redo


def test_moving_the_cursor_is_no_step(draft: Draft) -> None:
    history = History(draft)
    history.do(composer.next_field(history.draft))
    assert not history.can_undo


def test_undo_never_brings_an_old_number_back(draft: Draft) -> None:
    history = History(draft)
    history.do(composer.insert_measurement(history.draft, NODULE))
    history.do(composer.insert_text(history.draft, " x"))
    history.update_measurement(replace(NODULE, values=(20.0,)))
    assert "20 mm" in text_of(history.undo(), "lungs")
    assert "20 mm" in text_of(history.redo(), "lungs")


def test_changes_are_named_by_field(draft: Draft) -> None:
    after = composer.set_text(composer.set_text(draft, "pleura", "Effusion."), "impression-text", "Yes.")
    changes = composer.changes_since(draft, after)
    assert [(change.label, change.after) for change in changes] == [
        ("Pleura", "Effusion."),
        ("Impression", "Yes."),
    ]
    assert composer.changes_since(after, after) == ()


@given(
    text=st.text(max_size=60),
    caret=st.integers(0, 60),
    values=st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=2),
)
def test_a_saved_draft_comes_back_as_it_was(text: str, caret: int, values: list[float]) -> None:
    draft = composer.start_draft(CHEST, FACTS)
    draft = composer.set_text(draft, "lungs", text, caret)
    draft = composer.insert_measurement(draft, replace(NODULE, values=tuple(values), series_number=None))
    assert composer.draft_from_json(composer.draft_to_json(draft)) == draft


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"format": 2}', '{"format": 1}', '{"format": 1, "template": 7}', "[" * 200_000],
)
def test_a_damaged_draft_is_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidValue):
        composer.draft_from_json(text)


def test_a_draft_with_a_script_in_its_template_is_refused(draft: Draft) -> None:
    text = composer.draft_to_json(draft).replace("<body>", "<body><script>x</script>")
    with pytest.raises(InvalidValue, match="script"):
        composer.draft_from_json(text)


# ---------------------------------------------------------------- quoting a measurement


def stroke(*quantities: Quantity, label: str = "", **more: object) -> Measurement:
    made = Measurement("2.25.9", "length", "1", "2", "3", 1, (), quantities, label=label)
    return replace(made, series_number=3, instance_number=45, **more)  # type: ignore[arg-type]  # by field name


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [
        ((Quantity("Length", 12.04, "mm"),), (), "12 mm"),
        ((Quantity("Length", 12.34, "mm"),), (), "12.3 mm"),
        ((Quantity("Length", 0.456, "mm"),), (), "0.46 mm"),
        ((Quantity("Angle", 35.0, "deg"),), (), "35°"),
        ((Quantity("Area", 1234.5, "mm2"), Quantity("Mean", -3.04, "[hnsf'U]")), (), "mean -3 HU"),
        ((Quantity("Long Axis", 12.0, "mm"), Quantity("Short Axis", 8.0, "mm")), (), "12 x 8 mm"),
        (
            (Quantity("Length", 12.0, "mm"),),
            (Quantity("Length", 9.0, "mm"),),
            "12 mm, was 9 mm on 2026-03-02, +33 %",
        ),
        (
            (Quantity("Length", 9.0, "mm"),),
            (Quantity("Length", 9.04, "mm"),),
            "9 mm, was 9 mm on 2026-03-02, unchanged",
        ),
        (
            (Quantity("Length", 6.0, "mm"),),
            (Quantity("Length", 9.0, "mm"),),
            "6 mm, was 9 mm on 2026-03-02, -33 %",
        ),
        ((Quantity("Length", 6.0, "mm"),), (Quantity("Length", 9.0, "cm"),), "6 mm"),
        (
            (Quantity("Mean", 5.0, "1"),),
            (Quantity("Mean", 0.0, "1"),),
            "mean 5, was 0 on 2026-03-02, change not defined",
        ),
    ],
)
def test_the_words_of_a_measurement(
    now: tuple[Quantity, ...], before: tuple[Quantity, ...], words: str
) -> None:
    quote = composer.quote_of(stroke(*now), stroke(*before) if before else None, "2026-03-02")
    assert quote.text.replace(" (series 3, image 45)", "") == words


def test_a_number_that_cannot_be_trusted_is_not_quoted() -> None:
    with pytest.raises(InvalidValue, match="no pixel spacing"):
        composer.quote_of(stroke(Quantity("Length", 1.0, "mm"), refusal="no pixel spacing"))
    with pytest.raises(InvalidValue, match="no number"):
        composer.quote_of(stroke())
    with pytest.raises(InvalidValue, match="finite"):
        composer.quote_of(stroke(Quantity("Length", float("nan"), "mm")))
    with pytest.raises(InvalidValue, match="no SUV"):
        composer.quote_of(stroke(Quantity("Length", 1.0, "mm")), quantity="SUV")
