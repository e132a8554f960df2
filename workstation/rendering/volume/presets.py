"""Transfer functions to begin with: CT ones in Hounsfield units, others laid over the values that are there.

Colours are chosen so that tissue keeps its own hue from preset to preset: bone ivory, vessels red, lung pale.
"""

from __future__ import annotations

from dataclasses import dataclass

from workstation.rendering.volume.transfer import (
    Colour,
    ColourPoint,
    OpacityPoint,
    Projection,
    Shading,
    TransferFunction,
)

IVORY, BONE, SHADE = (1.0, 0.98, 0.90), (0.93, 0.85, 0.68), (0.55, 0.36, 0.24)
RED, DARK_RED, FLESH = (0.86, 0.22, 0.17), (0.45, 0.12, 0.10), (0.78, 0.47, 0.36)
SKIN, PALE, WHITE, BLACK = (0.88, 0.67, 0.55), (0.80, 0.84, 0.90), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)
FAT, BLUE, ORANGE = (0.90, 0.80, 0.52), (0.35, 0.55, 0.80), (1.0, 0.62, 0.12)

HARD = Shading(0.22, 0.78, 0.30, 24.0, 150.0)
SOFT = Shading(0.30, 0.70, 0.12, 12.0, 100.0)


@dataclass(frozen=True, slots=True)
class Preset:
    """A named transfer function; a `relative` one has its values from 0 to 1 of the values that are there."""

    name: str
    function: TransferFunction
    modalities: tuple[str, ...]
    relative: bool = False

    def for_values(self, low: float, high: float) -> TransferFunction:
        """The transfer function for a volume whose values of interest run from low to high."""
        if not self.relative:
            return self.function
        span = max(high - low, 1e-6)
        f = self.function
        return TransferFunction(
            f.name,
            tuple(OpacityPoint(low + p.value * span, p.opacity) for p in f.opacity),
            tuple(ColourPoint(low + p.value * span, p.colour) for p in f.colour),
            tuple((gradient * span, factor) for gradient, factor in f.edges),
            f.shading and Shading(*_light(f.shading), faint=f.shading.faint * span / 1000.0),
            f.projection,
        )


def _light(s: Shading) -> tuple[float, float, float, float]:
    return s.ambient, s.diffuse, s.specular, s.power


def _preset(
    name: str,
    opacity: tuple[tuple[float, float], ...],
    colour: tuple[tuple[float, Colour], ...],
    modalities: tuple[str, ...] = ("CT",),
    shading: Shading | None = SOFT,
    edges: tuple[tuple[float, float], ...] = (),
    relative: bool = False,
) -> Preset:
    function = TransferFunction(
        name,
        tuple(OpacityPoint(*p) for p in opacity),
        tuple(ColourPoint(*p) for p in colour),
        edges,
        shading,
    )
    return Preset(name, function, modalities, relative)


def _projection(
    name: str,
    kind: Projection,
    low: float,
    high: float,
    modalities: tuple[str, ...],
    relative: bool = False,
) -> Preset:
    function = TransferFunction(
        name,
        (OpacityPoint(low, 0.0), OpacityPoint(high, 1.0)),
        (ColourPoint(low, BLACK), ColourPoint(high, WHITE)),
        projection=kind,
    )
    return Preset(name, function, modalities, relative)


