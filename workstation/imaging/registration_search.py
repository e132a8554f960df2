"""Finding a transform: all shifts at once on a rough grid, then descent from coarse to fine."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from workstation.imaging.registration_grid import Ask, Grid, Stopped, linear, toolkit
from workstation.imaging.registration_transform import Transform, rotation

Floats = npt.NDArray[np.float64]
Spectrum = npt.NDArray[np.complex128]

TURNS = ((0, 0, 0), (0, 0, 14), (0, 0, -14), (14, 0, 0), (-14, 0, 0), (0, 14, 0), (0, -14, 0))  # degrees
LEAST_OVERLAP = 0.25
STARTS = 2
SAMPLES = 10_000  # places of the body that are compared, per level; more find nothing else
AGREEING = 50_000


def coarse_starts(current: Grid, prior: Grid, mm: float, ask: Ask) -> list[Transform]:
    """The best few of all shifts under a handful of turns."""
    fixed = _thinned(prior, mm)
    about = current.centre
    found: list[tuple[float, Transform]] = []
    for degrees in TURNS:
        ask()
        turn = rotation(np.radians(degrees))
        moving = _turned(current, turn, about, mm)
        score, shift = _best_shift(fixed, moving)
        found.append((score, Transform(turn, about - turn @ about + shift)))
    found.sort(key=lambda pair: -pair[0])
    return [start for _, start in found[:STARTS]]


def _thinned(grid: Grid, mm: float) -> Grid:
    return _turned(grid, np.eye(3), np.zeros(3), mm)


def _turned(grid: Grid, turn: Floats, about: Floats, mm: float) -> Grid:
    """The grid turned about a point and sampled anew every `mm`, smoothed as far as that needs."""
    low = grid.origin
    high = low + grid.mm * (np.array(grid.values.shape[::-1]) - 1)
    corners = np.array(list(product(*zip(low, high, strict=True))))
    corners = (corners - about) @ turn.T + about
    start, end = corners.min(axis=0), corners.max(axis=0)
    counts = np.ceil((end - start) / mm).astype(int) + 1
    z, y, x = np.meshgrid(*(np.arange(n) for n in counts[::-1]), indexing="ij")
    points = start + mm * np.stack([x, y, z], axis=-1).reshape(-1, 3)
    source = ((points - about) @ turn + about - grid.origin) / grid.mm
    shape = (int(counts[2]), int(counts[1]), int(counts[0]))
    size = np.array(grid.values.shape[::-1])
    inside = ((source >= -0.5) & (source <= size - 0.5)).all(axis=1)
    smooth = _smoothed(grid.values, max(1, round(mm / grid.mm)))
    values = np.where(inside, linear(smooth, source.T), 0.0).reshape(shape).astype(np.float32)
    body = (inside & (linear(grid.body.astype(np.float32), source.T) > 0.5)).reshape(shape)
    return Grid(values, inside.reshape(shape), body, start, mm, grid.modality)


def _smoothed(values: npt.NDArray[np.float32], width: int) -> npt.NDArray[np.float32]:
    """A running mean of `width` along each axis."""
    if width < 2:
        return values
    found = values.astype(np.float64)
    for axis in range(3):
        rolled = [np.roll(found, n - width // 2, axis) for n in range(width)]
        found = np.mean(rolled, axis=0)
    return found.astype(np.float32)


def _best_shift(fixed: Grid, moving: Grid) -> tuple[float, Floats]:
    """(correlation, shift in mm) that lays `moving` upon `fixed` best, over all shifts (Padfield 2012)."""
    f, fm = fixed.values * fixed.body, fixed.body.astype(np.float64)
    g, gm = moving.values * moving.body, moving.body.astype(np.float64)
    shape = [a + b - 1 for a, b in zip(f.shape, g.shape, strict=True)]
    shape = [_handy(n) for n in shape]

    def forward(array: npt.NDArray[Any]) -> Spectrum:
        return np.asarray(np.fft.rfftn(array.astype(np.float64), shape, (0, 1, 2)))

    fs, fs2, fms = forward(f), forward(f * f), forward(fm)
    gs, gs2, gms = (np.conj(forward(a)) for a in (g, g * g, gm))

    def back(spectrum: Spectrum) -> Floats:
        return np.asarray(np.fft.irfftn(spectrum, shape, (0, 1, 2)))

    n = np.maximum(np.round(back(fms * gms)), 0.0)
    sf, sg, sfg = back(fs * gms), back(fms * gs), back(fs * gs)
    sff, sgg = back(fs2 * gms), back(fms * gs2)
    safe = np.maximum(n, 1.0)
    vf, vg = sff - sf * sf / safe, sgg - sg * sg / safe
    least = LEAST_OVERLAP * min(float(fm.sum()), float(gm.sum()))
    usable = (n >= least) & (vf > 1e-3 * vf.max()) & (vg > 1e-3 * vg.max())
    score = np.where(usable, (sfg - sf * sg / safe) / np.sqrt(np.maximum(vf * vg, 1e-12)), -1.0)
    # of shifts as good as each other, the one with more in common
    score = score * np.minimum(1.0, 0.7 + 0.3 * n / max(min(float(fm.sum()), float(gm.sum())), 1.0))
    at = np.unravel_index(int(np.argmax(score)), score.shape)
    steps = [a if a < s - b + 1 else a - s for a, s, b in zip(at, shape, g.shape, strict=True)]
    shift = np.array(steps[::-1], dtype=np.float64) * fixed.mm + fixed.origin - moving.origin
    return float(score[at]), shift


def _handy(n: int) -> int:
    """The next length that transforms fast: only 2, 3 and 5 in it."""
    while True:
        rest = n
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return n
        n += 1


def refined(
    current: Grid, prior: Grid, start: Transform, shrinks: tuple[int, ...], affine: bool, ask: Ask
) -> Transform:
    """Descend from a start over the given shrink factors of the grid; the start itself where nothing
    overlaps.
    """
    ask()
    itk = toolkit()
    method = itk.ImageRegistrationMethod()
    if current.modality == prior.modality:
        method.SetMetricAsCorrelation()
    else:
        method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricFixedMask(current.masks()[0])
    method.SetMetricMovingMask(prior.masks()[1])
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentagePerLevel([_share(current, s) for s in shrinks], 1)
    method.SetInterpolator(itk.sitkLinear)
    method.SetShrinkFactorsPerLevel(list(shrinks))
    method.SetSmoothingSigmasPerLevel([0.5 * current.mm * s if s > 1 else 0.0 for s in shrinks])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=2.0, minStep=0.01, numberOfIterations=80, relaxationFactor=0.65
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetNumberOfThreads(1)  # the reader's pictures come first
    transform = _transform(current, start, affine)
    method.SetInitialTransform(transform, inPlace=True)
    method.AddCommand(itk.sitkIterationEvent, lambda: _stop_if_asked(method, ask))
    try:
        method.Execute(current.image(), prior.image())
    except RuntimeError:  # no sample of the one falls into the other: the start was no start
        ask()
        return start
    ask()
    return _plain(transform)


def _share(grid: Grid, shrink: int) -> float:
    """The share of a level's places that gives as many samples in the body as are wanted."""
    return float(min(1.0, SAMPLES * shrink**3 / max(int(grid.body.sum()), 1)))


