"""What other objects say on the images: shown read-only with their maker, and key images, in the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from pacs_core.dicom.annotations.objects import prepared
from tests.support.fake_archive import FakeArchive
from tests.support.series import series_of
from tests.support.strokes_on import objects_of, strokes_on
from tests.ui.conftest import PATIENCE_MS
from tests.ui.reading_test import CURRENT, open_exam, painted, wheel
from workstation.session.hanging import Role
from workstation.session.reading_session import sets_of
from workstation.ui.reading.page import ReadPage
from workstation.ui.shell import Workstation

Open = Callable[..., Workstation]


@pytest.fixture
def annotated(pixels: FakeArchive, shared_data: Path, tmp_path: Path) -> FakeArchive:
    """The middle image of the first exam has a presentation state and key objects of another workstation."""
    manifest = pixels.manifests[CURRENT]
    (shown, *_rest) = sets_of(manifest)
    wanted = shown.frames[len(shown) // 2].sop_instance_uid
    folder = shared_data / "studies" / "petct-acrin-nsclc-042" / "CT-0002-CT-IMAGES"
    read = (dcmread(p, stop_before_pixels=True) for p in sorted(folder.rglob("*.dcm"))[40:])
    header = prepared(next(h for h in read if h.SOPInstanceUID == wanted))
    added = []
    for name, content in objects_of(header, strokes_on(header)).items():
        path = tmp_path / f"{name}.dcm"
        path.write_bytes(content)
        series = series_of([path])
        added.append(series)
        pixels.files[series.instances[0].sop_instance_uid] = content
    pixels.manifests[CURRENT] = replace(manifest, series=(*manifest.series, *added))
    return pixels


def drawn(page: ReadPage) -> tuple[str, ...]:
    cell = page.grid.cells[0]
    picture = cell.shown.picture
    assert picture is not None
    return cell._others(picture).texts()


def test_marks_of_others_lie_on_their_image_with_their_maker(
    open_window: Open, annotated: FakeArchive, qtbot: QtBot
) -> None:
    page = open_exam(open_window(annotated), qtbot)
    qtbot.waitUntil(
        lambda: any(line.startswith("Key image of Vale, Robin") for line in drawn(page)), timeout=PATIENCE_MS
    )
    qtbot.waitUntil(lambda: "12.5 mm" in drawn(page), timeout=PATIENCE_MS)
    said = drawn(page)
    assert "CTR 0.48" in said
    assert said.count("12.5 mm") == 1  # the report says the same: once is enough
    assert "Vale, Robin · Reading Room" in said
    assert not page.session.measurements  # read-only: nothing of it is a stroke of the reader
    page.desk.commands.run("read.others_marks")
    assert not drawn(page)
    page.desk.commands.run("read.others_marks")
    cell = page.grid.cells[0]
    wheel(cell, 1)
    qtbot.waitUntil(lambda: painted(cell) and cell.settled, timeout=PATIENCE_MS)
    assert not drawn(page)


def test_a_key_image_is_marked_saved_and_taken_back(
    open_window: Open, pixels: FakeArchive, qtbot: QtBot
) -> None:
    page = open_exam(open_window(pixels), qtbot)
    page.grid.focus()
    QTest.keyClick(page.grid.cells[0], Qt.Key.Key_K)
    (one,) = page.session.measurements.values()
    assert one.kind == "key_image"
    shown = page.session.sets[Role.CURRENT][0].frames[page.session.cells[0].view.index]
    assert one.instance_uid == shown.sop_instance_uid
    assert drawn(page) == ("Key image",)
    qtbot.waitUntil(lambda: one.tracking_uid in pixels.strokes, timeout=PATIENCE_MS)
    page.desk.commands.run("read.keep")
    qtbot.waitUntil(lambda: "keep_strokes" in pixels.calls, timeout=PATIENCE_MS)
    page.desk.commands.run("read.key_image")
    assert not page.session.measurements
    page.desk.commands.run("read.undo")
    assert drawn(page) == ("Key image",)
