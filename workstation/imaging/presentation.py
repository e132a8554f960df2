"""One image as it is meant to be seen: greys or colours, then overlays and shutters (PS3.4 N.2, PS3.3 C.11).

`present` is the whole chain in one call, in the image's own pixels; viewers that zoom do its two halves
apart: values by `luts.grey_table` in the kernels, and the `Cover` laid over the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from pacs_core.archive.models import LocalFile
from pacs_core.dicom.pixels import decode_frame
from workstation.imaging.frame_reader import NATIVE_LITTLE_ENDIAN, FrameError, file_parts, read_exactly
from workstation.imaging.headers import FrameHeader
from workstation.imaging.icc import ProfileError, profile_of, to_srgb
from workstation.imaging.luts import Grey, GreyChain, to_grey
from workstation.imaging.overlays import Mask, Overlay, OverlayError, overlays_of
from workstation.imaging.shutters import Shutter, shutter_of
from workstation.imaging.values import Attributes
from workstation.imaging.volume import Volume


@dataclass(frozen=True, eq=False)
class Cover:
    """What lies over an image's values: `closed` by shutters, `drawn` by overlays, bool (rows, columns).

    None where there is nothing of the kind. `level` 0..1 is the P-value of what is closed; `words` says
    what could not be drawn.
    """

    closed: Mask | None = None
    drawn: Mask | None = None
    level: float = 0.0
    words: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.closed is not None or self.drawn is not None


NOTHING = Cover()


def driven(level: float, chain: GreyChain | None) -> int:
    """The driving level 0..255 of a P-value 0..1 on the chain's display."""
    if chain is None or chain.display is None:
        return int(level * 255 + 0.5)
    return chain.display[int(level * (len(chain.display) - 1) + 0.5)]


def present(
    pixels: npt.NDArray[Any], chain: GreyChain | None, cover: Cover = NOTHING, profile: bytes | None = None
) -> Grey:
    """Stored values (rows, columns) by `chain`, or RGB (rows, columns, 3) by `profile`, as 8-bit picture.

    Overlays are drawn in the brightest level and shutters cover them too, except that a bitmap shutter's
    own overlay is not drawn. Raises ProfileError.
    """
    if chain is None or pixels.ndim == 3:
        found = to_srgb(pixels, profile) if profile else np.array(pixels, dtype=np.uint8)
    else:
        found = to_grey(pixels, chain)
    if cover.drawn is not None:
        found[cover.drawn] = driven(1.0, chain)
    if cover.closed is not None:
        found[cover.closed] = driven(cover.level, chain)
    return found


def cover_of(header: FrameHeader) -> Cover:
    """Shutters and overlays of one frame; empty for most images, and never raising."""
    overlays, unusable = overlays_of(header.attributes)
    shutter, wrong = shutter_of(header.attributes)
    said = [*unusable, *wrong]
    rows, columns = header.layout.rows, header.layout.columns
    planes = _planes(header, overlays, said)
    drawn: Mask | None = None
    for group, plane in planes.items():
        if shutter is None or group != shutter.overlay_group:
            drawn = plane if drawn is None else drawn | plane
    closed = _closed(shutter, planes, rows, columns, said)
    return Cover(closed, drawn, shutter.p_value if shutter else 0.0, tuple(said))


def _planes(header: FrameHeader, overlays: tuple[Overlay, ...], said: list[str]) -> dict[int, Mask]:
    found: dict[int, Mask] = {}
    raw: npt.NDArray[Any] | None = None
    for overlay in overlays:
        try:
            if overlay.bit is None:
                found[overlay.group] = overlay.plane(
                    header.layout.rows, header.layout.columns, header.frame, _reader(header)
                )
            else:
                raw = unmasked(header) if raw is None else raw
                found[overlay.group] = overlay.hidden_plane(raw)
        except (OverlayError, FrameError) as error:
            said.append(str(error))
    return {group: plane for group, plane in found.items() if plane.any()}


def _closed(
    shutter: Shutter | None, planes: dict[int, Mask], rows: int, columns: int, said: list[str]
) -> Mask | None:
    if shutter is None:
        return None
    bitmap = None
    if shutter.overlay_group is not None:
        bitmap = planes.get(shutter.overlay_group)
        if bitmap is None:
            said.append(f"the bitmap shutter's overlay {shutter.overlay_group:04X} is not there")
    closed = ~shutter.open(rows, columns, bitmap)
    if closed.all():
        said.append("the shutter would cover the whole image and is not applied")
        return None
    return closed if closed.any() else None


def _reader(header: FrameHeader) -> Any:
    place = header.locator
    if not isinstance(place, LocalFile):
        return None

    def read(offset: int, length: int) -> bytes | None:
        buffer = bytearray(length)
        return bytes(buffer) if read_exactly(place.path, offset, memoryview(buffer)) else None

    return read


def unmasked(header: FrameHeader) -> npt.NDArray[Any]:
    """The pixel cells of a grey frame with all their bits (rows, columns); raises FrameError without file."""
    layout, place = header.layout, header.locator
    if not isinstance(place, LocalFile) or layout.is_colour or layout.bits_allocated not in (8, 16, 32):
        raise FrameError("the bits beside the pixels cannot be read here")
    parts = file_parts(place)
    if parts is None:
        raise FrameError("the file is missing or too short")
    if place.transfer_syntax in NATIVE_LITTLE_ENDIAN and not layout.words_swapped:
        size = layout.rows * layout.columns
        data = np.frombuffer(parts[0], dtype=f"<u{layout.bits_allocated // 8}", count=-1)
        if data.size < size:
            raise FrameError("the file is missing or too short")
        return data[:size].reshape(layout.rows, layout.columns)
    return decode_frame(
        parts, place.transfer_syntax, layout.rows, layout.columns, 1, layout.bits_allocated,
        layout.bits_allocated, 0, layout.photometric, 0,
    )  # fmt: skip


_covers: WeakKeyDictionary[Volume, dict[int, Cover]] = WeakKeyDictionary()


def cover(volume: Volume, index: int) -> Cover:
    """`cover_of` the frame at `index`, made once for each volume."""
    kept = _covers.setdefault(volume, {})
    if index not in kept:
        header = volume.header(index)
        wanted = any(key in header.attributes for key in ("Overlays", "ShutterShape"))
        kept[index] = cover_of(header) if wanted else NOTHING
    return kept[index]


_colours: WeakKeyDictionary[Volume, dict[int, tuple[Grey, str]]] = WeakKeyDictionary()
MOST_COLOURS = 16


def shown_colours(volume: Volume, index: int) -> tuple[Grey, str]:
    """A colour slice in sRGB, the last few kept, and words where its profile could not be used."""
    pixels = volume.pixels[index]
    attributes = volume.header(index).attributes
    if "ICCProfile" not in attributes:
        return pixels, ""
    kept = _colours.setdefault(volume, {})
    if index not in kept:
        while len(kept) >= MOST_COLOURS:
            kept.pop(next(iter(kept)), None)
        found = _in_srgb(pixels, attributes)
        if not volume.loaded[index]:
            return found
        kept[index] = found
    return kept[index]


def _in_srgb(pixels: Grey, attributes: Attributes) -> tuple[Grey, str]:
    try:
        profile = profile_of(attributes)
        return (to_srgb(pixels, profile), "") if profile else (pixels, "")
    except ProfileError as error:
        return pixels, str(error)
