"""Which prior is taken from a cell: the one of its modality that is tied closely, or in words why none."""

from __future__ import annotations

import pytest

from tests.unit.imaging_support import stack
from workstation.imaging.display_sets import DisplaySet
from workstation.session.comparing import ONE_FRAME, NotCompared, compared
from workstation.session.hanging import Role
from workstation.session.linking import SAME, Tie
from workstation.session.reading_session import CellState
from workstation.session.view_state import ViewState, Window

WINDOW = Window(40.0, 400.0)
SHORT, LONG = stack([0.0, 5.0, 10.0]), stack([5.0 * k for k in range(9)])
TURNED = Tie(
    (1.0, 2.0, 3.0), False, "registered (rigid)", ((0.0, 1.0, 0.0), (-1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
)


def cell(number: int, shown: DisplaySet | None, role: Role = Role.PRIOR) -> CellState:
    return CellState(number, role, "1.2.3", shown, ViewState(window=WINDOW))


NOW = cell(0, LONG, Role.CURRENT)


def test_a_registered_prior_is_carried_by_its_matrix() -> None:
    found = compared(NOW, [NOW, cell(1, SHORT), cell(2, LONG)], lambda _one, _other: TURNED)
    assert found.into == ((0.0, 1.0, 0.0, 1.0), (-1.0, 0.0, 0.0, 2.0), (0.0, 0.0, 1.0, 3.0))
    assert (found.less, found.words, found.before) == (LONG.uid, "registered (rigid)", WINDOW)


def test_one_frame_of_reference_needs_no_matrix() -> None:
    found = compared(NOW, [cell(1, LONG)], lambda _one, _other: SAME)
    assert (found.into, found.words) == (None, ONE_FRAME)


@pytest.mark.parametrize(
    ("one", "others", "tie", "words"),
    [
        (cell(0, LONG), [cell(1, LONG)], SAME, "a volume of the current study"),
        (cell(0, stack([0.0]), Role.CURRENT), [cell(1, LONG)], SAME, "a volume of the current study"),
        (NOW, [NOW], SAME, "no prior hangs"),
        (NOW, [cell(1, stack([0.0, 1.0, 2.0], "MR")), cell(2, stack([0.0]))], SAME, "no CT volume"),
        (NOW, [cell(1, LONG)], None, "nothing ties the two"),
        (NOW, [cell(1, LONG)], Tie((0.0, 0.0, 9.0), False, "by the outline"), "tied only approximately"),
    ],
)  # fmt: skip
def test_why_none_is_taken_away(one: CellState, others: list[CellState], tie: Tie | None, words: str) -> None:
    with pytest.raises(NotCompared, match=words):
        compared(one, others, lambda _one, _other: tie)
