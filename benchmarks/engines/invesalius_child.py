"""Runs under Debian's own Python: InVesalius' compiled reslicer on the volume of the benchmark.

    python3 invesalius_child.py VOLUME SLICES ROWS COLUMNS    then a line in, a picture made, a line out

VOLUME is a file of int16. The view matrix is an oblique one about the middle, as dragging its cross makes it.
"""

from __future__ import annotations

import math
import sys

import numpy as np
import numpy.typing as npt
from invesalius_cy.transforms import (  # type: ignore[import-not-found]  # Debian's, under Debian's Python
    apply_view_matrix_transform,
)


def view_matrix(shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """4 x 4, double: turned about two axes through the middle; (z, y, x, 1) as InVesalius keeps it."""
    middle = [(n - 1) / 2.0 for n in shape]
    a, b = 0.5, 0.3
    about_z = np.array([[1, 0, 0], [0, math.cos(a), -math.sin(a)], [0, math.sin(a), math.cos(a)]])
    about_x = np.array([[math.cos(b), -math.sin(b), 0], [math.sin(b), math.cos(b), 0], [0, 0, 1]])
    turn = about_z @ about_x
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = np.array(middle) - turn @ np.array(middle)
    return np.ascontiguousarray(matrix, dtype=np.float64)


def main() -> None:
    """Make a picture for every line that comes in."""
    path, shape = sys.argv[1], tuple(int(word) for word in sys.argv[2:5])
    volume = np.fromfile(path, dtype=np.int16).reshape(shape)
    out = np.zeros((1, shape[1], shape[2]), dtype=np.int16)
    matrix = view_matrix(shape)
    print("ready", flush=True)
    for _ in sys.stdin:
        apply_view_matrix_transform(volume, (1.0, 1.0, 1.0), matrix, shape[0] // 2, "AXIAL", 1, -1024, out)
        print(int(out[0, shape[1] // 2, shape[2] // 2]), flush=True)


if __name__ == "__main__":
    main()
