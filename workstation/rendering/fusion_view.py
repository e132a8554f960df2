"""Two volumes in one picture: a PET (or any other) in colours over the greys of a CT.

Both are sampled where the lower one's plane or slab lies in the patient: directly where they share a frame of
reference (PS3.3 C.7.4.1), else through the matrix of a registration.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from workstation.imaging.colour_maps import laid_over
from workstation.imaging.luts import VoiWindow
from workstation.imaging.volume import Volume
from workstation.rendering import reformat
from workstation.rendering.engines import Cut, Engine, choose
from workstation.rendering.overlays import Corner
from workstation.rendering.picture import Picture
from workstation.session.view_state import ViewState, Window
from workstation.tools.planes import CannotReformat, geometry_of

Matrix = npt.NDArray[np.float64]


class CannotFuse(CannotReformat):
    """These two have no place in one patient; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """The upper volume and how it is painted.

    `window` None is its own. `into` (4, 4) carries patient millimetres of the lower volume into those of this
    one; None says that both share a frame of reference.
    """

    volume: Volume
    window: Window | None = None
    colours: str = "hot iron"
    opacity: float = 0.5
    into: Matrix | None = None


def render_fused(
    state: ViewState,
    below: Volume,
    above: Overlay,
    width: int,
    height: int,
    corner: Corner | None = None,
    engine: Engine | None = None,
) -> Picture:
    """RGB of the plane or slab of `state`; raises CannotFuse, CannotReformat.

    Where slices of either are still to come the picture is `loading`; what is not there is black or clear.
    """
    laid = reformat.reformat(state, below, width, height)
    under, voi = reformat.layer(state, below, laid.cut)
    upper_state = replace(state, window=above.window, invert=False)
    over, _ = reformat.layer(upper_state, above.volume, overlaid(laid, below, above))
    pixels = (engine or choose()).fused(under, over, laid_over(above.colours, above.opacity))
    window = (voi.centre, voi.width, voi.label) if isinstance(voi, VoiWindow) else None
    drawn = reformat.texts(state, below, laid.frame, corner, window)
    missing = sum(int((~volume.loaded).sum()) for volume in (below, above.volume))
    status, words = ("loading", f"{missing} images to come") if missing else ("shown", "")
    return Picture(pixels, laid.frame, drawn, status, words, window)


def overlaid(laid: reformat.Reformat, below: Volume, above: Overlay) -> Cut:
    """The same places of the patient in the upper volume's own grid."""
    into = _into(below, above)
    inverse = geometry_of(above.volume).inverse
    whole = inverse @ into
    first, step = _first_and_step(laid, below)
    frame = laid.frame

    def point(place: npt.NDArray[np.float64]) -> tuple[float, float, float]:
        x, y, z = whole @ np.array([*place, 1.0])
        return float(x), float(y), float(z)

    def vector(along: npt.NDArray[np.float64]) -> tuple[float, float, float]:
        x, y, z = whole[:, :3] @ along
        return float(x), float(y), float(z)

    return replace(
        laid.cut,
        origin=point(first),
        across=vector(np.array(frame.across)),
        down=vector(np.array(frame.down)),
        through=vector(step),
    )


def _first_and_step(
    laid: reformat.Reformat, below: Volume
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The first sample and the step from plane to plane in the lower volume's patient, in mm."""
    matrix = geometry_of(below).matrix
    return matrix @ np.array([*laid.cut.origin, 1.0]), matrix[:, :3] @ np.array(laid.cut.through)


def _into(below: Volume, above: Overlay) -> Matrix:
    if above.into is not None:
        if above.into.shape != (4, 4) or not np.isfinite(above.into).all():
            raise CannotFuse("the registration is no 4 x 4 matrix of finite numbers")
        return above.into
    frames = [v.display_set.frame_of_reference_uid for v in (below, above.volume)]
    if not frames[0] or frames[0] != frames[1]:
        raise CannotFuse("the two series do not share a frame of reference, and no registration ties them")
    return np.eye(4)
