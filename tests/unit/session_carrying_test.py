"""A prior's measurement carried into the current study: its place, its pairing, no number, or why not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacs_core.domain.measurement import Measurement, Quantity
from tests.unit.imaging_support import stack
from workstation.imaging.registration import Confidence, Registration
from workstation.imaging.registration_transform import Transform, rotation
from workstation.session.carrying import NotCarried, carried_over
from workstation.session.linking import SAME, Tie, registered, reversed_

NOW = stack([5.0 * k for k in range(12)], shape=(60, 80), FrameOfReferenceUID="1.2.3.5")
OLD = Measurement(
    "1.2.3.4", "length", "1.9.1", "1.9.2", "1.9.3", 1, ((20.0, 20.0, 24.0), (30.0, 20.0, 24.0)),
    (Quantity("Length", 10.0, "mm"),), "1.9.9", label="Nodule", author="reader",
    made_at="2026-01-01T00:00:00Z",
)  # fmt: skip


def test_it_lies_where_the_registration_says_and_is_to_be_measured_anew() -> None:
    transform = Transform(rotation([0.0, 0.0, 0.1]), np.array([4.0, -3.0, 6.0]))  # current to prior
    tie = registered(Registration(transform, Confidence.MEDIUM, "rigid", 0.8, 0.8, 3.0))
    assert tie is not None
    found = carried_over(OLD, reversed_(tie), NOW, "1.2.3")
    for old, new in zip(OLD.points, found.points, strict=True):
        assert transform.to_prior(new) == pytest.approx(old)
    assert found.pairs_with == OLD.tracking_uid != found.tracking_uid
    assert (found.study_uid, found.series_uid) == ("1.2.3", NOW.series_uid)
    assert found.frame_of_reference_uid == "1.2.3.5"
    assert found.instance_uid == NOW.frames[4].sop_instance_uid  # 24 mm less 6 mm of table
    assert (found.label, found.kind) == ("Nodule", "length")
    assert found.quantities == ()
    assert found.refusal == (
        "carried over from the prior (registered (rigid), confidence medium); not measured here"
    )
    assert (found.author, found.made_at) == ("", "")


def test_in_one_frame_of_reference_it_stays_where_it_is() -> None:
    found = carried_over(OLD, SAME, NOW, "1.2.3")
    assert found.points == OLD.points
    assert "in one frame of reference" in found.refusal


@pytest.mark.parametrize(
    ("old", "words"),
    [
        (replace(OLD, kind="calibration"), "its own image"),
        (replace(OLD, in_pixels=True), "no place in the patient"),
        (replace(OLD, deleted=True), "no measurement any more"),
        (replace(OLD, points=()), "no measurement any more"),
        (replace(OLD, points=((20.0, 20.0, 24.0), (85.0, 20.0, 24.0))), "outside of the current series"),
    ],
)
def test_what_has_no_place_is_not_carried(old: Measurement, words: str) -> None:
    with pytest.raises(NotCarried, match=words):
        carried_over(old, SAME, NOW, "1.2.3")


def test_nor_into_what_is_no_volume_nor_beyond_its_ends() -> None:
    single = stack([24.0], shape=(60, 80))
    with pytest.raises(NotCarried, match="no volume"):
        carried_over(OLD, SAME, single, "1.2.3")
    with pytest.raises(NotCarried, match="outside"):
        carried_over(OLD, Tie((0.0, 0.0, 40.0), False), NOW, "1.2.3")
