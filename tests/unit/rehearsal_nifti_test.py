"""The small NIfTI reader: values, scaling, and the way into LPS slices."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
from numpy.typing import NDArray

from pacs_core.rehearsal.nifti import axial, read_nifti


def nifti(values: NDArray[np.int16], affine: list[list[float]], order: str = "<") -> bytes:
    """A NIfTI-1 file of int16 values indexed [k, j, i]."""
    header = bytearray(352)
    struct.pack_into(order + "i", header, 0, 348)
    struct.pack_into(order + "8h", header, 40, 3, *reversed(values.shape), 1, 1, 1, 1)
    struct.pack_into(order + "h", header, 70, 4)
    struct.pack_into(order + "3f", header, 108, 352.0, 2.0, -1024.0)
    struct.pack_into(order + "h", header, 254, 1)
    struct.pack_into(order + "12f", header, 280, *(v for row in affine for v in row))
    header[344:348] = b"n+1\0"
    return bytes(header) + values.astype(order + "i2").tobytes()


RAS = [[0.5, 0, 0, -10.0], [0, 0.7, 0, -20.0], [0, 0, 2.0, -30.0]]
LAS = [[-0.5, 0, 0, 40.0], [0, 0.7, 0, -20.0], [0, 0, 2.0, -30.0]]


@pytest.mark.parametrize("order", "<>")
def test_values_scaling_and_affine_are_read(order: str) -> None:
    values = np.arange(2 * 3 * 4, dtype=np.int16).reshape(2, 3, 4)
    read = read_nifti(gzip.compress(nifti(values, RAS, order)))
    assert np.array_equal(read.values, values)
    assert (read.slope, read.intercept) == (2.0, -1024.0)
    assert read.affine[0, 3] == -10.0


@pytest.mark.parametrize("affine", [RAS, LAS], ids=["RAS", "LAS"])
def test_axial_slices_lie_where_the_affine_says(affine: list[list[float]]) -> None:
    values = np.arange(2 * 3 * 4, dtype=np.int16).reshape(2, 3, 4)
    pixels, slices = axial(read_nifti(nifti(values, affine)))
    i, j, k = 3, 0, 1
    x, y, z = (affine[a][a] * n + affine[a][3] for a, n in enumerate((i, j, k)))
    lps = (-x, -y, z)
    row, column = slices.pixel(lps, k)
    assert pixels[slices.nearest(lps), round(row), round(column)] == values[k, j, i]
    assert slices.height(lps, slices.nearest(lps)) == pytest.approx(0.0, abs=1e-5)
    assert (slices.right, slices.down) == ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))


def test_rubbish_is_named() -> None:
    good = nifti(np.zeros((2, 2, 2), np.int16), RAS)
    with pytest.raises(ValueError, match="not a NIfTI"):
        read_nifti(b"DICM" * 200)
    with pytest.raises(ValueError, match="not a NIfTI"):
        read_nifti(good[:344] + b"ni1\0" + good[348:])
    with pytest.raises(ValueError, match="data type 9999"):
        read_nifti(good[:70] + struct.pack("<h", 9999) + good[72:])
    with pytest.raises(ValueError, match="along the patient's axes"):
        axial(
            read_nifti(nifti(np.zeros((2, 2, 2), np.int16), [[0.5, 0.4, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]))
        )