PRESETS: tuple[Preset, ...] = (
    _preset(
        "CT bone",
        ((140, 0.0), (260, 0.12), (420, 0.65), (1200, 0.85)),
        ((140, SHADE), (300, BONE), (700, IVORY), (2000, WHITE)),
        shading=HARD,
    ),
    _preset(
        "CT bone and skin",
        ((-450, 0.0), (-250, 0.03), (-60, 0.015), (60, 0.0), (150, 0.0), (300, 0.25), (700, 0.8)),
        ((-450, SKIN), (0, SKIN), (150, SHADE), (350, BONE), (900, IVORY)),
        shading=HARD,
    ),
    _preset(
        "CT lung",
        ((-950, 0.0), (-900, 0.004), (-740, 0.03), (-600, 0.06), (-420, 0.0), (-200, 0.0)),
        ((-950, BLUE), (-760, PALE), (-550, SKIN), (-200, FLESH)),
    ),
    _preset(
        "CT airways",
        ((-1024, 0.30), (-960, 0.22), (-925, 0.0), (-300, 0.0)),
        ((-1024, (0.55, 0.80, 0.92)), (-940, (0.75, 0.90, 0.95)), (-300, PALE)),
    ),
    _preset(
        "CT angio",
        ((130, 0.0), (190, 0.16), (320, 0.5), (560, 0.7), (1200, 0.8)),
        ((130, DARK_RED), (220, RED), (380, ORANGE), (560, BONE), (1200, IVORY)),
        shading=HARD,
    ),
    _preset(
        "CT cardiac",
        ((60, 0.0), (120, 0.03), (200, 0.16), (340, 0.45), (700, 0.7)),
        ((60, DARK_RED), (140, (0.70, 0.22, 0.18)), (260, (0.88, 0.45, 0.30)), (420, BONE), (900, IVORY)),
        shading=HARD,
    ),
    _preset(
        "CT abdomen",
        ((-20, 0.0), (30, 0.012), (80, 0.06), (150, 0.16), (260, 0.45), (700, 0.7)),
        ((-20, FAT), (40, FLESH), (110, (0.72, 0.30, 0.24)), (180, RED), (300, BONE), (900, IVORY)),
    ),
    _preset(
        "CT muscle",
        ((-60, 0.0), (0, 0.05), (50, 0.28), (110, 0.3), (160, 0.25), (400, 0.8)),
        ((-60, FAT), (10, (0.70, 0.32, 0.26)), (80, (0.62, 0.20, 0.17)), (200, BONE), (700, IVORY)),
    ),
    _preset(
        "CT skin",
        ((-600, 0.0), (-350, 0.35), (-150, 0.8), (3000, 0.8)),
        ((-600, SKIN), (-200, SKIN), (200, (0.92, 0.76, 0.64))),
    ),
    _preset(
        "CT transparent",
        ((-200, 0.0), (-50, 0.002), (60, 0.006), (200, 0.03), (500, 0.12), (1500, 0.3)),
        ((-200, SKIN), (20, FLESH), (150, RED), (350, BONE), (900, IVORY)),
        shading=None,
    ),
    _projection("CT MIP", Projection.MAXIMUM, -50.0, 700.0, ("CT",)),
    _projection("CT MIP bone", Projection.MAXIMUM, 100.0, 1600.0, ("CT",)),
    _projection("CT MinIP", Projection.MINIMUM, -1024.0, -600.0, ("CT",)),
    _preset(
        "MR default",
        ((0.10, 0.0), (0.25, 0.02), (0.55, 0.10), (1.0, 0.35)),
        ((0.0, BLACK), (0.25, (0.50, 0.38, 0.34)), (0.55, (0.85, 0.75, 0.68)), (1.0, WHITE)),
        ("MR", "US", "OT"),
        relative=True,
    ),
    _preset(
        "MR surface",
        ((0.08, 0.0), (0.16, 0.4), (0.3, 0.8)),
        ((0.0, SKIN), (0.5, SKIN), (1.0, (0.95, 0.85, 0.76))),
        ("MR", "US", "OT"),
        relative=True,
    ),
    _preset(
        "MR angio",
        ((0.45, 0.0), (0.6, 0.2), (0.85, 0.7)),
        ((0.4, DARK_RED), (0.65, RED), (1.0, (1.0, 0.85, 0.70))),
        ("MR",),
        HARD,
        relative=True,
    ),
    _projection("MIP", Projection.MAXIMUM, 0.05, 1.0, ("MR", "US", "OT"), relative=True),
    _projection("MinIP", Projection.MINIMUM, 0.0, 0.6, ("MR", "US", "OT"), relative=True),
    _preset(
        "PET",
        ((0.12, 0.0), (0.25, 0.02), (0.5, 0.15), (1.0, 0.6)),
        ((0.1, (0.25, 0.05, 0.30)), (0.35, (0.80, 0.20, 0.15)), (0.65, ORANGE), (1.0, (1.0, 1.0, 0.75))),
        ("PT", "NM"),
        None,
        relative=True,
    ),
    _projection("PET MIP", Projection.MAXIMUM, 0.0, 1.0, ("PT", "NM"), relative=True),
)


def preset_named(name: str) -> Preset:
    """Raises LookupError where there is none."""
    for preset in PRESETS:
        if preset.name == name:
            return preset
    raise LookupError(f"no preset is called {name}")


def presets_for(modality: str) -> tuple[Preset, ...]:
    """Those made for a modality first; for one that has none, all that lie over any values."""
    known = modality if any(modality in p.modalities for p in PRESETS) else "OT"
    own = [p for p in PRESETS if known in p.modalities]
    return (*own, *(p for p in PRESETS if p not in own and p.relative))
