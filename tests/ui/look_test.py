"""The look: contrast of every colour, fonts for every script, no white, words for ages, names and
failures.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QFontMetricsF, QRawFont
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pacs_core.domain import errors
from workstation.ui import theme, words
from workstation.ui.style_sheet import style_sheet

TEXTS = ("text", "quiet", "link", "good", "waiting", "wrong", "prior")
GROUNDS = ("ground", "panel", "raised")
MARKS = ("current", "prior", "selected", "text", "reference", "active", "active_unfocused", "prior_frame")


def luminance(colour: QColor) -> float:
    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF())


def contrast(a: QColor, b: QColor) -> float:
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("key", theme.THEMES)
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("text", TEXTS)
def test_text_reads_on_every_ground(qapp: QApplication, key: str, ground: str, text: str) -> None:
    look = theme.load(key)
    assert contrast(look.colour(text), look.colour(ground)) >= 4.5


@pytest.mark.parametrize("key", theme.THEMES)
def test_chosen_rows_and_main_buttons_read(qapp: QApplication, key: str) -> None:
    look = theme.load(key)
    assert contrast(look.colour("text"), look.colour("selection")) >= 4.5
    assert contrast(look.colour("on_accent"), look.colour("accent")) >= 4.5


@pytest.mark.parametrize("key", theme.THEMES)
@pytest.mark.parametrize("mark", MARKS)
def test_marks_show_on_black(qapp: QApplication, key: str, mark: str) -> None:
    look = theme.load(key)
    assert contrast(look.overlay(mark), look.colour("cell")) >= 3.0


@pytest.mark.parametrize("key", theme.THEMES)
def test_no_surface_is_white_and_cells_are_black(qapp: QApplication, key: str) -> None:
    look = theme.load(key)
    assert look.colour("cell") == QColor(0, 0, 0)
    assert all(luminance(look.colour(token)) < 0.8 for token in (*GROUNDS, "line", "paper"))


@pytest.mark.parametrize("key", theme.THEMES)
@pytest.mark.parametrize("scale", [0.8, 1.0, 1.5, 2.0])
def test_the_style_sheet_leaves_no_token_unresolved(qapp: QApplication, key: str, scale: float) -> None:
    sheet = style_sheet(theme.load(key, scale))
    assert "$" not in sheet
    assert "@" not in sheet
    assert "%" not in sheet


def test_no_colour_is_written_outside_the_theme() -> None:
    folder = Path(theme.__file__).parent
    found = [
        f"{path.relative_to(folder)}: {line.strip()}"
        for path in folder.rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if '"#' in line or "QColor(" in line.replace("QColor(self.", "")
    ]
    assert not found


def test_the_base_size_is_eleven_points_at_96_dpi(qapp: QApplication) -> None:
    assert theme.load().pixels() == 15
    assert theme.load(scale=2.0).pixels() == 29


@pytest.mark.parametrize(
    "name",
    [
        "Äneas, Rüdiger",
        "Διονυσιος",
        "Люксембург",
        "قباني, لنزار",
        "שרון, דבורה",
        "やまだ, たろう",
        "山田, 太郎",
        "ﾔﾏﾀﾞ",
        "김희중",
        "王, 小东",
        "王, 小東",
        "สมชาย",
        "अनिल",
    ],
)
def test_no_name_shows_a_box_for_a_missing_glyph(qapp: QApplication, name: str) -> None:
    fonts = [QRawFont.fromFont(theme.load().font())]
    for family in theme.families(theme.load().metrics)[1:]:
        font = theme.load().font()
        font.setFamilies([family])
        fonts.append(QRawFont.fromFont(font))
    missing = [c for c in name if not c.isspace() and not any(f.supportsCharacter(ord(c)) for f in fonts)]
    assert not missing


def test_figures_stand_in_columns(qapp: QApplication) -> None:
    metrics = QFontMetricsF(theme.load().font())
    assert len({round(metrics.horizontalAdvance(figure * 4), 2) for figure in "0123456789"}) == 1


@pytest.mark.parametrize(
    ("born", "on", "age"),
    [
        ("1961-04-12", "2026-11-22", "65 y"),
        ("1961-12-01", "2026-11-22", "64 y"),
        ("2025-03-02", "2026-11-22", "20 mo"),
        ("2024-11-22", "2026-11-22", "2 y"),
        ("2026-10-30", "2026-11-22", "23 d"),
        ("2026-11-22", "2026-11-22", "0 d"),
        ("", "2026-11-22", ""),
        ("2027-01-01", "2026-11-22", ""),
        ("19610412", "20261122", "65 y"),
        ("x", "", ""),
    ],
)
def test_ages_are_years_months_or_days(born: str, on: str, age: str) -> None:
    assert words.age(born, on) == age


def test_dates_and_times_stay_civil() -> None:
    assert words.iso_date("20260302") == "2026-03-02"
    assert words.iso_date("2026-03-02", weekday=True) == "2026-03-02 Mon"
    assert words.when("20260302", "093015.123") == "2026-03-02 09:30"
    assert words.iso_date("no date") == "no date"


@pytest.mark.parametrize(
    ("error", "kind", "words_"),
    [
        (errors.Denied("a technologist may not sign"), "denied", "A technologist may not sign."),
        (errors.StorageFailure("the disk is full"), "failed", "kept on this machine"),
        (errors.Conflict("dr.lee is reading this exam"), "failed", "dr.lee is reading this exam."),
        (ConnectionRefusedError("refused"), "failed", "cannot be reached"),
        (RuntimeError("what"), "failed", "unexpected"),
    ],
)
def test_a_failure_says_what_happened_and_what_is_safe(error: Exception, kind: str, words_: str) -> None:
    told = words.failure(error)
    assert told.kind == kind
    assert words_ in told.words


def test_a_right_to_left_language_mirrors_the_chrome_but_never_a_picture(
    qtbot: QtBot, shared_data: Path
) -> None:
    from PySide6.QtCore import Qt

    from tests.support.fake_world import world
    from workstation.session.preferences import Preferences
    from workstation.session.reading_session import ReadingSession
    from workstation.ui.reading.grid import CellGrid
    from workstation.ui.reading.room import Room

    class Desk:
        """As much of a desk as the grid asks for."""

        session = ReadingSession()
        archive = world()
        preferences = Preferences()
        closing: list[object] = []  # noqa: RUF012  (one test, one desk)
        kept: list[object] = []  # noqa: RUF012

    room = Room(Desk())  # type: ignore[arg-type]  # a stand-in
    grid = CellGrid(room)
    qtbot.addWidget(grid)
    assert grid.layoutDirection() == Qt.LayoutDirection.LeftToRight
    room.close()


@pytest.mark.parametrize("key", theme.THEMES)
def test_the_mismatch_reads_where_it_is_written_and_is_used_for_nothing_else(
    qapp: QApplication, key: str
) -> None:
    look = theme.load(key)
    assert contrast(look.colour("mismatch"), look.colour("panel")) >= 4.5
    assert [k for k, v in look.colours.items() if v == look.colours["mismatch"]] == ["mismatch"]