def _stop_if_asked(method: Any, ask: Ask) -> None:
    """Exceptions do not pass through the library: stop it, the caller asks again."""
    try:
        ask()
    except Stopped:
        method.StopRegistration()


def _transform(current: Grid, start: Transform, affine: bool) -> Any:
    itk = toolkit()
    centre = current.centre
    found = itk.AffineTransform(3) if affine else itk.Euler3DTransform()
    found.SetCenter(tuple(float(v) for v in centre))
    if not affine:
        u, _, v = np.linalg.svd(start.matrix)
        start = Transform(u @ v, start.offset + start.matrix @ centre - u @ v @ centre)
    found.SetMatrix(start.matrix.reshape(-1).tolist())
    found.SetTranslation((start.matrix @ centre + start.offset - centre).tolist())
    return found


def _plain(transform: Any) -> Transform:
    matrix = np.array(transform.GetMatrix(), dtype=np.float64).reshape(3, 3)
    centre, shift = np.array(transform.GetCenter()), np.array(transform.GetTranslation())
    return Transform(matrix, centre + shift - matrix @ centre)


def agreement(current: Grid, prior: Grid, found: Transform) -> tuple[float, float]:
    """(correlation of the values in the overlap, share of the smaller body that both show)."""
    every = max(1, len(current.body_points) // AGREEING)
    points = current.body_points[::every]
    values = current.values[current.body][::every]
    there = found.apply(points)
    held = prior.holds(there)
    if held.sum() < 100:
        return 0.0, 0.0
    index = ((there[held] - prior.origin) / prior.mm).T
    theirs = linear(prior.values, index)
    overlap = float(held.mean()) * current.body_mm3 / max(min(current.body_mm3, prior.body_mm3), 1.0)
    a, b = values[held], theirs
    if a.std() < 1e-6 or b.std() < 1e-6:
        return 0.0, min(overlap, 1.0)
    return float(np.corrcoef(a, b)[0, 1]), min(overlap, 1.0)
