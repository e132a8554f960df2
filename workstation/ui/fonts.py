"""The letters: fonts that come with the program are taken where the machine has none of its own.

Names come in every script of DICOM's character sets (PS3.3 C.12.1.1.2); a box for a missing glyph could hide
who the patient is. In a source tree the fonts are the system's (`dev.py` installs them); a frozen program
carries them in `resources/fonts`.
"""

from __future__ import annotations

import logging
from pathlib import Path

from PySide6.QtGui import QFontDatabase

from workstation.ui import theme
from workstation.ui.assets import resource

log = logging.getLogger("reading_room.view")
KINDS = {".ttf", ".otf", ".ttc"}


def carried(folder: Path | None = None) -> list[Path]:
    """The font files that came with the program; none in a source tree."""
    place = folder or resource("fonts")
    return sorted(p for p in place.glob("*") if p.suffix.lower() in KINDS) if place.is_dir() else []


def take_up(folder: Path | None = None) -> list[str]:
    """Make the carried fonts known to Qt, once QApplication is there; returns the families they brought.

    Nothing is read where the machine has every family of the theme already.
    """
    metrics = theme.load().metrics
    if {metrics["families"][0], *metrics["fallback"]} <= set(QFontDatabase.families()):
        return []
    families: list[str] = []
    for path in carried(folder):
        number = QFontDatabase.addApplicationFont(str(path))
        if number < 0:
            log.warning("the font %s could not be read", path.name)
            continue
        families += QFontDatabase.applicationFontFamilies(number)
    theme.learn_fonts()
    return families
