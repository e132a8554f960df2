"""Where phantom slices lie: any orientation, unequal steps, gantry tilt."""

from __future__ import annotations

import numpy as np
import pytest

from pacs_core.rehearsal.phantoms import oblique, stack


def test_a_stack_is_centred_and_steps_along_its_normal() -> None:
    slices = stack((20, 30, 5), (0.8, 0.5, 3.0), centre=(10.0, -20.0, 30.0))
    assert slices.middle == pytest.approx((10.0, -20.0, 30.0))
    steps = np.diff(np.asarray(slices.origins), axis=0)
    assert steps == pytest.approx(np.tile([0.0, 0.0, 3.0], (4, 1)))
    assert slices.points(2)[19, 29] - slices.points(2)[0, 0] == pytest.approx([29 * 0.5, 19 * 0.8, 0.0])


def test_unequal_steps_stay_where_they_were_put() -> None:
    offsets = (-20.0, -17.5, -5.0, 0.0, 12.0)
    slices = stack((8, 8, 5), (1.0, 1.0, 1.0), offsets=offsets)
    assert [o[2] for o in slices.origins] == pytest.approx(offsets)


def test_gantry_tilt_turns_the_planes_but_not_the_table() -> None:
    slices = stack((64, 64, 4), (1.0, 1.0, 5.0), tilt_deg=20.0)
    assert np.diff(np.asarray(slices.origins), axis=0)[0] == pytest.approx([0.0, 0.0, 5.0])
    assert slices.normal[2] == pytest.approx(np.cos(np.radians(20.0)))
    assert abs(slices.height(slices.origins[1], 0)) == pytest.approx(5.0 * np.cos(np.radians(20.0)))


@pytest.mark.parametrize("angles", [(0, 0, 0), (30, 0, 0), (15, -40, 70), (90, 0, 0), (0, 90, 0)])
def test_oblique_directions_are_a_right_handed_frame(angles: tuple[float, float, float]) -> None:
    right, down = oblique(*angles)
    slices = stack((9, 9, 3), (0.7, 0.9, 2.0), right=right, down=down)
    assert np.dot(right, down) == pytest.approx(0.0, abs=1e-12)
    assert np.linalg.norm(slices.normal) == pytest.approx(1.0)
    point = slices.points(1)[4, 7]
    assert slices.pixel(tuple(point), 1) == pytest.approx((4.0, 7.0))
    assert slices.nearest(tuple(point)) == 1
