"""What a measurement of a phantom has to give: the shapes themselves, and the slices they were cut by."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from pacs_core.rehearsal.phantoms.geometry import SliceStack
from pacs_core.rehearsal.phantoms.shapes import Grid, Rod, Sphere


@dataclass(frozen=True, slots=True)
class Truth:
    """Spheres, rods and grids in LPS millimetres and HU, with the frame of reference they are told in."""

    frame_of_reference_uid: str
    series_uid: str
    slices: SliceStack
    spheres: tuple[Sphere, ...] = ()
    rods: tuple[Rod, ...] = ()
    grids: tuple[Grid, ...] = ()

    def sphere(self, name: str) -> Sphere:
        """The sphere of that name; raises KeyError."""
        return {s.name: s for s in self.spheres}[name]

    def diameter_in(self, sphere: Sphere, index: int) -> float:
        """What a calliper across the sphere has to read on one slice (mm); 0 where the slice misses it."""
        return sphere.chord(self.slices.height(sphere.centre, index))

    def to_json(self) -> str:
        """The truth as text to lie beside the files."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)

    @staticmethod
    def from_json(text: str) -> Truth:
        """Read back what `to_json` wrote; raises KeyError or ValueError for anything else."""
        data = json.loads(text)
        return Truth(
            data["frame_of_reference_uid"],
            data["series_uid"],
            SliceStack(**_tuples(data["slices"])),
            tuple(Sphere(**_tuples(s)) for s in data["spheres"]),
            tuple(Rod(**_tuples(r)) for r in data["rods"]),
            tuple(Grid(**_tuples(g)) for g in data["grids"]),
        )


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
