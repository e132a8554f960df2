"""Bone in CT by threshold and connectivity: cortical bone first, then what hangs together with it nearby.

Contrast in vessels reaches 300 to 500 HU and touches bone, so a threshold alone takes the vessels along. The
growth from dense bone therefore ends after a few millimetres, which holds the marrow and spares the vessel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

DENSE_HU = 450.0
BONE_HU = 150.0
SMALLEST_ML = 0.4
GROWTH_MM = 3.0
CLOSING_MM = 5.0
MARROW_CM2 = 15.0
WORKING_MM = 2.0


class NoBone(ValueError):
    """Nothing in the volume is as dense as bone, or no bone lies at the chosen place."""


def find_bone(
    voxels: npt.NDArray[np.int16],
    scale: tuple[float, float],
    edges: tuple[float, float, float],
    seed: tuple[float, float, float] | None = None,
) -> npt.NDArray[np.bool_]:
    """Where bone is, like `voxels` (slices, rows, columns); `scale` (slope, intercept) leads to HU, `edges`
    are mm between columns, rows and slices. With a `seed` (column, row, slice) only the bone connected with
    it. Raises NoBone.
    """
    import SimpleITK

    sitk: Any = SimpleITK  # without annotations in the package
    whole = sitk.GetImageFromArray(voxels)
    whole.SetSpacing(edges)
    factors = [
        max(1, min(n // 2, round(WORKING_MM / e))) for n, e in zip(whole.GetSize(), edges, strict=True)
    ]
    small = sitk.BinShrink(whole, factors)
    units = sitk.Cast(small, sitk.sitkFloat32) * scale[0] + scale[1]
    found = _grown(sitk, units)
    if seed is not None:
        found = _connected(sitk, found, seed, factors)
    if not sitk.GetArrayViewFromImage(found).any():
        raise NoBone("nothing here is as dense as bone")
    rim = sitk.BinaryDilate(found, [1, 1, 1])
    full = sitk.Resample(rim, whole, sitk.Transform(), sitk.sitkNearestNeighbor, 0, sitk.sitkUInt8)
    return np.asarray(sitk.GetArrayFromImage(full), dtype=np.bool_)


def _radius(image: Any, mm: float) -> list[int]:
    return [max(1, round(mm / e)) for e in image.GetSpacing()]


def _grown(sitk: Any, units: Any) -> Any:
    """Dense parts of some size, grown into what is bone nearby, their marrow filled."""
    dense = units >= DENSE_HU
    voxel_ml = float(np.prod(units.GetSpacing())) / 1000.0
    labels = sitk.RelabelComponent(
        sitk.ConnectedComponent(dense, True), minimumObjectSize=max(1, round(SMALLEST_ML / voxel_ml))
    )
    kept = labels > 0
    near = sitk.BinaryDilate(kept, _radius(units, GROWTH_MM)) & (units >= BONE_HU)
    closed = sitk.BinaryMorphologicalClosing(near | kept, _radius(units, CLOSING_MM))
    grown = (closed & (units >= BONE_HU - 100.0)) | near | kept
    return _filled(sitk, grown) & (units >= BONE_HU - 150.0) | grown


def _filled(sitk: Any, bone: Any) -> Any:
    """With the marrow that a ring of bone encloses in a slice; the ring of ribs is too large."""
    array = sitk.GetArrayFromImage(bone)
    most = MARROW_CM2 * 100.0 / (bone.GetSpacing()[0] * bone.GetSpacing()[1])
    for one in array:
        labels = sitk.GetArrayFromImage(sitk.ConnectedComponent(sitk.GetImageFromArray(1 - one), False))
        counts = np.bincount(labels.reshape(-1))
        fill = counts <= most
        fill[0] = False
        for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
            fill[edge] = False
        one[fill[labels]] = 1
    made = sitk.GetImageFromArray(array)
    made.CopyInformation(bone)
    return made


def _connected(sitk: Any, found: Any, seed: tuple[float, float, float], factors: list[int]) -> Any:
    """Only the component nearest to the seed, which has to lie within a few voxels of it."""
    labels = sitk.ConnectedComponent(found, True)
    array = sitk.GetArrayViewFromImage(labels)
    x, y, z = (int((s + 0.5) / f) for s, f in zip(seed, factors, strict=True))
    reach = 3
    low = [max(0, c - reach) for c in (z, y, x)]
    box = array[low[0] : z + reach + 1, low[1] : y + reach + 1, low[2] : x + reach + 1]
    places = np.argwhere(box > 0)
    if not len(places):
        raise NoBone("no bone lies at this place")
    away = ((places + np.array(low) - np.array([z, y, x])) ** 2).sum(axis=1)
    nearest = places[int(np.argmin(away))]
    return labels == int(box[tuple(nearest)])
