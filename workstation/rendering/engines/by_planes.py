"""What an engine does that has no quicker way: colour a plane at a time, a projection as the slab it is."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from workstation.rendering.engines.engine import Array, Cut, Flat, Grey, Stations, Summits


class ByPlanes(ABC):
    """The part of `Engine` that follows from `cut_grey` and from laying one plane flat."""

    @abstractmethod
    def cut_grey(
        self, volume: Array, cut: Cut, table: Grey, background: int = 0, stations: Stations = None
    ) -> Grey:
        """As `Engine.cut_grey`."""

    @abstractmethod
    def _flat_plane(self, plane: Array, flat: Flat, table: Grey | None, background: int) -> Grey:
        """`Engine.flat` of (rows, columns)."""

    def flat(self, image: Array, flat: Flat, table: Grey | None, background: int = 0) -> Grey:
        if image.ndim == 2:
            return self._flat_plane(image, flat, table, background)
        planes = [np.ascontiguousarray(image[..., n]) for n in range(3)]
        return np.stack([self._flat_plane(p, flat, table, background) for p in planes], axis=-1)

    def summits(self, volume: Array) -> Summits | None:
        return None

    def projected(
        self,
        volume: Array,
        cut: Cut,
        table: Grey,
        background: int = 0,
        stations: Stations = None,
        summits: Summits | None = None,
    ) -> Grey:
        return self.cut_grey(volume, cut, table, background, stations)
