"""A draft as JSON text and back: what the spool saves after every change, and the archive keeps as a draft.

The template goes along as its own HTML, so a draft opens again however the templates have changed meanwhile.
"""

from __future__ import annotations

import json
from typing import Any

from pacs_core.domain.errors import InvalidValue
from workstation.reporting.draft import Cursor, Draft, clean
from workstation.reporting.placeholders import MeasurementQuote
from workstation.reporting.template_model import TemplateRefused
from workstation.reporting.template_reader import read_template
from workstation.reporting.template_writer import template_html

FORMAT = 1
_LARGEST = 20_000_000


def draft_to_json(draft: Draft) -> str:
    """The draft as JSON, the same text for the same draft."""
    content = {
        "format": FORMAT,
        "template": template_html(draft.template),
        "values": dict(draft.values),
        "cursor": [draft.cursor.field_id, draft.cursor.caret, draft.cursor.anchor],
        "quotes": {name: _quote_to_json(quote) for name, quote in draft.quotes.items()},
        "untouched": sorted(draft.untouched),
        "study_uid": draft.study_uid,
        "next_quote": draft.next_quote,
        "frozen": draft.frozen,
    }
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def draft_from_json(text: str) -> Draft:
    """The draft that was saved; raises InvalidValue saying what is wrong with the text."""
    if len(text) > _LARGEST:
        raise InvalidValue(f"a draft of {len(text)} characters is too large", "draft")
    try:
        content = json.loads(text)
        if content["format"] != FORMAT:
            raise InvalidValue(
                f"this draft has format {content['format']}, this program reads {FORMAT}", "draft"
            )
        return _draft(content)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise InvalidValue(f"this is no saved draft ({type(error).__name__}: {error})", "draft") from error
    except TemplateRefused as error:
        raise InvalidValue(f"the draft's template is refused: {error.message}", "draft") from error


def _draft(content: dict[str, Any]) -> Draft:
    template = read_template(content["template"], "draft")
    saved = {str(name): str(text) for name, text in content["values"].items()}
    values = {f.identifier: clean(saved.get(f.identifier, ""), f.kind) for f in template.fields}
    field_id, caret, anchor = content["cursor"]
    if field_id not in values:
        raise InvalidValue(f"the cursor stands in {field_id!r}, which the template does not have", "draft")
    length = len(values[field_id])
    return Draft(
        template,
        values,
        Cursor(field_id, max(0, min(int(caret), length)), max(0, min(int(anchor), length))),
        {str(name): _quote_from_json(quote) for name, quote in content["quotes"].items()},
        frozenset(str(name) for name in content["untouched"]) & frozenset(values),
        str(content["study_uid"]),
        int(content["next_quote"]),
        bool(content["frozen"]),
    )


def _quote_to_json(quote: MeasurementQuote) -> dict[str, Any]:
    return {
        "tracking_uid": quote.tracking_uid,
        "label": quote.label,
        "values": list(quote.values),
        "unit": quote.unit,
        "series_number": quote.series_number,
        "image_number": quote.image_number,
        "prior_values": list(quote.prior_values),
        "prior_date": quote.prior_date,
        "deleted": quote.deleted,
    }


def _quote_from_json(content: dict[str, Any]) -> MeasurementQuote:
    def whole(name: str) -> int | None:
        return None if content[name] is None else int(content[name])

    return MeasurementQuote(
        str(content["tracking_uid"]),
        str(content["label"]),
        tuple(float(value) for value in content["values"]),
        str(content["unit"]),
        whole("series_number"),
        whole("image_number"),
        tuple(float(value) for value in content["prior_values"]),
        str(content["prior_date"]),
        bool(content["deleted"]),
    )
