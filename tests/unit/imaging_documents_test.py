"""Objects that are no images: each real one presented as what it is, every broken one in words."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacs_core.archive.models import SeriesManifest
from pacs_core.domain.errors import ReadingRoomError
from tests.support.series import series_of
from tests.unit.imaging_support import instance, series
from workstation.imaging.display_sets import display_sets
from workstation.imaging.documents import (
    Curves,
    Document,
    Facts,
    Table,
    Text,
    Tree,
    documents,
    present,
    video,
)
from workstation.imaging.documents.kinds import ALSO_IMAGES, DocumentRef, Kind
from workstation.imaging.documents.pdf import PdfPages, Unreadable
from workstation.imaging.documents.video import PlayerError, VideoFilm
from workstation.imaging.documents.waveform import waveform


def shown(path: Path) -> tuple[DocumentRef, Document]:
    (found,) = documents(series_of([path]))
    return found, present(found, path.read_bytes())


def tables(document: Document) -> dict[str, Table]:
    return {b.title: b for b in document.blocks if isinstance(b, Table)}


def test_every_object_that_is_no_image_is_presented(shared_data: Path) -> None:
    kinds = set()
    for path in sorted(
        p for p in (shared_data / "objects").rglob("*.dcm") if "hanging-protocol" not in p.name
    ):
        manifest = series_of([path])
        found = documents(manifest)
        images = display_sets(manifest)
        assert found or images, path
        for one in found:
            document = present(one, path.read_bytes())
            assert document.blocks, path
            assert not document.warnings, (path, document.warnings)
            assert bool(images) is (one.kind in ALSO_IMAGES), path
            kinds.add(one.kind)
    assert kinds >= {Kind.REPORT, Kind.PRESENTATION, Kind.SEGMENTATION, Kind.STRUCTURES, Kind.DOSE, Kind.PLAN,
                     Kind.WAVEFORM, Kind.MAP, Kind.REAL_WORLD_VALUES, Kind.PDF}  # fmt: skip


def test_a_pdf_has_pages_and_words(shared_data: Path) -> None:
    found, document = shown(shared_data / "objects/encapsulated-pdf.dcm")
    (pages,) = document.blocks
    assert isinstance(pages, PdfPages)
    assert (found.kind, pages.count, pages.size(0)) == (Kind.PDF, 2, (792.0, 612.0))
    picture = pages.render(1, 500)
    assert picture.shape == (387, 500, 3)
    assert picture.std() > 10
    assert "What is DICOM?" in pages.text(0)


def test_a_report_is_a_tree_with_its_measurements(shared_data: Path) -> None:
    _, document = shown(shared_data / "objects/highdicom/sr_document.dcm")
    (tree,) = (b for b in document.blocks if isinstance(b, Tree))
    words = [w for _, w in tree.root.lines()]
    assert words[0] == "Imaging Measurement Report"
    assert "Person Observer Name: Foo" in words
    rows = tables(document)["Measurements"].rows
    assert ("Area of defined region", "1.7 cm²", "Planar ROI Measurements") in rows
    assert any(node.references for node in all_nodes(tree))


def all_nodes(tree: Tree) -> list[object]:
    from workstation.imaging.documents import Node

    found: list[Node] = []
    waiting = [tree.root]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += one.children
    return found


def test_a_report_of_plain_text_keeps_its_words(shared_data: Path) -> None:
    found, document = shown(shared_data / "objects/basic-text-sr.dcm")
    assert found.title == "Discharge Summary"
    (tree,) = (b for b in document.blocks if isinstance(b, Tree))
    assert "Discharge Diagnosis: Genital tuberculosis." in [w for _, w in tree.root.lines()]
    assert "Measurements" not in tables(document)


def test_an_ecg_is_in_its_units(shared_data: Path) -> None:
    path = shared_data / "objects/pydicom/waveform_ecg.dcm"
    _, document = shown(path)
    rhythm, beat = (b for b in document.blocks if isinstance(b, Curves))
    assert (rhythm.title, rhythm.rate, rhythm.seconds, len(rhythm.channels)) == ("RHYTHM", 1000.0, 10.0, 12)
    assert (rhythm.channels[0].name, rhythm.channels[0].unit) == ("Lead I (Einthoven)", "uV")
    theirs = pydicom.dcmread(path).waveform_array(0)
    ours = np.stack([c.samples for c in rhythm.channels], axis=1)
    assert np.allclose(ours, theirs)
    assert beat.seconds == pytest.approx(1.2)
    (said,) = (b for b in document.blocks if isinstance(b, Text))
    assert "ECG NORMALE" in said.words.splitlines()


def test_structures_segments_and_beams_are_listed(shared_data: Path) -> None:
    _, document = shown(shared_data / "objects/rt-breast/rtss.dcm")
    assert tables(document)["Structures"].rows[0] == ("1", "BODY", "EXTERNAL", "141", "98", "closed_planar")
    _, document = shown(shared_data / "objects/dcmqi/partial_overlaps.dcm")
    assert tables(document)["Segments"].rows[2] == ("3", "PURPLE", "Capillary", "MANUAL", "3")
    _, document = shown(shared_data / "objects/rt-breast/rtplan.dcm")
    assert [row[1] for row in tables(document)["Beams"].rows] == ["3 RAO", "4 AP", "5 LAO", "6 LPO"]
    _, document = shown(shared_data / "objects/dcmqi/rwvm.dcm")
    assert tables(document)["Real world values"].rows[0][1] == "0.000375125 × stored + 0.0"


def test_a_key_object_selection_says_why_and_which(shared_data: Path) -> None:
    from highdicom.ko import KeyObjectSelectionDocument
    from highdicom.ko.content import KeyObjectSelection
    from pydicom.sr.codedict import codes

    image = pydicom.dcmread(shared_data / "objects/highdicom/ct_image.dcm")
    content = KeyObjectSelection(codes.DCM.ForReferringProvider, [image], description="See the liver")
    made = KeyObjectSelectionDocument([image], content, "1.2.3", 9, "1.2.3.4", 1, manufacturer="M",
                                      institution_name="I", institutional_department_name="D")  # fmt: skip
    import io

    file = io.BytesIO()
    made.save_as(file)
    ref = DocumentRef("1.2.3.4", Kind.KEY_OBJECTS, "Key images")
    document = present(ref, file.getvalue())
    facts, words, which = document.blocks
    assert isinstance(facts, Facts)
    assert facts.rows[0] == ("Reason", "For Referring Provider")
    assert words == Text("See the liver")
    assert isinstance(which, Table)
    assert which.rows == ((str(image.SOPInstanceUID), "all"),)


def test_images_that_hold_nothing_say_so(shared_data: Path) -> None:
    folder = shared_data / "dicomdir/TINY_ALPHA/PT000000/ST000000/SE000000"
    manifest = series_of(sorted(folder.iterdir())[:3])
    found = documents(manifest)
    assert [one.kind for one in found] == [Kind.OTHER] * 3
    document = present(found[0], next(iter(sorted(folder.iterdir()))).read_bytes())
    assert document.warnings == ("It holds no image: only its description can be shown.",)
    assert isinstance(document.blocks[1], Facts)
    no_pixels = replace(instance(1, (0.0, 0.0, 0.0)), frames=())
    (one,) = documents(series([no_pixels]))
    assert (
        one.why_not
        == "Its pixel data is missing or cannot be divided into frames (Explicit VR Little Endian)."
    )


def test_everything_broken_is_presented_in_words(shared_data: Path) -> None:
    seen = 0
    for path in sorted(p for p in (shared_data / "broken").rglob("*") if p.is_file()):
        try:
            manifest = series_of([path])
        except ReadingRoomError:
            continue
        found = documents(manifest)
        assert found or display_sets(manifest), path
        for one in found:
            assert present(one, path.read_bytes()).blocks, path
            seen += 1
    assert seen >= 4


SMALL = (
    "objects/highdicom/sr_document.dcm", "objects/gsps/prOverlay.dcm", "objects/pydicom/rtstruct.dcm",
    "objects/pydicom/rtplan.dcm", "objects/dcmqi/liver.dcm", "objects/pydicom/test-SR.dcm",
)  # fmt: skip


@given(st.sampled_from(SMALL), st.integers(0, 1 << 30), st.binary(min_size=1, max_size=8), st.booleans())
def test_damaged_objects_become_words(shared_data: Path, name: str, at: int, put: bytes, cut: bool) -> None:
    path = shared_data / name
    (found,) = documents(series_of([path]))
    data = path.read_bytes()
    at = 132 + at % (len(data) - 132)
    document = present(found, data[:at] + put + (b"" if cut else data[at + len(put) :]))
    assert document.title
    assert document.blocks or document.warnings


@pytest.mark.parametrize("content", [b"", b"rubbish" * 50, b"%PDF-1.4\nnothing behind it"])
def test_what_is_no_pdf_is_refused(content: bytes) -> None:
    with pytest.raises(Unreadable):
        PdfPages(content)


@pytest.mark.parametrize(
    ("rate", "shown", "said"), [("500", 1, 0), ("0.00001", 1, 1), ("1e-9", 1, 1), ("1e-307", 0, 1)]
)
def test_a_frequency_no_curve_has_is_said(rate: str, shown: int, said: int) -> None:
    group = pydicom.Dataset()
    group.NumberOfWaveformChannels, group.NumberOfWaveformSamples = 1, 100
    group.SamplingFrequency = rate
    group.WaveformSampleInterpretation, group.WaveformBitsAllocated = "SS", 16
    group.WaveformData = np.arange(100, dtype="<i2").tobytes()
    data = pydicom.Dataset()
    data.WaveformSequence = [group]
    blocks, warnings = waveform(data)
    assert (len(blocks), len(warnings)) == (shown, said)
    assert all(f"{float(rate):g} Hz" in words for words in warnings)


# ---------------------------------------------------------------- video


def film_series() -> SeriesManifest:
    one = replace(instance(1, (0.0, 0.0, 0.0)), transfer_syntax="1.2.840.10008.1.2.4.102")
    return series([one], "ES")


def test_a_video_is_no_stack_of_frames() -> None:
    assert display_sets(film_series()) == ()
    (found,) = documents(film_series())
    assert found.kind is Kind.VIDEO


def test_without_ffmpeg_the_reader_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (found,) = documents(film_series())
    document = present(found, part10_video())
    assert document.warnings == (video.NO_PLAYER,)
    assert isinstance(document.blocks[0], Text)


def part10_video() -> bytes:
    import io

    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID

    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.4.102")
    data.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.77.1.1.1")
    data.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    data.Rows, data.Columns, data.NumberOfFrames, data.CineRate = 4, 6, 3, 25
    data.PixelData = encapsulate([b"the stream"])
    data["PixelData"].VR = "OB"
    file = io.BytesIO()
    data.save_as(file, enforce_file_format=True)
    return file.getvalue()


def player(folder: Path, body: str) -> Path:
    """A program that is called as ffmpeg is."""
    path = folder / "ffmpeg"
    path.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
def test_pictures_come_from_the_player_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = """
name = sys.argv[sys.argv.index("-i") + 1]
assert open(name, "rb").read().rstrip(b"\\0") == b"the stream"
size = sys.argv[sys.argv.index("-s") + 1]
columns, rows = map(int, size.split("x"))
for n in range(3):
    sys.stdout.buffer.write(bytes([n]) * rows * columns * 3)
