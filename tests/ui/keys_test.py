"""docs/keys.md is what the window has: every command with its keys and its place in the menu.

READING_ROOM_WRITE_KEYS=1 python3 dev.py test tests/ui/keys_test.py    # writes it anew
"""

from __future__ import annotations

import os
from collections.abc import Callable

from pytestqt.qtbot import QtBot

from tests.machine import CHECKOUT
from tests.support.fake_archive import FakeArchive
from tests.ui.reading_test import open_exam
from workstation.ui.commands import IMAGE, Commands
from workstation.ui.shell import Workstation

DOCUMENT = CHECKOUT / "docs" / "keys.md"
HEAD = """# Keys

Every command of the window, by its place in the menu (F10); Ctrl+K finds each by its name. Those marked · act
while the images have the focus, so that a letter typed into a report is never a tool. Made from the program,
and tested to be so.
"""
SHOWN = {"Del": "Delete", "Return": "Enter", "PgDown": "Page down", "PgUp": "Page up", "Esc": "Escape"}


def document(commands: Commands) -> str:
    """The page, its parts in the order in which the menu has them."""
    parts: dict[str, list[str]] = {}
    for command in commands:
        keys = ", ".join(dict.fromkeys(f"`{_shown(key)}`" for key in command.keys))
        mark = " ·" if command.scope == IMAGE else ""
        parts.setdefault(command.place, []).append(f"| {command.name} | {keys}{mark} |")
    tables = [
        "\n".join((f"\n## {place.replace('/', ' › ')}\n", "| command | keys |", "| --- | --- |", *rows))
        for place, rows in parts.items()
    ]
    return HEAD + "\n".join(tables) + "\n"


def _shown(key: str) -> str:
    *held, last = key.rsplit("+", 1) if key != "+" and not key.endswith("++") else (key[:-2], "+")
    return "+".join([*held, SHOWN.get(last, last)])


def test_the_document_of_the_keys_is_true(
    open_window: Callable[..., Workstation], pixels: FakeArchive, qtbot: QtBot
) -> None:
    window = open_window(pixels)
    open_exam(window, qtbot)
    for place in ("inbox", "schedule", "settings", "read"):
        window.go(place)
    assert window.desk is not None
    made = document(window.desk.commands)
    if os.environ.get("READING_ROOM_WRITE_KEYS"):
        DOCUMENT.write_text(made, encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == made
