"""A small reader of NIfTI-1 volumes (single file, gzip or plain): values, affine, and LPS slices."""

from __future__ import annotations

import gzip
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pacs_core.rehearsal.phantoms.geometry import SliceStack
from pacs_core.rehearsal.phantoms.shapes import vector

HEADER_SIZE = 348
TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4"}


@dataclass(frozen=True, slots=True)
class Nifti:
    """A volume indexed [k, j, i] as stored, its scaling, and the affine from (i, j, k) to RAS millimetres."""

    values: NDArray[Any]
    slope: float
    intercept: float
    affine: NDArray[np.float64]


def read_nifti(data: bytes) -> Nifti:
    """Read a NIfTI-1 file with three dimensions and an sform; raises ValueError naming what is wrong."""
    raw = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    order = _byte_order(raw)
    dimensions = struct.unpack_from(order + "8h", raw, 40)
    if dimensions[0] < 3 or any(size != 1 for size in dimensions[4 : dimensions[0] + 1]):
        raise ValueError(f"NIfTI dimensions {dimensions[1 : dimensions[0] + 1]} are no single volume")
    code = struct.unpack_from(order + "h", raw, 70)[0]
    if code not in TYPES:
        raise ValueError(f"NIfTI data type {code} is not read here")
    offset, slope, intercept = struct.unpack_from(order + "3f", raw, 108)
    columns, rows, slices = dimensions[1:4]
    dtype = np.dtype(order + TYPES[code])
    values = np.frombuffer(raw, dtype, columns * rows * slices, int(offset)).reshape(slices, rows, columns)
    return Nifti(values, slope or 1.0, intercept, _affine(raw, order))


def axial(volume: Nifti) -> tuple[NDArray[Any], SliceStack]:
    """The stored values as axial slices, feet first, rows to the back, columns to the left, with their place.

    Raises ValueError where the affine is not along the patient's axes.
    """
    scales = np.diag(volume.affine)[:3]
    if np.abs(volume.affine[:3, :3] - np.diag(scales)).max() > 1e-5 * np.abs(scales).max():
        raise ValueError("the volume is not stored along the patient's axes")
    values = volume.values
    corner = volume.affine[:3, 3].copy()
    wanted = (-1, -1, 1)  # RAS directions of growing column (left), row (posterior), slice (head)
    for axis, sign in enumerate(wanted):
        if np.sign(scales[axis]) != sign:
            values = np.flip(values, 2 - axis)
            corner[axis] += scales[axis] * (values.shape[2 - axis] - 1)
    x, y, z = (float(v) for v in np.abs(scales))
    first = np.array([-corner[0], -corner[1], corner[2]])
    origins = tuple(vector(first + np.array([0.0, 0.0, z * k])) for k in range(values.shape[0]))
    rows, columns = values.shape[1:]
    return values, SliceStack(rows, columns, y, x, (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), origins, z)


def _byte_order(raw: bytes) -> str:
    for order in "<>":
        if len(raw) > HEADER_SIZE and struct.unpack_from(order + "i", raw, 0)[0] == HEADER_SIZE:
            if raw[344:347] != b"n+1":
                break
            return order
    raise ValueError("not a NIfTI-1 file with its volume inside")


def _affine(raw: bytes, order: str) -> NDArray[np.float64]:
    if struct.unpack_from(order + "h", raw, 254)[0] <= 0:
        raise ValueError("the NIfTI file has no sform affine")
    rows = np.array(struct.unpack_from(order + "12f", raw, 280)).reshape(3, 4)
    return np.vstack([rows, [0.0, 0.0, 0.0, 1.0]])
