"""The prior laid upon the current study in the background: nothing waits for it; its frame says how sure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from tests.support.fake_archive import FakeArchive
from tests.support.processes import alive
from tests.ui.conftest import PATIENCE_MS
from tests.ui.reading_test import open_exam, wheel
from workstation.imaging.registration import Confidence, Registration
from workstation.imaging.registration_transform import Transform
from workstation.session import linking
from workstation.session.hanging import Role
from workstation.session.registrar import Registrar
from workstation.ui.shell import Workstation

Open = Callable[..., Workstation]


@pytest.mark.long
def test_a_prior_in_another_frame_of_reference_is_registered_while_one_reads(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    window = open_window(pixels)
    page = open_exam(window, qtbot)
    qtbot.waitUntil(lambda: page.registering._worker is not None, timeout=PATIENCE_MS)
    assert window.tasks.idle
    link = page.grid.frames[Role.PRIOR].link
    qtbot.waitUntil(lambda: "registered (rigid), confidence" in link.text(), timeout=4 * PATIENCE_MS)
    one, other = page.session.cells
    tie = page.session.tie(one, other)
    assert tie is not None
    assert tie.turn is not None
    point = (20.0, -30.0, linking.point_of(one)[2])  # type: ignore[index]  # the cell shows a volume
    assert np.linalg.norm(np.subtract(linking.carried(point, tie), point)) < 5.0
    wheel(page.grid.cells[0], 4)
    here, there = (linking.point_of(c) for c in page.session.cells)
    assert here is not None
    assert there is not None
    assert here[2] == pytest.approx(there[2], abs=3.0)


def test_one_that_can_be_believed_moves_the_prior_and_is_said_in_its_frame(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Registration(
        Transform(np.eye(3), np.array([0.0, 0.0, 12.0])), Confidence.HIGH, "rigid", 0.95, 0.9, 1.0
    )
    monkeypatch.setattr(Registrar, "find", lambda *_a: found)
    page = open_exam(open_window(pixels), qtbot)
    link = page.grid.frames[Role.PRIOR].link
    words = "linked, registered (rigid), confidence high"
    qtbot.waitUntil(lambda: link.text() == words, timeout=PATIENCE_MS)
    assert link.accessibleName().endswith(words)
    here, there = (linking.point_of(c) for c in page.session.cells)
    assert here is not None
    assert there is not None
    assert there[2] - here[2] == pytest.approx(12.0, abs=3.0)


def test_one_that_is_not_to_be_believed_changes_nothing_and_leaving_stops_it(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Registrar] = []

    def low(registrar: Registrar, _current: object, _prior: object) -> Registration:
        asked.append(registrar)
        return Registration(
            Transform(np.eye(3), np.array([50.0, 0.0, 0.0])), Confidence.LOW, "rigid", 0.2, 0.1, 30.0
        )

    monkeypatch.setattr(Registrar, "find", low)
    page = open_exam(open_window(pixels), qtbot)
    qtbot.waitUntil(lambda: bool(asked) and not page.registering.busy, timeout=PATIENCE_MS)
    qtbot.wait(1)
    assert page.grid.frames[Role.PRIOR].link.text() == "linked, approximate"
    assert not asked[0].stopped
    page.close_exam()
    assert asked[0].stopped


def test_its_process_ends_when_the_study_is_left(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    page = open_exam(open_window(pixels), qtbot)
    qtbot.waitUntil(lambda: page.registering.registrar.pid is not None, timeout=PATIENCE_MS)
    pid = page.registering.registrar.pid
    page.close_exam()
    qtbot.waitUntil(lambda: not page.registering.busy, timeout=PATIENCE_MS)
    assert pid is not None
    assert not alive(pid)
