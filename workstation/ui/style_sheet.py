"""The one style sheet, made of tokens. Widgets ask for a look by the dynamic property `look`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workstation.ui.assets import resource

if TYPE_CHECKING:
    from workstation.ui.theme import Theme

SHEET = """
* { outline: none; }
QWidget { color: $text; font-size: @base; }
QMainWindow, QDialog, QWidget[look="ground"] { background: $ground; }
QWidget[look="panel"], QFrame[look="panel"] { background: $panel; }
QWidget[look="raised"], QFrame[look="raised"] { background: $raised; border-radius: 4u; }
QWidget[look="cell"] { background: $cell; }
QFrame[look="line"] { background: $line; border: none; max-height: 1px; min-height: 1px; }
QFrame[look="upright"] { background: $line; border: none; max-width: 1px; min-width: 1px; }
QFrame[look="card"] { background: $panel; border: 1px solid $line; border-radius: 4u; }

QLabel { background: transparent; }
QLabel[look="quiet"] { color: $quiet; }
QLabel[look="title"] { font-size: @title; font-weight: 600; }
QLabel[look="heading"] { font-size: @heading; font-weight: 600; }
QLabel[look="display"] { font-size: @display; font-weight: 600; }
QLabel[look="strong"] { font-weight: 600; }
QLabel[look="caption"] { color: $quiet; font-weight: 600; }
QLabel[look="good"] { color: $good; }
QLabel[look="waiting"] { color: $waiting; }
QLabel[look="wrong"] { color: $wrong; }
QLabel[look="link"] { color: $link; }
QLabel[look="mismatch"] { color: $mismatch; font-weight: 600; }
QLabel[look="stat"] { color: $wrong; border: 1px solid $wrong; border-radius: 4u; padding: 0 6u;
    font-weight: 600; }
QLabel[look="chip"] { color: $text; background: $raised; border-radius: 4u; padding: 2u 8u; }
QLabel[look="key"] { color: $quiet; background: $raised; border-radius: 4u; padding: 0 6u; }

QPushButton, QToolButton[look="button"] { background: $raised; border: 1px solid $line; border-radius: 4u;
    padding: 4u 12u; min-height: 20u; }
QPushButton:hover, QToolButton[look="button"]:hover { border-color: $quiet; }
QPushButton:pressed { background: $line; }
QPushButton:focus, QToolButton:focus { border: 1px solid $accent; }
QPushButton:disabled { color: $quiet; background: $panel; border-color: $line; }
QPushButton[look="main"] { background: $accent; color: $on_accent; border-color: $accent; font-weight: 600; }
QPushButton[look="main"]:hover { border-color: $text; }
QPushButton[look="main"]:focus { border: 1px solid $text; }
QPushButton[look="main"]:disabled { background: $raised; color: $quiet; border-color: $line; }
QPushButton[look="danger"] { color: $wrong; }
QPushButton[look="danger"]:disabled { color: $quiet; }
QPushButton[look="link"] { background: transparent; border: none; border-bottom: 1px solid transparent;
    border-radius: 0; color: $link; padding: 0; }
QPushButton[look="link"]:hover { text-decoration: underline; }
QPushButton[look="link"]:focus { border: none; border-bottom: 1px solid $accent; }
QPushButton[look="chip"] { background: transparent; border: 1px solid $line; border-radius: 4u;
    padding: 2u 10u; color: $quiet; }
QPushButton[look="chip"]:hover { color: $text; }
QPushButton[look="chip"]:checked { background: $selection; color: $text; border-color: $accent; }
QPushButton[look="chip"]:focus { border-color: $accent; }

QToolButton { background: transparent; border: 1px solid transparent; border-radius: 4u; padding: 4u; }
QToolButton[look="small"] { padding: 1u 3u; }
QToolButton:hover { background: $raised; }
QToolButton:checked { background: $selection; border: 1px solid $accent; }
QToolButton:pressed { background: $line; }
QToolButton::menu-indicator { image: none; width: 0; }
QToolButton[look="rail"] { border-radius: 0; border: none; padding: 8u 0 6u 0; color: $quiet;
    border-left: 3u solid transparent; }
QToolButton[look="rail"]:hover { background: $hover; color: $text; }
QToolButton[look="rail"]:checked { background: $ground; color: $text; border-left: 3u solid $accent; }
QToolButton[look="rail"]:focus { color: $link; }

QLineEdit, QPlainTextEdit, QTextEdit, QComboBox, QDateEdit, QTimeEdit, QDateTimeEdit, QSpinBox {
    background: $ground; border: 1px solid $line; border-radius: 4u; padding: 4u 8u;
    selection-background-color: $selection;
    selection-color: $text; }
QLineEdit, QComboBox, QDateEdit, QTimeEdit, QDateTimeEdit, QSpinBox { min-height: 20u; }
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QComboBox:focus, QDateEdit:focus, QTimeEdit:focus,
QDateTimeEdit:focus, QSpinBox:focus { border: 1px solid $accent; }
QPlainTextEdit[look="field"] { background: transparent; border: 1px solid transparent;
    border-bottom: 1px solid $line; border-radius: 0; padding: 2u 4u; }
QPlainTextEdit[look="field"]:hover { background: $ground; }
QPlainTextEdit[look="field"]:focus { background: $ground; border: 1px solid $accent; border-radius: 4u; }
QLineEdit:disabled, QPlainTextEdit:disabled, QTextEdit:disabled, QComboBox:disabled { color: $quiet;
    background: $panel; }
