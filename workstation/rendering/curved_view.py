"""Curved reformats along a line through a vessel, a canal, a spine: the line runs down the picture.

Straightened: what lies across the line at right angles, the line in the middle; lengths along the line and
across it are true. Stretched: straight lines in one direction of the patient, unrolled without change of
length, the line keeping its own bends in that direction (Kanitsar 2002).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from workstation.imaging.centreline import Centreline, resampled
from workstation.imaging.geometry import GeometryError, Vector
from workstation.imaging.volume import Volume
from workstation.rendering import reformat
from workstation.rendering.engines import Cut, Engine, Ribbon, choose
from workstation.rendering.picture import Pixels
from workstation.session.view_state import ViewState
from workstation.tools.planes import geometry_of, step_along

Floats = npt.NDArray[np.float64]


class Curving(Enum):
    """How the curved surface is laid flat."""

    STRAIGHTENED = "straightened"
    STRETCHED = "stretched"


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """The surface in the patient, a straight line a row.

    `origins` (rows, 3) are the left ends, `across` (rows, 3) leads to the next pixel, `through` (rows, 3) to
    the next plane of a slab; all in mm. A pixel is `pixel` mm each way.
    """

    origins: Floats
    across: Floats
    through: Floats
    width: int
    planes: int
    pixel: float

    def patient(self, x: float, y: float) -> Vector:
        """The patient point under a picture position, in the middle of the slab."""
        row = min(max(y, 0.0), len(self.origins) - 1.0)
        low = min(int(row), max(len(self.origins) - 2, 0))
        part = row - low
        high = min(low + 1, len(self.origins) - 1)
        ends = [
            self.origins[n] + x * self.across[n] + (self.planes - 1) / 2 * self.through[n]
            for n in (low, high)
        ]
        i, j, k = (1.0 - part) * ends[0] + part * ends[1]
        return float(i), float(j), float(k)


@dataclass(frozen=True, eq=False)
class CurvedPicture:
    """Grey `pixels` (height, width) with the surface they show; `length` of the line in mm."""

    pixels: Pixels
    sheet: Sheet
    length: float


def straightened(line: Centreline, across_mm: float, slab: float, step: float, first: Vector | None) -> Sheet:
    """The surface swept by a line at right angles to the centreline, a row each `line.step`."""
    normals = line.normals(first)
    others = np.cross(line.tangents, normals)
    return _sheet(line.places, normals, others, line.step, across_mm, slab, step)


def stretched(line: Centreline, direction: Vector, across_mm: float, slab: float, step: float) -> Sheet:
    """The surface swept by straight lines along `direction` through the centreline; rows are equally far
    apart on the surface, and the same x is the same place along `direction` in every row.

    Raises GeometryError where the line runs along the direction all the way.
    """
    along = np.array(direction, dtype=np.float64)
    size = float(np.linalg.norm(along))
    if not np.isfinite(size) or size < 1e-9:
        raise GeometryError("the direction of the stretched reformat has no length")
    along /= size
    flat = line.places - np.outer(line.places @ along, along)
    unrolled = resampled(flat, line.step)
    if unrolled.length < line.step:
        raise GeometryError("the line runs along the direction it should be stretched in")
    middle = float(np.mean(line.places @ along))
    places = unrolled.places + middle * along
    lines = np.broadcast_to(along, places.shape)
    return _sheet(places, lines, np.cross(unrolled.tangents, lines), unrolled.step, across_mm, slab, step)


def _sheet(
    places: Floats, lines: Floats, normals: Floats, pixel: float, across_mm: float, slab: float, step: float
) -> Sheet:
    width = max(1, round(across_mm / pixel))
    planes = 1 if slab <= 0 else max(2, int(np.ceil(slab / step - 1e-9)) + 1)
    through = normals * (slab / (planes - 1) if planes > 1 else 0.0)
    origins = places - lines * (pixel * (width - 1) / 2) - through * ((planes - 1) / 2)
    return Sheet(origins, lines * pixel, through, width, planes, pixel)


def render_curved(
    state: ViewState,
    volume: Volume,
    line: Centreline,
    across_mm: float,
    *,
    curving: Curving = Curving.STRAIGHTENED,
    direction: Vector | None = None,
    engine: Engine | None = None,
) -> CurvedPicture:
    """The volume along a line, with the window, slab (mm), slab mode and interpolation of `state`.

    `direction` turns the straightened surface about the line (where it starts), or is that of the stretched
    lines, for which None means across the patient. Raises CannotReformat, GeometryError.
    """
    geometry = geometry_of(volume)
    fine = min(step_along(geometry, axis) for axis in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
    if curving is Curving.STRAIGHTENED:
        sheet = straightened(line, across_mm, state.slab, fine, direction)
    else:
        sheet = stretched(line, direction or (1.0, 0.0, 0.0), across_mm, state.slab, fine)
    found, _ = reformat.layer(state, volume, Cut((0.0,) * 3, (0.0,) * 3, (0.0,) * 3, 1, 1))
    linear = geometry.inverse[:, :3].T
    rows = np.concatenate(
        [sheet.origins @ linear + geometry.inverse[:, 3], sheet.across @ linear, sheet.through @ linear],
        axis=1,
    )
    ribbon = Ribbon(rows, sheet.width, sheet.planes, state.slab_mode, state.interpolation)
    pixels = (engine or choose()).curved_grey(found.volume, ribbon, found.table, 0, found.stations)
    return CurvedPicture(pixels, sheet, line.length)
