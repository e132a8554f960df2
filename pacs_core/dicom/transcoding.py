"""Stored objects in another transfer syntax, for receivers that refuse the one they came in.

Decompression to explicit or implicit little endian only: nothing is ever compressed again, so nothing is
lost twice. The data set's other elements keep their values; their order and encoding are the target's.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from pacs_core.dicom.part10 import locate, part10_prefix
from pacs_core.dicom.quiet import quiet_pydicom
from pacs_core.dicom.transfer_syntaxes import (
    BIG_ENDIAN,
    EXPLICIT,
    IMPLICIT,
    LOSSY,
    NATIVE,
    VIDEO,
    is_implicit,
    name_of,
)
from pacs_core.domain.errors import NotStorable, Refused

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

TARGETS = (EXPLICIT, IMPLICIT)


def can_transcode(transfer_syntax_uid: str) -> bool:
    """Say whether objects of that syntax can be given in an uncompressed one."""
    from pacs_core.dicom.codecs import DECODERS

    return transfer_syntax_uid in NATIVE or transfer_syntax_uid in DECODERS


def transcode(part10: bytes, target_uid: str) -> bytes:
    """A Part-10 object in explicit or implicit little endian; raises Refused where that cannot be, or
    Damaged."""
    from pydicom.filebase import DicomBytesIO
    from pydicom.filereader import dcmread
    from pydicom.filewriter import write_dataset

    quiet_pydicom()
    if target_uid not in TARGETS:
        raise Refused(f"Objects are not given in {name_of(target_uid)} on demand", "transfer syntax")
    place = locate(part10)
    uid = place.transfer_syntax_uid
    if uid == target_uid:
        return part10
    if uid in VIDEO or not can_transcode(uid):
        raise Refused(f"{name_of(uid)} cannot be given uncompressed", "transfer syntax")
    whole = part10 if place.complete else part10_prefix("", "", uid) + part10[place.start :]
    data_set = dcmread(BytesIO(whole), force=True)
    _plain_pixels(data_set, whole, uid)
    out = DicomBytesIO()
    out.is_little_endian, out.is_implicit_VR = True, is_implicit(target_uid)
    write_dataset(out, _with_encoding(data_set, target_uid))
    prefix = part10_prefix(str(data_set.SOPClassUID), str(data_set.SOPInstanceUID), target_uid)
    return prefix + out.getvalue()


def _with_encoding(data_set: Dataset, target_uid: str) -> Dataset:
    """Convert every element, so that none is copied in its old byte order, and say the new encoding."""
    data_set.decode()
    for _ in data_set.iterall():
        pass
    data_set.set_original_encoding(is_implicit(target_uid), True, data_set.original_character_set)
    return data_set


def _plain_pixels(data_set: Dataset, whole: bytes, uid: str) -> None:
    """Replace pixel data by plain little-endian values, where it is not that already."""
    if "PixelData" not in data_set or uid in NATIVE - {BIG_ENDIAN}:
        return
    if uid == BIG_ENDIAN:
        _swap_pixels(data_set)
        return
    raw = _decoded_frames(whole)
    data_set.PixelData = raw + b"\0" * (len(raw) % 2)
    data_set["PixelData"].VR = "OB" if data_set.BitsAllocated <= 8 else "OW"
    data_set["PixelData"].is_undefined_length = False
    _say_what_was_done(data_set, uid)
    for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if keyword in data_set:
            delattr(data_set, keyword)


def _decoded_frames(whole: bytes) -> bytes:
    import numpy as np

    from pacs_core.dicom.intake import intake_bytes
    from pacs_core.dicom.pixels import decode_frame, pixel_format

    header = intake_bytes(whole).header
    form = pixel_format(header)
    if len(header.frames) < header.number_of_frames:
        raise NotStorable("Not every frame of the pixel data can be found", "PixelData (7FE0,0010)")
    frames = []
    for place in header.frames:
        parts = [whole[at : at + size] for at, size in place.fragments]
        values = decode_frame(
            parts, header.transfer_syntax_uid, form.rows, form.columns, form.samples, form.bits_allocated,
            form.bits_stored, form.pixel_representation, form.photometric, form.planar,
        )  # fmt: skip
        frames.append(values.reshape(-1))
    if form.bits_allocated == 1:  # frames of single bits follow each other without a gap (PS3.5 8.1.1)
        return np.packbits(np.concatenate(frames), bitorder="little").tobytes()
    return b"".join(frame.astype(frame.dtype.newbyteorder("<"), copy=False).tobytes() for frame in frames)


def _swap_pixels(data_set: Dataset) -> None:
    import numpy as np

    element = data_set["PixelData"]
    size = data_set.BitsAllocated // 8
    if size > 1:
        element.value = np.frombuffer(element.value, f"u{size}").byteswap().tobytes()
    elif element.VR == "OW":
        element.value = np.frombuffer(element.value, "u2").byteswap().tobytes()


def _say_what_was_done(data_set: Dataset, uid: str) -> None:
    from pacs_core.dicom.colour import decoded_photometric

    data_set.PhotometricInterpretation = decoded_photometric(uid, data_set.PhotometricInterpretation)
    if data_set.get("SamplesPerPixel", 1) > 1:
        data_set.PlanarConfiguration = 0
    if uid in LOSSY and data_set.get("LossyImageCompression") != "01":
        data_set.LossyImageCompression = "01"
