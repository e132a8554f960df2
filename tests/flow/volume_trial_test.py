"""`doctor` has the 3D process draw, and says what kept it from drawing."""

from __future__ import annotations

import sys

import pytest

from workstation.app import _volume_rendering
from workstation.rendering.volume import child
from workstation.rendering.volume.trial import drawn_by


def test_the_process_draws_and_is_named() -> None:
    assert "ray caster" in drawn_by()
    assert _volume_rendering().state == "ok"


@pytest.mark.parametrize("program", [["/nowhere/reading-room"], [sys.executable, "-c", "pass"]])
def test_one_that_does_not_start_is_said(monkeypatch: pytest.MonkeyPatch, program: list[str]) -> None:
    monkeypatch.setattr(child, "program", lambda *_: program)
    check = _volume_rendering()
    assert check.state == "warn"
    assert check.words.startswith("no picture: ")
    assert check.advice
