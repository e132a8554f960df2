"""Test patterns for displays, after the descriptions of AAPM TG18 and Report 270; drawn here, in P-values.

Each is uint16 (height, width), 0 to 1023: ten bits, as the luminance patterns ask. `eight_bit` makes of it
what a display table of 1024 entries drives.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt

P = npt.NDArray[np.uint16]
TOP = 1023
STEPS = 18  # of the luminance patterns
SMALLEST = 64


def quality_control(width: int, height: int) -> P:
    """TG18-QC in kind: grid, 16 patches with 5 and 95 % insets, a ramp, line pairs and low contrast."""
    picture = np.full((height, width), round(0.5 * TOP), dtype=np.uint16)
    side = min(width, height)
    for line in range(17):
        y, x = round(line * (height - 1) / 16), round(line * (width - 1) / 16)
        picture[y], picture[:, x] = round(0.75 * TOP), round(0.75 * TOP)
    _patches(picture, side)
    _ramp(picture)
    _line_pairs(picture, side)
    _low_contrast(picture, side)
    return picture


def _box(picture: P, y: float, x: float, size: float, level: int) -> None:
    """A square about a place given as shares of the picture; `size` in pixels."""
    height, width = picture.shape
    top, left = round(y * height - size / 2), round(x * width - size / 2)
    picture[max(top, 0) : top + round(size), max(left, 0) : left + round(size)] = level


def _patches(picture: P, side: int) -> None:
    """16 levels in a ring about the middle; black and white with the faint squares that must be seen."""
    size = side / 10
    for n in range(16):
        angle = 2 * np.pi * n / 16
        y, x = 0.5 - 0.3 * np.cos(angle), 0.5 + 0.3 * np.sin(angle)
        _box(picture, y, x, size, round(n / 15 * TOP))
    for x, ground, inset in ((0.42, 0.0, 0.05), (0.58, 1.0, 0.95)):
        _box(picture, 0.5, x, 1.3 * size, round(ground * TOP))
        _box(picture, 0.5, x, 0.5 * size, round(inset * TOP))


def _ramp(picture: P) -> None:
    """Every level once from left to right, below and above."""
    height, width = picture.shape
    ramp = np.round(np.linspace(0, TOP, width)).astype(np.uint16)
    band = max(height // 24, 2)
    picture[-band:], picture[:band] = ramp, ramp[::-1]


def _line_pairs(picture: P, side: int) -> None:
    """One pixel on, one off, upright and level, in the middle and the corners, of full and low contrast."""
    size = max(side // 20, 8)
    stripes = (np.arange(size) % 2).astype(bool)
    for y in (0.12, 0.5, 0.88):
        for x in (0.08, 0.92) if y != 0.5 else (0.5,):
            for number, (low, high) in enumerate(((0, TOP), (round(0.48 * TOP), round(0.52 * TOP)))):
                block = np.where(stripes, high, low).astype(np.uint16)
                top = round(y * picture.shape[0]) - size + number * size
                left = round(x * picture.shape[1]) - size
                _put(picture, top, left, np.broadcast_to(block, (size, size)))
                _put(picture, top, left + size, np.broadcast_to(block[:, None], (size, size)))


def _put(picture: P, top: int, left: int, block: P) -> None:
    part = picture[max(top, 0) : top + block.shape[0], max(left, 0) : left + block.shape[1]]
    part[...] = block[: part.shape[0], : part.shape[1]]


def _low_contrast(picture: P, side: int) -> None:
    """Squares a little off their ground, fainter from left to right, on black, grey and white."""
    for y, ground in ((0.76, 0.0), (0.8, 0.5), (0.84, 1.0)):
        for n, step in enumerate((24, 18, 12, 8, 6, 4, 2)):
            x = 0.35 + 0.05 * n
            level = round(ground * TOP)
            _box(picture, y, x, side / 26, level)
            _box(picture, y, x, side / 52, level + step if ground < 1 else level - step)


def luminance_step(width: int, height: int, step: int) -> P:
    """TG18-LN01 to 18 in kind: a tenth of the area in the middle at the step's P-value, on a fifth of full
    luminance's P-value; raises ValueError for other steps.
    """
    if not 1 <= step <= STEPS:
        raise ValueError(f"there are {STEPS} luminance steps, not {step}")
    picture = np.full((height, width), round(153 / 1023 * TOP), dtype=np.uint16)
    size = round(np.sqrt(0.1 * width * height))
    _box(picture, 0.5, 0.5, size, round((step - 1) / (STEPS - 1) * TOP))
    return picture


def uniform(width: int, height: int, share: float) -> P:
    """TG18-UN10 and UN80 in kind: one level, corners and middle marked thinly."""
    picture = np.full((height, width), round(share * TOP), dtype=np.uint16)
    mark = round((share + (0.15 if share < 0.5 else -0.15)) * TOP)
    size = max(min(width, height) // 10, 8)
    for y, x in ((0.1, 0.1), (0.1, 0.9), (0.5, 0.5), (0.9, 0.1), (0.9, 0.9)):
        top, left = round(y * height) - size // 2, round(x * width) - size // 2
        picture[top, left : left + size] = picture[top + size, left : left + size] = mark
        picture[top : top + size, left] = picture[top : top + size + 1, left + size] = mark
    return picture


def ramp(width: int, height: int) -> P:
    """TG270-pQC in kind: a smooth ramp over the whole width, in which no band may show."""
    return np.tile(np.round(np.linspace(0, TOP, width)).astype(np.uint16), (height, 1))


def bars(width: int, height: int) -> P:
    """TG270-sQC in kind: 18 bars from black to white, each with squares 4, 8 and 12 of 1023 off it."""
    picture = np.zeros((height, width), dtype=np.uint16)
    edges = np.round(np.linspace(0, width, STEPS + 1)).astype(int)
    for n in range(STEPS):
        level = round(n / (STEPS - 1) * TOP)
        picture[:, edges[n] : edges[n + 1]] = level
        for place, step in enumerate((4, 8, 12)):
            size = max((edges[n + 1] - edges[n]) // 2, 2)
            y, x = (0.25 + 0.25 * place), (edges[n] + edges[n + 1]) / 2 / width
            _box(picture, y, x, size, level + step if level < TOP / 2 else level - step)
    return picture


PATTERNS: dict[str, Callable[[int, int], P]] = {
    "TG18-QC": quality_control,
    **{f"TG18-LN-{n:02d}": partial(luminance_step, step=n) for n in range(1, STEPS + 1)},
    "TG18-UN10": lambda w, h: uniform(w, h, 0.1),
    "TG18-UN80": lambda w, h: uniform(w, h, 0.8),
    "TG270-sQC": bars,
    "TG270-pQC": ramp,
}


def pattern(name: str, width: int, height: int) -> P:
    """A pattern by its name at a monitor's size; raises KeyError, and ValueError for less than 64 pixels."""
    if min(width, height) < SMALLEST:
        raise ValueError(f"a pattern needs at least {SMALLEST} pixels each way")
    return PATTERNS[name](width, height)


def eight_bit(picture: P, table: tuple[int, ...] | None = None) -> npt.NDArray[np.uint8]:
    """A pattern as driving levels 0..255, through a monitor's display table where it has one."""
    if table is None:
        return ((picture.astype(np.uint32) * 255 + TOP // 2) // TOP).astype(np.uint8)
    places = (picture.astype(np.uint32) * (len(table) - 1) + TOP // 2) // TOP
    return np.asarray(table, dtype=np.uint8)[places]
