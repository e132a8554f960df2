"""Hanging protocols: files read and refused by line, chosen with reasons, laid out, and written back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.hanging import (
    CORONAL,
    SAGITTAL,
    a_prior,
    dossier,
    mammogram,
    projection,
    shipped,
    stack,
)
from workstation.session.hanging import Layout, Role
from workstation.session.protocols.choosing import REASONS, REFUSALS, hangers
from workstation.session.protocols.facing import chest_wall_at
from workstation.session.protocols.library import keep, library
from workstation.session.protocols.model import Match, Protocol
from workstation.session.protocols.reading_file import ProtocolError, read_protocol
from workstation.session.protocols.seen import Shown, protocol_of, with_stage
from workstation.session.protocols.writing_file import protocol_text
from workstation.session.reading_session import ReadingSession, sets_of
from workstation.session.view_state import Plane, ViewState, Window

RIGHT = """name = "Mine"

[match]
modality = ["CT"]
priors = "1+"

[[stage]]
name = "One"
layout = "1x2"

[[stage.cell]]
want = { plane = "axial" }
window = "Lung"

[[stage.cell]]
want = { plane = "axial" }
prefer = { kernel = ["bone"] }

[[stage]]
name = "Two"
layout = "1x1"

[[stage.cell]]
window = [40, 400]
"""

MISTAKES = (
    ('layout = "1x2"', 'layout = "1 by 2"', 9, "stage 1 layout", "no layout"),
    ('layout = "1x1"', 'layout = "7x1"', 21, "stage 2 layout", "1 to 6"),
    ('window = "Lung"', 'window = "Lungs"', 13, "stage 1 cell 1 window", "'Lungs' is none of"),
    ('kernel = ["bone"]', 'kernel = ["bones"]', 17, "stage 1 cell 2 prefer kernel", "'bones' is none of"),
    ("prefer = {", "prefers = {", 17, "stage 1 cell 2 prefers", "no such field"),
    (
        'want = { plane = "axial" }\nwindow',
        'want = { plain = "axial" }\nwindow',
        12,
        "stage 1 cell 1 want plain",
        "no such fact",
    ),
    ("[40, 400]", "[40]", 24, "stage 2 cell 1 window", "two numbers"),
    ('priors = "1+"', 'priors = "some"', 5, "match priors", "no number"),
    ('modality = ["CT"]', "modality = [1]", 4, "match modality", "list of texts"),
    ('name = "Mine"', "", 1, "name", "a text in quotes"),
    ('name = "Two"', "", 19, "stage 2 name", "a text in quotes"),
    ('name = "Mine"', 'name = "Mine', 1, "", ""),
    ("[[stage.cell]]\nwindow = [40, 400]", "", 19, "stage 2 cell", "at least one cell"),
)


def test_a_right_file_is_read() -> None:
    found = read_protocol(RIGHT, "mine", own=True)
    assert (found.name, found.match.priors, len(found.stages)) == ("Mine", (1, None), 2)
    assert found.stages[0].cells[0].look.window == "Lung"
    assert found.stages[1].cells[0].look.window == Window(40, 400)


@pytest.mark.parametrize(("was", "becomes", "line", "field", "words"), MISTAKES)
def test_a_mistake_is_named_by_line_and_field(
    was: str, becomes: str, line: int, field: str, words: str
) -> None:
    assert was in RIGHT
    with pytest.raises(ProtocolError) as caught:
        read_protocol(RIGHT.replace(was, becomes, 1), "mine")
    assert (caught.value.line, caught.value.field) == (line, field)
    assert words in caught.value.words
    assert str(caught.value).startswith(f"mine.toml, line {line}")


def test_shipped_protocols_are_right_and_read_back_as_they_are_written() -> None:
    folder = Path(__file__).parents[2] / "resources" / "hanging_protocols"
    found = library(folder)
    assert not found.mistakes
    assert len(found.protocols) >= 13
    for protocol in found.protocols:
        again = read_protocol(protocol_text(protocol), protocol.key, path=protocol.path)
        assert again == protocol


def test_own_files_win_and_a_wrong_one_leaves_the_others(tmp_path: Path) -> None:
    ours, own = tmp_path / "shipped", tmp_path / "own"
    for folder in (ours, own):
        folder.mkdir()
    (ours / "a.toml").write_text(RIGHT.replace("Mine", "Shipped"), "utf-8")
    (ours / "b.toml").write_text(RIGHT.replace("Mine", "Other"), "utf-8")
    (own / "a.toml").write_text(RIGHT, "utf-8")
    (own / "b.toml").write_text(RIGHT.replace("1x2", "no"), "utf-8")
    (own / "c.toml").write_bytes(b"\xff\xfe")
    found = library(ours, own)
    assert [(p.key, p.name, p.own) for p in found.protocols] == [("a", "Mine", True), ("b", "Other", False)]
    assert [(m.file, m.line, m.field) for m in found.mistakes] == [
        ("b.toml", 9, "stage 1 layout"),
        ("c.toml", 1, ""),
    ]


# ── choosing ─────────────────────────────────────────────────────────────────────────────────────────


def opened(*series: object, protocols: tuple[Protocol, ...] | None = None, **about: object) -> ReadingSession:
    """A study opened by the shipped protocols, or by those given."""
    session = ReadingSession()
    session.hangings.protocols = shipped() if protocols is None else protocols
    session.open(dossier(series, **about), upright=False)  # type: ignore[arg-type]
    return session


def chosen(session: ReadingSession) -> str:
    return session.hangings.now.protocol.key if session.hangings.now is not None else ""


def test_the_reasons_say_why_and_the_others_why_not() -> None:
    session = opened(stack("CT", "Thorax 1.0"), procedure="CT Chest")
    assert chosen(session) == "ct_chest"
    now = session.hangings.now
    assert now is not None
    assert [(r.words, r.what) for r in now.judged.reasons][:2] == [(REASONS[0], "CT"), (REASONS[1], "chest")]
    refused = {j.protocol.key: j.reasons[0].words for j in session.hangings.all if not j.fits}
    assert refused["ct_head"] == REFUSALS[1]
    assert refused["mr_brain"] == REFUSALS[0]


def test_a_study_of_several_regions_hangs_by_the_one_that_has_most_of_them() -> None:
    assert chosen(opened(stack("CT", "Body"), procedure="CT Chest, abdomen and pelvis")) == "ct_abdomen"


def test_a_body_part_nobody_says_hangs_the_best_series() -> None:
    session = opened(stack("CT", "Series"), procedure="")
    assert session.hangings.now is None
    assert session.cells[0].display_set is not None


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        (Match(priors=(1, None)), False),
        (Match(priors=(0, 0)), True),
        (Match(monitors=(2, None)), False),
        (Match(monitors=(1, 1)), True),
        (Match(side=("left",)), True),
        (Match(side=("right",)), False),
        (Match(procedure=("follow up",)), True),
        (Match(procedure=("angio",)), False),
    ],
)
def test_what_a_protocol_asks_has_to_be_so(match: Match, fits: bool) -> None:
    protocol = replace(read_protocol(RIGHT, "mine"), match=match)
    session = opened(stack("CT", "x"), procedure="CT knee left, follow-up", protocols=(protocol,))
    assert session.hangings.all[0].fits is fits


def test_an_own_protocol_wins_over_one_that_fits_as_well() -> None:
    of_ours = next(p for p in shipped() if p.key == "ct_chest")
    mine = replace(of_ours, key="zzz", name="zzz", own=True)
    session = opened(stack("CT", "x"), procedure="CT Chest", protocols=(of_ours, mine))
    assert chosen(session) == "zzz"


# ── filling ──────────────────────────────────────────────────────────────────────────────────────────


def shown(session: ReadingSession, role: Role = Role.CURRENT) -> list[int | None]:
    return [c.display_set.series_number if c.display_set else None for c in session.cells if c.role is role]


def brain(*numbers: int) -> list[object]:
    made = {
        1: stack("MR", "t2_tse_tra", 1),
        2: stack("MR", "t1_sag", 2, axes=SAGITTAL),
        3: stack("MR", "flair_tra", 3),
        4: stack("MR", "dwi b1000", 4, DiffusionBValue=1000.0),
        5: stack("MR", "t1_tra_km", 5),
        6: stack("MR", "localizer", 6),
        7: stack("MR", "swi", 7),
    }
    return [made[n] for n in numbers]


def test_each_cell_gets_the_series_it_means() -> None:
    session = opened(*brain(6, 5, 4, 3, 2, 1), procedure="MR Brain")
    assert shown(session) == [3, 1, 4, 5]


def test_a_cell_whose_series_is_missing_takes_the_next_best_but_no_localizer() -> None:
    session = opened(*brain(6, 1, 3, 7), procedure="MR Brain")
    assert shown(session) == [3, 1, 7]


def test_a_layout_closes_up_where_a_series_is_missing() -> None:
    session = opened(projection("CR", 1, ViewPosition="PA"), procedure="Chest")
    assert session.plan is not None
    assert session.plan.layout == Layout(1, 1)


def test_pages_show_every_series_once() -> None:
    clips = [projection("US", n) for n in range(1, 9)]
    session = opened(*clips, procedure="US abdomen")
    assert shown(session) == [1, 2, 3, 4, 5, 6]
    session.stages.step(1, upright=False)
    assert shown(session) == [7, 8]
    session.stages.step(-1, upright=False)
    assert shown(session) == [1, 2, 3, 4, 5, 6]


def test_a_reformat_stands_in_where_no_series_has_the_plane() -> None:
    session = opened(stack("CT", "Abd 1.0", 1), procedure="CT abdomen")
    assert [c.view.plane for c in session.cells] == [Plane.ACQUIRED, Plane.CORONAL]
    given = opened(stack("CT", "Abd", 1), stack("CT", "Abd cor", 2, axes=CORONAL), procedure="CT abdomen")
    assert shown(given) == [1, 2]
    assert {c.view.plane for c in given.cells} == {Plane.ACQUIRED}


def test_cells_of_one_frame_of_reference_open_at_one_place() -> None:
    session = opened(stack("MR", "t2_tra", 1, 20, 1.0), stack("MR", "flair", 3, 6, 3.0), procedure="MR Brain")
    by_number = {c.display_set.series_number: c for c in session.cells if c.display_set}
    flair, t2 = by_number[3], by_number[1]
    assert 1.0 * (t2.view.index + 1) == pytest.approx(3.0 * (flair.view.index + 1), abs=0.6)


def test_images_that_come_late_hang_where_they_were_waited_for() -> None:
    four = mammograms()
    session = opened(*four[:2])
    assert shown(session) == [1, 2, None, None]
    assert session.stages.wanted(2) == ("right", "MLO")
    session.refresh(dossier(four))
    assert shown(session) == [1, 2, 3, 4]


def test_an_exam_opened_before_its_first_image_hangs_when_it_comes() -> None:
    session = opened(procedure="CT Chest", modality="CT")
    assert shown(session) == [None]
    session.refresh(dossier([stack("CT", "Thorax")], procedure="CT Chest", modality="CT"))
    assert chosen(session) == "ct_chest"
    assert shown(session) == [1]


# ── the prior ────────────────────────────────────────────────────────────────────────────────────────


def with_prior(session: ReadingSession, *series: object) -> ReadingSession:
    prior = a_prior("CT", "CT Chest")
    session.join_prior(prior, "because", dossier(series).manifest, (), upright=False)  # type: ignore[arg-type]
    return session


def test_a_study_that_will_have_a_prior_hangs_as_beside_it_from_the_start() -> None:
    series = stack("CT", "Abd 1.0", 1), stack("CT", "Abd cor", 2, axes=CORONAL)
    session = opened(*series, procedure="CT abdomen", priors=[a_prior("CT", "CT abdomen")])
    assert shown(session) == [1]
    with_prior(session, stack("CT", "Abd 5.0", 3), stack("CT", "Abd sag", 4, axes=SAGITTAL))
    assert (shown(session), shown(session, Role.PRIOR)) == ([1], [3])


def test_the_prior_shows_what_the_study_shows_stage_by_stage() -> None:
    def chest(n: int) -> list[object]:
        return [
            stack("CT", "Soft", n, ConvolutionKernel="B30f"),
            stack("CT", "Lung", n + 1, ConvolutionKernel="B70f"),
        ]

    session = opened(*chest(1), procedure="CT Chest", priors=[a_prior("CT", "CT Chest")])
    with_prior(session, *chest(11))
    assert (shown(session), shown(session, Role.PRIOR)) == ([1], [11])
    session.stages.step(1, upright=False)
    assert (shown(session), shown(session, Role.PRIOR)) == ([2], [12])
    assert {c.view.window.label for c in session.cells if c.view.window} == {"Lung"}


def test_a_prior_of_another_modality_still_hangs() -> None:
    session = opened(stack("CT", "Soft", 1), procedure="CT Chest", priors=[a_prior("MR", "MR Chest")])
    with_prior(session, stack("MR", "t2 ax", 5))
    assert shown(session, Role.PRIOR) == [5]


def test_the_place_is_kept_from_stage_to_stage() -> None:
    soft = stack("CT", "Soft", 1, 20, 2.0, ConvolutionKernel="B30f")
    lung = stack("CT", "Lung", 2, 40, 1.0, ConvolutionKernel="B70f")
    session = opened(soft, lung, procedure="CT Chest")
    session.set_view(0, session.cells[0].view.with_(index=4))
    session.stages.step(1, upright=False)
    assert shown(session) == [2]
    assert session.cells[0].view.index == 9


def test_a_layout_of_the_readers_own_is_left_by_the_stage_key() -> None:
    session = opened(*brain(1, 3, 4, 5), procedure="MR Brain")
    session.rehang(False, Layout(1, 1))
    assert len(session.cells) == 1
    session.stages.step(1, upright=False)
    assert len(session.cells) == 4


# ── mammography ──────────────────────────────────────────────────────────────────────────────────────


def mammograms(**changes: object) -> list[object]:
    return [
        mammogram(1, "R", "CC", ("P", "L"), **changes),
        mammogram(2, "L", "CC", ("A", "R"), **changes),
        mammogram(3, "R", "MLO", ("P", "FL"), **changes),
        mammogram(4, "L", "MLO", ("A", "FR"), **changes),
    ]


def test_four_views_hang_chest_wall_to_chest_wall_in_one_scale() -> None:
    large = [mammogram(5, "R", "CC", ("P", "L"), rows=80, columns=60)]
    session = opened(*large, *mammograms()[1:])
    assert shown(session) == [5, 2, 3, 4]
    fits = [c.view.fit for c in session.cells]
    assert [fit.side for fit in fits if fit] == ["right", "left", "right", "left"]
    assert [fit.extent for fit in fits if fit] == [pytest.approx((6.0, 8.0))] * 4
    assert all(not c.view.rotation and not c.view.flip_horizontal for c in session.cells)


def test_the_prior_of_a_mammogram_lies_under_it_in_the_same_places() -> None:
    session = opened(*mammograms(), priors=[a_prior("MG", "Mammography")])
    with_prior(
        session, *(mammogram(n, s, v, o) for n, s, v, o in ((11, "L", "CC", "AR"), (12, "R", "MLO", "PF")))
    )
    assert session.plan is not None
    assert session.plan.over
    assert shown(session, Role.PRIOR) == [None, 11, 12, None]


@pytest.mark.parametrize(
    ("edge", "names", "side", "turns"),
    [
        ("right", ("P", "L"), "right", (0, False)),
        ("right", ("A", "R"), "right", (2, False)),
        ("right", ("A", "L"), "right", (0, True)),
        ("left", ("A", "FR"), "left", (0, False)),
        ("left", ("P", "FR"), "left", (0, True)),
        ("left", ("P", "HL"), "left", (2, False)),
        ("right", ("FL", "P"), "right", (3, True)),
        ("right", (), "right", None),
        ("right", ("x", "y"), "right", None),
    ],
)
def test_an_image_that_lies_another_way_is_turned(
    edge: str, names: tuple[str, ...], side: str, turns: tuple[int, bool] | None
) -> None:
    assert chest_wall_at(edge, names, side) == turns


# ── saving what is seen ──────────────────────────────────────────────────────────────────────────────


def saved(session: ReadingSession, name: str = "My layout") -> Protocol:
    assert session.plan is not None
    cells = [
        Shown(c.role, hangers((c.display_set,))[0] if c.display_set else None, c.view) for c in session.cells
    ]
    layouts = dict.fromkeys(Role, session.plan.layout)
    series = {role: hangers(sets) for role, sets in session.sets.items()}
    return protocol_of(name, "First", Match(modality=("MR",)), cells, layouts, series, over=False)


def test_what_is_seen_is_written_and_hangs_the_same_again(tmp_path: Path) -> None:
    session = opened(*brain(1, 2, 3, 4, 5, 7), procedure="MR Brain")
    session.rehang(False, Layout(1, 2))
    sets = {s.series_number: s for s in session.sets[Role.CURRENT]}
    session.show(0, sets[7])
    session.show(1, sets[2])
    session.set_view(1, session.cells[1].view.with_(plane=Plane.AXIAL, window=Window(300, 600), invert=True))
    kept = keep(saved(session), tmp_path)
    assert kept.path is not None
    again = library(tmp_path / "none", tmp_path)
    assert not again.mistakes
    other = opened(*brain(7, 5, 4, 3, 2, 1), procedure="MR Brain", protocols=(*shipped(), *again.protocols))
    assert chosen(other) == "my_layout"
    assert shown(other) == [7, 2]
    view = other.cells[1].view
    assert (view.plane, view.window, view.invert) == (Plane.AXIAL, Window(300, 600), True)


def test_a_second_stage_joins_the_first_and_one_of_its_name_takes_its_place() -> None:
    session = opened(*brain(1, 3), procedure="MR Brain")
    first = saved(session)
    second = replace(first.stages[0], name="Second")
    both = with_stage(first, second)
    assert [s.name for s in both.stages] == ["First", "Second"]
    assert with_stage(both, replace(second, layout=Layout(1, 1))).stages[1].layout == Layout(1, 1)


def test_a_prior_seen_as_the_study_is_left_to_the_study() -> None:
    session = opened(stack("CT", "Soft", 1), procedure="CT Chest", priors=[a_prior("CT", "CT Chest")])
    with_prior(session, stack("CT", "Soft", 5))
    stage = saved(session).stages[0]
    assert stage.of_prior == ()
    assert stage.prior == "beside"
    session.set_view(1, ViewState(plane=Plane.CORONAL))
    assert len(saved(session).stages[0].of_prior) == 1


def test_display_sets_carry_what_their_series_says_of_the_body() -> None:
    series = replace(stack("CT", "x"), body_part="KNEE", laterality="L")
    (one,) = sets_of(dossier([series]).manifest)
    assert (one.body_part, one.laterality) == ("KNEE", "L")
