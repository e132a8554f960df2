"""Objects that are no images, each in the place of a picture: pages, report trees, curves, and refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QUrl
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from tests.support.fake_archive import FakeArchive
from tests.support.series import series_of
from tests.ui.conftest import PATIENCE_MS, named
from tests.ui.reading_test import CURRENT, open_exam
from workstation.imaging.documents import Channel, Curves
from workstation.ui.reading.document_curves import FEWEST_PX, DocumentCurves, grid, runs, thinned
from workstation.ui.reading.document_pages import DocumentPages
from workstation.ui.reading.document_text import LINK, DocumentText
from workstation.ui.reading.document_view import DocumentView
from workstation.ui.reading.page import ReadPage
from workstation.ui.shell import Workstation

Open = Callable[..., Workstation]
FILES = ("encapsulated-pdf.dcm", "dcmqi/sr.dcm", "pydicom/waveform_ecg.dcm", "pydicom/rtplan.dcm")


@pytest.fixture
def documented(pixels: FakeArchive, shared_data: Path) -> FakeArchive:
    """The first exam has a PDF, a report, an ECG and a plan beside its images."""
    manifest = pixels.manifests[CURRENT]
    added = []
    for name in FILES:
        path = shared_data / "objects" / name
        series = series_of([path])
        added.append(replace(series, series_uid=f"{series.series_uid}.{len(added)}"))
        pixels.files[series.instances[0].sop_instance_uid] = path.read_bytes()
    pixels.manifests[CURRENT] = replace(manifest, series=(*manifest.series, *added))
    return pixels


def hang(page: ReadPage, kind: str, qtbot: QtBot) -> DocumentView:
    """Press the document's tile and wait until it is read."""
    found = next(d for d in page.session.documents[page.session.cells[0].role] if str(d.kind) == kind)
    qtbot.waitUntil(lambda: len(page.strip.sheets) == len(FILES), timeout=PATIENCE_MS)
    button = named(page, f"Document {found.title}", QAbstractButton)
    assert isinstance(button, QAbstractButton)
    next(s for s in page.strip.sheets if s.document == found).click()
    view = page.grid.cells[0].document_view
    assert view is not None
    qtbot.waitUntil(lambda: view.document is not None or bool(view.failure), timeout=PATIENCE_MS)
    return view


def test_each_kind_hangs_in_the_cell_and_images_come_back(
    open_window: Open, documented: FakeArchive, qtbot: QtBot
) -> None:
    page = open_exam(open_window(documented), qtbot)
    view = hang(page, "PDF", qtbot)
    pages = view.findChild(DocumentPages)
    assert pages is not None
    qtbot.waitUntil(lambda: pages.sheet.image is not None, timeout=PATIENCE_MS)
    assert page.grid.cells[0].accessibleName().startswith("Cell 1: document")
    shown = pages.sheet.grab().toImage()
    assert max(shown.pixelColor(shown.width() // 2, y).lightness() for y in range(0, shown.height(), 3)) < 200

    view = hang(page, "Structured report", qtbot)
    text = view.findChild(DocumentText)
    assert text is not None
    assert "Measurements" in text.toPlainText()
    assert "Imaging Measurement" in text.toPlainText()

    view = hang(page, "Waveform", qtbot)
    curves = view.findChildren(DocumentCurves)
    assert curves
    assert "12 channels" in curves[0].accessibleDescription()
    drawn = curves[0].grab().toImage()
    assert (
        len({drawn.pixel(x, y) for x in range(0, drawn.width(), 7) for y in range(0, drawn.height(), 7)}) > 3
    )

    page.desk.commands.run("read.series.next")
    assert page.session.cells[0].document is not None
    page.desk.commands.run("read.series.next")
    assert page.session.cells[0].document is None
    assert page.grid.cells[0].document_view is None


def test_what_cannot_be_read_says_why_in_its_cell(
    open_window: Open, documented: FakeArchive, qtbot: QtBot
) -> None:
    for uid in documented.files:
        documented.files[uid] = b"no file"
    page = open_exam(open_window(documented), qtbot)
    view = hang(page, "PDF", qtbot)
    assert "is no PDF" in view.accessibleDescription()
    text = view.findChild(DocumentText)
    assert text is not None
    assert text.toPlainText().count("is no PDF") == 1


def test_a_link_in_a_report_leads_to_its_image_or_says_that_it_is_not_here(
    open_window: Open, documented: FakeArchive, qtbot: QtBot
) -> None:
    page = open_exam(open_window(documented), qtbot)
    shown = page.session.cells[0].display_set
    assert shown is not None
    view = hang(page, "Structured report", qtbot)
    text = view.findChild(DocumentText)
    assert text is not None
    said: list[str] = []
    page.desk.say = lambda words, _token="": said.append(words)
    text.anchorClicked.emit(QUrl(f"{LINK}1.2.3/0"))
    assert "none of the studies" in said[-1]
    text.anchorClicked.emit(QUrl(f"{LINK}{shown.frames[5].sop_instance_uid}/1"))
    state = next(c for c in page.session.cells if c.display_set == shown)
    assert state.view.index == 5


@pytest.mark.parametrize("rate", [500.0, 0.0001, 1e-9, 1e-290])
def test_however_long_a_curve_says_it_is_its_lines_fit(qtbot: QtBot, rate: float) -> None:
    curves = Curves((Channel("I", "mV", np.arange(1000.0)),), rate)
    view = DocumentCurves(curves)
    qtbot.addWidget(view)
    view.resize(800, 400)
    assert not view.grab().isNull()
    step = grid(FEWEST_PX * curves.seconds / 800)
    assert FEWEST_PX <= step * 800 / curves.seconds <= 10 * FEWEST_PX or step == 0.2


def test_curves_keep_their_peaks_and_their_holes() -> None:
    samples = np.zeros(10_000)
    samples[4321] = 7.0
    _places, values = thinned(samples, 0.01)
    assert values.max() == 7.0
    assert len(values) < 1000
    samples[100:200] = np.nan
    assert [(start, len(part)) for start, part in runs(samples)] == [(0, 100), (200, 9800)]
