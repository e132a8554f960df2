"""Memory while loading: bounded by the cache setting, given back where others need it, and loaded again."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pacs_core.archive.models import FramePixels, LocalFile
from tests.support.encoded_frames import samples
from tests.unit.imaging_support import EXPLICIT, ArrayFrames, filled, instance, series, stack
from workstation.imaging import memory, pages
from workstation.imaging.cache import ByteCache
from workstation.imaging.display_sets import DisplaySet, display_sets
from workstation.imaging.frame_reader import EARLY_END
from workstation.imaging.loader import Loader, LoadRequest, SliceLoaded, Urgency
from workstation.imaging.volume import Volume, native_dtype

WAIT = 30.0
SHAPE = (64, 80)
SLICE = 64 * 80 * 2


def wide(count: int, uid: str = "1.2.3") -> tuple[DisplaySet, ArrayFrames]:
    made = [instance(n, (0.0, 0.0, float(n)), SHAPE) for n in range(count)]
    made = [replace(one, sop_instance_uid=f"{uid}.{n}") for n, one in enumerate(made)]
    (shown,) = display_sets(replace(series(made), series_uid=uid))
    return shown, ArrayFrames(
        {one.sop_instance_uid: np.full(SHAPE, n, np.int16) for n, one in enumerate(made)}
    )


class Both:
    """Frames of several series."""

    def __init__(self, *parts: ArrayFrames) -> None:
        self.arrays = {uid: array for part in parts for uid, array in part.arrays.items()}

    def __call__(self, uid: str, frame: int) -> FramePixels:
        return FramePixels(EXPLICIT, (self.arrays[uid].astype("<i2").tobytes(),))


def settle(loader: Loader, request: LoadRequest) -> None:
    """Until nothing of the request waits any more."""
    import time

    end = time.monotonic() + WAIT
    while request.waiting():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_a_series_larger_than_the_cache_is_there_around_the_reader() -> None:
    shown, frames = wide(200)
    loader = Loader(frames, cache_bytes=50 * SLICE, workers=2)
    try:
        request = loader.load(shown, first=100)
        settle(loader, request)
        volume = request.volume
        assert volume.nbytes <= 50 * SLICE
        assert volume.loaded[80:120].all()
        loader.focus(request, 10)
        settle(loader, request)
        assert volume.loaded[:26].all()
        assert volume.nbytes <= 50 * SLICE
        assert (volume.pixels[:26, 5, 5] == np.arange(26)).all()
    finally:
        loader.close()


def test_what_is_fetched_ahead_makes_nobody_go() -> None:
    (one, a), (two, b) = wide(30, "1.2.3"), wide(30, "1.2.4")
    loader = Loader(Both(a, b), cache_bytes=40 * SLICE, workers=2)
    try:
        loader.load(one).done.result(WAIT)
        ahead = loader.load(two, urgency=Urgency.PREFETCH)
        settle(loader, ahead)
        assert loader.volume_of(one).loaded.all()
        assert 1 <= ahead.volume.loaded_count <= 10
        loader.promote(ahead, Urgency.INTERACTION)
        assert ahead.done.result(WAIT).loaded.all()
        assert loader.volume_of(one).loaded_count == 0
        assert loader.cache.nbytes <= 40 * SLICE
    finally:
        loader.close()


def test_slices_given_back_come_again_and_are_told_again() -> None:
    shown, frames = wide(20)
    loader = Loader(frames, workers=1)
    events: list[SliceLoaded] = []
    try:
        request = loader.load(shown, on_slice=events.append)
        request.done.result(WAIT)
        request.volume.forget(range(5, 15))
        assert request.volume.loaded_count == 10
        loader.focus(request, 8)
        request.done.result(WAIT)
        assert (request.volume.pixels[:, 0, 0] == np.arange(20)).all()
        assert len(events) == 30
        assert events[-1].loaded == 20
    finally:
        loader.close()


@pytest.mark.skipif(not pages.CAN_DROP, reason="the system cannot drop pages of a mapping")
def test_pages_given_back_are_free_and_read_as_zero() -> None:
    array, mapping = pages.zeros((40, 512, 512), np.dtype(np.int16))
    array[:] = 7
    pages.drop(mapping, 10 * 2**19, 20 * 2**19)
    assert (array[:10] == 7).all()
    assert (array[10:30] == 0).all()
    assert (array[30:] == 7).all()


def test_a_resized_cache_gives_memory_back_at_once() -> None:
    volume = filled(stack([float(n) for n in range(9)]), lambda k: k)
    cache: ByteCache[Volume] = ByteCache(1 << 20, let_go=lambda v: v.forget(range(9)))
    cache.put(1, volume)
    cache.resize(10)
    assert volume.loaded_count == 0
    assert volume.nbytes == 0


def test_a_volume_beyond_all_memory_fails_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> Any:
        raise MemoryError

    monkeypatch.setattr(pages, "LEAST", sys.maxsize)
    monkeypatch.setattr(pages.np, "zeros", full)
    with pytest.raises(pages.TooLarge, match=r"need 0.0 GiB"):
        pages.zeros((4, 4), np.dtype(np.int16))
    monkeypatch.undo()

    def too_large(shape: tuple[int, ...], dtype: object) -> Any:
        raise pages.TooLarge(f"{shape} pixels")

    monkeypatch.setattr(pages, "zeros", too_large)
    shown, frames = wide(6)
    loader = Loader(frames, workers=1)
    try:
        volume = loader.load(shown).done.result(WAIT)
    finally:
        loader.close()
    assert set(volume.failures) == set(range(6))
    assert "not enough memory" in volume.failures[0]


def test_a_stream_that_stops_early_is_shown_and_told(tmp_path: Path) -> None:
    one = next(s for s in samples() if s.uid.endswith(".70") and s.stored == 16 and not s.signed)
    path = tmp_path / "frame"
    path.write_bytes(one.data[: len(one.data) * 3 // 4])
    where = LocalFile(str(path), 0, path.stat().st_size, one.uid, ((0, path.stat().st_size),))
    made = instance(1, (0.0, 0.0, 0.0), (one.rows, one.columns), PixelRepresentation=0)
    (shown,) = display_sets(series([replace(made, frames=(where,))]))
    loader = Loader(workers=1)
    told: list[SliceLoaded] = []
    try:
        volume = loader.load(shown, on_slice=told.append).done.result(WAIT)
    finally:
        loader.close()
    assert volume.loaded.all()
    assert volume.warnings == {0: EARLY_END}
    assert [event.words for event in told] == [EARLY_END]


def test_mixed_bits_and_infinite_values_come_to_one_scale() -> None:
    made = [
        instance(n, (0.0, 0.0, float(n)), BitsStored=12 + n, RescaleSlope=1.0 + n, PixelRepresentation=0)
        for n in range(4)
    ]
    volume = filled(display_sets(series(made, "PT"))[0], lambda k: 2 ** (12 + k) - 1)
    array, lut = volume.for_reformat()
    truth = [(2 ** (12 + k) - 1) * (1.0 + k) for k in range(4)]
    assert lut.apply(array)[:, 0, 0] == pytest.approx(truth, abs=1.0)
    made = [instance(n, (0.0, 0.0, float(n)), BitsAllocated=32, FloatPixels="float32") for n in range(3)]
    volume = filled(display_sets(series(made, "OT"))[0], lambda k: [np.nan, np.inf, 5.0][k])
    volume.pixels[2, 0, 0] = 10.0
    array, lut = volume.for_reformat()
    assert np.isfinite(lut.apply(array)).all()
    assert lut.apply(array)[2, 0, 0] == pytest.approx(10.0, abs=1e-3)


@pytest.mark.parametrize(
    ("bits", "signed", "dtype"),
    [(1, 0, "u1"), (8, 0, "u1"), (8, 1, "i2"), (16, 0, "u2"), (16, 1, "i2"), (32, 0, "u4"), (32, 1, "i4"),
     (64, 0, "u8"), (64, 1, "i8")],
)  # fmt: skip
def test_every_depth_has_a_type_that_holds_it(bits: int, signed: int, dtype: str) -> None:
    (shown,) = display_sets(series([instance(1, (0, 0, 0), BitsAllocated=bits, PixelRepresentation=signed)]))
    assert native_dtype(shown.frames[0].layout) == np.dtype(dtype)


def test_the_memory_for_images_is_as_chosen_or_a_share_of_the_machines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert memory.physical_bytes() > 256 << 20
    monkeypatch.setattr(memory, "physical_bytes", lambda: 24 << 30)
    assert [memory.cache_bytes(mib) for mib in (0, 1, 3000)] == [8 << 30, 256 << 20, 3000 << 20]
    monkeypatch.setattr(memory, "physical_bytes", lambda: 1 << 28)
    assert memory.cache_bytes(0) == memory.LEAST_BYTES
