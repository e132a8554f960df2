"""Tools on made images: strokes in patient coordinates, numbers against their truth, refusals with their
reason.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pacs_core.domain.measurement import Measurement
from pacs_core.domain.measurement_words import label_lines
from tests.unit.imaging_support import filled, instance, series, stack
from workstation.imaging.display_sets import display_sets
from workstation.imaging.geometry import add, distance, scaled
from workstation.imaging.volume import Volume
from workstation.rendering.render import render
from workstation.rendering.strokes import measurement_list
from workstation.session.view_state import Plane, ViewState, Window
from workstation.tools import TOOLS, tool_named
from workstation.tools.measures import Refusal
from workstation.tools.measuring import moved_by, with_handle_moved
from workstation.tools.stacking import stack_of, tells_volume, told_anew, volume_of, with_volume
from workstation.tools.tool import Effect, Pointer, Scene


def scene(volume: Volume, state: ViewState | None = None, size: int = 256) -> Scene:
    state = state or ViewState()
    return Scene(state, render(state, volume, size, size).frame, volume, study_uid="1.9", author="reader")


def stroke(
    name: str, at: Scene, start: tuple[float, float], end: tuple[float, float], *modifiers: str
) -> Effect:
    tool = tool_named(name)
    tool.press(Pointer.at(at.frame, *start, "left", *modifiers), at)
    tool.drag(Pointer.at(at.frame, *end, "left", *modifiers), at)
    return tool.release(Pointer.at(at.frame, *end, "left", *modifiers), at)


def numbers(one: Measurement | None) -> dict[str, float]:
    assert one is not None
    return {q.name: q.value for q in one.quantities}


def disk(k: int) -> np.ndarray[Any, Any]:
    y, x = np.mgrid[0:64, 0:64]
    return np.where((x - 32) ** 2 + (y - 30) ** 2 < 100, 1124, 24).astype(np.int16)


def disks(**attributes: Any) -> Volume:
    facts = {
        "PixelSpacing": [0.5, 0.5],
        "RescaleIntercept": -1024.0,
        "RescaleSlope": 1.0,
        "SliceThickness": 1.0,
    }
    made = [instance(n + 1, (0.0, 0.0, float(n)), (64, 64), **{**facts, **attributes}) for n in range(8)]
    return filled(display_sets(series(made))[0], disk)


def test_length_is_in_patient_millimetres_at_any_zoom() -> None:
    volume = disks()
    for zoom, rotation in ((1.0, 0), (3.3, 1), (0.4, 2)):
        at = scene(volume, ViewState(index=3, zoom=zoom, rotation=rotation))
        a, b = (10.0, 5.0, 3.0), (22.0, 14.0, 3.0)
        start, end = at.frame.viewport(a)[:2], at.frame.viewport(b)[:2]
        effect = stroke("length", at, start, end)
        assert effect.done
        assert numbers(effect.measurement)["Length"] == pytest.approx(15.0, abs=1e-6)
        assert effect.measurement is not None
        assert distance(effect.measurement.points[1], b) < 1e-6
        assert effect.measurement.instance_number == 4
        assert effect.measurement.made_at.endswith("Z")


def test_preview_and_kept_stroke_are_one_measurement() -> None:
    at, tool = scene(disks()), tool_named("length")
    tool.press(Pointer.at(at.frame, 10, 10), at)
    seen = [tool.drag(Pointer.at(at.frame, 20 + n, 30), at) for n in range(3)]
    kept = tool.release(Pointer.at(at.frame, 40, 30), at)
    assert len({e.measurement.tracking_uid for e in [*seen, kept] if e.measurement}) == 1
    assert [e.done for e in [*seen, kept]] == [False, False, False, True]


def test_two_clicks_do_the_same_as_a_drag() -> None:
    at, tool = scene(disks()), tool_named("length")
    first, second = Pointer.at(at.frame, 10, 10), Pointer.at(at.frame, 90, 10)
    tool.press(first, at)
    assert not tool.release(first, at)
    tool.drag(second, at)
    tool.press(second, at)
    assert tool.release(second, at).done


def test_a_stroke_never_spans_two_images() -> None:
    volume, tool = disks(), tool_named("length")
    one, two = scene(volume, ViewState(index=1)), scene(volume, ViewState(index=2))
    tool.press(Pointer.at(one.frame, 10, 10), one)
    assert not tool.drag(Pointer.at(two.frame, 60, 60), two)
    assert not tool.release(Pointer.at(two.frame, 60, 60), two)


def test_ellipse_area_and_statistics() -> None:
    at = scene(disks(), ViewState(index=2))
    box = [at.frame.viewport(p)[:2] for p in ((13.5, 12.5, 2.0), (18.5, 17.5, 2.0))]
    found = numbers(stroke("ellipse_roi", at, *box).measurement)
    assert found["Area"] == pytest.approx(math.pi * 2.5 * 2.5, rel=1e-6)
    assert (found["Mean"], found["Standard Deviation"], found["Minimum"]) == (100.0, 0.0, 100.0)
    wide = [at.frame.viewport(p)[:2] for p in ((6.0, 5.0, 2.0), (26.0, 25.0, 2.0))]
    both = numbers(stroke("ellipse_roi", at, *wide).measurement)
    assert (both["Minimum"], both["Maximum"]) == (-1000.0, 100.0)
    y, x = np.mgrid[0:64, 0:64]
    inside = (x / 2 - 16) ** 2 + (y / 2 - 15) ** 2 <= 100
    truth = np.where((x - 32) ** 2 + (y - 30) ** 2 < 100, 100, -1000)[inside]
    assert both["Mean"] == pytest.approx(truth.mean())
    assert both["Standard Deviation"] == pytest.approx(truth.std())


def test_statistics_of_a_reformat_come_from_the_voxels() -> None:
    at = scene(disks(), ViewState(plane=Plane.CORONAL, centre=(16.0, 15.0, 3.5)))
    box = [at.frame.viewport(p)[:2] for p in ((14.0, 15.0, 2.0), (18.0, 15.0, 5.0))]
    found = numbers(stroke("ellipse_roi", at, *box).measurement)
    assert found["Area"] == pytest.approx(math.pi * 2.0 * 1.5, rel=1e-6)
    assert found["Mean"] == pytest.approx(100.0)


def test_padding_is_no_tissue() -> None:
    volume = disks(PixelPaddingValue=24)
    at = scene(volume, ViewState(index=2))
    box = [at.frame.viewport(p)[:2] for p in ((6.0, 5.0, 2.0), (26.0, 25.0, 2.0))]
    assert numbers(stroke("ellipse_roi", at, *box).measurement)["Minimum"] == 100.0


@pytest.mark.parametrize(
    ("modality", "attributes", "length", "reason"),
    [
        ("DX", {"ImagerPixelSpacing": [0.2, 0.2]}, None, "detector"),
        ("CR", {"PixelSpacing": [0.2, 0.2]}, None, "detector"),
        ("DX", {"PixelSpacing": [0.2, 0.2], "PixelSpacingCalibrationType": "GEOMETRY"}, 8.0, ""),
        ("MG", {"ImagerPixelSpacing": [0.2, 0.2], "EstimatedRadiographicMagnificationFactor": 1.25}, 6.4, ""),
        ("DX", {"PixelSpacing": [0.1, 0.1], "ImagerPixelSpacing": [0.2, 0.2]}, None, "does not say how"),
        ("OT", {}, None, "no pixel spacing"),
        ("SC", {"PixelSpacing": [0.2, 0.2]}, None, "refers to"),
    ],
)
def test_projection_spacing(
    modality: str, attributes: dict[str, Any], length: float | None, reason: str
) -> None:
    facts = {
        "ImagePositionPatient": None,
        "ImageOrientationPatient": None,
        "PixelSpacing": None,
        **attributes,
    }
    shown = display_sets(series([instance(1, (0, 0, 0), (64, 64), **facts)], modality))[0]
    at = scene(filled(shown, disk))
    start, end = at.frame.viewport((10, 20, 0))[:2], at.frame.viewport((50, 20, 0))[:2]
    effect = stroke("length", at, start, end)
    assert effect.measurement is not None
    assert effect.measurement.in_pixels
    if length is None:
        assert effect.measurement.quantities == ()
        assert reason in effect.measurement.refusal
        assert reason in effect.message
        assert "no length" in label_lines(effect.measurement)[-1]
    else:
        assert numbers(effect.measurement)["Length"] == pytest.approx(length)


def test_ultrasound_measures_in_the_region_under_the_points() -> None:
    region = {"RegionSpatialFormat": 1, "PhysicalUnitsXDirection": 3, "PhysicalUnitsYDirection": 3}
    left = {**region, "RegionLocationMinX0": 0, "RegionLocationMinY0": 0, "RegionLocationMaxX1": 30,
            "RegionLocationMaxY1": 63, "PhysicalDeltaX": 0.02, "PhysicalDeltaY": -0.02}  # fmt: skip
    right = {
        **left,
        "RegionLocationMinX0": 31,
        "RegionLocationMaxX1": 63,
        "PhysicalDeltaX": 0.05,
        "PhysicalDeltaY": 0.05,
    }
    facts = {"ImagePositionPatient": None, "ImageOrientationPatient": None, "PixelSpacing": None}
    one = instance(1, (0, 0, 0), (64, 64), SequenceOfUltrasoundRegions=[left, right], **facts)
    at = scene(filled(display_sets(series([one], "US"))[0], disk))

    def length(a: float, b: float) -> Effect:
        return stroke("length", at, at.frame.viewport((a, 5, 0))[:2], at.frame.viewport((b, 5, 0))[:2])

    assert numbers(length(5, 25).measurement)["Length"] == pytest.approx(4.0)
    assert numbers(length(35, 55).measurement)["Length"] == pytest.approx(10.0)
    across = length(5, 55).measurement
    assert across is not None
    assert "different" in across.refusal


def test_angle() -> None:
    at, tool = scene(disks(), ViewState(index=2)), tool_named("angle")
    places = [(10.0, 15.0, 2.0), (16.0, 15.0, 2.0), (16.0 - 6 * math.cos(1.0), 15.0 - 6 * math.sin(1.0), 2.0)]
    a, corner, b = (Pointer.at(at.frame, *at.frame.viewport(p)[:2]) for p in places)
    tool.press(a, at)
    tool.release(corner, at)
    tool.press(b, at)
    effect = tool.release(b, at)
    assert effect.done
    assert numbers(effect.measurement)["Angle"] == pytest.approx(math.degrees(1.0), abs=1e-6)


def test_probe_reads_the_voxel() -> None:
    volume = disks()
    for state in (ViewState(index=4), ViewState(plane=Plane.SAGITTAL, centre=(16.0, 15.0, 4.0))):
        at = scene(volume, state)
        x, y, _ = at.frame.viewport((16.0, 15.0, 4.0))
        found = stroke("probe", at, (x, y), (x, y)).measurement
        assert numbers(found) == {"Value": 100.0}
        assert found is not None
        assert label_lines(found) == ("100 HU",)


def test_handles_and_moves_make_the_numbers_anew() -> None:
    at = scene(disks(), ViewState(index=2))
    line = stroke("length", at, (20.0, 20.0), (120.0, 20.0)).measurement
    assert line is not None
    moved = with_handle_moved(at, line, 1, add(line.points[0], (3.0, 4.0, 0.0)))
    assert numbers(moved)["Length"] == pytest.approx(5.0)
    assert (moved.tracking_uid, moved.made_at, moved.author) == (line.tracking_uid, line.made_at, "reader")
    shape = stroke("ellipse_roi", at, (60.0, 60.0), (140.0, 120.0)).measurement
    assert shape is not None
    a, b, c, d = shape.points
    wider = with_handle_moved(at, shape, 1, add(b, add(b, a, -1.0)))
    assert wider.points[0] == pytest.approx(a)
    assert distance(wider.points[0], wider.points[1]) == pytest.approx(2 * distance(a, b))
    assert distance(wider.points[2], wider.points[3]) == pytest.approx(distance(c, d))
    assert numbers(wider)["Area"] == pytest.approx(2 * numbers(shape)["Area"])
    away = moved_by(at, shape, scaled((1.0, 0.0, 0.0), 2.0))
    assert away.points[0][0] == pytest.approx(a[0] + 2.0)


def test_measurements_are_drawn_where_they_lie() -> None:
    volume = disks()
    at = scene(volume, ViewState(index=2))
    line = stroke("length", at, (20.0, 20.0), (120.0, 20.0)).measurement
    assert line is not None
    drawn = measurement_list(at.frame, [line], selected=line.tracking_uid)
    assert drawn.texts()[0].endswith(" mm")
    handle = drawn.handle_at(121.0, 22.0)
    assert handle is not None
    assert (handle.number, handle.owner) == (1, line.tracking_uid)
    assert not measurement_list(scene(volume, ViewState(index=6)).frame, [line])
    crossing = scene(volume, ViewState(plane=Plane.AXIAL, centre=(16.0, 16.0, 2.0))).frame
    assert measurement_list(crossing, [line])


def test_window_level_drag() -> None:
    at = scene(disks(), ViewState(window=Window(40, 400)))
    effect = stroke("window_level", at, (100, 100), (228, 164))
    assert effect.view is not None
    assert effect.view.window == Window(90.0, 500.0)
    narrow = stroke("window_level", at, (100, 100), (-5000, 100))
    assert narrow.view is not None
    assert narrow.view.window is not None
    assert narrow.view.window.width == 1.0


def test_pan_and_zoom_keep_the_point_under_the_hand() -> None:
    volume = disks()
    for state in (
        ViewState(index=1, rotation=1, flip_horizontal=True),
        ViewState(plane=Plane.CORONAL, zoom=2.0),
    ):
        at = scene(volume, state)
        grabbed = at.frame.patient(80, 90)
        moved = stroke("pan_zoom", at, (80, 90), (130, 60)).view
        assert moved is not None
        assert scene(volume, moved).frame.viewport(grabbed)[:2] == pytest.approx((130, 60))
        nearer = tool_named("pan_zoom").wheel(-3, Pointer.at(at.frame, 80, 90), at).view
        assert nearer is not None
        assert nearer.zoom > state.zoom
        assert scene(volume, nearer).frame.viewport(grabbed)[:2] == pytest.approx((80, 90))


def test_wheel_and_scroll_stay_inside() -> None:
    volume = disks()
    at = scene(volume, ViewState(index=6))
    end = tool_named("length").wheel(10, Pointer.at(at.frame, 1, 1), at).view
    assert end is not None
    assert end.index == 7
    last = scene(volume, end)
    assert not tool_named("length").wheel(1, Pointer.at(last.frame, 1, 1), last)
    scroll = tool_named("scroll")
    scroll.press(Pointer.at(at.frame, 50, 200), at)
    back = scroll.drag(Pointer.at(at.frame, 50, 10), at).view
    assert back is not None
    assert back.index == 0
    plane = scene(volume, ViewState(plane=Plane.AXIAL))
    down = tool_named("scroll").wheel(1, Pointer.at(plane.frame, 1, 1), plane).view
    assert down is not None
    assert down.centre is not None
    assert down.centre[2] == pytest.approx(2.5)


def test_crosshair_needs_a_place() -> None:
    at = scene(disks(), ViewState(index=5))
    assert stroke("crosshair", at, (10, 10), (40, 50)).crosshair == at.frame.patient(40, 50)
    lost = stack([0.0, 1.0], "CR", ImagePositionPatient=None, ImageOrientationPatient=None)
    away = scene(filled(lost, lambda k: 1))
    assert not stroke("crosshair", away, (10, 10), (40, 50)).crosshair


@pytest.mark.parametrize("name", TOOLS)
def test_every_tool_survives_colour_and_nothing_loaded(name: str) -> None:
    facts = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "BitsAllocated": 8, "BitsStored": 8}
    colour = display_sets(series([instance(1, (0, 0, 0), **facts)], "US"))[0]
    for volume in (filled(colour, lambda k: 9), Volume(stack([0.0, 1.0, 2.0]))):
        at = scene(volume)
        stroke(name, at, (20, 20), (120, 130))
        tool = tool_named(name)
        tool.wheel(1, Pointer.at(at.frame, 3, 3), at)
        tool.cancel()
        assert not tool.release(Pointer.at(at.frame, 3, 3), at).done


def test_vertebrae_name_themselves_upwards_and_downwards() -> None:
    volume = disks()
    at = scene(volume, ViewState(plane=Plane.SAGITTAL, centre=(16.0, 15.0, 4.0)))
    drawn: list[Measurement] = []

    def click(z: float) -> Measurement:
        x, y, _ = at.frame.viewport((16.0, 15.0, z))
        seen = replace(at, measurements=tuple(drawn))
        one = stroke("spine_label", seen, (x, y), (x, y)).measurement
        assert one is not None
        return replace(one, made_at=f"2026-01-01T00:00:{len(drawn):02}Z")

    first = click(4.0)
    assert first.label == ""  # nobody has said where we are: the window asks
    drawn.append(replace(first, label="L1"))
    for z, level in ((3.0, "L2"), (2.0, "L3"), (5.0, "L2")):
        drawn.append(click(z))
        assert drawn[-1].label == level, z  # each beside the one before
    drawn.append(replace(first, label="C1", made_at="2026-01-02"))
    assert click(6.0).label == ""  # above the first there is none


def test_regions_on_parallel_images_add_up_to_a_volume() -> None:
    volume = disks()
    assert volume.geometry is not None
    regions = []
    for index in (1, 2, 3, 5):  # the gap counts by its depth
        at = scene(volume, ViewState(index=index))
        box = [at.frame.viewport((x, x, float(index)))[:2] for x in (5.0, 15.0)]
        one = stroke("rectangle_roi", at, box[0], box[1]).measurement
        assert one is not None
        regions.append(one)
    stack = stack_of(regions[0], regions)
    found = volume_of(stack, volume.geometry)
    assert found == pytest.approx(100.0 * (1 + 1 + 1.5 + 1.5) / 1000)
    told = with_volume(stack, regions[1], float(found))  # type: ignore[arg-type]  # it is no refusal
    assert [tells_volume(m) for m in told] == [False, True, False, False]
    assert label_lines(told[1])[0] == "Volume 0.50 mL"
    fewer = [m for m in told if m.tracking_uid != regions[3].tracking_uid]
    (anew,) = told_anew(told[3], fewer, volume.geometry)
    assert numbers(anew)["Volume"] == pytest.approx(0.3)
    named = [replace(regions[0], label="other"), *regions[1:]]
    assert isinstance(volume_of(stack_of(named[0], named), volume.geometry), Refusal)
