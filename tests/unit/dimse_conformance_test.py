"""The conformance statement says what the code serves."""

from __future__ import annotations

import pytest

from pacs_core.dimse import conformance
from tests.machine import CHECKOUT

DOCUMENT = CHECKOUT / "docs" / "conformance.md"


def test_the_statement_is_current() -> None:
    """Renew it: ``python -m pacs_core.dimse.conformance docs/conformance.md``."""
    text = DOCUMENT.read_text("utf-8")
    assert conformance.filled(text) == text


def test_every_table_is_in_it() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert [name for name in conformance.TABLES if f"<!-- table: {name} -->" not in text] == []


def test_a_table_that_nobody_makes_is_an_error() -> None:
    with pytest.raises(KeyError):
        conformance.filled("<!-- table: wishes -->\n<!-- end -->")


def test_a_change_of_what_is_served_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    text = DOCUMENT.read_text("utf-8")
    monkeypatch.setitem(conformance.sop.NAMES, "1.2.3", "A service nobody knows")
    assert conformance.filled(text) != text
