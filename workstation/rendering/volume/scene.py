"""What is to be shown, whole: camera, transfer function, crop box, light. Frozen, and sent as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from workstation.imaging.geometry import as_vector
from workstation.rendering.volume.camera import Camera
from workstation.rendering.volume.crop import CropBox
from workstation.rendering.volume.transfer import (
    ColourPoint,
    OpacityPoint,
    Projection,
    Shading,
    TransferFunction,
)


@dataclass(frozen=True, slots=True)
class Scene:
    """One 3D view of a volume."""

    camera: Camera
    function: TransferFunction
    crop: CropBox | None = None
    shaded: bool = True


@dataclass(frozen=True, slots=True)
class Quality:
    """How finely a picture is made: `sampling` is the step along the ray in voxels (of the smallest edge),
    `scale` the part of the viewport's pixels each way that is really cast, `shaded` whether light is allowed.
    """

    sampling: float = 1.0
    scale: float = 1.0
    shaded: bool = True


MOVING = Quality(1.5, 0.5, False)
STILL = Quality(1.0, 1.0, True)
REFERENCE = Quality(0.25, 1.0, True)


def to_plain(scene: Scene) -> dict[str, Any]:
    """As JSON has it."""
    return {
        **asdict(scene),
        "function": {**asdict(scene.function), "projection": scene.function.projection.value},
    }


def from_plain(content: dict[str, Any]) -> Scene:
    """Of what `to_plain` made; raises KeyError, TypeError or ValueError for anything else."""
    camera, crop, function = content["camera"], content["crop"], content["function"]
    return Scene(
        Camera(
            as_vector(camera["centre"]),
            as_vector(camera["right"]),
            as_vector(camera["down"]),
            float(camera["field"]),
        ),
        _function(function),
        None if crop is None else _box(crop),
        bool(content["shaded"]),
    )


def _box(content: dict[str, Any]) -> CropBox:
    x, y, z = (as_vector(axis) for axis in content["axes"])
    return CropBox(as_vector(content["centre"]), (x, y, z), as_vector(content["half"]))


def _function(content: dict[str, Any]) -> TransferFunction:
    shading = content["shading"]
    return TransferFunction(
        str(content["name"]),
        tuple(OpacityPoint(float(p["value"]), float(p["opacity"])) for p in content["opacity"]),
        tuple(ColourPoint(float(p["value"]), as_vector(p["colour"])) for p in content["colour"]),
        tuple((float(g), float(f)) for g, f in content["edges"]),
        None if shading is None else Shading(**shading),
        Projection(content["projection"]),
    )
