"""Every name of the character-set samples is drawn with glyphs, here and with carried fonts alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pydicom
import pytest
from PySide6.QtGui import QGlyphRun, QTextLayout
from PySide6.QtWidgets import QApplication

from pacs_core.domain.patient import display_name
from workstation.ui import fonts, theme
from workstation.ui.application import make_application
from workstation.ui.assets import resource

PLACES = (Path("/usr/share/fonts/truetype/noto"), Path("/usr/share/fonts/opentype/noto"))
OTHERS = ("สมชาย ใจดี", "अनिल कुमार", "Đặng Thị Hồng", "Αλέξανδρος", "ﾔﾏﾀﾞ^ﾀﾛｳ", "Şükrü Çağlar", "王小東")


def missing(text: str) -> list[str]:
    """Characters for which the window's own font, with all that Qt falls back to, has no glyph."""
    lost = []
    for char in dict.fromkeys(text):
        layout = QTextLayout(char, theme.load().font())
        layout.beginLayout()
        layout.createLine()
        layout.endLayout()
        runs = layout.glyphRuns()
        if not char.isspace() and not (runs and all(drawn(run) for run in runs)):
            lost.append(char)
    return lost


def drawn(run: QGlyphRun) -> bool:
    """With a font of a family (Qt draws boxes with none), and with a glyph of it that is not the box."""
    return bool(run.rawFont().familyName()) and 0 not in run.glyphIndexes()


def names(folder: Path) -> list[str]:
    """Patient names of the samples as the window shows them."""
    found = {str(pydicom.dcmread(path, force=True).get("PatientName", "")) for path in folder.glob("*.dcm")}
    return [display_name(name) for name in sorted(found) if name]


def test_the_samples_bring_their_scripts(shared_data: Path) -> None:
    found = names(shared_data / "charsets")
    assert set("".join(found)) >= set("山太や小東г김שقÄυ")
    assert len(found) >= 12


def test_a_letter_that_no_font_has_is_found_missing(qapp: QApplication) -> None:
    assert missing("A\U0010fffdB") == ["\U0010fffd"]


def test_every_name_of_the_samples_is_drawn(qapp: QApplication, shared_data: Path) -> None:
    make_application()
    found = {name: missing(name) for name in (*names(shared_data / "charsets"), *OTHERS)}
    assert not {name: lost for name, lost in found.items() if lost}


ALONE = """
import json, sys
from pathlib import Path
from tests.ui.letters_test import missing
from workstation.ui import fonts
from workstation.ui.application import make_application
app = make_application()
before = [n for n in json.loads(sys.argv[2]) if missing(n)]
fonts.take_up(Path(sys.argv[1]))
print(json.dumps([len(before), [n for n in json.loads(sys.argv[2]) if missing(n)]]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="fontconfig puts the machine's own fonts out of sight")
def test_the_carried_fonts_are_enough_where_the_machine_has_none(shared_data: Path, tmp_path: Path) -> None:
    wanted = tomllib.loads(resource("theme", "metrics.toml").read_text("utf-8"))["carried"]
    place = tmp_path / "fonts"
    place.mkdir()
    for name in wanted:
        (place / name).symlink_to(next(p / name for p in PLACES if (p / name).is_file()))
    assert [path.name for path in fonts.carried(place)] == sorted(wanted)
    bare = tmp_path / "fonts.conf"
    bare.write_text(f"<fontconfig><dir>{tmp_path}/none</dir><cachedir>{tmp_path}/c</cachedir></fontconfig>")
    asked = json.dumps([*names(shared_data / "charsets"), *OTHERS])
    told = subprocess.run(
        [sys.executable, "-c", ALONE, str(place), asked],
        env={**os.environ, "FONTCONFIG_FILE": str(bare), "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    before, lost = json.loads(told.stdout.splitlines()[-1])
    assert before > 0, "the machine's own fonts were still in sight"
    assert lost == []
