"""The one mutable object of the reading room: what is open, what hangs where, what was drawn.

Views and panels listen to its signals and never talk to each other. It reaches no archive: strokes leave
by the `stroke` signal, whoever listens writes them to the spool and the archive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pacs_core.archive.models import Dossier, ExamRow, Prior, StudyManifest
from pacs_core.domain.measurement import Measurement
from workstation.imaging.display_sets import DisplaySet, display_sets
from workstation.imaging.documents.kinds import ALSO_IMAGES, DocumentRef, documents
from workstation.session import linking
from workstation.session.commands import Command, History
from workstation.session.hanging import FIRST, Layout, Place, Plan, Role, first_view, hang, three_planes
from workstation.session.protocols.hung import Hangings
from workstation.session.signal import Signal
from workstation.session.stages import Stages
from workstation.session.view_state import Plane, Vector, ViewState


@dataclass(frozen=True, slots=True)
class CellState:
    """One cell of the room: whose study, which display set (None: empty or a document), how it is seen."""

    number: int
    role: Role
    study_uid: str
    display_set: DisplaySet | None
    view: ViewState
    document: DocumentRef | None = None


class ReadingSession:
    """What one reader has open. Every change is a method, every method tells by one signal."""

    def __init__(self) -> None:
        self.wanted: Signal[[str]] = Signal("wanted")
        self.opened: Signal[[]] = Signal("opened")
        self.closed: Signal[[]] = Signal("closed")
        self.facts_changed: Signal[[]] = Signal("facts_changed")
        self.sets_changed: Signal[[]] = Signal("sets_changed")
        self.hung: Signal[[]] = Signal("hung")
        self.view_changed: Signal[[int]] = Signal("view_changed")
        self.active_changed: Signal[[int]] = Signal("active_changed")
        self.strokes_changed: Signal[[]] = Signal("strokes_changed")
        self.stroke: Signal[[Measurement, bool]] = Signal("stroke")
        self.link_changed: Signal[[]] = Signal("link_changed")
        self.dossier: Dossier | None = None
        self.prior: Prior | None = None
        self.prior_reason = ""
        self.history = History()
        self.queue: tuple[ExamRow, ...] = ()
        self.viewed: dict[str, set[int]] = {}
        self.solid: set[int] = set()
        self.hangings = Hangings()
        self.stages = Stages(self)
        self._empty()

    def _empty(self) -> None:
        self.dossier, self.prior, self.prior_reason = None, None, ""
        self.prior_manifest: StudyManifest | None = None
        self.sets: dict[Role, tuple[DisplaySet, ...]] = {Role.CURRENT: (), Role.PRIOR: ()}
        self.documents: dict[Role, tuple[DocumentRef, ...]] = {Role.CURRENT: (), Role.PRIOR: ()}
        self.plan: Plan | None = None
        self.layout: Layout | None = None
        self.hangings.forget()
        self.cells: list[CellState] = []
        self.active = self.lead = 0
        self.maximised: int | None = None
        self.linked = True
        self.ties: dict[tuple[str, str], linking.Tie] = {}
        self.by_hand: set[tuple[str, str]] = set()
        self.measurements: dict[str, Measurement] = {}
        self.selected = ""
        self.history.clear()

    # ── opening and closing ──────────────────────────────────────────────────────────────────────────

    @property
    def study_uid(self) -> str:
        return self.dossier.exam.study_uid if self.dossier else ""

    def open(
        self,
        dossier: Dossier,
        upright: bool,
        strokes: Iterable[Measurement] = (),
        sets: tuple[DisplaySet, ...] | None = None,
    ) -> None:
        """Open a study: its series hang at once, its prior joins when its manifest is there.

        `sets` are the display sets of its manifest where somebody made them already, on another thread.
        """
        self._empty()
        self.dossier = dossier
        self.sets[Role.CURRENT] = sets_of(dossier.manifest) if sets is None else sets
        self.documents[Role.CURRENT] = documents_of(dossier.manifest)
        self.measurements = {m.tracking_uid: m for m in (*dossier.measurements, *strokes) if not m.deleted}
        self.hangings.begin(dossier, self.sets[Role.CURRENT])
        self._hang(upright)
        self.opened.emit()
        self.hung.emit()
        self.strokes_changed.emit()

    def refresh(self, dossier: Dossier, sets: tuple[DisplaySet, ...] | None = None) -> None:
        """New facts of the open study: identity, order, reports; new images join without moving the
        picture. `sets` as for `open`; the very ones that are here say that no image is new.
        """
        if dossier.exam.study_uid != self.study_uid:
            return
        fresh = self.renewed(dossier) if sets is None else sets
        arrived = fresh is not self.sets[Role.CURRENT]
        self.dossier = dossier
        if arrived:
            self.documents[Role.CURRENT] = documents_of(dossier.manifest)
            self._renew(Role.CURRENT, fresh)
        filled = arrived and self._take_up()
        self.facts_changed.emit()
        if arrived:
            self.sets_changed.emit()
        if filled:
            self.hung.emit()

    def renewed(self, dossier: Dossier) -> tuple[DisplaySet, ...]:
        """The display sets of a newer dossier: the present ones where its manifest is the present one."""
        same = self.dossier is not None and dossier.manifest == self.dossier.manifest
        return self.sets[Role.CURRENT] if same else sets_of(dossier.manifest)

    def join_prior(
        self,
        prior: Prior,
        reason: str,
        manifest: StudyManifest,
        strokes: Iterable[Measurement],
        upright: bool,
        sets: tuple[DisplaySet, ...] | None = None,
    ) -> None:
        """Hang a prior beside the study; its strokes come along. `sets` as for `open`."""
        self.prior, self.prior_reason, self.prior_manifest = prior, reason, manifest
        self.sets[Role.PRIOR] = sets_of(manifest) if sets is None else sets
        self.documents[Role.PRIOR] = documents_of(manifest)
        self.measurements |= {m.tracking_uid: m for m in strokes if not m.deleted}
        before, planes = self.cells, self.plan is not None and self.plan.planes
        kept = {c.number: c for c in before}
        self._hang(upright)
        self.cells = [self._as_before(c, kept.get(c.number)) for c in self.cells]
        if planes:
            self._hang_planes(upright, before)
        self.sets_changed.emit()
        self.hung.emit()
        self.strokes_changed.emit()

    def close(self) -> None:
        """Leave the study; nothing of it stays but which of its images were viewed."""
        if self.dossier is not None:
            self._empty()
            self.closed.emit()

    def _as_before(self, cell: CellState, before: CellState | None) -> CellState:
        same = before is not None and before.role is cell.role and before.display_set == cell.display_set
        return replace(cell, view=before.view) if same and before is not None else cell

    def _renew(self, role: Role, sets: tuple[DisplaySet, ...]) -> None:
        """Put display sets that have grown in their old places, the same image still in front."""
        fresh = {s.uid: s for s in sets}
        self.sets[role] = sets
        for number, cell in enumerate(self.cells):
            if cell.role is role and cell.display_set is not None and cell.display_set.uid in fresh:
                grown = fresh[cell.display_set.uid]
                view = cell.view.with_(index=linking.same_image(cell.display_set, cell.view.index, grown))
                self.cells[number] = replace(cell, display_set=grown, view=view)

    # ── hanging ──────────────────────────────────────────────────────────────────────────────────────

    def _hang(self, upright: bool) -> None:
        """By the protocol, else (none fits, or the reader chose a layout) the best series."""
        assert self.dossier is not None
        plan = self.hangings.plan(self.sets, upright) if self.layout is None else None
        if plan is None:
            modality = self.dossier.exam.modality
            plan = hang(self.sets[Role.CURRENT], self.sets[Role.PRIOR], modality, upright, self.layout)
        self.plan = plan
        self._place(plan)
        self.cells = linking.level(self.cells)
        if plan.planes:
            self.lead = 0
            self._accompany()

    def hang_anew(self, upright: bool, seen: Callable[[CellState, Sequence[CellState]], ViewState]) -> None:
        """Hang by the protocol as it stands; `seen` gives a cell's view, knowing the cells before."""
        before, self.layout, self.active = self.cells, None, 0
        self._hang(upright)
        self.cells = [replace(c, view=seen(c, before)) for c in self.cells]
        self._accompany()
        self.hung.emit()

    def _take_up(self) -> bool:
        """New series hang where a cell waits for them, all anew where nothing hung; whether any did."""
        assert self.dossier is not None
        upright = self.plan is not None and self.plan.upright
        if any(c.display_set or c.document for c in self.cells):
            filled = self.stages.waiting(upright)
            self.cells = filled or self.cells
            self._tie_all()
            return filled is not None
        self.hangings.begin(self.dossier, self.sets[Role.CURRENT])
        self._hang(upright)
        return any(c.display_set or c.document for c in self.cells)

    def _place(self, plan: Plan) -> None:
        uids = {Role.CURRENT: self.study_uid, Role.PRIOR: self.prior.study_uid if self.prior else ""}
        places = (*plan.current, *plan.prior)
        self.cells = [
            CellState(n, p.role, uids[p.role], p.display_set, first_view(p)) for n, p in enumerate(places)
        ]
        for role, offered in self.documents.items():
            cell = next((c for c in self.cells if c.role is role), None)
            if offered and not self.sets[role] and cell is not None:
                self.cells[cell.number] = replace(cell, document=offered[0])
        self.active = min(self.active, max(0, len(self.cells) - 1))
        self.maximised = None
        self._tie_all()

    def rehang(self, upright: bool, layout: Layout | None = None) -> None:
        """Hang again, in another layout where one is given."""
        if self.dossier is None:
            return
        self.layout = layout or self.layout
        before, role = self.cells, self.active_cell.role if self.active_cell else Role.CURRENT
        left = self.plan is not None and self.plan.planes
        self.hangings.leave_planes()
        self._hang(upright)
        self._look_on(before)
        if left:
            self._leave_planes(role)
        self.hung.emit()

    def reshape(self, upright: bool) -> None:
        """The place became upright or wide: what hangs stays, laid out anew."""
        if self.plan is not None and self.plan.planes:
            self.show_reformats(upright)
        else:
            self.rehang(upright)

    def _leave_planes(self, role: Role) -> None:
        """The study or the prior stays in hand as it was, and the prior, which was seen in one plane alone,
        lies where the study does.
        """
        self.active = next((c.number for c in self.cells if c.role is role), 0)
        one = next((c for c in self.cells if c.role is Role.CURRENT), None)
        point = linking.point_of(one) if one is not None and self.linked else None
        if one is not None and point is not None:
            self._bring(point, one)

    def show_reformats(self, upright: bool) -> None:
        """Axial, coronal and sagittal of the study's volume; one cell of the prior's goes with them."""
        if self._hang_planes(upright, self.cells):
            self.hung.emit()

    def _hang_planes(self, upright: bool, before: list[CellState]) -> bool:
        cell = self.active_cell
        if cell is None or cell.display_set is None or not cell.display_set.is_volume or self.plan is None:
            return False
        current = self._volume(Role.CURRENT, cell)
        if current is None:
            return False
        self.plan = three_planes(current, self._volume(Role.PRIOR, cell), upright)
        self._place(self.plan)
        self._look_on(before)
        self.active = self.lead = 0
        self._accompany()
        return True

    @property
    def _led_by(self) -> CellState | None:
        """The study's plane that the prior's one cell accompanies: the one last in hand, unless it is hidden
        by its 3D; None where no three planes hang or the prior is not linked.
        """
        hung = self.plan is not None and self.plan.planes and self.linked and self.lead < len(self.cells)
        one = self.cells[self.lead] if hung and self.lead not in self.solid else None
        return one if one is not None and one.role is Role.CURRENT else None

    def _take_lead(self, number: int) -> None:
        if self.cells[number].role is Role.CURRENT and number not in self.solid:
            self.lead = number

    def _accompany(self) -> list[int]:
        """The prior's one cell beside three planes cuts as the study's plane in hand does, turned as that
        is, at its place; the cells that changed.
        """
        one, moved = self._led_by, []
        for number, cell in enumerate(self.cells):
            if one is None or cell.role is not Role.PRIOR or cell.display_set is None:
                continue
            view = linking.cut_alike(one, cell, self.tie(one, cell))
            if view != cell.view:
                self.cells[number] = replace(cell, view=view)
                moved.append(number)
        return moved

    def _accompany_and_tell(self) -> None:
        for number in self._accompany():
            self.view_changed.emit(number)

    def _look_on(self, before: list[CellState]) -> None:
        """What hangs otherwise now is looked at where and as it was."""
        self.cells = [replace(c, view=linking.as_before(c, before)) for c in self.cells]

    def _volume(self, role: Role, cell: CellState) -> DisplaySet | None:
        if cell.role is role:
            return cell.display_set
        able = [
            c.display_set for c in self.cells if c.role is role and c.display_set and c.display_set.is_volume
        ]
        return able[0] if able else None

    def show(self, number: int, display_set: DisplaySet) -> None:
        """Hang another display set in a cell."""
        role = next((r for r, sets in self.sets.items() if display_set in sets), Role.CURRENT)
        uid = self.prior.study_uid if role is Role.PRIOR and self.prior else self.study_uid
        view = first_view(Place(role, display_set))
        self.cells[number] = CellState(number, role, uid, display_set, view)
        self._tie_all()
        self.hung.emit()

    def show_document(self, number: int, document: DocumentRef) -> None:
        """Hang an object that is no image in a cell."""
        role = next((r for r, found in self.documents.items() if document in found), Role.CURRENT)
        uid = self.prior.study_uid if role is Role.PRIOR and self.prior else self.study_uid
        self.cells[number] = CellState(number, role, uid, None, FIRST, document)
        self.hung.emit()

    def show_image(self, sop_instance_uid: str, frame: int, beside: int) -> bool:
        """Bring an image that a document points to into the next cell, or into the document's own where
        there is one only; False where none of the open studies has it.
        """
        for shown in (s for sets in self.sets.values() for s in sets):
            for index, one in enumerate(shown.frames):
                if one.sop_instance_uid == sop_instance_uid and frame in (0, one.frame):
                    there = (c.number for c in self.cells if c.display_set == shown)
                    number = next(there, (beside + 1) % len(self.cells))
                    if self.cells[number].display_set != shown:
                        self.show(number, shown)
                    self.set_view(number, self.cells[number].view.with_(index=index, plane=Plane.ACQUIRED))
                    return True
        return False

    def show_at(self, number: int, display_set: DisplaySet, view: ViewState) -> None:
        """Hang a display set in a cell, seen as said; at the point the cell shows, if that is a plane's."""
        before = self.cells[number]
        point = linking.point_of(before) if before.view.turn is None else None
        self.show(number, display_set)
        cell = replace(self.cells[number], view=view)
        if view.plane is Plane.ACQUIRED and point is not None:
            cell = replace(cell, view=linking.at_point(cell, point))
        self.set_views({number: cell.view})

    def show_places(self, places: Sequence[Place], layout: Layout, upright: bool) -> None:
        """Hang the current study in places of one's own, at the point the active cell shows; no prior."""
        active = self.active_cell
        point = linking.point_of(active) if active is not None else None
        self.plan = Plan(tuple(places), (), layout, upright)
        self._place(self.plan)
        if point is not None:
            self.cells = [replace(c, view=linking.at_point(c, point)) for c in self.cells]
        self.hung.emit()

    def display_set(self, uid: str) -> DisplaySet | None:
        """The open display set of a UID."""
        return next((s for sets in self.sets.values() for s in sets if s.uid == uid), None)

    # ── cells and views ──────────────────────────────────────────────────────────────────────────────

    @property
    def active_cell(self) -> CellState | None:
        return self.cells[self.active] if 0 <= self.active < len(self.cells) else None

    def activate(self, number: int) -> None:
        if number != self.active and 0 <= number < len(self.cells):
            self.active = number
            self._take_lead(number)
            self._accompany_and_tell()
            self.active_changed.emit(number)

    def set_solid(self, number: int, solid: bool) -> None:
        """A cell is seen in 3D, or as a plane again: while it is, the plane beneath leads no other cell."""
        if solid:
            self.solid.add(number)
            return
        self.solid.discard(number)
        if number < len(self.cells) and number == self.active:
            self._take_lead(number)
            point = linking.point_of(self.cells[number])
            if self.linked and point is not None:
                self._bring(point, self.cells[number])
            self._accompany_and_tell()

    def maximise(self, number: int | None) -> None:
        self.maximised = number
        self.hung.emit()

    def set_view(self, number: int, view: ViewState) -> None:
        """Change one cell's view; what is linked to it follows by patient millimetres."""
        cell = self.cells[number]
        if cell.view == view:
            return
        self.cells[number] = replace(cell, view=view)
        if cell.role is Role.PRIOR and view.plane is not cell.view.plane:
            alike = (c.number for c in self.cells if c.role is Role.CURRENT and c.view.plane is view.plane)
            self._take_lead(next(alike, self.lead))
        followers = self._follow(self.cells[number], cell.view)
        for changed in dict.fromkeys((number, *followers, *self._accompany())):
            self.view_changed.emit(changed)

    def set_views(self, views: Mapping[int, ViewState]) -> None:
        """Change several cells at once; none of them leads another."""
        changed = [number for number, view in views.items() if self.cells[number].view != view]
        for number in changed:
            self.cells[number] = replace(self.cells[number], view=views[number])
        for number in dict.fromkeys((*changed, *self._accompany())):
            self.view_changed.emit(number)

    def twin(self, number: int) -> tuple[int, linking.Tie] | None:
        """The cell of the other study that is turned with this one, with the tie that leads there: of three
        planes the prior's with the one it accompanies, else the one that hangs in the same place.
        """
        cell = self.cells[number]
        if not self.linked:
            return None
        if self.plan is not None and self.plan.planes:
            pair = [c for c in self.cells if c.role is Role.PRIOR or c == self._led_by]
            others = [c for c in pair if cell in pair and c.role is not cell.role]
            place = 0
        else:
            place = [c.number for c in self.cells if c.role is cell.role].index(number)
            others = [c for c in self.cells if c.role is not cell.role]
        tie = self.tie(cell, others[place]) if place < len(others) else None
        return (others[place].number, tie) if tie is not None else None

    def reset_view(self, number: int) -> None:
        """As it was hung: the first view of its place in the plan, else of what it shows now."""
        cell = self.cells[number]
        if cell.display_set is None:
            return
        places = (*self.plan.current, *self.plan.prior) if self.plan is not None else ()
        hung = places[number] if number < len(places) else None
        if hung is None or hung.display_set != cell.display_set:
            hung = Place(cell.role, cell.display_set)
        self.set_view(number, first_view(hung))

    def _follow(self, cell: CellState, before: ViewState) -> list[int]:
        moved: list[int] = []
        if cell.number in self.solid:
            return moved
        for number, other in enumerate(self.cells):
            if other.number == cell.number or other.display_set is None or cell.display_set is None:
                continue
            view = linking.same_window(cell, before, other) if self.linked else other.view
            if self.linked or other.role is cell.role:
                view = linking.followed(cell, before, replace(other, view=view), self.tie(cell, other))
            if view != other.view:
                self.cells[number] = replace(other, view=view)
                moved.append(number)
        return moved

    def go_to(self, point: Vector, source: int) -> None:
        """Every linked view goes to a patient point seen in the `source` cell (crosshair, measurement
        list).
        """
        origin = self.cells[source]
        for number, cell in enumerate(self.cells):
            if cell.display_set is None or (cell.role is not origin.role and not self.linked):
                continue
            tie = self.tie(origin, cell) if cell.number != source else linking.SAME
            if tie is None:
                continue
            view = linking.at_point(cell, linking.carried(point, tie))
            if view != cell.view:
                self.cells[number] = replace(cell, view=view)
                self.view_changed.emit(number)

    # ── linking ──────────────────────────────────────────────────────────────────────────────────────

    def _tie_all(self) -> None:
        """Tie every pair of frames of reference once, at opening: exact where equal, by an anchor where
        not.
        """
        shown = [c for c in self.cells if c.display_set is not None]
        for one in shown:
            for other in shown:
                key = linking.key(one, other)
                if key[0] != key[1] and key not in self.ties:
                    tie = linking.tie(one, other)
                    if tie is not None:
                        self.ties[key] = tie

    def tie(self, one: CellState, other: CellState) -> linking.Tie | None:
        key = linking.key(one, other)
        return linking.SAME if key[0] == key[1] else self.ties.get(key)

    def refine(self, one: CellState, other: CellState, tie: linking.Tie) -> None:
        """A better tie of two spaces was found in the background: take it both ways, and bring the others
        along.
        """
        key = linking.key(one, other)
        if key in self.by_hand or not {key[0], key[1]} <= {linking.space(c) for c in self.cells}:
            return
        self.ties[key], self.ties[key[1], key[0]] = tie, linking.reversed_(tie)
        active = self.active_cell
        if active is not None and self.linked:
            point = linking.point_of(active)
            if point is not None:
                self._bring(point, active)
        self.link_changed.emit()

    def _bring(self, point: Vector, source: CellState) -> None:
        """Every cell of the other role that cuts the same way goes to a point of the source cell."""
        for number, cell in enumerate(self.cells):
            tie = self.tie(source, cell)
            here, there = linking.normal_of(source), linking.normal_of(cell)
            if cell.role is source.role or tie is None or here is None or there is None:
                continue
            if linking.alike(here, there):
                view = linking.at_point(cell, linking.carried(point, tie))
                if view != cell.view:
                    self.cells[number] = replace(cell, view=view)
                    self.view_changed.emit(number)

    def anchor_here(self) -> None:
        """Tie current and prior anew at the positions they show now; of three planes at the one in hand."""
        self.linked = True
        led = self._led_by
        shown = [c for c in self.cells if led is None or c.role is Role.PRIOR or c == led]
        for one in shown:
            for other in shown:
                key = linking.key(one, other)
                if one.display_set and other.display_set and key[0] != key[1]:
                    tie = linking.tie_here(one, other)
                    if tie is not None:
                        self.ties[key] = tie
                        self.by_hand.add(key)
        self._accompany_and_tell()
        self.link_changed.emit()

    def set_linked(self, linked: bool) -> None:
        self.linked = linked
        self._accompany_and_tell()
        self.link_changed.emit()

    @property
    def link_words(self) -> str:
        """How the prior is tied to the cell that leads it, for the frame of the prior; of several ties the
        least sure.
        """
        if not self.linked:
            return "not linked"
        one = self._led_by or self.active_cell
        others = [c for c in self.cells if one is not None and c.role is not one.role]
        ties = [t for c in others if one is not None and (t := self.tie(one, c)) is not None]
        least = min(ties, key=lambda t: (t.exact, t.turn is not None), default=None)
        if least is None or least.exact:
            return "linked" if least is not None else ""
        return f"linked, {least.words}" if least.turn is not None else "linked, approximate"

    # ── strokes ──────────────────────────────────────────────────────────────────────────────────────

    def strokes_on(self, study_uid: str) -> tuple[Measurement, ...]:
        return tuple(m for m in self.measurements.values() if m.study_uid == study_uid)

    def put(self, measurement: Measurement, words: str = "") -> None:
        """Add or change a stroke; it can be undone."""
        before = self.measurements.get(measurement.tracking_uid)
        words = words or f"{'change' if before else 'draw'} {measurement.kind.replace('_', ' ')}"
        self.history.do(
            Command(words, lambda: self._set(measurement), lambda: self._back(measurement, before))
        )

    def remove(self, tracking_uid: str) -> None:
        """Delete a stroke; it can be undone."""
        before = self.measurements.get(tracking_uid)
        if before is not None:
            words = f"delete {before.kind.replace('_', ' ')}"
            self.history.do(Command(words, lambda: self._take(before), lambda: self._set(before)))

    def replace_all(self, strokes: Sequence[Measurement], removed: Sequence[Measurement], words: str) -> None:
        """Add or change several strokes and delete others as one step; it can be undone."""
        before = [self.measurements.get(s.tracking_uid) for s in strokes]

        def do() -> None:
            for gone in removed:
                self._take(gone)
            for stroke in strokes:
                self._set(stroke)

        def undo() -> None:
            for stroke, old in zip(strokes, before, strict=True):
                self._back(stroke, old)
            for gone in removed:
                self._set(gone)

        self.history.do(Command(words, do, undo))

    def _back(self, measurement: Measurement, before: Measurement | None) -> None:
        if before is None:
            self._take(measurement)
        else:
            self._set(before)

    def _set(self, measurement: Measurement) -> None:
        self.measurements[measurement.tracking_uid] = measurement
        self.stroke.emit(measurement, False)
        self.strokes_changed.emit()

    def _take(self, measurement: Measurement) -> None:
        self.measurements.pop(measurement.tracking_uid, None)
        if self.selected == measurement.tracking_uid:
            self.selected = ""
        self.stroke.emit(measurement, True)
        self.strokes_changed.emit()

    def learn_strokes(self, study_uid: str, strokes: Sequence[Measurement], own: Iterable[str] = ()) -> None:
        """What the archive has now on a study; our own unsaved ones (`own`) stay as they are here."""
        unsaved = set(own)
        keep = {u: m for u, m in self.measurements.items() if m.study_uid != study_uid or u in unsaved}
        fresh = {m.tracking_uid: m for m in strokes if not m.deleted and m.tracking_uid not in unsaved}
        if keep | fresh != self.measurements:
            self.measurements = {**fresh, **keep}
            self.strokes_changed.emit()

    def select(self, tracking_uid: str) -> None:
        if tracking_uid != self.selected:
            self.selected = tracking_uid
            self.strokes_changed.emit()

    # ── what was seen ────────────────────────────────────────────────────────────────────────────────

    def saw(self, display_set_uid: str, index: int) -> None:
        """An image was painted in a cell."""
        self.viewed.setdefault(display_set_uid, set()).add(index)

    def seen(self) -> tuple[int, int]:
        """How many of the current study's images were seen, and how many there are."""
        sets = self.sets[Role.CURRENT]
        return sum(min(len(self.viewed.get(s.uid, ())), len(s)) for s in sets), sum(len(s) for s in sets)


def sets_of(manifest: StudyManifest) -> tuple[DisplaySet, ...]:
    """All display sets of a study by series number."""
    series = sorted(manifest.series, key=lambda s: (s.number is None, s.number or 0, s.series_uid))
    return tuple(d for s in series for d in display_sets(s))


def documents_of(manifest: StudyManifest) -> tuple[DocumentRef, ...]:
    """All objects of a study that are no images and do not scroll as such either."""
    found = (d for s in manifest.series for d in documents(s))
    return tuple(d for d in found if d.kind not in ALSO_IMAGES)
