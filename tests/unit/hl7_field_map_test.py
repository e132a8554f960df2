"""The field map: the default, a source's own on top, and what is wrong told by line."""

from __future__ import annotations

import pytest

from pacs_core.domain.errors import InvalidValue
from pacs_core.domain.field_map import ORDER_FIELDS, PATIENT_FIELDS, FieldMap, Place
from pacs_core.domain.order import Priority
from pacs_core.hl7.sources import default_map_text


def test_the_default_names_every_field() -> None:
    default = FieldMap.read(default_map_text())
    assert set(default.patient) == PATIENT_FIELDS
    assert set(default.order) == ORDER_FIELDS
    assert default.order["accession_number"] == (Place("OBR", 18),)
    assert not default.make_accession_number


def test_a_sources_own_map_replaces_places_and_adds_translations() -> None:
    own = '[order]\naccession_number = ["OBR-3", "ORC-3"]\nstart = "OBR-36"\n[priority]\nX = "LOW"\n'
    read = FieldMap.read(default_map_text(), own)
    assert read.order["accession_number"] == (Place("OBR", 3), Place("ORC", 3))
    assert read.order["start"] == (Place("OBR", 36),)
    assert read.order["procedure_id"] == (Place("OBR", 19),)
    assert (read.priority["X"], read.priority["S"]) == (Priority.LOW, Priority.STAT)


@pytest.mark.parametrize(
    ("own", "line", "words"),
    [
        ("[order]\n\naccesion = []", 3, "unknown name"),
        ("[order]\naccession_number = ['OBR18']", 2, "no place"),
        ("[order]\naccession_number = [18]", 2, "list of texts"),
        ("[orders]\n", 1, "unknown name"),
        ("# mine\norder = 1", 2, "must be a table"),
        ("[options]\nacknowledge = 'never'", 2, "one of asked, always"),
        ("[options]\nmake_accession_number = 'yes'", 2, "true or false"),
        ("[options]\ndefault_issuer = 3", 2, "text in quotes"),
        ("[priority]\nS = 'SOON'", 2, "one of STAT"),
        ("[options]\ntime_zone = 'Atlantis'", 2, "zone like"),
        ("[order\n", 1, "no TOML"),
    ],
)
def test_what_is_wrong_is_told_by_its_line(own: str, line: int, words: str) -> None:
    with pytest.raises(InvalidValue, match=words) as wrong:
        FieldMap.read(default_map_text(), own)
    assert f"line {line}" in wrong.value.message
