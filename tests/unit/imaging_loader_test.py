"""Loading: order, urgency, cancelling, falling back, growing, and every lossless syntax to the last bit."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pacs_core.archive.models import FramePixels, LocalFile, SeriesManifest
from tests.support.series import FileFrames, series_of
from tests.unit.imaging_support import ArrayFrames, filled, instance, series, stack
from workstation.imaging import frame_reader
from workstation.imaging.cache import ByteCache
from workstation.imaging.display_sets import DisplaySet, display_sets
from workstation.imaging.frame_reader import mask_unused_bits
from workstation.imaging.headers import PixelLayout
from workstation.imaging.loader import Loader, SliceLoaded, Urgency, slice_order
from workstation.imaging.volume import Volume

WAIT = 30.0


@pytest.fixture
def loader() -> Any:
    made = Loader(workers=2)
    yield made
    made.close()


def test_order_is_first_then_ends_then_fourths_then_the_rest() -> None:
    order = slice_order(20, 9)
    assert order[:4] == [9, 0, 10, 19]
    assert order[4:8] == [5, 13, 1, 17]
    assert sorted(order) == list(range(20))
    assert slice_order(1, 5) == [0]


def lossless(folder: Path) -> list[Path]:
    names = ("1.2.840.10008.1.2_", "1.2.840.10008.1.2.1_", "1.2.840.10008.1.2.2_", "1.2.840.10008.1.2.1.99_",
             "1.2.840.10008.1.2.5_", ".4.57_", ".4.70_", ".4.80_", ".4.90_")  # fmt: skip
    return [next(p for p in folder.iterdir() if name in p.name) for name in names]


def test_nine_lossless_syntaxes_equal_to_the_last_bit(shared_data: Path, loader: Loader) -> None:
    paths = lossless(shared_data / "transfer-syntaxes/ct")
    whole = {path: loaded(path, Loader(FileFramesOfWhole([path]), workers=1)) for path in paths}
    first = whole[paths[0]]
    assert first.pixels.std() > 100
    for path, volume in whole.items():
        assert np.array_equal(volume.pixels, first.pixels), path.name


class FileFramesOfWhole:
    """The archive's answer for frames without a place of their own (big endian, deflated): decoded
    natively.
    """

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths

    def __call__(self, sop_instance_uid: str, frame: int) -> FramePixels:
        from pacs_core.dicom.intake import intake_file
        from pacs_core.dicom.pixels import read_frame

        (path,) = self.paths
        pixels = read_frame(path, intake_file(path).header, frame - 1)
        return FramePixels("1.2.840.10008.1.2.1", (np.ascontiguousarray(pixels).tobytes(),))


def without_local(manifest: SeriesManifest) -> SeriesManifest:
    """Big endian and deflated frames are never offered as LocalFile."""
    from pacs_core.archive.models import Url

    def plain(one: Any) -> Any:
        if one.transfer_syntax not in ("1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"):
            return one
        return replace(
            one,
            frames=tuple(
                Url(one.sop_instance_uid, n + 1, one.transfer_syntax) for n in range(len(one.frames))
            ),
        )

    return replace(manifest, instances=tuple(plain(i) for i in manifest.instances))


def loaded(path: Path, loader: Loader) -> Volume:
    try:
        shown = display_sets(without_local(series_of([path])))[0]
        volume = loader.load(shown).done.result(WAIT)
        assert not volume.failures
        return volume
    finally:
        loader.close()


def tilt(shared_data: Path) -> list[Path]:
    return sorted((shared_data / "studies/ct-phantom-tilt/CT-0301-STEREOTAXIS").glob("*.dcm"))


def test_local_files_equal_pydicom(shared_data: Path, loader: Loader) -> None:
    import pydicom

    paths = tilt(shared_data)
    volume = loader.load(display_sets(series_of(paths))[0]).done.result(WAIT)
    by_uid = {d.SOPInstanceUID: d.pixel_array for d in map(pydicom.dcmread, paths)}
    for k, frame in enumerate(volume.display_set.frames):
        assert np.array_equal(volume.pixels[k], by_uid[frame.sop_instance_uid])


@pytest.mark.parametrize("damage", ["gone", "short"])
def test_a_missing_or_short_file_falls_back_to_the_archive(
    shared_data: Path, tmp_path: Path, damage: str
) -> None:
    originals = tilt(shared_data)[:3]
    copies = [Path(shutil.copy(p, tmp_path / p.name)) for p in originals]
    shown = display_sets(series_of(copies))[0]
    victim = Path(next(f.locator.path for f in shown.frames if isinstance(f.locator, LocalFile)))
    victim.chmod(0o600)
    if damage == "gone":
        victim.unlink()
    else:
        victim.write_bytes(victim.read_bytes()[:100_000])
    fetch = FileFrames(originals)
    made = Loader(fetch, workers=1)
    try:
        volume = made.load(shown).done.result(WAIT)
    finally:
        made.close()
    assert volume.loaded.all()
    assert len(fetch.asked) == 1
    whole = Loader(workers=1)
    try:
        truth = whole.load(display_sets(series_of(originals))[0]).done.result(WAIT)
    finally:
        whole.close()
    assert np.array_equal(volume.pixels, truth.pixels)


def test_without_the_archive_the_slice_fails_in_words(
    shared_data: Path, tmp_path: Path, loader: Loader
) -> None:
    copies = [Path(shutil.copy(p, tmp_path / p.name)) for p in tilt(shared_data)[:3]]
    shown = display_sets(series_of(copies))[0]
    copies[1].unlink()
    events: list[SliceLoaded] = []
    volume = loader.load(shown, on_slice=events.append).done.result(WAIT)
    assert list(volume.failures.values()) == ["The file is missing or too short."]
    assert volume.loaded.sum() == 2
    assert sum(bool(e.words) for e in events) == 1


@pytest.mark.parametrize("place", [-5, (1 << 63) - 1, 1 << 63, "a\0b"])
def test_a_place_no_file_has_costs_one_slice_and_none_of_its_run(
    shared_data: Path, place: int | str, loader: Loader
) -> None:
    paths = tilt(shared_data)
    shown, victim = with_place(display_sets(series_of(paths))[0], 5, place)
    volume = loader.load(shown).done.result(WAIT)
    assert volume.failures == {5: "The file is missing or too short."}
    assert volume.loaded.sum() == len(paths) - 1
    loader.close()
    assert loader._coming == 0
    fetch = FileFrames(paths)
    made = Loader(fetch, workers=1)
    try:
        assert made.load(shown).done.result(WAIT).loaded.all()
    finally:
        made.close()
    assert fetch.asked == [(victim, 1)]


def with_place(shown: DisplaySet, index: int, place: int | str) -> tuple[DisplaySet, str]:
    """The display set with another offset or path of one frame, and whose frame it is."""
    frames = list(shown.frames)
    locator = frames[index].locator
    assert isinstance(locator, LocalFile)
    other = replace(locator, path=place) if isinstance(place, str) else replace(locator, offset=place)
    frames[index] = replace(frames[index], locator=other)
    return replace(shown, frames=tuple(frames)), frames[index].sop_instance_uid


def test_a_compiled_reader_that_fails_leaves_the_run_to_reading_one_by_one(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch, loader: Loader
) -> None:
    def full(*_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr(frame_reader, "fill", full)
    volume = loader.load(display_sets(series_of(tilt(shared_data)))[0]).done.result(WAIT)
    assert volume.loaded.all()
    assert not volume.failures
    loader.close()
    assert loader._coming == 0


def gated(count: int) -> tuple[DisplaySet, Any, threading.Event, threading.Event]:
    """A series whose frames wait at a gate; `begun` says that the first is waiting."""
    shown = stack([float(n) for n in range(count)])
    arrays = {f.sop_instance_uid: np.full((16, 20), n, np.int16) for n, f in enumerate(shown.frames)}
    gate, begun = threading.Event(), threading.Event()
    plain = ArrayFrames(arrays)

    def fetch(uid: str, frame: int) -> FramePixels:
        begun.set()
        assert gate.wait(WAIT)
        return plain(uid, frame)

    return shown, fetch, gate, begun


def test_plain_files_come_as_one_by_one_reading_gives_them(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In runs of neighbours by the compiled reader, and slice by slice where there is none."""
    assert frame_reader.fill is not None
    (shown,) = display_sets(series_of(tilt(shared_data)))
    volumes, orders = [], []
    for fill in (frame_reader.fill, None):
        monkeypatch.setattr(frame_reader, "fill", fill)
        monkeypatch.setattr("workstation.imaging.loader.BATCH_BYTES", 3 << 19)
        made = Loader(workers=1)
        order: list[int] = []
        try:
            told = made.load(shown, first=7, on_slice=lambda e, seen=order: seen.append(e.index))
            volumes.append(told.done.result(WAIT))
        finally:
            made.close()
        orders.append(order)
    assert np.array_equal(volumes[0].pixels, volumes[1].pixels)
    assert orders[0] == orders[1]
    assert orders[0][:6] == [7, 0, 1, 2, 12, 13]
    assert sorted(orders[0]) == list(range(14))


