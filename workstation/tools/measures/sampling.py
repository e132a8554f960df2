"""Sampling a volume between its voxels, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def trilinear(array: npt.NDArray[Any], index: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Samples at (column, row, slice) places (3, n); those outside the voxels are left out."""
    ends = np.array(array.shape[::-1], dtype=np.float64)[:, None] - 1.0
    index = index[:, ((index >= -0.5) & (index <= ends + 0.5)).all(axis=0)]
    held = np.clip(index, 0.0, ends)
    low = np.minimum(held.astype(np.intp), np.maximum(ends.astype(np.intp) - 1, 0))
    part = held - low
    total = np.zeros(index.shape[1])
    for corner in range(8):
        up = np.array([corner & 1, corner >> 1 & 1, corner >> 2 & 1])[:, None]
        weight = np.where(up == 1, part, 1.0 - part).prod(axis=0)
        i, j, k = np.minimum(low + up, ends.astype(np.intp))
        total += weight * array[k, j, i]
    return total
