"""Overlays and shutters laid over a painted image at any zoom, their edges as smooth as its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from workstation.imaging.luts import GreyChain
from workstation.imaging.presentation import Cover, driven
from workstation.rendering.engines import Engine, Flat
from workstation.rendering.picture import Pixels
from workstation.session.view_state import Interpolation

IDENTITY = np.resize(np.arange(256, dtype=np.uint8), 65536)
IDENTITY.setflags(write=False)


def covered(pixels: Pixels, flat: Flat, over: Cover, chain: GreyChain | None, engine: Engine) -> Pixels:
    """The picture (height, width[, 3]) with what lies over its image; itself where there is nothing."""
    if over.drawn is not None:
        pixels = _blended(pixels, _share(over.drawn, flat, engine), driven(1.0, chain))
    if over.closed is not None:
        pixels = _blended(pixels, _share(over.closed, flat, engine), driven(over.level, chain))
    return pixels


def _share(mask: npt.NDArray[np.bool_], flat: Flat, engine: Engine) -> npt.NDArray[np.uint16]:
    """0..255: how much of each viewport pixel the mask takes."""
    image = mask.astype(np.uint8) * np.uint8(255)
    linear = replace(flat, interpolation=Interpolation.LINEAR) if flat.samples > 1 else flat
    return engine.flat(image, linear, IDENTITY).astype(np.uint16)


def _blended(pixels: Pixels, share: npt.NDArray[np.uint16], level: int) -> Pixels:
    part = share[..., None] if pixels.ndim == 3 else share
    mixed = (pixels.astype(np.uint16) * (255 - part) + level * part + 127) // 255
    return mixed.astype(np.uint8)
