"""The reader's desk without Qt: signals, undo, hanging, linking, priors, preferences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pacs_core.archive.models import Dossier, InstanceManifest, Prior, SeriesManifest, StudyManifest, Url
from pacs_core.domain.measurement import Measurement, Quantity
from tests.support.fake_archive import exam, patient
from workstation.imaging.display_sets import DisplaySet, display_sets
from workstation.session import linking, priors
from workstation.session.commands import Command, History
from workstation.session.hanging import Layout, Role, hang, reformats
from workstation.session.preferences import Preferences
from workstation.session.reading_session import CellState, ReadingSession
from workstation.session.signal import ReentryError, Signal
from workstation.session.view_state import Plane, ViewState, Window


def series(
    places: list[float],
    frame: str = "2.25.5",
    description: str = "Chest",
    uid: str = "2.25.6",
    modality: str = "CT",
) -> DisplaySet:
    """An axial series with its images at these places along the body (mm)."""
    instances = tuple(
        InstanceManifest(
            f"{uid}.{n}",
            "1.2.840.10008.5.1.4.1.1.2",
            "1.2.840.10008.1.2.1",
            n,
            64,
            64,
            1,
            {
                "ImagePositionPatient": [-32.0, -32.0, z],
                "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
                "PixelSpacing": [1.0, 1.0],
                "FrameOfReferenceUID": frame,
                "SamplesPerPixel": 1,
                "BitsAllocated": 16,
                "BitsStored": 16,
                "PixelRepresentation": 1,
                "PhotometricInterpretation": "MONOCHROME2",
            },
            (Url(f"{uid}.{n}", 1, "1.2.840.10008.1.2.1"),),
        )
        for n, z in enumerate(places, 1)
    )
    return display_sets(SeriesManifest(uid, modality, 2, description, "CHEST", "", instances))[0]


def cell(number: int, shown: DisplaySet, role: Role = Role.CURRENT, **view: object) -> CellState:
    study = "2.25.1" if role is Role.CURRENT else "2.25.2"
    return CellState(number, role, study, shown, ViewState().with_(**view))


def session_of(*cells: CellState) -> ReadingSession:
    session = ReadingSession()
    session.cells = list(cells)
    session._tie_all()
    return session


# ── signal and history ───────────────────────────────────────────────────────────────────────────────


def test_a_signal_calls_in_order_and_a_listener_can_leave() -> None:
    heard: list[str] = []
    signal: Signal[[str]] = Signal("test")
    leave = signal.connect(lambda word: heard.append("a" + word))
    signal.connect(lambda word: heard.append("b" + word))
    signal.emit("1")
    leave()
    signal.emit("2")
    assert heard == ["a1", "b1", "b2"]


def test_a_signal_refuses_to_be_emitted_from_within_itself() -> None:
    signal: Signal[[]] = Signal("round")
    signal.connect(signal.emit)
    with pytest.raises(ReentryError, match="round"):
        signal.emit()


def test_after_a_failed_listener_the_signal_works_again() -> None:
    signal: Signal[[bool]] = Signal("x")

    def fail(yes: bool) -> None:
        if yes:
            raise ValueError("no")

    signal.connect(fail)
    with pytest.raises(ValueError, match="no"):
        signal.emit(True)
    signal.emit(False)


def test_doing_something_new_forgets_what_was_undone() -> None:
    done: list[int] = []
    history = History()

    def command(n: int) -> Command:
        return Command(f"step {n}", lambda: done.append(n), lambda: done.remove(n))

    history.do(command(1))
    history.do(command(2))
    assert history.can_undo == "step 2"
    history.undo()
    history.do(command(3))
    assert history.redo() is None
    assert done == [1, 3]


# ── hanging ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_thin_volume_hangs_before_the_thick_one_and_beside_its_own_kind() -> None:
    thick = series([n * 5.0 for n in range(30)], uid="2.25.61", description="Thick")
    thin = series([n * 1.0 for n in range(150)], uid="2.25.62", description="Lung thin")
    old_thick = series([n * 5.0 for n in range(30)], uid="2.25.63", description="Soft")
    old_thin = series([n * 1.0 for n in range(150)], uid="2.25.64", description="Lung thin")
    plan = hang([thick, thin], [old_thick, old_thin], "CT", upright=False)
    assert [p.display_set for p in plan.current] == [thin]
    assert [p.display_set for p in plan.prior] == [old_thin]


def test_more_cells_hang_more_series_and_leave_the_rest_empty() -> None:
    one = series([0.0, 5.0, 10.0])
    plan = hang([one], [], "CT", False, Layout(2, 2))
    assert [p.display_set for p in plan.current] == [one, None, None, None]
    assert plan.prior == ()


def test_reformats_are_axial_coronal_and_sagittal_of_one_volume() -> None:
    one = series([0.0, 5.0, 10.0])
    assert [p.view.plane for p in reformats(one, Role.PRIOR)] == [Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL]


# ── linking ──────────────────────────────────────────────────────────────────────────────────────────


def test_one_frame_of_reference_is_tied_exactly() -> None:
    a, b = (
        cell(0, series([n * 3.0 for n in range(20)])),
        cell(1, series([n * 1.0 for n in range(60)], uid="2.25.7"), Role.PRIOR),
    )
    found = linking.tie(a, b)
    assert found is not None
    assert found.exact
    assert found.offset == (0.0, 0.0, 0.0)


def test_another_frame_of_reference_is_tied_by_an_anchor_and_called_approximate() -> None:
    a = cell(0, series([n * 3.0 for n in range(20)]))
    b = cell(1, series([500 + n * 3.0 for n in range(20)], frame="2.25.55", uid="2.25.7"), Role.PRIOR)
    session = session_of(a, b)
    assert session.link_words == "linked, approximate"
    found = session.tie(a, b)
    assert found is not None
    assert found.offset[2] == pytest.approx(500.0)


def test_twenty_steps_take_a_prior_of_unequal_spacing_along_within_half_a_slice() -> None:
    unequal = [0.0]
    for n in range(60):
        unequal.append(unequal[-1] + (2.0, 3.5, 5.0)[n % 3])
    current = series([n * 4.0 for n in range(60)])
    prior = series([800 + z for z in unequal], frame="2.25.55", uid="2.25.7")
    session = session_of(cell(0, current, index=10), cell(1, prior, Role.PRIOR, index=30))
    session.anchor_here()
    before = [linking.point_of(c) for c in session.cells]
    for _ in range(20):
        view = session.cells[0].view
        session.set_view(0, view.with_(index=view.index + 1))
    now = [linking.point_of(c) for c in session.cells]
    moved = [b[2] - a[2] for a, b in zip(before, now, strict=True) if a is not None and b is not None]
    assert moved[0] == pytest.approx(80.0)
    assert abs(moved[1] - 80.0) <= 5.0 / 2


def test_the_way_there_and_back_leaves_the_prior_where_it_was() -> None:
    current, prior = (
        series([n * 4.0 for n in range(40)]),
        series([n * 2.5 for n in range(60)], frame="2.25.55", uid="2.25.7"),
    )
    session = session_of(cell(0, current, index=20), cell(1, prior, Role.PRIOR, index=30))
    session.anchor_here()
    for step in (1, 1, 1, 1, -1, -1, -1, -1):
        view = session.cells[0].view
        session.set_view(0, view.with_(index=view.index + step))
    assert session.cells[1].view.index == 30


def test_unlinked_cells_do_not_follow_but_other_series_of_the_study_do() -> None:
    current, other = series([n * 4.0 for n in range(40)]), series([n * 2.0 for n in range(80)], uid="2.25.9")
    prior = series([n * 4.0 for n in range(40)], frame="2.25.55", uid="2.25.7")
    session = session_of(
        cell(0, current, index=20), cell(1, other, index=40), cell(2, prior, Role.PRIOR, index=20)
    )
    session.set_linked(False)
    session.set_view(0, session.cells[0].view.with_(index=25))
    assert session.cells[1].view.index == 50
    assert session.cells[2].view.index == 20


def test_a_window_is_shared_by_linked_cells_of_one_modality_only() -> None:
    ct, pt = (
        series([n * 4.0 for n in range(10)]),
        series([n * 4.0 for n in range(10)], uid="2.25.9", modality="PT"),
    )
    old = series([n * 4.0 for n in range(10)], frame="2.25.55", uid="2.25.7")
    session = session_of(cell(0, ct), cell(1, pt), cell(2, old, Role.PRIOR))
    session.set_view(0, session.cells[0].view.with_(window=Window(-600, 1500)))
    assert session.cells[1].view.window is None
    assert session.cells[2].view.window == Window(-600, 1500)


def test_a_better_tie_moves_the_prior_but_never_one_set_by_hand() -> None:
    current, prior = (
        series([n * 4.0 for n in range(40)]),
        series([n * 4.0 for n in range(40)], frame="2.25.55", uid="2.25.7"),
    )
    session = session_of(cell(0, current, index=20), cell(1, prior, Role.PRIOR, index=20))
    session.refine(session.cells[0], session.cells[1], linking.Tie((0.0, 0.0, 12.0), False))
    assert session.cells[1].view.index == 23
    session.anchor_here()
    session.refine(session.cells[0], session.cells[1], linking.Tie((0.0, 0.0, -40.0), False))
    assert session.cells[1].view.index == 23


def test_a_series_that_grows_keeps_its_image_in_front() -> None:
    before, now = series([n * 4.0 for n in range(10, 30)]), series([n * 4.0 for n in range(40)])
    renamed = series([n * 4.0 for n in range(10, 30)])
    assert linking.same_image(before, 5, renamed) == 5
    assert linking.same_image(before, 5, now) == 5


# ── strokes ──────────────────────────────────────────────────────────────────────────────────────────


def stroke(uid: str = "2.25.70", value: float = 5.0) -> Measurement:
    return Measurement(
        uid, "length", "2.25.1", "s", "i", 1, ((0.0, 0.0, 0.0),), (Quantity("Length", value, "mm"),)
    )


def test_a_stroke_changed_and_undone_is_told_each_time() -> None:
    session = ReadingSession()
    told: list[tuple[float, bool]] = []
    session.stroke.connect(lambda m, removed: told.append((m.quantities[0].value, removed)))
    session.put(stroke(value=5.0))
    session.put(stroke(value=7.0))
    session.history.undo()
    session.history.undo()
    session.history.redo()
    assert told == [(5.0, False), (7.0, False), (5.0, False), (5.0, True), (5.0, False)]


def test_what_the_archive_knows_does_not_overwrite_what_it_does_not_have_yet() -> None:
    session = ReadingSession()
    session.put(stroke("2.25.70", 5.0))
    session.put(stroke("2.25.71", 6.0))
    session.learn_strokes(
        "2.25.1", [stroke("2.25.70", 99.0), stroke("2.25.72", 1.0)], own={"2.25.70", "2.25.71"}
    )
    assert {uid: m.quantities[0].value for uid, m in session.measurements.items()} == {
        "2.25.70": 5.0,
        "2.25.71": 6.0,
        "2.25.72": 1.0,
    }


# ── priors, preferences ──────────────────────────────────────────────────────────────────────────────


def prior_of(uid: str, modality: str, score: float, images: int = 10, date: str = "2026-03-02") -> Prior:
    return Prior(uid, date, "", modality, "", "CHEST", "", images, score, "", "")


def test_a_prior_of_the_same_modality_comes_before_a_higher_score() -> None:
    choice = priors.choose([prior_of("1", "CR", 0.9), prior_of("2", "CT", 0.5)], "CT", "Chest")
    assert choice.prior is not None
    assert choice.prior.study_uid == "2"
    assert choice.reason == "same modality, same body part"


def test_a_prior_without_images_is_no_prior_and_the_reason_says_so() -> None:
    choice = priors.choose([prior_of("1", "CT", 0.9, images=0)], "CT")
    assert choice.prior is None
    assert "with images" in choice.reason


def test_preferences_are_kept_and_rubbish_is_as_new(tmp_path: Path) -> None:
    path = tmp_path / "w" / "preferences.json"
    prefs = Preferences.load(path)
    prefs.text_scale = 150
    prefs.columns["worklist"] = {"procedure": 300}
    prefs.save()
    assert Preferences.load(path).columns == {"worklist": {"procedure": 300}}
    path.write_text('{"text_scale": "big", "theme": 7, "unknown": 1}', "utf-8")
    assert Preferences.load(path).text_scale == 100
    path.write_text("not json", "utf-8")
    assert Preferences.load(path).theme == "dark"


# ── planes of a volume ───────────────────────────────────────────────────────────────────────────────


def test_reformats_begin_where_the_images_were_looked_at_and_go_back_there() -> None:
    one = series([n * 3.0 for n in range(40)])
    bone = Window(400.0, 1800.0)
    acquired = cell(0, one, index=31, window=bone, zoom=2.0)
    planes = [
        CellState(n, Role.CURRENT, "2.25.1", one, place.view)
        for n, place in enumerate(reformats(one, Role.CURRENT))
    ]
    shown = [c.view for c in planes]
    began = [linking.as_before(c, [acquired]) for c in planes]
    assert [v.plane for v in began] == [v.plane for v in shown]
    assert all(v.window == bone for v in began)
    assert began[0].centre is not None
    assert began[0].centre[2] == pytest.approx(93.0)

    scrolled = [CellState(c.number, c.role, c.study_uid, one, v) for c, v in zip(planes, began, strict=True)]
    scrolled[0] = CellState(0, Role.CURRENT, "2.25.1", one, began[0].with_(centre=(0.0, 0.0, 30.0)))
    assert linking.as_before(cell(0, one, index=20), scrolled).index == 10
    assert linking.as_before(cell(0, one, index=20), scrolled).window == bone


def test_another_layout_leaves_each_picture_as_it_was() -> None:
    one, two = series([n * 3.0 for n in range(40)]), series([n * 3.0 for n in range(40)], uid="2.25.8")
    before = [cell(0, one, index=7, zoom=3.0)]
    assert linking.as_before(cell(3, one, index=20), before) == before[0].view
    assert linking.as_before(cell(1, two, index=20), before).index == 20
    assert linking.as_before(cell(1, one, Role.PRIOR, index=20), before).index == 20


def _planes(upright: bool = False) -> ReadingSession:
    current = series([n * 4.0 for n in range(40)])
    prior = series([n * 4.0 for n in range(40)], frame="2.25.55", uid="2.25.7")
    session, who = ReadingSession(), patient()
    manifest = StudyManifest("2.25.1", 1, who.patient_id, "", "", "", "", "", ())
    dossier = Dossier(exam("2.25.1", who), who, None, (), manifest, (), (), (), (), "", 0)
    session.open(dossier, upright, sets=(current,))
    older = replace(manifest, study_uid="2.25.2")
    session.join_prior(prior_of("2.25.2", "CT", 0.9), "", older, (), upright, sets=(prior,))
    session.show_reformats(upright)
    return session


def test_three_planes_of_the_study_leave_the_prior_one_cell() -> None:
    session = _planes()
    assert [(c.role, c.view.plane) for c in session.cells] == [
        (Role.CURRENT, Plane.AXIAL),
        (Role.CURRENT, Plane.CORONAL),
        (Role.CURRENT, Plane.SAGITTAL),
        (Role.PRIOR, Plane.AXIAL),
    ]


def test_the_priors_one_cell_cuts_as_the_active_plane_does() -> None:
    session = _planes()
    session.activate(1)
    assert session.cells[3].view.plane is Plane.CORONAL
    session.set_view(1, session.cells[1].view.with_(centre=(5.0, 17.0, 60.0)))
    here, there = linking.point_of(session.cells[1]), linking.point_of(session.cells[3])
    tie = session.tie(session.cells[1], session.cells[3])
    assert here is not None
    assert there is not None
    assert tie is not None
    assert there[1] == pytest.approx(here[1] + tie.offset[1])
    session.activate(3)
    assert session.cells[3].view.plane is Plane.CORONAL
    session.set_linked(False)
    session.activate(2)
    assert session.cells[3].view.plane is Plane.CORONAL


def test_leaving_the_planes_brings_the_prior_back_to_where_the_study_is() -> None:
    session = _planes()
    session.set_view(0, session.cells[0].view.with_(centre=(0.0, 0.0, 40.0)))
    session.activate(2)
    session.rehang(False)
    assert [(c.role, c.view.plane) for c in session.cells] == [
        (Role.CURRENT, Plane.ACQUIRED),
        (Role.PRIOR, Plane.ACQUIRED),
    ]
    assert [c.view.index for c in session.cells] == [10, 10]
    assert session.active == 0


def test_a_window_turned_upright_keeps_the_planes() -> None:
    session = _planes()
    session.reshape(True)
    assert session.plan is not None
    assert session.plan.upright
    assert [c.view.plane for c in session.cells][:3] == [Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL]


def test_the_priors_plane_is_the_active_one_turned_as_that_is() -> None:
    session = _planes()
    session.activate(1)
    tilted = {"plane": Plane.OBLIQUE, "right": (0.8, 0.6, 0.0), "down": (0.0, 0.0, -1.0)}
    session.set_views({2: session.cells[2].view.with_(plane=Plane.OBLIQUE, right=(0.6, 0.8, 0.0))})
    assert session.cells[3].view.plane is Plane.CORONAL
    session.set_views({1: session.cells[1].view.with_(**tilted)})
    beside = session.cells[3].view
    assert (beside.plane, beside.right, beside.down) == (
        Plane.OBLIQUE,
        (0.8, 0.6, 0.0),
        (0.0, 0.0, -1.0),
    )
    session.activate(2)
    assert session.cells[3].view.right == (0.6, 0.8, 0.0)
    session.activate(0)
    assert session.cells[3].view.plane is Plane.AXIAL
    session.set_linked(False)
    session.activate(1)
    assert session.cells[3].view.plane is Plane.AXIAL
    session.set_linked(True)
    assert session.cells[3].view.right == (0.8, 0.6, 0.0)
    session.set_views({1: session.cells[1].view.with_(plane=Plane.CORONAL)})
    assert session.cells[3].view.plane is Plane.CORONAL


def test_an_oblique_prior_lies_where_the_registration_says() -> None:
    session = _planes()
    quarter = ((0.0, -1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    session.refine(session.cells[0], session.cells[3], linking.Tie((0.0, 0.0, 9.0), False, "", quarter))
    session.set_views({0: session.cells[0].view.with_(plane=Plane.OBLIQUE, centre=(5.0, 2.0, 40.0))})
    beside = session.cells[3].view
    assert (beside.right, beside.down) == ((0.0, 1.0, 0.0), (-1.0, 0.0, 0.0))
    assert beside.centre == (-2.0, 5.0, 49.0)


def test_the_plane_that_turns_with_the_prior_is_the_one_it_accompanies() -> None:
    session = _planes()
    session.activate(2)
    twins = [session.twin(n) for n in range(4)]
    assert [t[0] if t is not None else None for t in twins] == [None, None, 3, 2]


def test_a_plane_hidden_by_its_3d_leads_nothing() -> None:
    session = _planes()
    session.activate(1)
    session.set_solid(0, True)
    before = session.cells[3].view
    session.activate(0)
    assert session.cells[3].view == before
    session.set_view(0, session.cells[0].view.with_(centre=(0.0, 0.0, 40.0)))
    assert session.cells[3].view == before
    session.activate(1)
    session.activate(0)
    session.set_solid(0, False)
    there, tie = linking.point_of(session.cells[3]), session.tie(session.cells[0], session.cells[3])
    assert session.cells[3].view.plane is Plane.AXIAL
    assert there is not None
    assert tie is not None
    assert there[2] == pytest.approx(40.0 + tie.offset[2])


def test_a_plane_chosen_for_the_prior_is_that_of_the_study_beside_it() -> None:
    session = _planes()
    session.activate(3)
    session.set_view(3, session.cells[3].view.with_(plane=Plane.SAGITTAL))
    assert session.cells[3].view.plane is Plane.SAGITTAL
    assert session.lead == 2


def test_three_planes_are_anchored_at_the_one_in_hand() -> None:
    session = _planes()
    session.set_view(0, session.cells[0].view.with_(centre=(0.0, 0.0, 40.0)))
    session.set_linked(False)
    session.set_view(3, session.cells[3].view.with_(centre=(0.0, 0.0, 60.0)))
    session.anchor_here()
    tie = session.tie(session.cells[0], session.cells[3])
    assert tie is not None
    assert tie.offset[2] == pytest.approx(20.0)


def test_the_priors_frame_names_the_tie_of_the_pair_that_is_shown() -> None:
    one = series([n * 3.0 for n in range(20)])
    other = series([n * 3.0 for n in range(20)], frame="2.25.56", uid="2.25.8")
    old = series([n * 3.0 for n in range(20)], frame="2.25.55", uid="2.25.7")
    session = session_of(cell(0, one), cell(1, other), cell(2, old, Role.PRIOR))
    eye = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    sure = "registered (rigid), confidence high"
    session.refine(session.cells[0], session.cells[2], linking.Tie((0.0, 0.0, 1.0), False, sure, eye))
    assert session.link_words == f"linked, {sure}"
    session.activate(1)
    assert session.link_words == "linked, approximate"
    session.activate(2)
    assert session.link_words == "linked, approximate"
