"""What an image's attributes say about its greys, and in words what of it cannot be used.

Modality LUT (PS3.3 C.11.1), VOI LUT and windows (C.11.2), presentation LUT and shape (C.11.4, C.11.6),
polarity (C.7.6.3.1.2) and padding (C.7.5.1.1.2). Nothing here raises; nothing unusable is used silently.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pacs_core.dicom.attributes import unpacked
from workstation.imaging.luts import LINEAR, LINEAR_EXACT, SIGMOID, Rescale, TableLut, VoiWindow
from workstation.imaging.values import Attributes, number, numbers, text, texts

# their modality LUT leads to beam intensity, not to what is displayed (PS3.3 C.8.7.1.1.2)
BEAM_INTENSITY = ("XA", "RF", "XRF")
MOST_ENTRIES = 65536


@dataclass(frozen=True, slots=True)
class Greyscale:
    """The parts of an image's grey chain; `padding` is a closed range of stored values."""

    modality_lut: Rescale | TableLut
    windows: tuple[VoiWindow, ...]
    voi_luts: tuple[TableLut, ...]
    presentation: TableLut | None
    inverse: bool
    padding: tuple[int, int] | None
    warnings: tuple[str, ...]


def greyscale_of(
    modality: str, attributes: Attributes, photometric: str, signed: bool, colour: bool
) -> Greyscale:
    """The greyscale of one frame from its (merged) attributes."""
    if colour:
        return Greyscale(Rescale(), (), (), None, False, None, ())
    said: list[str] = []
    below_zero = signed or (number(attributes.get("RescaleIntercept")) or 0.0) < 0.0
    presentation = lut_tables(attributes, "PresentationLUTSequence", "presentation LUT", False, said)
    return Greyscale(
        modality_lut=_modality_lut(modality, attributes, signed, said),
        windows=windows(attributes, said),
        voi_luts=lut_tables(attributes, "VOILUTSequence", "VOI LUT", below_zero, said),
        presentation=presentation[0] if presentation else None,
        inverse=_inverse(attributes, photometric, bool(presentation), said),
        padding=_padding(attributes, signed, said),
        warnings=tuple(said),
    )


# ── tables ───────────────────────────────────────────────────────────────────────────────────────────


def lut_tables(
    attributes: Attributes, keyword: str, name: str, signed: bool, said: list[str], unit: str = ""
) -> tuple[TableLut, ...]:
    """The usable tables of a LUT sequence; `said` gets a sentence for each that is not."""
    value = attributes.get(keyword)
    items = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    found = (lut_table(item, name, signed, said, unit) for item in items)
    return tuple(table for table in found if table is not None)


def lut_table(item: object, name: str, signed: bool, said: list[str], unit: str = "") -> TableLut | None:
    """One LUT item {Descriptor: [n, first, bits], Data: packed}; None where it is no usable table."""
    if not isinstance(item, Mapping):
        said.append(f"{name} is not used: it cannot be read")
        return None
    descriptor = numbers(item.get("Descriptor"))
    if len(descriptor) != 3 or not 0 <= descriptor[0] <= MOST_ENTRIES:
        said.append(f"{name} is not used: its descriptor is no (entries, first value, bits)")
        return None
    size, bits = int(descriptor[0]) or MOST_ENTRIES, int(descriptor[2])
    entries = _entries(item.get("Data"))
    if len(entries) < size:
        said.append(f"{name} is not used: it has {len(entries)} of the {size} entries it promises")
        return None
    entries = entries[:size]
    if not 8 <= bits <= 16:
        said.append(f"{name}: entries of {bits} bits, read as 16")
        bits = 16
    if max(entries) >= 2**bits:
        said.append(f"{name} is not used: an entry of {max(entries)} does not fit its {bits} bits")
        return None
    return TableLut(_first_mapped(descriptor[1], signed), entries, bits, unit)


def _first_mapped(value: float, signed: bool) -> int:
    """The descriptor's second value is written as unsigned even where stored values are signed."""
    return int(value) - 65536 if signed and value > 32767 else int(value)


