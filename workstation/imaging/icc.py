"""Colour as it was meant: the ICC profile of an image's input to sRGB (PS3.3 C.11.15, ICC.1)."""

from __future__ import annotations

import logging
import zlib
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pacs_core.dicom.attributes import unpacked
from workstation.imaging.values import Attributes

Rgb = npt.NDArray[np.uint8]
LOG = logging.getLogger("reading_room.view")


class ProfileError(ValueError):
    """A profile that cannot be used; the colours are then shown as they are stored."""


def profile_of(attributes: Attributes) -> bytes | None:
    """The image's profile, None where it has none; raises ProfileError where it is damaged."""
    value = attributes.get("ICCProfile")
    if not isinstance(value, str) or not value:
        return None
    try:
        data = unpacked(value)
    except (ValueError, zlib.error) as error:
        raise ProfileError("the ICC profile cannot be read") from error
    return _checked(data)


@lru_cache(maxsize=8)
def _checked(data: bytes) -> bytes:
    """The profile within its own stated length, of an RGB space (ICC.1 7.2)."""
    import imagecodecs

    size = int.from_bytes(data[:4], "big")
    if len(data) < 132 or data[36:40] != b"acsp" or not 132 <= size <= len(data):
        raise ProfileError("the ICC profile is damaged")
    if data[16:20] != b"RGB ":
        raise ProfileError(f"an ICC profile of {data[16:20].decode('latin_1').strip()} colours, not RGB")
    try:
        imagecodecs.cms_profile_validate(data[:size])
    except (imagecodecs.CmsError, ValueError) as error:
        raise ProfileError("the ICC profile is damaged") from error
    return data[:size]


def to_srgb(pixels: Rgb, profile: bytes) -> Rgb:
    """RGB (rows, columns, 3) of a profile's space as sRGB, relative colorimetric; raises ProfileError."""
    import imagecodecs

    try:
        found = imagecodecs.cms_transform(
            np.ascontiguousarray(pixels), profile, imagecodecs.cms_profile("srgb"), colorspace="rgb",
            outcolorspace="rgb", intent=imagecodecs.CMS.INTENT.RELATIVE_COLORIMETRIC,
        )  # fmt: skip
    except (imagecodecs.CmsError, ValueError) as error:
        LOG.warning("an ICC profile was not applied: %s", error)
        raise ProfileError("the ICC profile cannot be applied") from error
    return np.asarray(found, dtype=np.uint8)
