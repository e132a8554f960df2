"""The transfer function: what colour and opacity a value has, to be edited point by point.

Values are modality units (HU, Bq/ml ...); opacity is that of one millimetre of the substance; gradients are
units a millimetre. Frozen: a change makes a new one.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

Colour = tuple[float, float, float]
ENTRIES = 4096
EDGE_ENTRIES = 256
LIGHT_ENTRIES = 257
Floats = npt.NDArray[np.float64]


class TransferError(ValueError):
    """Points that make no transfer function; the message says which and why."""


class Projection(Enum):
    """How the values along a ray become one picture element."""

    COMPOSITE = "composite"
    MAXIMUM = "MIP"
    MINIMUM = "MinIP"


@dataclass(frozen=True, slots=True)
class OpacityPoint:
    """Opacity 0..1 of one millimetre at a value."""

    value: float
    opacity: float


@dataclass(frozen=True, slots=True)
class ColourPoint:
    """Colour (red, green, blue 0..1) at a value."""

    value: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class Shading:
    """Light from where the observer stands: parts of it 0..1, and how narrow highlights are.

    The fainter a gradient below `faint` units a mm, the more it is noise rather than a surface, and the more
    it is lit as if seen from the front.
    """

    ambient: float = 0.25
    diffuse: float = 0.75
    specular: float = 0.2
    power: float = 20.0
    faint: float = 80.0


@dataclass(frozen=True, slots=True)
class TransferFunction:
    """Colour and opacity by value, opacity factor by gradient, light.

    `edges` are (units a mm, factor 0..1) pairs, empty for no gradient opacity. Points ascend in value; beyond
    the ends the end points hold. Raises TransferError for points that are none.
    """

    name: str
    opacity: tuple[OpacityPoint, ...]
    colour: tuple[ColourPoint, ...]
    edges: tuple[tuple[float, float], ...] = ()
    shading: Shading | None = None
    projection: Projection = Projection.COMPOSITE

    def __post_init__(self) -> None:
        _ascending([p.value for p in self.colour], "colour", 2)
        _ascending([p.value for p in self.opacity], "opacity", 2)
        _ascending([gradient for gradient, _ in self.edges], "gradient", 0)
        shares = [p.opacity for p in self.opacity] + [factor for _, factor in self.edges]
        shares += [c for p in self.colour for c in p.colour]
        if not all(0.0 <= share <= 1.0 for share in shares):
            raise TransferError("an opacity or colour lies outside 0 to 1")

    # ── editing ──────────────────────────────────────────────────────────────────────────────────
    def with_opacity(self, value: float, opacity: float) -> TransferFunction:
        """With a point of opacity more, or that at the same value changed."""
        kept = [p for p in self.opacity if p.value != value]
        return self._opacities([*kept, OpacityPoint(value, min(1.0, max(0.0, opacity)))])

    def moved_opacity(self, number: int, value: float, opacity: float) -> TransferFunction:
        """One point of opacity dragged; it stays between its neighbours."""
        points = list(self.opacity)
        low = points[number - 1].value + 1e-3 if number > 0 else -math.inf
        high = points[number + 1].value - 1e-3 if number + 1 < len(points) else math.inf
        points[number] = OpacityPoint(min(high, max(low, value)), min(1.0, max(0.0, opacity)))
        return self._opacities(points)

    def without_opacity(self, number: int) -> TransferFunction:
        """Without one point of opacity; two have to stay."""
        return self._opacities([p for n, p in enumerate(self.opacity) if n != number])

    def with_colour(self, value: float, colour: Colour) -> TransferFunction:
        """With a point of colour more, or that at the same value changed."""
        kept = [p for p in self.colour if p.value != value]
        found = sorted([*kept, ColourPoint(value, colour)], key=lambda p: p.value)
        return replace(self, colour=tuple(found))

    def without_colour(self, number: int) -> TransferFunction:
        """Without one point of colour; two have to stay."""
        return replace(self, colour=tuple(p for n, p in enumerate(self.colour) if n != number))

    def with_edges(self, edges: tuple[tuple[float, float], ...]) -> TransferFunction:
        """With another opacity by gradient."""
        return replace(self, edges=edges)

    def with_shading(self, shading: Shading | None) -> TransferFunction:
        """Lit in another way, or not."""
        return replace(self, shading=shading)

    def shifted(self, by: float) -> TransferFunction:
        """All points moved along the values: the level."""
        return self._placed(lambda value: value + by)

    def stretched(self, factor: float) -> TransferFunction:
        """All points drawn apart about their middle: the width."""
        low, high = self.extent
        middle = (low + high) / 2
        return self._placed(lambda value: middle + (value - middle) * max(0.01, factor))

    def denser(self, factor: float) -> TransferFunction:
        """Every opacity times a factor, no more than 1."""
        return self._opacities(
            [OpacityPoint(p.value, min(1.0, p.opacity * max(0.0, factor))) for p in self.opacity]
        )

    def _opacities(self, points: list[OpacityPoint]) -> TransferFunction:
        return replace(self, opacity=tuple(sorted(points, key=lambda p: p.value)))

    def _placed(self, place: Any) -> TransferFunction:
        return replace(
            self,
            opacity=tuple(OpacityPoint(place(p.value), p.opacity) for p in self.opacity),
            colour=tuple(ColourPoint(place(p.value), p.colour) for p in self.colour),
        )

    # ── looking up ───────────────────────────────────────────────────────────────────────────────
    @property
    def extent(self) -> tuple[float, float]:
        """The lowest and highest value that has a point."""
        values = [p.value for p in self.opacity] + [p.value for p in self.colour]
        return min(values), max(values)

    def opacity_at(self, values: Floats) -> Floats:
        """Opacity of one millimetre."""
        return np.interp(values, [p.value for p in self.opacity], [p.opacity for p in self.opacity])

    def colour_at(self, values: Floats) -> Floats:
        """Colours (..., 3)."""
        at = [p.value for p in self.colour]
        return np.stack(
            [np.interp(values, at, [p.colour[n] for p in self.colour]) for n in range(3)], axis=-1
        )

    def edge_at(self, gradients: Floats) -> Floats:
        """Opacity factor by gradient; 1 where there are no points."""
        if not self.edges:
            return np.ones_like(gradients)
        return np.interp(gradients, [g for g, _ in self.edges], [f for _, f in self.edges])

    @property
    def steepest(self) -> float:
        """The gradient beyond which the factor no longer changes."""
        return self.edges[-1][0] if self.edges else 1.0


def _ascending(values: list[float], what: str, least: int) -> None:
    if len(values) < least:
        raise TransferError(f"{what} needs {least} points at least")
    if not all(math.isfinite(v) for v in values):
        raise TransferError(f"a point of {what} is not finite")
    if any(b <= a for a, b in itertools.pairwise(values)):
        raise TransferError(f"the points of {what} do not ascend")


@dataclass(frozen=True, eq=False)
class Tables:
    """A transfer function as the ray casters look it up; entry = stored value * scale + bias.

    `alpha` float32 is the opacity of one step, `colour` uint32 has 10 bits a channel, `edge` (256) the factor
    by gradient, entry = units a mm * edge_scale, `light` (257, 2) diffuse and specular by cosine.
    """

    alpha: npt.NDArray[np.float32]
    colour: npt.NDArray[np.uint32]
    scale: float
    bias: float
    edge: npt.NDArray[np.float32] | None
    edge_scale: float
    light: npt.NDArray[np.float32] | None
    faint: float


def tables(
    function: TransferFunction, step: float, slope: float = 1.0, intercept: float = 0.0, shaded: bool = True
) -> Tables:
    """For steps of `step` mm through stored values that mean value * slope + intercept (slope above 0).

    Gradients are taken of stored values; light and opacity by gradient are left out where not `shaded`.
    """
    low, high = function.extent
    values = np.linspace(low, high, ENTRIES)
    alpha = 1.0 - (1.0 - np.minimum(function.opacity_at(values), 0.9999)) ** step
    scale = slope * (ENTRIES - 1) / (high - low)
    bias = (intercept - low) * (ENTRIES - 1) / (high - low)
    edge = light = None
    if shaded and function.edges:
        gradients = np.linspace(0.0, function.steepest, EDGE_ENTRIES)
        edge = function.edge_at(gradients).astype(np.float32)
    if shaded and function.shading is not None:
        light = _light(function.shading)
    faint = function.shading.faint if function.shading is not None else 0.0
    edge_scale = slope * (EDGE_ENTRIES - 1) / max(function.steepest, 1e-6)
    return Tables(
        alpha.astype(np.float32), packed(function.colour_at(values)), scale, bias, edge, edge_scale, light,
        faint / slope,
    )  # fmt: skip


def _light(shading: Shading) -> npt.NDArray[np.float32]:
    cosine = np.linspace(0.0, 1.0, LIGHT_ENTRIES)
    dim = shading.ambient + shading.diffuse * cosine
    return np.ascontiguousarray(
        np.stack([dim, shading.specular * cosine**shading.power], axis=-1), np.float32
    )


def packed(colours: Floats) -> npt.NDArray[np.uint32]:
    """Colours (n, 3) of 0..1 with 10 bits a channel, red lowest."""
    parts = np.clip(np.floor(colours * 1023.0 + 0.5), 0, 1023).astype(np.uint32)
    return np.ascontiguousarray(parts[:, 0] | parts[:, 1] << 10 | parts[:, 2] << 20, dtype=np.uint32)
