"""Images at the same place are told apart by what the standard says of them: b-value, echo, phase, time."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pacs_core.archive.models import InstanceManifest, Url
from tests.support.series import instance_of
from tests.unit.imaging_support import EXPLICIT, instance, series
from workstation.imaging.dimensions import dimensions_of
from workstation.imaging.display_sets import DisplaySet, display_sets
from workstation.imaging.findings import FindingKind
from workstation.imaging.headers import FrameHeader, FrameHeaders

SAGITTAL = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]


def many(places: int, visits: list[dict[str, Any]], modality: str = "MR") -> tuple[DisplaySet, ...]:
    """Every place once for each of these, arrived in no order."""
    made = [
        instance(100 * n + k, (0.0, 0.0, 3.0 * k), **visit)
        for n, visit in enumerate(visits)
        for k in range(places)
    ]
    made = [replace(one, sop_instance_uid=f"1.2.3.{n}") for n, one in enumerate(made)]
    random.Random(5).shuffle(made)
    return display_sets(series(made, modality))


@pytest.mark.parametrize(
    ("visits", "labels"),
    [
        ([{"DiffusionBValue": b} for b in (0.0, 50.0, 800.0)], ["b 0", "b 50", "b 800"]),
        ([{"SequenceName": f"*ep_b{b}t"} for b in (50, 1000)], ["b 50", "b 1000"]),
        ([{"TemporalPositionIndex": t} for t in (1, 2, 3)], ["phase 1", "phase 2", "phase 3"]),
        ([{"InversionTime": t} for t in (400.0, 900.0)], ["TI 400 ms", "TI 900 ms"]),
        ([{"NominalPercentageOfCardiacPhase": p} for p in (0.0, 75.0)], ["0 %", "75 %"]),
        ([{"KVP": v} for v in (80.0, 140.0)], ["80 kV", "140 kV"]),
        (
            [{"ImageType": ["ORIGINAL", "PRIMARY", "M"]}, {"ImageType": ["ORIGINAL", "PRIMARY", "P"]}],
            ["magnitude", "phase image"],
        ),
        (
            [{"EchoTime": e, "DiffusionBValue": b} for b in (0.0, 500.0) for e in (50.0, 90.0)],
            ["b 0, TE 50 ms", "b 0, TE 90 ms", "b 500, TE 50 ms", "b 500, TE 90 ms"],
        ),
        ([{"AcquisitionTime": f"10:0{n}:30.5"} for n in (1, 2)], ["time 1 of 2", "time 2 of 2"]),
        ([{}, {}], ["1 of 2", "2 of 2"]),
    ],
)  # fmt: skip
def test_each_visit_is_a_set_with_its_name(visits: list[dict[str, Any]], labels: list[str]) -> None:
    sets = many(6, visits)
    assert [s.label for s in sets] == labels
    assert {(len(s), s.kind, s.findings) for s in sets} == {(6, "volume", ())}
    assert len({s.uid for s in sets}) == len(labels)


def test_a_phase_that_was_broken_off_stays_a_phase() -> None:
    whole = [instance(n, (0.0, 0.0, float(n)), TemporalPositionIndex=1) for n in range(8)]
    part = [instance(20 + n, (0.0, 0.0, float(n)), TemporalPositionIndex=2) for n in range(3)]
    sets = display_sets(series([*whole, *part], "MR"))
    assert [(len(s), s.label) for s in sets] == [(8, "phase 1"), (3, "phase 2")]


def test_a_clock_that_differs_from_slice_to_slice_splits_nothing() -> None:
    made = [instance(n, (0.0, 0.0, float(n)), AcquisitionTime=f"10:00:{n:02d}") for n in range(9)]
    made.append(instance(10, (0.0, 0.0, 4.0), AcquisitionTime="10:01:30"))
    (found,) = display_sets(series(made))
    assert [f.kind for f in found.findings] == [FindingKind.REPEATED]
    assert len(found) == 9


def test_gradient_directions_are_sets_of_their_own() -> None:
    turns = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    visits = [{"DiffusionBValue": 800.0, "DiffusionGradientOrientation": d} for d in turns]
    assert [(len(s), s.label) for s in many(5, visits)] == [(5, f"{n} of 3") for n in (1, 2, 3)]


def test_a_beating_heart_moves_at_each_place() -> None:
    made = [
        instance(100 * k + t, (0.0, 0.0, 8.0 * k), TriggerTime=30.0 * t) for k in range(10) for t in range(25)
    ]
    random.Random(2).shuffle(made)
    sets = display_sets(series(made, "MR"))
    assert [(s.kind, len(s)) for s in sets] == [("cine", 25)] * 10
    assert sets[3].label == "4 of 10"
    times = [dict(f.dimensions)["cardiac"] for f in sets[0].frames]
    assert times == [30.0 * t for t in range(25)]


def test_a_heart_in_thin_slices_is_a_volume_a_phase() -> None:
    made = [
        instance(1000 * t + k, (0.0, 0.0, float(k)), NominalPercentageOfCardiacPhase=10.0 * t)
        for k in range(40)
        for t in range(10)
    ]
    sets = display_sets(series(made))
    assert [(s.kind, len(s), s.label) for s in sets] == [("volume", 40, f"{10 * t} %") for t in range(10)]


def test_one_place_through_time_is_a_cine() -> None:
    made = [instance(30 - t, (0.0, 0.0, 5.0), TriggerTime=20.0 * t) for t in range(30)]
    (found,) = display_sets(series(made, "MR"))
    assert (found.kind, len(found), found.problems) == ("cine", 30, ())
    assert [f.instance_number for f in found.frames] == list(range(30, 0, -1))


def test_radial_images_are_one_stack() -> None:
    from math import cos, pi, sin

    turns = [[cos(n * pi / 12), sin(n * pi / 12), 0.0, 0.0, 0.0, -1.0] for n in range(12)]
    made = [instance(n, (0.0, 0.0, 0.0), ImageOrientationPatient=turn) for n, turn in enumerate(turns)]
    (found,) = display_sets(series(made, "MR"))
    assert (found.kind, len(found)) == ("stack", 12)
    assert [f.kind for f in found.findings] == [FindingKind.TURNING]
    assert found.badges == ()


def enhanced(groups: list[dict[str, Any]], frames: int | None = None, **shared: Any) -> InstanceManifest:
    one = instance(1, (0.0, 0.0, 0.0), ImagePositionPatient=None, Frames=groups, **shared)
    there = len(groups) if frames is None else frames
    locators = tuple(Url(one.sop_instance_uid, n + 1, EXPLICIT) for n in range(there))
    return replace(one, number_of_frames=len(groups), frames=locators)


def test_an_enhanced_object_splits_into_its_stacks_and_phases() -> None:
    groups: list[dict[str, Any]] = [
        {"StackID": "1", "TemporalPositionIndex": t, "ImagePositionPatient": [0.0, 0.0, 2.0 * k]}
        for t in (1, 2)
        for k in range(6)
    ]
    groups += [
        {"StackID": "2", "ImagePositionPatient": [4.0 * k, 0.0, 0.0], "ImageOrientationPatient": SAGITTAL}
        for k in range(5)
    ]
    groups += [{"StackID": "3", "ImagePositionPatient": [0.0, 0.0, 90.0 + 2.0 * k]} for k in range(4)]
    sets = display_sets(series([enhanced(groups)], "MR"))
    assert {(len(s), s.label) for s in sets} == {
        (6, "stack 1, phase 1"),
        (6, "stack 1, phase 2"),
        (4, "stack 3"),
        (5, ""),
    }
    assert all(s.is_volume and not s.findings for s in sets)


def test_frames_missing_at_the_end_are_told_and_the_rest_is_shown() -> None:
    groups = [{"ImagePositionPatient": [0.0, 0.0, 2.0 * k]} for k in range(12)]
    (found,) = display_sets(series([enhanced(groups, frames=9)], "MR"))
    assert (len(found), found.kind) == (9, "volume")
    assert found.problems == ("The file ends early: 9 frames of 12 are there and can be shown.",)
    assert found.badges == ("frames missing",)


def test_bits_that_contradict_are_told() -> None:
    made = [instance(n, (0.0, 0.0, float(n)), BitsStored=20) for n in range(3)]
    (found,) = display_sets(series(made))
    assert found.problems == ("20 bits stored in 16 allocated: all 16 are read.",)


def test_a_tilt_that_only_the_header_knows_is_doubted() -> None:
    made = [instance(n, (0.0, 0.0, float(n)), GantryDetectorTilt=15.0) for n in range(5)]
    (found,) = display_sets(series(made))
    assert [f.kind for f in found.findings] == [FindingKind.TILT_CONTRADICTED]


def test_a_growing_series_keeps_the_name_of_its_first_part() -> None:
    first = [instance(n, (0.0, 0.0, float(n)), DiffusionBValue=0.0) for n in range(5)]
    second = [instance(10 + n, (0.0, 0.0, float(n)), DiffusionBValue=900.0) for n in range(5)]
    before, after = display_sets(series(first, "MR")), display_sets(series([*first, *second], "MR"))
    assert before[0].uid == after[0].uid
    assert [f.source for f in before[0].frames] == [f.source for f in after[0].frames]


@pytest.mark.parametrize(
    "where", ["mr-prostatex-0207", "mr-enhanced-siemens-xa30", "two-studies-papaya-mr-ct"]
)
def test_headers_worked_out_together_are_those_worked_out_alone(shared_data: Path, where: str) -> None:
    paths = sorted(p for p in (shared_data / "studies" / where).rglob("*.dcm"))[::5]
    together = FrameHeaders("MR")
    for one in (instance_of(path) for path in paths):
        assert together.of(one) == tuple(alone(one, n) for n in range(len(one.frames)))


def alone(one: InstanceManifest, place: int) -> FrameHeader:
    """The header of one frame as if no other had been seen before."""
    fresh = FrameHeaders("MR")
    groups = one.attributes.get("Frames")
    if not isinstance(groups, list):
        return fresh.of(one)[place]
    turned = groups[place:] + groups[:place]
    locators = one.frames[place:] + one.frames[:place]
    attributes = {**one.attributes, "Frames": turned}
    found = fresh.of(replace(one, attributes=attributes, frames=locators))[0]
    return replace(found, frame=place + 1)


@pytest.mark.parametrize(
    ("attributes", "name", "value"),
    [
        ({"AcquisitionTime": "01:02:03.5"}, "time", 3723.5),
        ({"FrameAcquisitionDateTime": "20220711010203.5+0100"}, "time", 3723.5),
        ({"TemporalPositionTimeOffset": 12.5}, "time", 12.5),
        ({"SequenceName": "ep_b1000#3"}, "b", 1000.0),
        ({"SequenceName": "*fl3d1_b"}, "b", None),
        ({"EchoTime": "7.5"}, "echo", 7.5),
        ({"EchoTime": "rubbish"}, "echo", None),
        ({"AcquisitionTime": "99"}, "time", None),
    ],
)
def test_dimensions_are_read_with_care(attributes: dict[str, Any], name: str, value: float | None) -> None:
    assert dict(dimensions_of(attributes)).get(name) == value