QLineEdit[look="wrong"], QPlainTextEdit[look="wrong"], QComboBox[look="wrong"] { border: 1px solid $wrong; }
QPlainTextEdit[look="spoken"] { border: 1px solid $waiting; }
QComboBox::drop-down { border: none; width: 20u; }
QComboBox::down-arrow { image: url("%caret%"); width: 12u; height: 12u; }
QDateEdit::drop-down, QDateTimeEdit::drop-down { border: none; width: 20u; }
QDateEdit::down-arrow, QDateTimeEdit::down-arrow { image: url("%caret%"); width: 12u; height: 12u; }
QComboBox QAbstractItemView { background: $raised; border: 1px solid $line;
    selection-background-color: $selection; padding: 4u; }
QSpinBox::up-button, QSpinBox::down-button, QTimeEdit::up-button, QTimeEdit::down-button { width: 0;
    border: none; }

QCheckBox, QRadioButton { spacing: 8u; background: transparent; }
QCheckBox::indicator, QRadioButton::indicator { width: 16u; height: 16u; border: 1px solid $quiet;
    border-radius: 4u; background: $ground; }
QRadioButton::indicator { border-radius: 8u; }
QCheckBox::indicator:checked, QRadioButton::indicator:checked { background: $accent;
    border-color: $accent; image: url("%tick%"); }
QCheckBox:focus::indicator, QRadioButton:focus::indicator { border-color: $accent; }

QTableView, QListView, QTreeView { background: $panel; border: none; gridline-color: transparent;
    selection-background-color: $selection;
    selection-color: $text; alternate-background-color: $panel; }
QTableView::item, QTreeView::item { padding: 0 8u; border: none; border-bottom: 1px solid $ground; }
QListView::item { padding: 4u 8u; border: none; }
QTableView::item:hover, QListView::item:hover, QTreeView::item:hover { background: $hover; }
QTableView::item:selected, QListView::item:selected, QTreeView::item:selected { background: $selection;
    color: $text; }
QHeaderView { background: $ground; border: none; }
QHeaderView::section { background: $ground; color: $quiet; border: none;
    border-bottom: 1px solid $line; padding: 6u 8u; font-weight: 600; }
QHeaderView::section:hover { color: $text; }
QHeaderView::down-arrow { image: url("%caret%"); width: 12u; height: 12u;
    subcontrol-position: center right; right: 4u; }
QHeaderView::up-arrow { image: url("%caret_up%"); width: 12u; height: 12u;
    subcontrol-position: center right; right: 4u; }
QTableCornerButton::section { background: $ground; border: none; }

QScrollBar:vertical { background: transparent; width: 10u; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10u; margin: 0; }
QScrollBar::handle { background: $line; border-radius: 4u; min-height: 28u; min-width: 28u; margin: 1px; }
QScrollBar::handle:hover { background: $quiet; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QScrollArea { background: transparent; border: none; }
QScrollArea > QWidget > QWidget { background: transparent; }
QAbstractScrollArea::corner { background: transparent; }

QSplitter::handle { background: $ground; }
QSplitter::handle:hover { background: $accent; }
QMenu { background: $raised; border: 1px solid $line; border-radius: 4u; padding: 4u; }
QMenu::item { padding: 6u 28u 6u 12u; border-radius: 4u; }
QMenu::item:selected { background: $selection; }
QMenu::item:disabled { color: $quiet; }
QMenu::separator { height: 1px; background: $line; margin: 4u 8u; }
QMenu::icon { padding-left: 8u; }
QToolTip { background: $raised; color: $text; border: 1px solid $line; padding: 4u 8u; }
QBalloonTip QLabel { color: black; } /* Qt paints the tray's balloon pale, whatever the theme */
QTabBar { background: transparent; }
QTabBar::tab { background: transparent; color: $quiet; padding: 8u 12u; border: none;
    border-bottom: 2u solid transparent; }
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { color: $text; border-bottom: 2u solid $accent; }
QTabBar::tab:focus { color: $link; }
QTabWidget::pane { border: none; border-top: 1px solid $line; }
QProgressBar { background: $raised; border: none; border-radius: 2u; max-height: 4u; min-height: 4u; }
QProgressBar::chunk { background: $accent; border-radius: 2u; }
QCalendarWidget QWidget { background: $raised; alternate-background-color: $raised; }
QCalendarWidget QAbstractItemView { background: $panel; selection-background-color: $selection; }
"""


def style_sheet(theme: Theme) -> str:
    """`$token` a colour, `@role` a type size, `4u` four pixels at 100 %."""
    sheet = SHEET
    for role in theme.metrics["type"]:
        sheet = sheet.replace(f"@{role};", f"{theme.pixels(role)}px;")
    for token in sorted(theme.colours, key=len, reverse=True):
        sheet = sheet.replace(f"${token}", theme.colours[token])
    sheet = re.sub(r"\b(\d+)u\b", lambda m: f"{theme.px(int(m.group(1)))}px", sheet)
    marks = {"caret": "caret", "caret_up": "caret_up", "tick": f"tick_{theme.key.replace(' ', '_')}"}
    for mark, file in marks.items():
        sheet = sheet.replace(f"%{mark}%", resource("theme", f"{file}.svg").as_posix())
    return sheet
