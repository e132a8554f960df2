"""Hanging in the window: opened by the protocol, its stages by key, its reasons, saved, edited, mended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot

from pacs_core.rehearsal.headers import SeriesHeader
from pacs_core.rehearsal.phantoms import mammogram
from tests.support.fake_archive import FakeArchive, manifest_of, patient
from tests.support.fake_world import world
from tests.support.hanging import a_prior
from tests.ui.conftest import PATIENCE_MS, named
from tests.ui.reading_test import CURRENT, PRIOR, open_exam
from workstation.session.hanging import Role
from workstation.session.protocols.library import library
from workstation.ui.reading.layout_editor import LayoutEditor
from workstation.ui.reading.page import ReadPage
from workstation.ui.shell import Workstation

Open = Callable[..., Workstation]
PIXEL_MM = 1.0
VIEWS = (("R", "CC"), ("L", "CC"), ("R", "MLO"), ("L", "MLO"))


@pytest.fixture
def mammograms(tmp_path: Path) -> FakeArchive:
    """The first exam is a four-view mammogram with one of the year before."""
    archive = world()
    for uid, name in ((CURRENT, "now"), (PRIOR, "then")):
        folder = tmp_path / name
        folder.mkdir()
        for number, (side, view) in enumerate(VIEWS, 1):
            header = SeriesHeader(f"{name} {side} {view}", "MG", number, f"{side} {view}")
            image, _ = mammogram(header, side, view, PIXEL_MM)
            image.StudyInstanceUID = uid
            image.save_as(folder / f"{number}.dcm", enforce_file_format=True)
        manifest, frames = manifest_of(folder, patient(1))
        archive.manifests[uid] = replace(manifest, study_uid=uid)
        archive.frames |= frames
    archive.rows_[0] = replace(archive.rows_[0], modality="MG", procedure="Mammography", body_part="BREAST")
    archive.priors_[CURRENT] = (a_prior("MG", "Mammography", uid=PRIOR),)
    return archive


def key(page: ReadPage, which: Qt.Key) -> None:
    page.grid.focus()
    QTest.keyClick(page.grid.cells[page.session.active], which)


def settled(page: ReadPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: all(c.settled for c in page.grid.cells), timeout=PATIENCE_MS)


def test_an_exam_opens_by_its_protocol_and_its_stages_are_one_key_away(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    page = open_exam(open_window(pixels), qtbot)
    button = named(page, "Layout: CT chest 1/5", QAbstractButton)
    assert button.isVisible()
    assert "the body part is chest" in button.toolTip()
    key(page, Qt.Key.Key_Period)
    windows = [c.view.window.label for c in page.session.cells if c.view.window]
    assert windows == ["Lung", "Lung"]
    key(page, Qt.Key.Key_Comma)
    key(page, Qt.Key.Key_Comma)
    assert page.session.plan is not None
    assert page.session.plan.planes
    key(page, Qt.Key.Key_Period)
    assert [c.role for c in page.session.cells] == [Role.CURRENT, Role.PRIOR]
    QTest.mouseClick(page.grid.cells[0], Qt.MouseButton.ForwardButton)
    assert page.session.hangings.now is not None
    assert page.session.hangings.now.number == 1
    QTest.mouseClick(page.grid.cells[0], Qt.MouseButton.BackButton)
    assert page.session.hangings.now.number == 0
    page.session.stages.go_to(3, upright=False)
    page.desk.commands.run("read.mpr")
    assert page.session.plan is not None
    assert page.session.plan.planes
    page.desk.commands.run("read.mpr")
    assert page.session.hangings.now.number == 3
    assert not page.session.plan.planes
    page.desk.commands.run("read.layout.why")
    panel = page.actions_.layouts.panel
    assert panel is not None
    said = [label.text() for label in panel.findChildren(QLabel)]
    assert "· the modality is CT" in said
    assert any(text.startswith("1 · current · 2 CT IMAGES (axial") for text in said)
    assert any("8 months earlier" in text for text in said)
    stage = named(panel, "Lung and soft tissue", QPushButton)
    assert isinstance(stage, QPushButton)
    stage.click()
    assert len(page.session.cells) == 4
    settled(page, qtbot)


def test_what_is_seen_is_saved_and_the_next_exam_like_it_hangs_so(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot, tmp_path: Path
) -> None:
    window = open_window(pixels, folder=tmp_path)
    page = open_exam(window, qtbot)
    key(page, Qt.Key.Key_2)
    page.session.set_view(0, page.session.cells[0].view.with_(invert=True))
    dialog = page.actions_.layouts.save()
    name = named(dialog, "Name", QLineEdit)
    assert isinstance(name, QLineEdit)
    name.setText("Black lungs")
    go = named(dialog, "Save", QPushButton)
    assert isinstance(go, QPushButton)
    go.click()
    kept = library(Path("none"), tmp_path / "hanging_protocols")
    assert [p.name for p in kept.protocols] == ["Black lungs"]
    assert not kept.mistakes
    assert window.desk is not None
    assert any(c.name == "Hang by: Black lungs" for c in window.desk.commands)
    window.desk.commands.run("read.layout.best")
    assert named(page, "Layout: Black lungs", QAbstractButton).isVisible()
    assert page.session.cells[0].view.invert
    settled(page, qtbot)


def test_a_file_with_a_mistake_is_told_by_line_the_shipped_one_hangs_and_it_can_be_mended(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot, tmp_path: Path
) -> None:
    own = tmp_path / "hanging_protocols"
    own.mkdir()
    shipped = library(Path(__file__).parents[2] / "resources" / "hanging_protocols")
    chest = next(p for p in shipped.protocols if p.key == "ct_chest")
    assert chest.path is not None
    text = chest.path.read_text("utf-8").replace('layout = "1x1"', 'layout = "one"', 1)
    (own / "ct_chest.toml").write_text(text, "utf-8")
    window = open_window(pixels, folder=tmp_path)
    page = open_exam(window, qtbot)
    line = text.splitlines().index('layout = "one"') + 1
    assert f"ct_chest.toml, line {line}, stage 1 layout" in page.notice.text
    assert named(page, "Layout: CT chest 1/5", QAbstractButton).isVisible()
    mend = named(page.notice, "Edit", QPushButton)
    assert isinstance(mend, QPushButton)
    mend.click()
    (editor,) = page.findChildren(LayoutEditor)
    field = named(editor, "The layout's file", QPlainTextEdit)
    save = named(editor, "Save", QPushButton)
    assert isinstance(field, QPlainTextEdit)
    assert isinstance(save, QPushButton)
    right = field.toPlainText().replace('layout = "one"', 'layout = "1x1"')
    assert not save.isEnabled()
    assert named(editor, f"Message: Line {line}: stage 1 layout", QLabel).isVisible()
    field.setPlainText(right.replace('name = "CT chest"', 'name = "My chest"', 1))
    assert save.isEnabled()
    save.click()
    assert (tmp_path / "hanging_protocols" / "ct_chest.toml").is_file()
    assert named(page, "Layout: My chest", QAbstractButton).isVisible()


def true_size(page: ReadPage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """A millimetre is shown as one, and the same key leads back."""
    monkeypatch.setattr(page.actions_.layouts, "_screen_mm", lambda: 0.25)
    window = page.desk.commands
    window.run("read.true_size")
    settled(page, qtbot)
    picture = page.grid.cells[0].shown.picture
    assert picture is not None
    assert picture.frame.pixel_size == pytest.approx((0.25, 0.25))
    assert any("true size" in text for text in picture.display_list.texts())
    window.run("read.true_size")
    settled(page, qtbot)
    again = page.grid.cells[0].shown.picture
    assert again is not None
    assert again.frame.pixel_size[0] > 0.3


def test_four_mammograms_hang_over_their_prior_chest_wall_to_chest_wall_and_in_true_size(
    open_window: Open, mammograms: FakeArchive, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_exam(open_window(mammograms), qtbot, cells=8)
    assert page.grid.frames[Role.PRIOR].y() > page.grid.frames[Role.CURRENT].y()
    settled(page, qtbot)
    scales = set()
    for cell, (side, _view) in zip(page.grid.cells, VIEWS * 2, strict=True):
        picture = cell.shown.picture
        assert picture is not None
        wall = picture.pixels[:, -1 if side == "R" else 0]
        other = picture.pixels[:, 0 if side == "R" else -1]
        assert wall.max() > 60
        assert other.max() == 0
        scales.add(round(picture.frame.pixel_size[0], 3))
    assert max(scales) / min(scales) < 1.01
    true_size(page, qtbot, monkeypatch)


def test_an_empty_cell_says_which_view_is_missing(
    open_window: Open, mammograms: FakeArchive, qtbot: QtBot
) -> None:
    mammograms.priors_.clear()
    whole = mammograms.manifests[CURRENT]
    mammograms.manifests[CURRENT] = replace(whole, series=whole.series[:3])
    window = open_window(mammograms)
    assert window.desk is not None
    window.go("read")
    page = window._places["read"]
    assert isinstance(page, ReadPage)
    window.desk.session.wanted.emit(CURRENT)
    qtbot.waitUntil(lambda: len(page.grid.cells) == 4, timeout=PATIENCE_MS)
    assert page.grid.cells[3]._words()[0] == "left, MLO: the study has no such series."
