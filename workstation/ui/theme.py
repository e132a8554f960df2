"""Tokens to palette, style sheet, fonts and icons. No colour and no size is written anywhere else."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

os.environ.setdefault("QT_API", "pyside6")

import qtawesome
from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPalette, QPixmap
from PySide6.QtWidgets import QApplication

from workstation.ui.assets import resource
from workstation.ui.style_sheet import style_sheet

THEMES = {"dark": "dark.toml", "dim light": "dim_light.toml"}


@dataclass(frozen=True)
class Theme:
    """One set of tokens at one text size. `colour("panel")`, `overlay("prior")`, `px(8)`,
    `points("title")`.
    """

    key: str
    colours: dict[str, str]
    overlays: dict[str, str]
    metrics: dict[str, Any]
    scale: float = 1.0
    reduced_motion: bool = False

    def colour(self, token: str) -> QColor:
        return QColor(self.colours[token])

    def overlay(self, token: str) -> QColor:
        return QColor(self.overlays[token])

    def px(self, length: float) -> int:
        """A length given at 100 %, in this theme's pixels."""
        return max(1, round(length * self.scale)) if length > 0 else 0

    def points(self, role: str = "base") -> float:
        return float(self.metrics["type"][role]) * self.scale

    def pixels(self, role: str = "base") -> int:
        """Type size in pixels at 96 dpi: the same on a platform that claims 72."""
        return round(self.points(role) * 96 / 72)

    @property
    def icon_size(self) -> int:
        return self.px(self.metrics["icon"])

    def font(self, role: str = "base", bold: bool = False) -> QFont:
        font = QFont(families(self.metrics))
        font.setPixelSize(self.pixels(role))
        font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        font.setFeature(QFont.Tag("tnum"), 1)
        return font


def load(key: str = "dark", scale: float = 1.0, reduced_motion: bool = False) -> Theme:
    """Read the tokens of one theme. Raises KeyError for a theme there is not."""
    tokens = tomllib.loads(resource("theme", THEMES[key]).read_text("utf-8"))
    metrics = tomllib.loads(resource("theme", "metrics.toml").read_text("utf-8"))
    overlays = tokens.pop("overlay")
    return Theme(key, tokens, overlays, metrics, scale, reduced_motion)


def families(metrics: dict[str, Any]) -> list[str]:
    """The installed families of our list: one for text, the rest for scripts it lacks."""
    return list(_families(tuple(metrics["families"]), tuple(metrics["fallback"])))


@lru_cache(maxsize=8)
def _families(wanted: tuple[str, ...], fallback: tuple[str, ...]) -> tuple[str, ...]:
    there = set(QFontDatabase.families())
    first = next((name for name in wanted if name in there), "")
    own = first or QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont).family()
    return (own, *(name for name in fallback if name in there))


def learn_fonts() -> None:
    """Look again which families there are: some were added."""
    _families.cache_clear()


class _Hub(QObject):
    """Tells widgets that painted something of the theme themselves to paint it again."""

    changed = Signal()


_hub: list[_Hub] = []
_current: list[Theme] = []


def hub() -> _Hub:
    """The one who tells of a new theme."""
    if not _hub:
        _hub.append(_Hub())
    return _hub[0]


def current() -> Theme:
    """The theme in force; the default one before any was applied."""
    if not _current:
        _current.append(load())
    return _current[0]


def apply(theme: Theme) -> None:
    """Put the theme on the whole application; nothing is done anew where it is on already."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    if app.property("theme") == repr(theme):
        return
    app.setProperty("theme", repr(theme))
    _current[:] = [theme]
    icon.cache_clear()
    if app.property("styled") is None:
        app.setStyle("Fusion")  # once: each time every widget is polished anew
        app.setProperty("styled", True)
    app.setFont(theme.font())
    app.setPalette(palette(theme))
    app.setStyleSheet(style_sheet(theme))
    app.setCursorFlashTime(0 if theme.reduced_motion else 1000)
    hub().changed.emit()


def change(**fields: Any) -> None:
    """Apply the current theme with some fields changed (`scale`, `reduced_motion`, or `key`)."""
    theme = current()
    if "key" in fields:
        theme = load(fields.pop("key"), theme.scale, theme.reduced_motion)
    apply(replace(theme, **fields))


def palette(theme: Theme) -> QPalette:
    """The palette of a theme, for what the style sheet does not reach."""
    answer = QPalette()
    roles = QPalette.ColorRole
    for role, token in {
        roles.Window: "ground",
        roles.WindowText: "text",
        roles.Base: "panel",
        roles.AlternateBase: "panel",
        roles.Text: "text",
        roles.Button: "raised",
        roles.ButtonText: "text",
        roles.Highlight: "selection",
        roles.HighlightedText: "text",
        roles.PlaceholderText: "quiet",
        roles.ToolTipBase: "raised",
        roles.ToolTipText: "text",
        roles.Link: "link",
        roles.LinkVisited: "link",
        roles.Mid: "line",
        roles.Dark: "line",
        roles.Light: "raised",
        roles.Midlight: "line",
        roles.Shadow: "cell",
        roles.BrightText: "wrong",
        roles.Accent: "accent",
    }.items():
        answer.setColor(role, theme.colour(token))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        answer.setColor(QPalette.ColorGroup.Disabled, role, theme.colour("quiet"))
    return answer


@lru_cache(maxsize=512)
def icon(name: str, token: str = "text") -> QIcon:
    """An icon of the one set, in a colour of the theme; `name` without the set's prefix."""
    theme = current()
    return qtawesome.icon(
        f"mdi6.{name}",
        color=theme.colours[token],
        color_active=theme.colours[token],
        color_on=theme.colours["accent"],
        color_disabled=theme.colours["line"],
    )


def pixmap(name: str, token: str = "text", size: int | None = None) -> QPixmap:
    """An icon as a pixmap, `size` at 100 %."""
    side = current().px(size) if size else current().icon_size
    return icon(name, token).pixmap(QSize(side, side))
