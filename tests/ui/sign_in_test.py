"""The page that asks who is there, before and after the archive has answered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtWidgets import QFrame, QLabel

from pacs_core.archive import models as m
from tests.support.fake_archive import PASSWORD, FakeArchive, FakeDoor
from workstation.ui.shell import Workstation
from workstation.ui.sign_in import SignInPage
from workstation.ui.understudy import Understudy


@pytest.fixture
def let() -> Iterator[threading.Event]:
    """Set when the archive may answer."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("demo", [True, False])
def test_the_line_stands_only_above_the_demos_users(
    archive: FakeArchive, open_window: Callable[..., Workstation], demo: bool
) -> None:
    window = open_window(archive, sign_in=False, demo=demo)
    (page,) = window.findChildren(SignInPage)
    lines = [
        f for f in page.findChildren(QFrame) if not isinstance(f, QLabel) and f.property("look") == "line"
    ]
    assert [f.isVisible() for f in lines] == [demo]


def test_nothing_is_typed_before_the_page_takes_it(
    archive: FakeArchive,
    open_window: Callable[..., Workstation],
    monkeypatch: pytest.MonkeyPatch,
    let: threading.Event,
) -> None:
    asked, tell = threading.Event(), FakeDoor.sign_in_facts

    def slowly(door: FakeDoor) -> m.SignIn:
        asked.set()
        assert let.wait(30)
        return tell(door)

    monkeypatch.setattr(FakeDoor, "sign_in_facts", slowly)
    window = open_window(archive, sign_in=False, ready=False)
    understudy = object.__new__(Understudy)
    understudy.window = window
    assert asked.wait(30)
    assert understudy._usable("User") is None
    threading.Timer(0.2, let.set).start()
    assert understudy.sign_in(archive.who.name, PASSWORD) == {"who": archive.who.name}
