"""Writing a template as MRRT HTML, so that what was read or made here opens elsewhere."""

from __future__ import annotations

from html import escape

from workstation.reporting.template_model import (
    ConceptCode,
    FieldKind,
    Label,
    Paragraph,
    Part,
    Template,
    TemplateField,
    TemplateSection,
)

_SCHEME_NAMES = {"LN": ("LOINC", "2.16.840.1.113883.6.1"), "RADLEX": ("RADLEX", "2.16.840.1.113883.6.256")}
_TYPES = {FieldKind.SELECTION: "SELECTION_LIST"}


def template_html(template: Template) -> str:
    """The template as one HTML5 file; reading it gives an equal template."""
    body = "\n".join(_section(section) for section in _nested(template.sections))
    return (
        f'<!DOCTYPE html>\n<html lang="{_attribute(template.language)}">\n<head>\n<meta charset="UTF-8">\n'
        f"<title>{escape(template.title, quote=False)}</title>\n{_metadata(template)}"
        f"{_coded_content(template)}"
        f"</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _attribute(text: str) -> str:
    return escape(text, quote=True).replace("\n", "&#10;")


def _metadata(template: Template) -> str:
    rows = [(f"dcterms.{name}", value) for name, value in template.metadata]
    named = {name for name, _ in rows}
    required = (
        ("dcterms.identifier", template.identifier),
        ("dcterms.title", template.title),
        ("dcterms.language", template.language),
        ("dcterms.type", "IMAGE_REPORT_TEMPLATE"),
    )
    rows += [row for row in required if row[0] not in named]
    ours = (
        ("modality", template.modalities),
        ("bodypart", template.body_parts),
        ("procedure", template.procedures),
        ("hotwords", template.hotwords),
    )
    rows += [(f"readingroom.{name}", "; ".join(values)) for name, values in ours if values]
    return "".join(
        f'<meta name="{_attribute(name)}" content="{_attribute(value)}">\n' for name, value in rows
    )


def _coded_content(template: Template) -> str:
    entries = [(s.identifier, ConceptCode(s.code, "LN", s.heading)) for s in template.sections if s.code]
    entries += [(f.identifier, f.code) for f in template.fields if f.code]
    schemes = {_SCHEME_NAMES.get(code.scheme, (code.scheme, "")) for _, code in entries}
    listed = "".join(
        f'<coding_scheme name="{_attribute(n)}" designator="{_attribute(d)}"/>' for n, d in sorted(schemes)
    )
    terms = "\n".join(_entry(origin, code) for origin, code in entries)
    return (
        '<script type="text/xml">\n<template_attributes>\n<top-level-flag>true</top-level-flag>\n'
        f"<status>ACTIVE</status>\n<coded_content>\n<coding_schemes>{listed}</coding_schemes>\n{terms}\n"
        "</coded_content>\n</template_attributes>\n</script>\n"
    )


def _entry(origin: str, code: ConceptCode) -> str:
    scheme = _SCHEME_NAMES.get(code.scheme, (code.scheme, ""))[0]
    return (
        f'<entry origtxt="{_attribute(origin)}"><term><code meaning="{_attribute(code.meaning)}" '
        f'value="{_attribute(code.value)}" scheme="{_attribute(scheme)}"/></term></entry>'
    )


def _nested(sections: tuple[TemplateSection, ...]) -> list[tuple[TemplateSection, int]]:
    """Each section with how many are to be closed after it, so that levels come out as nesting."""
    following = [section.level for section in sections[1:]] + [1]
    return [(s, max(0, s.level - after + 1)) for s, after in zip(sections, following, strict=True)]


def _section(entry: tuple[TemplateSection, int]) -> str:
    section, closing = entry
    lines = [_paragraph(paragraph) for paragraph in section.paragraphs]
    if not section.heading and not section.identifier:
        return "\n".join(lines)
    name = _attribute(section.heading)
    identity = f'id="{_attribute(section.identifier)}" class="level{section.level}"'
    opening = f'<section {identity} data-section-name="{name}">'
    header = f'<header class="level{section.level}">{escape(section.heading, quote=False)}</header>'
    return "\n".join([opening, header, *lines, "</section>" * closing])


def _paragraph(paragraph: Paragraph) -> str:
    return f"<p>{' '.join(_part(part) for part in paragraph.parts)}</p>"


def _part(part: Part) -> str:
    if isinstance(part, str):
        return f"<span>{escape(part, quote=False)}</span>"
    if isinstance(part, Label):
        return f'<label for="{_attribute(part.field_id)}">{escape(part.text, quote=False)}</label>'
    return _field(part)


def _field(item: TemplateField) -> str:
    kind = _TYPES.get(item.kind, item.kind.upper())
    rows = {
        "id": item.identifier,
        "name": item.merge,
        "title": item.label,
        "data-field-type": kind,
        "data-field-completion-action": item.completion.upper(),
        "data-field-merge-flag": "true" if item.merge else "",
        "data-reading-room-open": "" if item.open else "false",
        "placeholder": item.hint,
        "min": "" if item.minimum is None else f"{item.minimum:g}",
        "max": "" if item.maximum is None else f"{item.maximum:g}",
    }
    attributes = " ".join(f'{name}="{_attribute(value)}"' for name, value in rows.items() if value)
    if item.kind is FieldKind.TEXTAREA:
        return f"<textarea {attributes}>\n{escape(item.default, quote=False)}</textarea>"
    if item.kind is FieldKind.SELECTION:
        return _selection(item, attributes)
    return f'<input type="{item.kind}" {attributes} value="{_attribute(item.default)}">'


def _selection(item: TemplateField, attributes: str) -> str:
    chosen = _chosen(item)
    if item.default and not chosen:
        return _open_selection(item, attributes)
    several = " multiple" if item.multiple else ""
    rows = "".join(
        f"<option{' selected' if text in chosen else ''}>{escape(text, quote=False)}</option>"
        for text in item.choices
    )
    return f"<select {attributes}{several}>{rows}</select>"


def _open_selection(item: TemplateField, attributes: str) -> str:
    """A first text that is none of the choices stands in an input with a list beside it."""
    listed = _attribute(f"{item.identifier}-list")
    rows = "".join(f"<option>{escape(text, quote=False)}</option>" for text in item.choices)
    several = " multiple" if item.multiple else ""
    value = _attribute(item.default)
    choices = f'<datalist id="{listed}">{rows}</datalist>'
    return f'<input list="{listed}" {attributes}{several} value="{value}">{choices}'


def _chosen(item: TemplateField) -> tuple[str, ...]:
    """Which choices the default is made of, in their order; none where it is another text."""
    if not item.multiple:
        return tuple(text for text in item.choices if text == item.default)
    rest, found = item.default, []
    for text in item.choices:
        if rest == text or rest.startswith(f"{text} "):
            found.append(text)
            rest = rest[len(text) :].lstrip(" ")
    return () if rest else tuple(found)
