"""HL7 text: what is written comes back, and nothing a person types becomes structure."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from pacs_core.hl7.escapes import STANDARD, Separators, escape, unescape

TEXT = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="|^~\\&.brXHEFSTR0123\r\n\x0b\x1c ", max_size=40),
)
OTHER = Separators("#", "*", "!", "?", "@")


def with_line_feeds(text: str) -> str:
    return re.sub(r"\r\n|\r", "\n", text)


@given(TEXT, st.sampled_from([STANDARD, OTHER]))
def test_escaped_text_comes_back(text: str, separators: Separators) -> None:
    assert unescape(escape(text, separators), separators) == with_line_feeds(text)


@given(TEXT, st.sampled_from([STANDARD, OTHER]))
def test_escaped_text_holds_no_structure(text: str, separators: Separators) -> None:
    written = escape(text, separators)
    for sign in (separators.field, separators.component, separators.repetition, separators.subcomponent):
        assert sign not in written
    assert not re.search(r"[\x00-\x1f\x7f]", written)


@given(TEXT)
def test_reading_any_text_never_fails(text: str) -> None:
    assert isinstance(unescape(text), str)
