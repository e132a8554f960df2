"""Standardized uptake of what a cell shows, in words: the value under the pointer, the window, a refusal."""

from __future__ import annotations

import math
from functools import lru_cache

from pacs_core.domain.measurement_words import unit_words
from workstation.imaging.display_sets import DisplaySet
from workstation.imaging.geometry import Vector
from workstation.imaging.headers import FrameHeader
from workstation.imaging.suv import SuvRefusal, SuvScale, suv_scale
from workstation.imaging.volume import Volume
from workstation.session.view_state import Window
from workstation.ui import words

USUAL_TOP = 6.0
"""SUV at which the colours of a fused picture, or the grey of a turning MIP, are full at first."""


class _Frames:
    """The very frames of a display set: equal ones may differ in what is known of the dose."""

    def __init__(self, frames: tuple[FrameHeader, ...]) -> None:
        self.frames = frames

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Frames) and other.frames is self.frames

    def __hash__(self) -> int:
        return id(self.frames)


@lru_cache(maxsize=1024)
def _scale(of: _Frames, index: int) -> SuvScale | SuvRefusal:
    return suv_scale(of.frames[index], series=of.frames)


def scale_of(shown: DisplaySet, index: int) -> SuvScale | SuvRefusal:
    """The scale of one image of a PET series."""
    return _scale(_Frames(shown.frames), index)


def is_pet(shown: DisplaySet) -> bool:
    """Whether there can be an uptake at all."""
    return shown.modality == "PT"


def nearest_image(volume: Volume, point: Vector) -> int:
    """The image whose plane lies nearest to a patient point, held within the series."""
    assert volume.geometry is not None
    place = math.floor(volume.geometry.index(point)[2] + 0.5)
    return min(max(place, 0), len(volume.loaded) - 1)


def value_words(shown: DisplaySet, index: int, value: float) -> str:
    """ "SUV 3.42 g/mL", or "no SUV: …" with the tag that is missing."""
    found = scale_of(shown, index)
    if isinstance(found, SuvRefusal):
        return f"{words.t('no SUV')}: {found.reason}"
    return f"SUV {value * found.factor:.2f} {unit_words(found.unit)}"


def usual_window(shown: DisplaySet) -> Window | None:
    """From nothing to the usual uptake, in the series' own unit; None where there is no uptake."""
    found = scale_of(shown, len(shown) // 2) if is_pet(shown) else None
    if not isinstance(found, SuvScale):
        return None
    top = USUAL_TOP / found.factor
    return Window(top / 2, top)


def window_words(shown: DisplaySet, window: Window) -> str:
    """A window as the SUV at its ends, else in the series' own values."""
    found = scale_of(shown, len(shown) // 2) if is_pet(shown) else None
    factor, name = (found.factor, "SUV ") if isinstance(found, SuvScale) else (1.0, "")
    low, high = ((window.centre + side * window.width / 2) * factor for side in (-1, 1))
    return f"{name}{low:.3g}–{high:.3g}"
