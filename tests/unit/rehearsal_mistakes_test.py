"""Mistakes typed at a console are the ones that were asked for, and no others."""

from __future__ import annotations

import pytest

from pacs_core.rehearsal.identity import Identity
from pacs_core.rehearsal.mistakes import MISTAKES, swapped, typed_by_hand

RIGHT = Identity(
    "2.25.1", "Lindström^Åke", "DH100217", accession="DH2611870", procedure_id="RP1", step_id="SP1"
)


@pytest.mark.parametrize(
    ("mistake", "name", "patient_id", "accession"),
    [
        ("wrong-patient-id", "Lindström^Åke", "DH100271", "DH2611870"),
        ("wrong-accession", "Lindström^Åke", "DH100217", "DH2611807"),
        ("no-accession", "Lindström^Åke", "DH100217", ""),
        ("typo", "Lidström^Åke", "DH100217", "DH2611870"),
        ("nobody", "Emergency^Unknown", "X1", ""),
    ],
)
def test_each_mistake(mistake: str, name: str, patient_id: str, accession: str) -> None:
    wrong = typed_by_hand(RIGHT, mistake)
    assert (wrong.name, wrong.patient_id, wrong.accession) == (name, patient_id, accession)
    assert wrong.study_uid != RIGHT.study_uid
    assert (wrong.procedure_id, wrong.step_id) == ("", "")
    assert wrong == typed_by_hand(RIGHT, mistake)


def test_unknown_mistakes_are_named() -> None:
    assert len(MISTAKES) == 5
    with pytest.raises(ValueError, match="sloppy"):
        typed_by_hand(RIGHT, "sloppy")


@pytest.mark.parametrize(("text", "expected"), [("AB", "BA"), ("111", "111x"), ("", "x"), ("1211", "1121")])
def test_swapping_changes_something(text: str, expected: str) -> None:
    assert swapped(text) == expected
    assert swapped(text) != text
