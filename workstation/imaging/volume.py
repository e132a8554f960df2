"""The pixels of a display set in one array of their native type, with what they mean and what of them is
there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from workstation.imaging import pages
from workstation.imaging.display_sets import DisplaySet
from workstation.imaging.geometry import Vector, VolumeGeometry
from workstation.imaging.headers import FrameHeader, PixelLayout
from workstation.imaging.luts import GreyChain, Rescale, TableLut, VoiWindow, auto_window, emission_window

Array = npt.NDArray[Any]
Listener = Callable[[int], None]


def native_dtype(layout: PixelLayout) -> np.dtype[Any]:
    """The smallest type that holds a stored value as it is; colour is always shown in 8 bits a sample."""
    if layout.is_colour or layout.bits_allocated == 1:
        return np.dtype(np.uint8)
    if layout.float_kind:
        return np.dtype(layout.float_kind)
    signed = layout.pixel_representation == 1
    if layout.bits_allocated <= 8 and not signed:
        return np.dtype(np.uint8)
    if layout.bits_allocated <= 16:
        return np.dtype(np.int16 if signed else np.uint16)
    if layout.bits_allocated > 32:
        return np.dtype(np.int64 if signed else np.uint64)
    return np.dtype(np.int32 if signed else np.uint32)


class Volume:
    """Pixels (slices, rows, columns), or (slices, rows, columns, 3) in colour, filled while they arrive.

    `loaded[k]` says that slice k is there, `failures[k]` in words why it never will be. Writers fill
    `pixels[k]` and then call `arrived`; readers look at `loaded` first. `generation` grows with every
    slice. `warnings[k]` says what is wrong with a slice that is shown nevertheless. Slices may be given back
    (`forget`) where the cache has no room, and come again. Values are stored values; `modality_lut(k)` leads
    to modality units. Where the system has no room at all every slice has failed, and says so.
    """

    def __init__(self, display_set: DisplaySet) -> None:
        layout = display_set.frames[0].layout
        shape: tuple[int, ...] = (len(display_set.frames), layout.rows, layout.columns)
        self.display_set = display_set
        self.dtype = _common_dtype(display_set)
        self.pixels: Array
        whole = (*shape, 3) if layout.is_colour else shape
        too_large = ""
        try:
            self.pixels, self._mapping = pages.zeros(whole, self.dtype)
        except pages.TooLarge as error:
            too_large = f"There is not enough memory: {error}."
            self.pixels, self._mapping = np.broadcast_to(np.zeros(1, dtype=self.dtype), whole), None
        self.loaded = np.zeros(shape[0], dtype=np.bool_)
        self.failures: dict[int, str] = dict.fromkeys(range(shape[0]), too_large) if too_large else {}
        self.warnings: dict[int, str] = {}
        self.loaded_count = 0
        self.generation = 0
        self._claimed = np.zeros(shape[0], dtype=np.bool_)
        self._listeners: list[Listener] = []
        self._lock = threading.Lock()
        self._common: Array | None = None
        self._common_done = np.zeros(shape[0], dtype=np.bool_)
        self._common_extent = (0.0, 0.0)
        self._auto: VoiWindow | None = None

    # ── what it is ───────────────────────────────────────────────────────────────────────────────
    @property
    def geometry(self) -> VolumeGeometry | None:
        return self.display_set.geometry

    @property
    def nbytes(self) -> int:
        """Bytes of the slices that are there, and of the copy for reformats."""
        copied = 0 if self._common is None else int(self._common.nbytes)
        return self.loaded_count * self.slice_nbytes + copied

    @property
    def slice_nbytes(self) -> int:
        return int(self.pixels.nbytes) // max(1, len(self.loaded))

    @property
    def is_colour(self) -> bool:
        return self.pixels.ndim == 4

    @property
    def is_complete(self) -> bool:
        """Every slice is loaded or has failed."""
        return self.loaded_count + len(self.failures) >= len(self.loaded)

    def holds(self, display_set: DisplaySet) -> bool:
        """Whether this is the volume of these very frames in this order."""
        mine, theirs = self.display_set.frames, display_set.frames
        return mine is theirs or [f.source for f in mine] == [f.source for f in theirs]

    def header(self, index: int) -> FrameHeader:
        return self.display_set.frames[index]

    def nearest_loaded(self, index: int) -> int | None:
        """The loaded slice nearest to this one, itself included, or None."""
        there = np.flatnonzero(self.loaded)
        return None if there.size == 0 else int(there[np.argmin(np.abs(there - index))])

    # ── filling ──────────────────────────────────────────────────────────────────────────────────
    def claim(self, index: int) -> bool:
        """True for exactly one caller, who then has to call `arrived`, `failed` or `release`."""
        return bool(self.claim_all([index]))

    def claim_all(self, indices: Iterable[int]) -> list[int]:
        """Those of the slices that are the caller's now, as with `claim`."""
        with self._lock:
            mine = [k for k in indices if not (self._claimed[k] or self.loaded[k])]
            self._claimed[mine] = True
            return mine

    def release(self, indices: Iterable[int]) -> None:
        """Give claims back without having filled the slices."""
        with self._lock:
            self._claimed[list(indices)] = False

    def retry_failures(self) -> None:
        """Forget what failed, so that it is tried again."""
        if not self.pixels.flags.writeable:
            return
        with self._lock:
            for index in self.failures:
                self._claimed[index] = False
            self.failures.clear()

    def adopt(self, earlier: Volume) -> None:
        """Take over the slices that an earlier volume of the same series has loaded (a study still
        arriving).
        """
        there = {f.source: k for k, f in enumerate(earlier.display_set.frames)}
        for index, frame in enumerate(self.display_set.frames):
            k = there.get(frame.source)
            if k is None or not earlier.loaded[k] or earlier.dtype != self.dtype:
                continue
            if earlier.pixels[k].shape == self.pixels[index].shape and self.claim(index):
                self.pixels[index] = earlier.pixels[k]
                self.arrived(index)

    def forget(self, indices: Sequence[int]) -> None:
        """Give the memory of these slices back; they can be claimed and filled again."""
        with self._lock:
            gone = [k for k in indices if self.loaded[k]]
            for k in gone:
                self.loaded[k] = self._claimed[k] = self._common_done[k] = False
            self.loaded_count -= len(gone)
            if self.loaded_count == 0:
                self._common, self._common_extent = None, (0.0, 0.0)
            self.generation += 1
            size = self.slice_nbytes
            for first, count in _runs(gone):
                pages.drop(self._mapping, first * size, count * size)

    def arrived(self, index: int, warning: str = "") -> None:
        """Slice `index` of `pixels` is filled; `warning` says what is wrong with it nevertheless."""
        self.arrived_all([index], warning)

    def arrived_all(self, indices: list[int], warning: str = "") -> None:
        """The same of several slices, each named once."""
        with self._lock:
            for index in indices:
                self.failures.pop(index, None)
                self.warnings.pop(index, None)
                if warning:
                    self.warnings[index] = warning
            self.loaded_count += len(indices) - int(np.count_nonzero(self.loaded[indices]))
            self.loaded[indices] = True
            self.generation += len(indices)
            listeners = tuple(self._listeners)
        for index in indices:
            for listener in listeners:
                listener(index)

    def failed(self, index: int, words: str) -> None:
        """Slice `index` cannot be read or decoded, and why."""
        with self._lock:
            self.failures[index] = words
            self.generation += 1
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener(index)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Be told of every slice that arrives or fails, on the thread that brought it; call the answer to
        stop.
        """
        with self._lock:
            self._listeners.append(listener)

        def stop() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return stop

    # ── values ───────────────────────────────────────────────────────────────────────────────────
    def modality_lut(self, index: int) -> Rescale | TableLut:
        return self.header(index).modality_lut

    @property
    def unit(self) -> str:
        return self.header(0).modality_lut.unit

    def values(self, index: int) -> npt.NDArray[np.float64]:
        """One slice in modality units (rows, columns), float64; not for colour."""
        return self.modality_lut(index).apply(self.pixels[index])

    def value_at(self, index: int, column: int, row: int) -> float | None:
        """The modality value of one pixel, or None outside, before it is loaded, or in padding."""
        _, rows, columns = self.pixels.shape[:3]
        if self.is_colour or not (0 <= column < columns and 0 <= row < rows) or not self.loaded[index]:
            return None
        stored = self.pixels[index, row, column]
        padding = self.header(index).padding
        if padding is not None and padding[0] <= stored <= padding[1]:
            return None
        return float(self.modality_lut(index).apply(np.asarray(stored)))

    def value_in_patient(self, point: Vector) -> float | None:
        """The modality value of the voxel nearest to a patient point, or None outside the volume."""
        if self.geometry is None:
            return None
        column, row, slice_ = (int(np.floor(v + 0.5)) for v in self.geometry.index(point))
        return self.value_at(slice_, column, row) if 0 <= slice_ < len(self.loaded) else None

    # ── showing ──────────────────────────────────────────────────────────────────────────────────
    def grey_chain(
        self, index: int, voi: VoiWindow | TableLut | None = None, inverted: bool = False
    ) -> GreyChain:
        """The chain of one slice; without `voi` its own first window or VOI LUT, else an automatic window."""
        header = self.header(index)
        own = voi or self.default_voi(index)
        return GreyChain(
            modality=header.modality_lut,
            voi=own,
            inverse=header.inverse,
            inverted=inverted,
            padding=header.padding,
            presentation=header.presentation,
        )

    def default_voi(self, index: int) -> VoiWindow | TableLut:
        """The image's own first window, else its VOI LUT, else one from the values that are there."""
        header = self.header(index)
        if header.windows:
            return header.windows[0]
        return header.voi_lut or self.auto_window()

    def auto_window(self) -> VoiWindow:
        """A window from the values loaded so far; the same for every slice, and kept once all are there."""
        if self._auto is not None:
            return self._auto
        there = np.flatnonzero(self.loaded)
        if there.size == 0:
            return VoiWindow(0.5, 1.0, "LINEAR_EXACT", "Auto")
        chosen = there[:: max(1, there.size // 8)]
        values = np.concatenate([self._unpadded(int(k)) for k in chosen])
        found = emission_window(values) if self.display_set.modality in ("PT", "NM") else auto_window(values)
        if self.is_complete:
            self._auto = found
        return found

    def _unpadded(self, index: int) -> npt.NDArray[np.float64]:
        stored = self.pixels[index].reshape(-1)[:: max(1, self.pixels[index].size // 40_000)]
        padding = self.header(index).padding
        if padding is not None:
            stored = stored[(stored < padding[0]) | (stored > padding[1])]
        return self.modality_lut(index).apply(stored)

    # ── reformats ────────────────────────────────────────────────────────────────────────────────
    def for_reformat(self) -> tuple[Array, Rescale | TableLut]:
        """An array the engines can sample as one, and what its values mean.

        The native array where every slice shares one rescale and the type has 8 or 16 bits; else (PET, 32
        bits) a 16-bit copy on one scale, as fine as the coarsest slice or 1/65535 of the extent, made of
        the slices there are.
        """
        luts = {f.modality_lut for f in self.display_set.frames}
        if len(luts) == 1 and self.dtype.itemsize <= 2:
            return self.pixels, self.header(0).modality_lut
        return self._common_scale()

    def _common_scale(self) -> tuple[Array, Rescale]:
        low, high = self._extent()
        slope = max((high - low) / 65535.0, 1e-12)
        with self._lock:
            if self._common is None or self._common_extent != (low, high):
                self._common = np.zeros(self.pixels.shape, dtype=np.uint16)
                self._common_done[:] = False
                self._common_extent = (low, high)
            todo = np.flatnonzero(self.loaded & ~self._common_done)
            for k in todo:
                values = (self.modality_lut(int(k)).apply(self.pixels[k]) - low) / slope
                values = np.nan_to_num(values, copy=False, nan=0.0, posinf=65535.0, neginf=0.0)
                self._common[k] = np.clip(np.floor(values + 0.5), 0, 65535).astype(np.uint16)
                self._common_done[k] = True
        return self._common, Rescale(slope, low, self.unit)

    def _extent(self) -> tuple[float, float]:
        """Lowest and highest modality value the stored types allow, known before anything is loaded."""
        if self.dtype.itemsize > 2:
            ends = self._extent_of_what_is_there()
        else:
            bits = max(f.layout.usable_bits for f in self.display_set.frames)
            signed = bool(np.issubdtype(self.dtype, np.signedinteger))
            ends = np.array([-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] if signed else [0, 2**bits - 1])
        luts = {f.modality_lut for f in self.display_set.frames}
        found = [lut.apply(ends) for lut in luts]
        return float(min(v.min() for v in found)), float(max(v.max() for v in found))

    def _extent_of_what_is_there(self) -> npt.NDArray[np.float64]:
        """Lowest and highest finite stored value of the slices that are there, (0, 1) where none is."""
        ends: list[float] = []
        for k in np.flatnonzero(self.loaded):
            values = self.pixels[k]
            finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
            if finite.size:
                ends += [float(finite.min()), float(finite.max())]
        return np.array([min(ends), max(ends)] if ends else [0.0, 1.0])


def _runs(indices: Sequence[int]) -> Iterator[tuple[int, int]]:
    """(First, count) of each run of neighbours."""
    ordered = sorted(indices)
    start = 0
    for place in range(1, len(ordered) + 1):
        if place == len(ordered) or ordered[place] != ordered[place - 1] + 1:
            yield ordered[start], place - start
            start = place


def _common_dtype(display_set: DisplaySet) -> np.dtype[Any]:
    """The type of every frame; int32 where signed and unsigned 16-bit ones are mixed."""
    found = {native_dtype(f.layout) for f in display_set.frames}
    return found.pop() if len(found) == 1 else np.dtype(np.result_type(*found))