def test_cancel_drops_what_has_not_begun_and_calls_nobody_back() -> None:
    shown, fetch, gate, begun = gated(40)
    made = Loader(fetch, workers=1, fetchers=1)
    events: list[SliceLoaded] = []
    request = made.load(shown, on_slice=events.append)
    assert begun.wait(WAIT)
    request.cancel()
    gate.set()
    made.close()
    assert events == []
    assert request.done.cancelled()
    assert request.volume.loaded.sum() <= 1


def test_focus_goes_before_all_else() -> None:
    shown, fetch, gate, begun = gated(40)
    made = Loader(fetch, workers=1, fetchers=1)
    order: list[int] = []
    request = made.load(shown, first=0, on_slice=lambda e: order.append(e.index), urgency=Urgency.PREFETCH)
    assert begun.wait(WAIT)
    made.focus(request, 30)
    gate.set()
    request.done.result(WAIT)
    made.close()
    assert order[0] == 0
    assert set(order[1:4]) == {29, 30, 31}


def test_asking_again_answers_from_the_cache() -> None:
    shown, fetch, gate, _ = gated(5)
    gate.set()
    made = Loader(fetch, workers=1)
    first = made.load(shown).done.result(WAIT)
    again = made.load(shown)
    assert again.done.result(0.0) is first
    made.close()


