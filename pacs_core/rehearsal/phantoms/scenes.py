"""Scenes to cut: a plain body, a chest-like one with nodules in its lungs, a row of balls, a lattice."""

from __future__ import annotations

from collections.abc import Sequence

from pacs_core.rehearsal.phantoms.rendering import Scene
from pacs_core.rehearsal.phantoms.shapes import Box, Ellipsoid, Grid, Rod, Shape, Sphere, Vector

WATER, LUNG, FAT, MUSCLE, BONE, BLOOD = 0.0, -850.0, -100.0, 55.0, 450.0, 45.0


def plain_scene(inserts: Sequence[Shape | Grid], radius: float = 120.0, hu: float = WATER) -> Scene:
    """Inserts in a large ball of water, everything about the origin."""
    return Scene((Sphere((0.0, 0.0, 0.0), 2 * radius, hu, "body"), *inserts))


def ball_scene(
    diameters: Sequence[float], pitch: float, hu: float = 60.0, background: float = -850.0
) -> Scene:
    """Balls of the diameters (mm) in a row along the patient's left, `pitch` mm apart, in lung or in air."""
    first = -(len(diameters) - 1) / 2 * pitch
    balls = (Sphere((first + i * pitch, 0.0, 0.0), d, hu, f"ball-{d:g}") for i, d in enumerate(diameters))
    return Scene(tuple(balls), background)


def lattice_scene(grid: Grid, rods: Sequence[Rod] = (), background: float = WATER) -> Scene:
    """A grid's lines, and rods beside it, in water."""
    return Scene((grid, *rods), background)


def chest_scene(nodules: Sequence[Sphere] = (), *, table: bool = True) -> Scene:
    """A body that reads as a chest: skin, fat, muscle, two lungs, heart, liver dome, spine, sternum, ribs.

    LPS mm about the middle of the chest: right lung at -x, spine at +y. The nodules are painted last.
    """
    shapes: list[Shape] = [
        Ellipsoid((0, 0, 0), (180, 125, 330), FAT, "skin"),
        Ellipsoid((0, 2, 0), (168, 113, 325), MUSCLE, "wall"),
        *_ribs(),
        Ellipsoid((-78, -4, 0), (68, 92, 150), LUNG, "right lung"),
        Ellipsoid((78, -4, 0), (66, 90, 150), LUNG, "left lung"),
        Ellipsoid((22, -34, -45), (58, 46, 60), BLOOD, "heart"),
        Ellipsoid((-70, -5, -150), (85, 95, 62), 60.0, "liver"),
        Ellipsoid((95, 20, -150), (50, 55, 45), 50.0, "spleen"),
        Rod((20, 55, -200), (20, 55, 60), 24, BLOOD, "aorta", sharp=False),
        Rod((0, 12, 40), (0, 12, 200), 18, -990.0, "trachea", sharp=False),
        Rod((0, 84, -260), (0, 84, 260), 38, BONE, "spine", sharp=False),
        Box((0, -103, 30), (32, 10, 150), BONE - 150, name="sternum", sharp=False),
        *_vessels(),
        *nodules,
    ]
    if table:
        shapes.append(Box((0, 150, 0), (420, 12, 700), -300.0, name="table", sharp=False))
    return Scene(tuple(shapes))


def _ribs() -> list[Shape]:
    """Rings between chest wall and lung: an ellipsoid of bone with its inside painted over, every 24 mm."""
    rings: list[Shape] = []
    for z in range(-140, 150, 24):
        rings.append(Ellipsoid((0, 0, z), (157, 104, 6), BONE, "rib"))
        rings.append(Ellipsoid((0, 0, z), (148, 96, 7), MUSCLE, "inside of the rib"))
    return rings


def _vessels() -> list[Shape]:
    """Branches from each hilum outwards, so that a lung is not a flat grey."""
    tips = (
        (45, -55, 60),
        (58, 10, 40),
        (50, -50, -20),
        (55, 30, -60),
        (30, 60, 20),
        (48, -10, -90),
        (35, -20, 100),
    )
    hila: tuple[Vector, Vector] = ((-40, 5, 0), (40, 5, 0))
    vessels: list[Shape] = []
    for hilum, side in zip(hila, (-1, 1), strict=True):
        for x, y, z in tips:
            end = (hilum[0] + side * x, hilum[1] + y, hilum[2] + z)
            vessels.append(Rod(hilum, end, 4.5, BLOOD, "vessel", sharp=False))
    return vessels
