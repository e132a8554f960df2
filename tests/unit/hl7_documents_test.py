"""docs/hl7.md says what the code does: every event, every place, every condition."""

from __future__ import annotations

import re
from pathlib import Path

from pacs_core.domain.field_map import FieldMap
from pacs_core.hl7 import adt
from pacs_core.hl7.sources import default_map_text
from pacs_core.hl7.status import Condition
from tests.machine import CHECKOUT

TEXT = Path(CHECKOUT, "docs", "hl7.md").read_text("utf-8")
ROWS = [
    tuple(cell.strip() for cell in line.strip("| ").split(" | "))
    for line in TEXT.splitlines()
    if line[:1] == "|"
]


def row(start: str) -> str:
    return next(cells[1] for cells in ROWS if cells[0].startswith(start))


def test_every_adt_event_stands_with_its_effect() -> None:
    for start, events in (
        ("create or update", adt.UPDATES),
        ("visit: move", adt.VISITS),
        ("merge:", adt.MERGES),
        ("acknowledged, kept", adt.FOR_A_PERSON),
    ):
        assert set(row(start).split()) == events


def test_every_field_stands_with_its_places() -> None:
    default = FieldMap.read(default_map_text())
    told = {cells[0]: cells[1] for cells in ROWS if len(cells) == 2 and re.fullmatch(r"[a-z_]+", cells[0])}
    places = {**default.patient, **default.order}
    assert {name: told.get(name) for name in places} == {
        name: ", ".join(map(str, where)) or "–" for name, where in places.items()
    }


def test_every_condition_in_use_stands() -> None:
    told = {int(number) for cells in ROWS for number in re.findall(r"\b\d{3}\b", cells[0])}
    assert {int(c) for c in Condition} - {
        int(Condition.TABLE_VALUE),
        int(Condition.UNSUPPORTED_PROCESSING_ID),
    } <= told


def test_the_example_of_a_sources_map_is_one() -> None:
    example = re.search(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert example is not None
    read = FieldMap.read(default_map_text(), example.group(1))
    assert read.make_accession_number
    assert read.observations["weight"] == ("BODY WEIGHT", "WT")