"""
    player(tmp_path, body)
    monkeypatch.setenv("PATH", str(tmp_path))
    (found,) = documents(film_series())
    (film,) = present(found, part10_video()).blocks
    assert isinstance(film, VideoFilm)
    assert (film.rows, film.columns, film.rate) == (4, 6, 25.0)
    pictures = list(film.pictures())
    assert [int(p[0, 0, 0]) for p in pictures] == [0, 1, 2]
    assert pictures[0].shape == (4, 6, 3)
    assert [int(p.max()) for p in film.pictures(first=2)] == [2]


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
def test_a_player_that_gives_up_says_why(tmp_path: Path) -> None:
    program = player(tmp_path, "sys.exit('moov atom not found')")
    film = VideoFilm(b"rubbish", 4, 6, 25.0, str(program))
    with pytest.raises(PlayerError, match="moov atom not found"):
        next(film.pictures())


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
def test_closing_the_film_ends_the_player(tmp_path: Path) -> None:
    body = "while True: sys.stdout.buffer.write(bytes(72))"
    film = VideoFilm(b"endless", 4, 6, 25.0, str(player(tmp_path, body)))
    pictures = film.pictures()
    next(pictures)
    pictures.close()


NOISY = """
for n in range(20):
    sys.stderr.write("error while decoding MB 12 34, bytestream -5\\n" * 400)
    sys.stderr.flush()
    sys.stdout.buffer.write(bytes(72))
