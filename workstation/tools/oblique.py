"""Planes at any angle: turned about a line in the patient, and the planes that stand at right angles on one.

Turning a plane about the normal of another makes it oblique; turning it about two makes it double-oblique.
"""

from __future__ import annotations

import math
from dataclasses import replace

from workstation.imaging.geometry import Vector, add, cross, dot, scaled, subtract, unit
from workstation.imaging.volume import Volume
from workstation.session.view_state import Plane, ViewState
from workstation.tools.planes import plane_axes, plane_centre


def turned_vector(vector: Vector, axis: Vector, degrees: float) -> Vector:
    """A vector turned right-handed about an axis (Rodrigues); raises GeometryError for no direction."""
    along = unit(axis)
    angle = math.radians(degrees)
    kept = scaled(vector, math.cos(angle))
    swept = add(kept, cross(along, vector), math.sin(angle))
    return add(swept, along, dot(along, vector) * (1.0 - math.cos(angle)))


def free(state: ViewState, volume: Volume) -> ViewState:
    """The same plane as an oblique one that can be turned; flips and quarter turns go into its axes."""
    right, down = plane_axes(state, volume)
    return replace(
        state,
        plane=Plane.OBLIQUE,
        right=right,
        down=down,
        centre=plane_centre(state, volume),
        rotation=0,
        flip_horizontal=False,
        flip_vertical=False,
    )


def turned(
    state: ViewState, volume: Volume, axis: Vector, degrees: float, about: Vector | None = None
) -> ViewState:
    """The plane turned about a line along `axis` (in the patient) through `about`, else its own middle."""
    loose = free(state, volume)
    centre = loose.centre or plane_centre(state, volume)
    pivot = about or centre
    return replace(
        loose,
        right=turned_vector(loose.right, axis, degrees),
        down=turned_vector(loose.down, axis, degrees),
        centre=add(pivot, turned_vector(subtract(centre, pivot), axis, degrees)),
    )


def companions(state: ViewState, volume: Volume) -> tuple[ViewState, ViewState]:
    """The two planes at right angles to this one through its middle: along its right and along its down."""
    loose = free(state, volume)
    normal = cross(loose.right, loose.down)
    return (
        replace(loose, right=loose.right, down=normal),
        replace(loose, right=loose.down, down=normal),
    )


def four(state: ViewState, volume: Volume) -> tuple[ViewState, ViewState, ViewState, ViewState]:
    """Axial, coronal, sagittal and the oblique one of `state`, all through one point."""
    loose = free(state, volume)
    plain = replace(loose, slab=0.0)
    axial, coronal, sagittal = (
        replace(plain, plane=plane) for plane in (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL)
    )
    return axial, coronal, sagittal, loose
