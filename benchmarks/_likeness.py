"""How alike two pictures are: SSIM over 7 x 7 windows (Wang, Bovik, Sheikh, Simoncelli 2004)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

WINDOW = 7
Floats = npt.NDArray[np.float64]


def _means(values: Floats) -> Floats:
    total = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    total[1:, 1:] = values.cumsum(axis=0).cumsum(axis=1)
    n = WINDOW
    return np.asarray((total[n:, n:] - total[:-n, n:] - total[n:, :-n] + total[:-n, :-n]) / (n * n))


def ssim(one: npt.NDArray[Any], other: npt.NDArray[Any], shown_only: bool = False) -> float:
    """Of two uint8 pictures of one size (luminance of colour), or of the places alone where either shows
    anything, which is harder: black is like black.
    """
    a, b = (_luminance(p) for p in (one, other))
    ma, mb = _means(a), _means(b)
    va, vb, both = _means(a * a) - ma * ma, _means(b * b) - mb * mb, _means(a * b) - ma * mb
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    found = ((2 * ma * mb + c1) * (2 * both + c2)) / ((ma * ma + mb * mb + c1) * (va + vb + c2))
    shown = (ma > 0.5) | (mb > 0.5)
    if not shown_only:
        return float(found.mean())
    return float(found[shown].mean()) if shown.any() else 1.0


def _luminance(pixels: npt.NDArray[Any]) -> Floats:
    wide = pixels.astype(np.float64)
    return np.asarray(wide @ np.array([0.299, 0.587, 0.114])) if wide.ndim == 3 else wide


def enlarged(pixels: npt.NDArray[Any], width: int, height: int) -> npt.NDArray[np.uint8]:
    """Bilinear, as the window shows a coarse picture."""
    h, w = pixels.shape[:2]
    y = np.clip((np.arange(height) + 0.5) * h / height - 0.5, 0, h - 1)
    x = np.clip((np.arange(width) + 0.5) * w / width - 0.5, 0, w - 1)
    y0, x0 = np.minimum(y.astype(int), h - 2), np.minimum(x.astype(int), w - 2)
    fy, fx = (y - y0)[:, None, None], (x - x0)[None, :, None]
    wide = pixels.astype(np.float64)
    rows = wide[y0] * (1 - fy) + wide[y0 + 1] * fy
    made = rows[:, x0] * (1 - fx) + rows[:, x0 + 1] * fx
    return np.asarray(np.floor(made + 0.5), dtype=np.uint8)
