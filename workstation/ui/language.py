"""The language of the window: our words, Qt's own, and the names of days; taken up at once."""

from __future__ import annotations

import tomllib
from functools import lru_cache

from PySide6.QtCore import QLibraryInfo, QLocale, Qt, QTranslator
from PySide6.QtWidgets import QApplication

from workstation.ui import theme, words
from workstation.ui.assets import resource

_of_qt: list[QTranslator] = []


@lru_cache(maxsize=1)
def names() -> dict[str, str]:
    """Every language that has a catalogue: its code, and its name in its own words."""
    files = sorted(resource("i18n").glob("*.toml"))
    return {path.stem: tomllib.loads(path.read_text("utf-8"))["name"] for path in files}


def take_up(code: str) -> None:
    """Say everything that is made from now on in this language."""
    words.speak(code)
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    mirrored = words.right_to_left()
    app.setLayoutDirection(Qt.LayoutDirection.RightToLeft if mirrored else Qt.LayoutDirection.LeftToRight)
    while _of_qt:
        app.removeTranslator(_of_qt.pop())
    translator = QTranslator()
    where = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if code != "en" and translator.load(f"qtbase_{code}", where):
        app.installTranslator(translator)
        _of_qt.append(translator)


def change(code: str) -> None:
    """Take up another language; every window is made anew in it, as for another theme."""
    take_up(code)
    theme.hub().changed.emit()


def locale() -> QLocale:
    """Names of days and months as the language has them; its own country's where this machine speaks it."""
    chosen, here = QLocale(words.language()), QLocale.system()
    return here if here.language() == chosen.language() else chosen