"""
STUCK = "import signal; sys.stdout.buffer.write(bytes(72)); sys.stdout.flush(); signal.pause()"


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
def test_a_damaged_film_is_played_whatever_the_player_complains(tmp_path: Path) -> None:
    film = VideoFilm(b"damaged", 4, 6, 25.0, str(player(tmp_path, NOISY)))
    assert len(list(film.pictures())) == 20


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where films are written to be played."""
    folder = tmp_path / "films"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
def test_a_player_that_stands_still_is_ended_from_another_thread(tmp_path: Path, films: Path) -> None:
    film = VideoFilm(b"stuck", 4, 6, 25.0, str(player(tmp_path, STUCK)))
    pictures = film.pictures()
    seen, first = [], threading.Event()

    def watch() -> None:
        for picture in pictures:
            seen.append(picture)
            first.set()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    first.wait()
    assert len(list(films.iterdir())) == 1
    pictures.close()
    watcher.join()
    assert len(seen) == 1
    assert list(films.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
def test_a_program_that_ends_takes_player_and_film_with_it(tmp_path: Path, films: Path) -> None:
    program = player(tmp_path, f"import os; print(os.getpid(), file=open({str(tmp_path / 'pid')!r}, 'w'), "
                     f"flush=True); {STUCK}")  # fmt: skip
    script = (
        "import threading\n"
        "from workstation.imaging.documents.video import VideoFilm\n"
        f"pictures = VideoFilm(b'video', 4, 6, 25.0, {str(program)!r}).pictures()\n"
        "next(pictures)\n"
        "threading.Thread(target=list, args=(pictures,), daemon=True).start()\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    assert list(films.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
