"""The window in German: chosen in the settings, taken up at once, whole, and every word of it fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from string import Formatter

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QTableView,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.support.fake_archive import FakeArchive
from tests.ui.conftest import named
from tests.ui.fit_test import PATIENCE_MS, PLACES, at_scale, faults_of, in_sight, read_first
from tests.ui.words_test import ascii_toml, catalogue
from workstation.session.preferences import Preferences
from workstation.ui import language, words
from workstation.ui.assets import resource
from workstation.ui.shell import Workstation

__all__ = ["at_scale"]
LAPTOP = (1366, 768)
OF_THE_EXAM = {"CT Chest without contrast", "Indication", "F"}
"""What an order, a report's template and a received image say in their own words."""


@pytest.fixture
def english_after(qapp: QApplication) -> Iterator[None]:
    """English again when the window has gone."""
    yield
    language.take_up("en")


def in_german(window: Workstation, qtbot: QtBot) -> None:
    """Choose Deutsch as a person would: Settings, This workstation, Language."""
    window.go("settings")
    qtbot.waitUntil(lambda: any(w.isVisibleTo(window) for w in languages(window)), timeout=PATIENCE_MS)
    box = languages(window)[0]
    rooms = window._rooms
    box.setCurrentIndex(box.findData("de"))
    box.activated.emit(box.currentIndex())
    qtbot.waitUntil(lambda: window._rooms is not rooms, timeout=PATIENCE_MS)


def languages(window: Workstation) -> list[QComboBox]:
    """The choice of a language, once its page is built."""
    return [w for w in window.findChildren(QComboBox) if w.accessibleName() == words.t("Language")]


def keys_of(window: Workstation) -> dict[str, list[str]]:
    """The keys of every command in the portable spelling."""
    assert window.desk is not None
    commands, portable = window.desk.commands, QKeySequence.SequenceFormat.PortableText
    return {c.id: [k.toString(portable) for k in commands.action(c.id).shortcuts()] for c in commands}


def english_words() -> set[str]:
    """Words of the catalogue that are others in German, and are no German words themselves."""
    german = catalogue("de")
    return {key for key, said in german.items() if key != said} - set(german.values()) - OF_THE_EXAM


def shown(window: QWidget) -> set[str]:
    """Every word that a place shows in labels, buttons, lists, headers of tables and empty fields."""
    found: set[str] = set()
    worded: list[QLabel | QAbstractButton] = [*window.findChildren(QLabel)]
    worded += window.findChildren(QAbstractButton)
    found |= {w.text() for w in worded if in_sight(w, window)}
    found |= {w.toolTip().partition(" (")[0] for w in worded if in_sight(w, window)}
    for field in window.findChildren(QLineEdit):
        found |= {field.placeholderText()} if in_sight(field, window) else set()
    for box in window.findChildren(QComboBox):
        if in_sight(box, window) and box.accessibleName() != words.t("Template"):
            found |= {box.itemText(n) for n in range(box.count())}
    for listed in window.findChildren(QListWidget):
        found |= {listed.item(n).text() for n in range(listed.count())} if in_sight(listed, window) else set()
    for table in window.findChildren(QTableView):
        if in_sight(table, window):
            found |= texts_of(table)
    return found


def texts_of(table: QTableView) -> set[str]:
    """The headers and the cells of a table."""
    model = table.model()
    headers = {str(model.headerData(n, Qt.Orientation.Horizontal) or "") for n in range(model.columnCount())}
    cells = {
        str(model.index(r, c).data() or "")
        for r in range(model.rowCount())
        for c in range(model.columnCount())
    }
    return headers | cells


@pytest.mark.parametrize("percent", [100, 150])
def test_german_is_whole_and_fits_on_a_laptop(
    english_after: None,
    at_scale: Callable[[float], None],
    open_window: Callable[..., Workstation],
    pixels: FakeArchive,
    qtbot: QtBot,
    tmp_path: Path,
    percent: int,
) -> None:
    """`at_scale` brings the size before back when the window has gone."""
    Preferences(text_scale=percent, path=tmp_path / "preferences.json").save()
    window = open_window(pixels, size=LAPTOP, folder=tmp_path)
    window.go("read")
    keys = keys_of(window)
    in_german(window, qtbot)
    assert Preferences.load(window.preferences.path).language == "de"
    read_first(window, pixels, qtbot)
    assert keys_of(window) == keys
    window.resize(*LAPTOP)
    english, left = english_words(), {}
    for place in PLACES:
        window.go(place)
        qtbot.waitUntil(lambda: window.tasks.idle, timeout=PATIENCE_MS)
        left[place] = sorted(shown(window) & english)
    faults = faults_of(window, qtbot)
    assert not any(left.values()), (left, faults)
    assert not faults, "\n".join(faults)


def test_the_door_and_the_keys_speak_german(
    english_after: None, open_window: Callable[..., Workstation], archive: FakeArchive, qtbot: QtBot
) -> None:
    """Also when the window was left in German and is opened again, and English comes back at once."""
    window = open_window(archive)
    in_german(window, qtbot)
    window.lock()
    qtbot.waitUntil(window._sign_in.isVisible, timeout=PATIENCE_MS)
    assert not shown(window) & english_words()
    assert named(window, "Anmelden", QPushButton).isVisible()
    assert window.desk is not None
    assert window.desk.commands["close"].tooltip == "Fenster schließen (Strg+Q)"
    rooms = window._rooms
    language.change("en")
    qtbot.waitUntil(lambda: window._rooms is not rooms, timeout=PATIENCE_MS)
    qtbot.waitUntil(window._sign_in.isVisible, timeout=PATIENCE_MS)
    assert named(window, "Sign in", QPushButton).isVisible()


@pytest.mark.parametrize("code", sorted(set(language.names()) - {"en"}))
def test_a_translation_has_every_word_and_its_places(code: str) -> None:
    english, theirs = catalogue("en"), catalogue(code)
    missing = sorted(set(english) - set(theirs))
    assert not missing, "\n".join(f"{ascii_toml(text)} = " for text in missing)
    assert not sorted(set(theirs) - set(english) - {"direction"})
    assert [key for key in english if places(theirs[key]) != places(key)] == []
    assert [key for key in english if english[key].strip() and not theirs[key].strip()] == []


def test_german_is_shipped() -> None:
    assert language.names() == {"de": "Deutsch", "en": "English"}


@pytest.mark.parametrize("code", sorted(language.names()))
def test_a_catalogue_is_sorted(code: str) -> None:
    lines = resource("i18n", f"{code}.toml").read_text("utf-8").partition("[words]\n")[2].splitlines()
    keys = [line.partition(" = ")[0].lower() for line in lines]
    assert keys == sorted(keys)


def places(text: str) -> list[str]:
    """What is put into a text when it is said."""
    return sorted(name for _text, name, _format, _as in Formatter().parse(text) if name is not None)