def test_a_grown_series_takes_over_what_it_had() -> None:
    places = [instance(n, (0.0, 0.0, float(n))) for n in range(8)]
    arrays = {i.sop_instance_uid: np.full((16, 20), i.instance_number, np.int16) for i in places}
    asked: list[str] = []

    def fetch(uid: str, frame: int) -> FramePixels:
        asked.append(uid)
        return ArrayFrames(arrays)(uid, frame)

    made = Loader(fetch, workers=1)
    made.load(display_sets(series(places[:5]))[0]).done.result(WAIT)
    volume = made.load(display_sets(series(places))[0]).done.result(WAIT)
    made.close()
    assert len(asked) == 8
    assert volume.pixels[:, 0, 0].tolist() == list(range(8))


def test_a_cache_counts_bytes_and_keeps_what_was_asked_for_last() -> None:
    cache: ByteCache[Volume] = ByteCache(3 * 640 * 4)
    volumes = [filled(stack([0.0, 1.0, 2.0, 3.0]), lambda k: k) for _ in range(5)]
    assert volumes[0].nbytes == 4 * 640
    for n in range(3):
        cache.put(n, volumes[n])
    assert cache.get(0) is volumes[0]
    for n in range(3, 5):
        cache.put(n, volumes[n])
    assert [n in cache for n in range(5)] == [True, False, False, True, True]
    cache.resize(640 * 4)
    assert len(cache) == 1
    assert cache.nbytes <= cache.limit


def test_bits_above_the_stored_ones_mean_nothing() -> None:
    unsigned = np.array([0xF123, 0x0FFF], dtype=np.uint16)
    mask_unused_bits(unsigned, PixelLayout(1, 2, 1, 16, 12, 0, "MONOCHROME2", 0))
    assert unsigned.tolist() == [0x123, 0xFFF]
    signed = np.array([0x0FFF, 0x0800, 0x07FF], dtype=np.uint16).view(np.int16)
    mask_unused_bits(signed, PixelLayout(1, 3, 1, 16, 12, 1, "MONOCHROME2", 0))
    assert signed.tolist() == [-1, -2048, 2047]


def test_values_of_slices_with_their_own_slopes_come_to_one_scale() -> None:
    made = [instance(n, (0.0, 0.0, float(n)), RescaleSlope=0.5 + n, PixelRepresentation=0) for n in range(4)]
    volume = filled(display_sets(series(made, "PT"))[0], lambda k: 100)
    array, lut = volume.for_reformat()
    values = lut.apply(array)[:, 3, 3]
    assert values == pytest.approx([50, 150, 250, 350], abs=0.51 * 3.5)
    assert volume.value_at(2, 3, 3) == pytest.approx(250.0)
