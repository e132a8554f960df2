"""The rehearsal's reader waits on facts: on a slow machine too it measures on the level it went to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.fake_archive import FakeArchive
from workstation.rendering import picture, render
from workstation.ui.reading import cell as cell_module
from workstation.ui.shell import Workstation
from workstation.ui.understudy import Understudy

SLOW_S = 0.4


@pytest.fixture
def understudy(pixels: FakeArchive, open_window: Callable[..., Workstation]) -> Understudy:
    """One at the reader's window, signed in."""
    found = object.__new__(Understudy)
    found.window = open_window(pixels)
    return found


def test_on_a_slow_machine_it_measures_on_the_level_it_went_to(
    understudy: Understudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    understudy.open("ACC00001")
    cell = understudy._painted()
    assert cell is not None
    assert cell.shown.picture is not None
    frame = cell.shown.picture.frame
    centre, across = (
        frame.patient(frame.width / 2, frame.height / 2),
        frame.patient(frame.width / 2 + 40, frame.height / 2),
    )
    level = [(p + q * 3.2) for p, q in zip(centre, frame.normal, strict=True)]
    end = [(p + q * 3.2) for p, q in zip(across, frame.normal, strict=True)]

    def slow(*arguments: Any, **named: Any) -> picture.Picture:
        threading.Event().wait(SLOW_S)
        return render.picture_of(*arguments, **named)

    monkeypatch.setattr(cell_module, "picture_of", slow)
    made = understudy.measure(level, end)
    (stroke,) = understudy._strokes()
    true = sum((p - q) ** 2 for p, q in zip(level, end, strict=True)) ** 0.5
    assert isinstance(made["length_mm"], float)
    assert abs(made["length_mm"] - true) < 2
    assert cell.state is not None
    assert cell.state.display_set is not None
    seen = cell.state.display_set.frames[cell.state.view.index]
    assert (stroke.instance_uid, stroke.frame) == (seen.sop_instance_uid, seen.frame)
    assert abs(cell.shown.picture.frame.viewport((level[0], level[1], level[2]))[2]) <= 1.6
