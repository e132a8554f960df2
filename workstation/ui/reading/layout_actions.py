"""The commands of hanging: stages, why this layout, another one, save what I see, edit, true size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog

from pacs_core.domain.anatomy import REGIONS
from pacs_core.domain.errors import InvalidValue
from workstation.imaging.display_sets import DisplaySet
from workstation.rendering.mip_view import turned_to
from workstation.session.hanging import Place, Role
from workstation.session.protocols.choosing import hangers
from workstation.session.protocols.filling import TRUE_SIZE, TURNING
from workstation.session.protocols.library import Library, keep, keep_text, key_of, library
from workstation.session.protocols.model import Match, Protocol
from workstation.session.protocols.reading_file import SUV
from workstation.session.protocols.seen import Shown, protocol_of, with_stage
from workstation.session.protocols.writing_file import protocol_text
from workstation.session.view_state import Fit, ViewState
from workstation.ui import words
from workstation.ui.assets import resource
from workstation.ui.reading import layout_words, uptake
from workstation.ui.reading.layout_editor import LayoutEditor
from workstation.ui.reading.layout_panel import LayoutPanel, Ways
from workstation.ui.widgets.form import Form, FormDialog

if TYPE_CHECKING:
    from workstation.ui.reading.page import ReadPage

FOLDER = "hanging_protocols"
INCH_MM = 25.4
LIKELY_DPI = (20.0, 1200.0)


def has_scale(shown: DisplaySet) -> bool:
    """Whether true size means something: spacing that can be trusted, or a projection's at the detector."""
    found = shown.frames[0].calibration
    return found.trusted or found.source.startswith("Imager Pixel Spacing")


