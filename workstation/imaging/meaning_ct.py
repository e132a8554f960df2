"""What a CT series means: the kernel by its maker's name, and the phase of contrast by its words."""

from __future__ import annotations

import re

from workstation.imaging.headers import FrameHeader
from workstation.imaging.meaning_words import has, text_of

KERNELS = ("soft", "lung", "bone")
PHASES = frozenset({"arterial", "portal venous", "delayed"})

NAMED = {
    "soft": r"soft|standard|std|stnd|chst|detail|brain|u?a|ua|ub|b|smooth|body|weichteil\w*|medias\w*",
    "lung": r"lung\w*|l|pulm\w*",
    "bone": r"bone\w*|boneplus|edge|ya|yb|yc|yd|d|knochen\w*|osseous|sharp",
}
SIEMENS = re.compile(r"^(?P<part>[BHTIUJDQS])(?P<kind>[a-z]?)(?P<sharp>\d{2})")
CANON = re.compile(r"^FC(?P<number>\d{2})")
SHARP_BODY, SHARP_HEAD = 50, 55
OVERWRITES = {
    "lung": r"lung\w*|lunge|pulm\w*|lf",
    "bone": r"bone\w*|knochen\w*|osseous",
    "soft": r"soft( tissue)?|std|standard|weichteil\w*|medias\w*",
}


def kernel(first: FrameHeader, own: str) -> str:
    """Soft, lung or bone: by Convolution Kernel (0018,1210), else by the series' own words."""
    return _named_kernel(text_of(first, "ConvolutionKernel").split("\\", maxsplit=1)[0]) or next(
        (name for name, words in OVERWRITES.items() if has(own, words)), ""
    )


def _named_kernel(name: str) -> str:
    siemens, canon = SIEMENS.match(name), CANON.match(name)
    if siemens:
        return _siemens(siemens["part"], siemens["kind"], int(siemens["sharp"]))
    if canon:
        return _canon(int(canon["number"]))
    said = re.sub(r"[^a-z0-9]+", " ", name.casefold()).strip()
    return next((kind for kind, words in NAMED.items() if has(said, words)), "")


def _siemens(part: str, kind: str, sharp: int) -> str:
    """B body, H head, U very sharp; a second letter says l for lung; numbers rise with sharpness."""
    if part == "T":
        return ""
    if kind == "l":
        return "lung"
    if part == "U" or (part == "H" and sharp >= SHARP_HEAD):
        return "bone"
    return "lung" if part in "BI" and sharp >= SHARP_BODY else "soft"


def _canon(number: int) -> str:
    """FC01-19 body, 20-29 head, 30-49 bone and inner ear, 50-59 lung, 80-89 sharpest."""
    if 50 <= number < 60:
        return "lung"
    return "bone" if 30 <= number < 50 or number >= 80 else "soft"


def phase(own: str) -> str:
    """The phase of contrast as the series' words name it."""
    if has(own, r"art|arterial|arteriell"):
        return "arterial"
    if has(own, r"portal|venous|ven|pv|portalvenos"):
        return "portal venous"
    return "delayed" if has(own, r"delay(ed)?|late|excret\w*|nephro\w*|spat") else ""
