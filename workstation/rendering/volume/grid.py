"""Where the voxels of a 3D picture lie in the patient, and what their int16 values mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workstation.imaging.geometry import Matrix, Vector, inverted

Voxels = npt.NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class Grid:
    """Geometry and meaning of the voxels, without them.

    `matrix` 3 x 4: (column, row, slice, 1) -> LPS mm. A stored value means value * slope + intercept
    (slope above 0) in `unit`. `low` and `high` are the values of interest.
    """

    shape: tuple[int, int, int]
    matrix: Matrix
    slope: float
    intercept: float
    unit: str
    modality: str
    low: float
    high: float
    words: str = ""

    @property
    def nbytes(self) -> int:
        return 2 * self.shape[0] * self.shape[1] * self.shape[2]

    @property
    def inverse(self) -> Matrix:
        """3 x 4: (LPS mm, 1) -> (column, row, slice)."""
        return inverted(self.matrix)

    @property
    def spacing(self) -> float:
        """The smallest distance between neighbours, mm."""
        return float(np.linalg.norm(self.matrix[:, :3], axis=0).min())

    def patient(self, column: float, row: float, slice_: float) -> Vector:
        """LPS mm of an index."""
        x, y, z = (float(v) for v in self.matrix @ np.array([column, row, slice_, 1.0]))
        return x, y, z

    def corners(self) -> list[Vector]:
        """Of the outermost centres: rays end there."""
        n = [0, self.shape[2] - 1], [0, self.shape[1] - 1], [0, self.shape[0] - 1]
        return [self.patient(i, j, k) for k in n[2] for j in n[1] for i in n[0]]

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "shape": list(self.shape), "matrix": self.matrix.tolist(), "slope": self.slope,
            "intercept": self.intercept, "unit": self.unit, "modality": self.modality, "low": self.low,
            "high": self.high, "words": self.words,
        }  # fmt: skip

    @classmethod
    def from_plain(cls, content: dict[str, Any]) -> Grid:
        """Of what `plain` made."""
        z, y, x = (int(n) for n in content["shape"])
        rest = {k: v for k, v in content.items() if k not in ("shape", "matrix")}
        return cls((z, y, x), np.array(content["matrix"], dtype=np.float64), **rest)