class LayoutActions:
    """`command` is Actions' own way to register one."""

    def __init__(self, page: ReadPage, command: Callable[..., None]) -> None:
        self._page, self._session, self._room = page, page.desk.session, page.room
        self._command = command
        path = page.desk.preferences.path
        self._own = path.parent / FOLDER if path is not None else None
        self._offered: set[str] = set()
        self.panel: LayoutPanel | None = None
        self._hangings = self._session.hangings
        self._hangings.finish = self._finish
        self._hangings.monitors = len(QGuiApplication.screens())
        self.library = Library()
        self._add_stages()
        self._add_layouts()
        self.load()

    # ── registering ──────────────────────────────────────────────────────────────────────────────────

    def _add_stages(self) -> None:
        on, back = (lambda: self.step(1)), (lambda: self.step(-1))
        several = self._has_stages
        self._command("stage.next", "Next stage", on, "Image/Layout", ".", icon="page-next-outline",
                      tip="The next stage of the hanging protocol", enabled=several)  # fmt: skip
        self._command("stage.previous", "Previous stage", back, "Image/Layout", ",",
                      icon="page-previous-outline", tip="The stage before", enabled=several)  # fmt: skip
        self._command("layout.why", "Why this layout", self.explain, "Image/Layout", "Shift+H",
                      icon="view-dashboard-outline", tip="The reasons, the stages, and other layouts",
                      enabled=self._is_open)  # fmt: skip

    def _add_layouts(self) -> None:
        opened = self._is_open
        self._command("layout.best", "Hang anew", self._best, "Image/Layout", "Ctrl+R",
                      tip="By the protocol that fits best, from its first stage", enabled=opened)  # fmt: skip
        self._command("layout.save", "Save what I see", self.save, "Image/Layout", "Ctrl+Shift+H",
                      tip="Write what hangs now as a hanging protocol of yours", enabled=opened)  # fmt: skip
        self._command("layout.edit", "Edit the layout", self.edit, "Image/Layout",
                      tip="The file of the hanging protocol",
                      enabled=lambda: self._hangings.now is not None)  # fmt: skip
        self._command("true_size", "True size", self._true_size, "Image", "Alt+=",
                      tip="A millimetre on the screen is one of the patient; again: fitted")  # fmt: skip

    def _is_open(self) -> bool:
        return self._session.dossier is not None

    def _has_stages(self) -> bool:
        now = self._hangings.now
        return now is not None and (len(now.steps) > 1 or self._session.layout is not None)

    # ── the protocols there are ──────────────────────────────────────────────────────────────────────

    def load(self) -> None:
        """Read all files again; every protocol has a command."""
        self.library = library(resource(FOLDER), self._own)
        self._hangings.protocols = self.library.protocols
        for protocol in self.library.protocols:
            if protocol.key not in self._offered:
                self._offered.add(protocol.key)
                name = words.t("Hang by: {name}").format(name=words.t(protocol.name))
                run = lambda key=protocol.key: self._hang_by_key(key)  # noqa: E731  (one of a loop)
                place, able = "Image/Layout/Hang by", self._is_open
                self._command(f"protocol.{protocol.key}", name, run, place, enabled=able)

    def tell(self) -> None:
        """Say what a study that was opened hangs by; and which files hold no protocol, where and why."""
        self._say_stage()
        if self.library.mistakes:
            said = words.t("A hanging protocol of yours is left out: {why}. The others hang as before.")
            first = self.library.mistakes[0]
            again = (words.t("Edit"), lambda: self._edit_file(first.file))
            self._page.notice.say(said.format(why=first), "waiting", (again,))

    def _hang_by_key(self, key: str) -> None:
        found = next((p for p in self.library.protocols if p.key == key), None)
        if found is not None:
            self.hang_by(found)

    # ── hanging ──────────────────────────────────────────────────────────────────────────────────────

    def step(self, by: int) -> None:
        self._session.stages.step(by, self._page.grid.upright)
        self._hung()

    def _hung(self) -> None:
        self._say_stage()
        self._page.grid.focus()

    def _say_stage(self) -> None:
        now = self._hangings.now
        if now is not None:
            name, (n, of) = layout_words.stage_words(now), now.place
            self._page.desk.say(f"{words.t(now.protocol.name)}: {name} ({n}/{of})", "quiet")

    def _to_stage(self, number: int) -> None:
        self._session.stages.go_to(number, self._page.grid.upright)
        self._hung()

    def hang_by(self, protocol: Protocol) -> None:
        """By a protocol of the reader's choice."""
        if self._session.stages.hang_by(protocol, self._page.grid.upright):
            self._hung()
        else:
            told = words.t("{name}: none of its series is in this study.")
            self._page.desk.say(told.format(name=words.t(protocol.name)), "waiting")

    def _best(self) -> None:
        """As it opened: the best protocol, its first stage."""
        dossier = self._session.dossier
        assert dossier is not None
        self._hangings.begin(dossier, self._session.sets[Role.CURRENT])
        self._to_stage(0)

    def explain(self) -> None:
        ways = Ways(self._to_stage, self.hang_by, self.save, self.edit)
        self.panel = LayoutPanel(self._page, self._session, ways)
        self.panel.open_at(self._page.tools.layout_button)

    # ── what only the window can say of a view ───────────────────────────────────────────────────────

    def _finish(self, place: Place) -> ViewState:
        view, shown = place.view, place.display_set
        assert shown is not None
        if SUV in place.finish:
            view = self._with_uptake(view, place)
        if TURNING in place.finish:
            volume = self._room.load(shown, len(shown) // 2).volume
            view = turned_to(view, volume, 0.0, (1, 1))
        if TRUE_SIZE in place.finish and has_scale(shown):
            view = view.with_(fit=replace(view.fit or Fit(), pixel_mm=self._screen_mm()))
        return view

    def _with_uptake(self, view: ViewState, place: Place) -> ViewState:
        assert place.display_set is not None
        if view.fusion is None:
            return view.with_(window=uptake.usual_window(place.display_set))
        above = self._session.display_set(view.fusion.over)
        window = uptake.usual_window(above) if above is not None else None
        return view.with_(fusion=replace(view.fusion, window=window))

    def _screen_mm(self) -> float:
        """Millimetres of the screen to a pixel of a picture; 0 where the screen does not say."""
        screen = self._page.screen()
        dpi = screen.physicalDotsPerInch()
        if not LIKELY_DPI[0] < dpi < LIKELY_DPI[1]:
            return 0.0
        return INCH_MM / dpi / self._page.devicePixelRatioF()

    def _true_size(self) -> None:
        cell = self._session.active_cell
        if cell is None or cell.display_set is None:
            return
        view, scaled = cell.view, has_scale(cell.display_set)
        if view.fit is not None and view.fit.pixel_mm > 0.0:
            self._session.set_view(cell.number, view.with_(fit=replace(view.fit, pixel_mm=0.0), zoom=1.0))
        elif view.is_reformat or not scaled or not self._screen_mm():
            self._page.desk.say(words.t("No true size: the image or the screen has no scale."), "waiting")
        else:
            fit = replace(view.fit or Fit(), pixel_mm=self._screen_mm())
            self._session.set_view(cell.number, view.with_(fit=fit, zoom=1.0))

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────

    def save(self) -> QDialog:
        """Ask for a name and for which studies; then write what hangs."""
        facts, now = self._hangings.facts, self._hangings.now
        own = now is not None and now.protocol.own
        form = Form(columns=1)
        form.text("name", "Name", now.protocol.name if own and now is not None else "")
        number = len(now.protocol.stages) + 1 if own and now is not None else 1
        form.text("stage", "Stage", words.t("Stage {n}").format(n=number))
        modalities = self._exam_modalities()
        form.text("modality", "Modality", ", ".join(modalities))
        form.text("body_part", "Body part", ", ".join(sorted(facts.body_part)), words.t("any"))
        about = words.t("Studies like this one hang so from now on. A name of yours gets one stage more.")
        title, go = words.t("Save what I see"), words.t("Save")
        dialog = FormDialog(self._page, title, form, go, self._save, about)
        self._dialog = dialog
        dialog.open()
        return dialog

    def _exam_modalities(self) -> tuple[str, ...]:
        """Those of the series that hang."""
        hung = [c.display_set for c in self._session.cells if c.display_set and c.role is Role.CURRENT]
        return tuple(dict.fromkeys(shown.modality for shown in hung))

    def _save(self, values: dict[str, str]) -> None:
        try:
            made = self._as_protocol(values)
            if self._own is None:
                raise InvalidValue("This workstation keeps no settings.", "name")
            known = next((p for p in self.library.protocols if p.own and p.key == made.key), None)
            keep(with_stage(replace(known, match=made.match), made.stages[0]) if known else made, self._own)
        except (InvalidValue, OSError) as error:
            self._dialog.refuse(error)
            return
        self._dialog.done_with()
        self.load()
        told = words.t("{name} is saved; studies like this one hang so.")
        self._page.desk.say(told.format(name=made.name), "good")

    def _as_protocol(self, values: dict[str, str]) -> Protocol:
        if not values["name"]:
            raise InvalidValue("A layout needs a name.", "name")
        parts = tuple(p.strip().casefold() for p in values["body_part"].split(",") if p.strip())
        unknown = [p for p in parts if p not in REGIONS]
        if unknown:
            raise InvalidValue(f"{unknown[0]} is none of {', '.join(sorted(REGIONS))}", "body_part")
        named = values["modality"].replace("/", ",").split(",")
        modality = tuple(m.strip().upper() for m in named if m.strip())
        session, plan = self._session, self._session.plan
        assert plan is not None
        match = Match(modality=modality, body_part=parts)
        cells = [
            Shown(c.role, hangers((c.display_set,))[0] if c.display_set else None, c.view)
            for c in session.cells
        ]
        layouts = {Role.CURRENT: plan.layout, Role.PRIOR: plan.prior_layout or plan.layout}
        series = {role: hangers(sets) for role, sets in session.sets.items()}
        name, stage = values["name"], values["stage"] or values["name"]
        return protocol_of(name, stage, match, cells, layouts, series, plan.over)

    def edit(self) -> None:
        """The file of the protocol that hangs."""
        now = self._hangings.now
        if now is not None:
            protocol = now.protocol
            text = protocol.path.read_text("utf-8") if protocol.path is not None else protocol_text(protocol)
            self._open_editor(text, protocol.key)

    def _edit_file(self, name: str) -> None:
        path = self._own / name if self._own is not None else None
        if path is not None and path.is_file():
            self._page.notice.hush()
            self._open_editor(path.read_text("utf-8", "replace"), Path(name).stem)

    def _open_editor(self, text: str, key: str) -> None:
        LayoutEditor(self._page, text, key, self._keep_text).open()

    def _keep_text(self, text: str, protocol: Protocol) -> str:
        if self._own is None:
            return words.t("This workstation keeps no settings.")
        try:
            kept = keep_text(text, replace(protocol, key=protocol.key or key_of(protocol.name)), self._own)
        except OSError as error:
            return words.t("It could not be written: {why}").format(why=error.strerror or error)
        self.load()
        if self._is_open():
            self.hang_by(kept)
        return ""