def _entries(value: object) -> tuple[int, ...]:
    """The 16-bit entries of packed table data; none where it is damaged."""
    if not isinstance(value, str):
        return ()
    try:
        raw = unpacked(value)
    except (ValueError, zlib.error):
        return ()
    return struct.unpack(f"<{len(raw) // 2}H", raw[: len(raw) // 2 * 2])


# ── the chain's steps ────────────────────────────────────────────────────────────────────────────────


def unit_of(modality: str, attributes: Attributes) -> str:
    """The unit that rescaled values have: "HU", "BQML", "OD" ..., or nothing where it is unspecified."""
    given = text(attributes.get("RescaleType")) or text(attributes.get("Units"))
    if modality == "CT" and given in ("", "US"):
        return "HU"
    return "" if given == "US" else given


def _modality_lut(modality: str, attributes: Attributes, signed: bool, said: list[str]) -> Rescale | TableLut:
    unit = unit_of(modality, attributes)
    if modality not in BEAM_INTENSITY:
        tables = lut_tables(attributes, "ModalityLUTSequence", "modality LUT", signed, said, unit)
        if tables:
            return tables[0]
    slope, intercept = number(attributes.get("RescaleSlope")), number(attributes.get("RescaleIntercept"))
    if slope == 0.0:
        said.append("Rescale Slope is 0, which leads to no value: values are as stored, without unit")
        return Rescale()
    return Rescale(1.0 if slope is None else slope, intercept or 0.0, unit)


def windows(attributes: Attributes, said: list[str]) -> tuple[VoiWindow, ...]:
    """The usable windows of Window Center and Width, each with the image's VOI LUT Function."""
    centres, widths = numbers(attributes.get("WindowCenter")), numbers(attributes.get("WindowWidth"))
    if any(attributes.get(k) and not n for k, n in (("WindowCenter", centres), ("WindowWidth", widths))):
        said.append("Window Center and Width are not used: they are no numbers")
        return ()
    if len(centres) != len(widths):
        said.append(f"{len(centres)} Window Centers but {len(widths)} Window Widths")
    labels = texts(attributes.get("WindowCenterWidthExplanation"))
    function = text(attributes.get("VOILUTFunction")).upper() or LINEAR
    if function not in (LINEAR, LINEAR_EXACT, SIGMOID):
        said.append(f"unknown VOI LUT Function {function[:20]!r}, shown as linear")
        function = LINEAR
    found = []
    for place, (centre, width) in enumerate(zip(centres, widths, strict=False)):
        if width >= 1.0 or (width > 0.0 and function != LINEAR):
            found.append(VoiWindow(centre, width, function, labels[place] if place < len(labels) else ""))
        else:
            said.append(f"a Window Width of {width:g} cannot be used")
    return tuple(found)


def _inverse(attributes: Attributes, photometric: str, has_table: bool, said: list[str]) -> bool:
    """Whether the lowest value is the brightest: by the shape where there is one, else by MONOCHROME1."""
    shape = text(attributes.get("PresentationLUTShape")).upper()
    if has_table:
        return photometric == "MONOCHROME1"
    if shape not in ("IDENTITY", "INVERSE"):
        if shape:
            said.append(f"unknown Presentation LUT Shape {shape[:20]!r}")
        return photometric == "MONOCHROME1"
    if (shape == "INVERSE") != (photometric == "MONOCHROME1"):
        said.append(f"{photometric} with Presentation LUT Shape {shape}: shown as the shape says")
    return shape == "INVERSE"


def _padding(attributes: Attributes, signed: bool, said: list[str]) -> tuple[int, int] | None:
    value = number(attributes.get("PixelPaddingValue"))
    limit = number(attributes.get("PixelPaddingRangeLimit"))
    if value is None:
        if limit is not None:
            said.append("Pixel Padding Range Limit without Pixel Padding Value is not used")
        return None
    ends = [int(value), int(value if limit is None else limit)]
    if signed:
        ends = [v - 65536 if v > 32767 else v for v in ends]
    return min(ends), max(ends)
