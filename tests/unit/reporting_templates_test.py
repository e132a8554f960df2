"""Report templates: the shipped ones, those of others, those that are refused, and the choice."""

from __future__ import annotations

from pathlib import Path

import pytest

from workstation.reporting.facts import OrderFacts
from workstation.reporting.shipped import TEMPLATE_FOLDER
from workstation.reporting.templates import (
    CompletionAction,
    ConceptCode,
    FieldKind,
    Label,
    TemplateLibrary,
    TemplateRefused,
    read_template,
    template_html,
)

SHIPPED = sorted(TEMPLATE_FOLDER.glob("*.html"))


def page(body: str, head: str = "<title>T</title>") -> str:
    return f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>"


FIELD = '<input type="text" id="a" data-field-type="TEXT">'


@pytest.fixture(scope="module")
def library() -> TemplateLibrary:
    return TemplateLibrary()


def test_thirteen_templates_are_shipped_and_none_is_refused(library: TemplateLibrary) -> None:
    assert len(SHIPPED) == 13
    assert len(library.templates) == 13
    assert library.refused == ()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_template_has_coded_sections_and_an_impression_that_must_be_filled(path: Path) -> None:
    template = read_template(path.read_bytes(), path.name)
    codes = {section.heading: section.code for section in template.sections}
    assert codes["Findings"] == "59776-5"
    assert codes["Impression"] == "19005-8"
    impression = template.fields[-1]
    assert impression.completion is CompletionAction.PROHIBIT
    assert {field.merge for field in template.fields} >= {"indication", "technique", "comparison"}
    assert template.hotwords
    assert template.remarks == ()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_writing_and_reading_gives_the_same_template(path: Path) -> None:
    template = read_template(path.read_bytes())
    assert read_template(template_html(template)) == template


def test_fields_of_every_kind_are_read() -> None:
    template = read_template(
        page(
            '<section id="f" data-section-name="Findings"><header>Findings</header>'
            '<p><label for="t">Lungs:</label><input id="t" data-field-type="TEXT" value="clear"></p>'
            '<p><label for="n">Size</label><input id="n" type="number" data-field-type="NUMBER" min="0"'
            ' max="9.5"'
            ' data-field-completion-action="ALERT"><label for="n">mm</label></p>'
            '<p><input id="d" type="date" data-field-type="DATE" value="2026-01-02">'
            '<input id="h" type="time" data-field-type="TIME"></p>'
            '<p>There is <select id="s" data-field-type="SELECTION_LIST"><option selected>no<option>a small'
            "</select>"
            " effusion.</p>"
            '<textarea id="x" data-field-type="TEXTAREA" data-field-completion-action="PROHIBIT">'
            "one\ntwo</textarea>"
            '<input id="i" name="Reason for exam" data-field-type="TEXT" data-field-merge-flag="true">'
            "</section>"
        )
    )
    fields = {field.identifier: field for field in template.fields}
    assert fields["t"].label == "Lungs"
    assert fields["t"].default == "clear"
    assert (fields["n"].minimum, fields["n"].maximum) == (0.0, 9.5)
    assert fields["n"].completion is CompletionAction.ALERT
    assert fields["d"].kind is FieldKind.DATE
    assert fields["h"].kind is FieldKind.TIME
    assert fields["s"].choices == ("no", "a small")
    assert fields["s"].default == "no"
    assert fields["x"].default == "one\ntwo"
    assert fields["x"].completion is CompletionAction.PROHIBIT
    assert fields["i"].merge == "indication"
    assert [p.parts[-1] for p in template.sections[0].paragraphs][1] == Label("mm", "n")


def test_check_boxes_of_a_group_are_one_selection_of_several() -> None:
    template = read_template(
        page(
            '<p><label for="c">Technique:</label><span id="c" data-field-type="CHECKBOX"><br />'
            '<input type="checkbox" value="Without contrast." checked="">Without contrast.</input><br />'
            '<span><input type="checkbox" value="With contrast."><input type="text" value="x"></span>'
            "</span></p>"
            '<p><span id="r" data-field-type="RADIO"><input type="radio" value="yes"><input type="radio"'
            ' value="no">'
            "</span> afterwards</p>"
        )
    )
    group, radio = template.fields
    assert group.kind is FieldKind.SELECTION
    assert group.multiple
    assert group.choices == ("Without contrast.", "With contrast.")
    assert group.default == "Without contrast."
    assert not radio.multiple
    assert not radio.open
    assert template.sections[0].paragraphs[1].parts[-1] == "afterwards"


