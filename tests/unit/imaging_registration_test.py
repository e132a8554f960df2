"""Registration against transforms that are known: never sure where wrong, mostly sure where right."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pacs_core.rehearsal.phantoms import chest_scene, render, stack
from tests.support.series import series_of
from tests.unit.imaging_support import filled
from tests.unit.imaging_support import stack as images
from workstation.imaging.display_sets import display_sets
from workstation.imaging.frame_reader import read_into
from workstation.imaging.registration import (
    Confidence,
    NoRegistration,
    Registration,
    judged,
    register,
    register_grids,
)
from workstation.imaging.registration_grid import Grid, Samples, linear, made, sampled
from workstation.imaging.registration_transform import Transform, rotation
from workstation.imaging.volume import Volume
from workstation.session.linking import carried, registered, reversed_

Array = np.ndarray[Any, Any]


class Body:
    """A body of known values that can be scanned again in another position."""

    def __init__(self, values: Array, spacing: tuple[float, float, float], mm: float) -> None:
        self.values, self.spacing = values.astype(np.float32), np.array(spacing)
        self.mm = mm
        self.size = np.array(values.shape[::-1]) * self.spacing

    def sampled(
        self,
        matrix: Array,
        offset: Array,
        part: tuple[float, float] = (0.0, 1.0),
        noise: float = 0.0,
        blur: float = 0.0,
        contrast: float = 0.0,
        seed: int = 0,
    ) -> Samples:
        """Moved to ``matrix @ point + offset``, with only a part of its height (shares) in the picture."""
        counts = np.ceil(self.size / self.mm).astype(int)
        origin = -self.size / 2 + self.mm / 2
        z, y, x = np.meshgrid(*(np.arange(n) for n in counts[::-1]), indexing="ij")
        points = origin + self.mm * np.stack([x, y, z], axis=-1).reshape(-1, 3)
        index = ((points - offset) @ np.linalg.inv(matrix).T + self.size / 2) / self.spacing - 0.5
        inside = ((index >= -0.5) & (index <= np.array(self.values.shape[::-1]) - 0.5)).all(axis=1)
        height = (points[:, 2] + self.size[2] / 2) / self.size[2]
        inside &= (height >= part[0]) & (height <= part[1])
        shape = (int(counts[2]), int(counts[1]), int(counts[0]))
        values = np.where(inside, linear(self.values, index.T), -1000.0).reshape(shape)
        for axis in range(3):
            values = (values + blur * (np.roll(values, 1, axis) + np.roll(values, -1, axis))) / (1 + 2 * blur)
        values = values + contrast * np.clip((values - 20) / 40, 0, 1) * (values < 100)
        values = values + np.random.default_rng(seed).normal(0.0, max(noise, 1e-9), shape)
        return Samples(values.astype(np.float32), inside.reshape(shape), origin, self.mm, "CT")

    def scanned(self, matrix: Array, offset: Array, **how: Any) -> Grid:
        """The same, as it is compared."""
        return made(self.sampled(matrix, offset, **how))


def worst_error(current: Grid, prior: Grid, found: Registration, matrix: Array, offset: Array) -> float:
    """Mm by which it is wrong at worst in what both show; infinite where they show nothing in common."""
    points = current.points()[current.body.reshape(-1)][::20]
    truth = points @ matrix.T + offset
    both = prior.holds(truth)
    far = np.linalg.norm(found.transform.apply(points) - truth, axis=1)[both]
    return float(far.max()) if far.size else float("inf")


def turned(degrees: float, axis: tuple[float, float, float]) -> Array:
    direction = np.array(axis) / np.linalg.norm(axis)
    return rotation(np.radians(degrees) * direction)


@pytest.fixture(scope="module")
def chest() -> Body:
    slices = stack((52, 72, 56), (5.0, 5.0, 6.0))
    return Body(render(chest_scene(), slices), (5.0, 5.0, 6.0), 7.0)


UPRIGHT, NOWHERE = np.eye(3), np.zeros(3)
CASES: dict[str, tuple[Array, Array, dict[str, Any]]] = {
    "turned, other kernel": (turned(9, (0.3, 0.2, 1)), np.array([6.0, -12.0, 9.0]), {"blur": 0.6}),
    "cut away": (turned(4, (1, 0.4, 0)), np.array([0.0, 8.0, -12.0]), {"part": (0.0, 0.62), "noise": 30.0}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_chest_scanned_again_is_found(chest: Body, name: str) -> None:
    matrix, offset, how = CASES[name]
    current, prior = chest.scanned(UPRIGHT, NOWHERE), chest.scanned(matrix, offset, **how)
    found = register_grids(current, prior)
    assert isinstance(found, Registration)
    error = worst_error(current, prior, found, matrix, offset)
    assert error <= 1.2  # where a volume ends is no edge of the body: more where it pulled
    assert found.confidence is Confidence.HIGH
    tie = registered(found)
    assert tie is not None
    point = (20.0, -30.0, 10.0)
    there = carried(point, tie)
    assert np.linalg.norm(np.array(there) - (matrix @ point + offset)) <= 5.0
    assert carried(there, reversed_(tie)) == pytest.approx(point)
    assert str(found.confidence) in tie.words


def test_parts_without_anything_in_common_are_never_sure(chest: Body) -> None:
    current = chest.scanned(UPRIGHT, NOWHERE, part=(0.0, 0.42))
    prior = chest.scanned(UPRIGHT, NOWHERE, part=(0.58, 1.0))
    found = register_grids(current, prior)
    assert not isinstance(found, Registration) or found.confidence is not Confidence.HIGH


def test_sure_only_where_everything_agrees() -> None:
    assert judged(0.95, 0.9, 1.0, True) is Confidence.HIGH
    for similarity, overlap, spread, same in (
        (0.95, 0.9, 1.0, False), (0.7, 0.9, 1.0, True), (0.95, 0.25, 1.0, True), (0.95, 0.9, 5.0, True),
    ):  # fmt: skip
        assert judged(similarity, overlap, spread, same) is Confidence.MEDIUM
    assert judged(0.95, 0.9, 20.0, True) is Confidence.LOW
    assert judged(0.3, 0.9, 1.0, True) is Confidence.LOW
    assert judged(0.95, 0.9, float("nan"), True) is Confidence.LOW


def test_a_transform_and_its_way_back() -> None:
    one = Transform(turned(20, (0, 1, 0)), np.array([3.0, -4.0, 5.0]))
    point = (10.0, 20.0, -30.0)
    assert one.to_current(one.to_prior(point)) == pytest.approx(point)
    assert one.inverse.to_prior(one.to_prior(point)) == pytest.approx(point)
    assert one.degrees == pytest.approx(20.0)
    assert Transform(np.diag([1.1, 0.9, 1.0]), np.zeros(3)).degrees == pytest.approx(0.0, abs=1e-5)


def test_what_cannot_be_registered_is_said() -> None:
    thin = filled(images([0.0, 5.0, 10.0]), lambda k: 100)
    assert isinstance(register(thin, thin), NoRegistration)
    empty = Volume(images([float(n) for n in range(30)]))
    found = register(empty, empty)
    assert isinstance(found, NoRegistration)
    assert "not loaded" in found.reason
    single = filled(images([0.0]), lambda k: 100)
    assert isinstance(register(single, thin), NoRegistration)


def test_it_stops_when_nobody_waits(chest: Body) -> None:
    grid = chest.scanned(UPRIGHT, NOWHERE)
    asked: list[int] = []
    answers: list[object] = []

    def enough() -> bool:
        asked.append(1)
        return len(asked) > 12

    worker = threading.Thread(target=lambda: answers.append(register_grids(grid, grid, cancelled=enough)))
    worker.start()
    worker.join(100)
    assert answers
    assert answers[0] == NoRegistration("stopped")


def trunk(shared_data: Path) -> Body:
    """A real trunk: the CT of a PET/CT, every second row and column."""
    folder = shared_data / "studies/petct-acrin-nsclc-042/CT-0002-CT-IMAGES"
    volume = Volume(display_sets(series_of(sorted(folder.iterdir())))[0])
    values = []
    for k in range(len(volume.loaded)):
        read_into(volume.header(k), volume.pixels[k], None)
        values.append(volume.values(k)[::2, ::2])
    return Body(np.stack(values), (1.953, 1.953, 3.27), 4.0)


def known(body: Body, number: int) -> tuple[Grid, Grid, Array, Array]:
    """Current, prior, and how the prior lies: moved, cut, blurred, noisy, or with nothing in common."""
    rng = np.random.default_rng((2026, number))
    matrix = turned(rng.uniform(0, 15), tuple(rng.normal(size=3)))
    offset = rng.uniform(-1, 1, 3) * np.array([30.0, 30.0, 60.0])
    apart = number % 6 == 0
    keep = rng.uniform(0.35, 1.0)
    low = rng.uniform(0.0, 1.0 - keep)
    height = (0.0, 0.45) if apart else (0.0, float(rng.choice([0.6, 1.0])))
    current = body.scanned(UPRIGHT, NOWHERE, part=height)
    prior = body.scanned(
        matrix,
        offset,
        part=(0.6, 1.0) if apart else (low, low + keep),
        noise=float(rng.choice([0.0, 20.0, 60.0])),
        blur=float(rng.choice([0.0, 0.3, 0.8])),
        contrast=float(rng.choice([0.0, 80.0])),
        seed=number,
    )
    return current, prior, matrix, offset


@pytest.mark.parametrize("padding", [{"PixelPaddingValue": -900}, {}], ids=["said", "less than air"])
def test_what_is_padded_is_not_valid(padding: dict[str, Any]) -> None:
    """The corners about a scanner's circle are no air: their edge moves with the scanner, not the body."""
    value = padding.get("PixelPaddingValue", -3024)
    y, x = np.mgrid[0:40, 0:40]
    circle = (x - 19.5) ** 2 + (y - 19.5) ** 2 < 18**2
    shown = images([2.0 * k for k in range(20)], shape=(40, 40), PixelSpacing=[2.0, 2.0], **padding)
    volume = filled(shown, lambda k: np.where(circle, 40, value))
    found = sampled(volume, 4.0, lambda: None)
    far = np.hypot(*(found.points()[:, axis] - 39.0 for axis in (0, 1))).reshape(found.valid.shape)
    inner = found.valid[2:-2]
    assert inner[far[2:-2] < 30].all()
    assert not found.valid[far > 40].any()
    assert found.values[found.valid] == pytest.approx(40.0)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_hundreds_of_known_transforms(shared_data: Path) -> None:
    """High never with more than 5 mm of error, and mostly where the error is less."""
    body = trunk(shared_data)
    right = sure = 0
    for number in range(200):
        current, prior, matrix, offset = known(body, number)
        found = register_grids(current, prior)
        if not isinstance(found, Registration):
            continue
        error = worst_error(current, prior, found, matrix, offset)
        assert found.confidence is not Confidence.HIGH or error <= 5.0, (number, error, found)
        right += error <= 5.0
        sure += error <= 5.0 and found.confidence is Confidence.HIGH
    assert right >= 150
    assert sure > 0.9 * right