def test_a_list_beside_an_input_gives_its_choices_and_survives_writing() -> None:
    html = page(
        f'<input list="l" id="s" data-field-type="SELECTION_LIST" value="Other."><datalist id="l">'
        f"<option>One.</option><option>Two.</option></datalist>{FIELD}"
    )
    template = read_template(html)
    assert template.fields[0].choices == ("One.", "Two.")
    assert template.fields[0].default == "Other."
    assert read_template(template_html(template)) == template


def test_coded_content_and_nested_sections_are_read() -> None:
    head = (
        "<title>T</title><script type='text/xml'><template_attributes><coded_content>"
        "<entry ORIGTXT='liver'><term><code meaning='liver' value='RID58' scheme='RADLEX'/></term></entry>"
        "<entry origtxt='s1'><term><code meaning='Findings' value='59776-5' scheme='LOINC'/></term></entry>"
        "</coded_content></template_attributes></script>"
    )
    template = read_template(
        page(
            '<section id="s1" data-section-name="Befund"><section data-section-name="Oberbauch">'
            '<input id="liver" data-field-type="TEXT"></section></section>',
            head,
        )
    )
    assert template.fields[0].code == ConceptCode("RID58", "RADLEX", "liver")
    assert [(s.heading, s.level, s.code) for s in template.sections] == [
        ("Befund", 1, "59776-5"),
        ("Oberbauch", 2, ""),
    ]


REFUSED = {
    "script": (page("<script>alert(1)</script>" + FIELD), "<script> is not allowed"),
    "script in the head": (page(FIELD, "<title>T</title><script>x</script>"), "<script> is not allowed"),
    "script of another type": (
        page(FIELD, '<title>T</title><script type="text/xml" src="x.xml"></script>'),
        "<script> is not allowed",
    ),
    "data block in the body": (page('<script type="text/xml"></script>' + FIELD), "only one <script"),
    "event handler": (page('<p onclick="x()">' + FIELD), "<p onclick=…> is a script"),
    "javascript address": (page('<a href=" java\nscript:x()">k</a>' + FIELD), "runs or embeds"),
    "remote image": (page('<img src="https://example.org/x.png">' + FIELD), "loads remote content"),
    "image without a scheme": (page('<img src="//example.org/x.png">' + FIELD), "loads remote content"),
    "network share": (page('<img src="\\\\host\\x.png">' + FIELD), "loads remote content"),
    "embedded data": (page('<img src="data:image/svg+xml,x">' + FIELD), "runs or embeds"),
    "frame": (page("<iframe></iframe>" + FIELD), "<iframe> is not allowed"),
    "form": (page("<form action='x'></form>" + FIELD), "<form> is not allowed"),
    "object": (page("<object></object>" + FIELD), "<object> is not allowed"),
    "vector image": (page("<svg><a/></svg>" + FIELD), "<svg> is not allowed"),
    "base": (page(FIELD, "<title>T</title><base href='x'>"), "<base> is not allowed"),
    "refresh": (page(FIELD, "<title>T</title><meta http-equiv='refresh' content='0;url=x'>"), "http-equiv"),
    "remote style": (page(FIELD, "<title>T</title><style>@import 'x'</style>"), "a style loads content"),
    "inline style": (page('<p style="background:url(x)">' + FIELD), "a style loads content"),
    "remote style sheet": (
        page(FIELD, "<title>T</title><link rel=stylesheet href='http://example.org/x.css'>"),
        "loads remote content",
    ),
    "entities": (
        page(FIELD, "<title>T</title><script type='text/xml'><!DOCTYPE x [<!ENTITY a 'b'>]><x/></script>"),
        "declares entities",
    ),
    "two fields of one name": (page(FIELD + FIELD), "is there twice"),
    "unknown kind": (page('<input id="a" data-field-type="COLOUR">'), "'colour' is not known"),
    "unknown action": (page('<input id="a" data-field-completion-action="MAYBE">'), "'maybe' is not known"),
    "no field": (page("<p>text</p>"), "no field to fill"),
    "no body": ("<title>T</title>", "no <body>"),
    "no title": (page(FIELD, ""), "no title"),
    "binary": (b"\x00\x01\x02", "binary"),
    "not UTF-8": (b"<html><body>\xff\xfe</body></html>", "not UTF-8"),
    "too large": (page(FIELD + "x" * 1_000_001), "at most 1000000"),
    "too deep": (page("<div>" * 100 + FIELD), "nested"),
    "too many elements": (page("<br>" * 20_001 + FIELD), "too many"),
    "too many fields": (page("".join(f'<input id="f{n}">' for n in range(501))), "more than 500 fields"),
    "limit that is no number": (page('<input id="a" type="number" min="low">'), "'low'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_template_is_refused_by_name(name: str) -> None:
    html, why = REFUSED[name]
    with pytest.raises(TemplateRefused) as refusal:
        read_template(html, "site.html")
    assert why in refusal.value.message
    assert refusal.value.where.startswith("site.html")


def test_a_refusal_names_the_line() -> None:
    with pytest.raises(TemplateRefused) as refusal:
        read_template(page("\n\n<p onload='x'>" + FIELD), "site.html")
    assert refusal.value.where == "site.html, line 3"


def test_a_link_for_people_and_a_local_style_sheet_are_no_reason_to_refuse() -> None:
    template = read_template(
        page(
            f'<p>See <a href="https://example.org/">there</a></p>{FIELD}',
            '<title>T</title><link href="drg.css">',
        )
    )
    assert len(template.fields) == 1


CHOICES = [
    (OrderFacts(modality="CT", body_part="CHEST"), "CT chest"),
    (OrderFacts(modality="CT", procedure="CT Abdomen/Pelvis w contrast"), "CT abdomen and pelvis"),
    (OrderFacts(modality="CT", procedure="CT HEAD WO CONTRAST"), "CT head"),
    (OrderFacts(modality="MR", body_part="HEAD"), "MR brain"),
    (OrderFacts(modality="MR", body_part="LSPINE"), "MR spine"),
    (OrderFacts(modality="MR", procedure="MR KNEE LT"), "MR knee"),
    (OrderFacts(modality="MR", body_part="PELVIS", procedure="MR prostate mpMRI"), "MR prostate"),
    (OrderFacts(modality="DX", body_part="CHEST"), "Chest radiograph"),
    (OrderFacts(modality="CR", procedure="XR left wrist 2 views"), "Bone radiograph"),
    (OrderFacts(modality="MG"), "Mammography"),
    (OrderFacts(modality="US", body_part="LIVER"), "Ultrasound abdomen"),
    (OrderFacts(modality="PT\\CT", procedure="LUNG DELAYS"), "PET/CT"),
    (OrderFacts(modality="CT\\PT"), "PET/CT"),
    (OrderFacts(modality="CT", procedure="CT cervical spine"), "Any examination"),
    (OrderFacts(modality="CR"), "Any examination"),
    (OrderFacts(modality="XA"), "Any examination"),
    (OrderFacts(), "Any examination"),
]


@pytest.mark.parametrize(
    ("facts", "title"), CHOICES, ids=[f"{f.modality} {f.body_part} {f.procedure}" for f, _ in CHOICES]
)
def test_an_order_gets_its_template(library: TemplateLibrary, facts: OrderFacts, title: str) -> None:
    choice = library.choose(facts)
    assert choice.template.title == title
    assert choice.reason


def test_a_choice_names_its_reason_and_the_others(library: TemplateLibrary) -> None:
    choice = library.choose(OrderFacts(modality="PT\\CT", body_part="CHEST"))
    assert choice.reason == "CT+PT"
    assert "CT chest" in [template.title for template in choice.others]


def test_a_site_template_replaces_a_shipped_one_and_a_bad_one_is_listed(tmp_path: Path) -> None:
    own = page(FIELD, '<title>Ours</title><meta name="dcterms.identifier" content="readingroom.ct-chest.1">')
    (tmp_path / "ours.html").write_text(own, encoding="utf-8")
    (tmp_path / "bad.html").write_text(page("<script>x</script>"), encoding="utf-8")
    library = TemplateLibrary([tmp_path])
    assert library.by_identifier("readingroom.ct-chest.1").title == "Ours"
    assert [(refused.path.name, "<script>" in refused.reason) for refused in library.refused] == [
        ("bad.html", True)
    ]


def test_importing_copies_a_good_file_and_nothing_of_a_bad_one(tmp_path: Path) -> None:
    source, folder = tmp_path / "x.html", tmp_path / "site"
    source.write_text(
        page(FIELD, '<title>N</title><meta name="dcterms.identifier" content="../../n">'), encoding="utf-8"
    )
    library = TemplateLibrary([])
    assert library.import_file(source, folder).identifier == "../../n"
    assert [path.parent for path in folder.iterdir()] == [folder]
    assert TemplateLibrary([folder]).by_identifier("../../n").title == "N"
    source.write_text(page("<iframe>"), encoding="utf-8")
    before = list(folder.iterdir())
    with pytest.raises(TemplateRefused):
        library.import_file(source, folder)
    assert list(folder.iterdir()) == before
