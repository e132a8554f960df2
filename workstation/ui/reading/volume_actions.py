"""The commands of 3D: one key opens it in the cell, the rest works on what is open there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QFileDialog

from workstation.rendering.volume.camera import SIDES
from workstation.rendering.volume.presets import PRESETS, Preset
from workstation.rendering.volume.surface import SurfaceWish
from workstation.rendering.volume.transfer import TransferFunction
from workstation.ui import words

if TYPE_CHECKING:
    from workstation.ui.reading.page import ReadPage
    from workstation.ui.reading.volume_view import VolumeView

MOST_VOXELS_WHOLE = 40_000_000


class VolumeActions:
    """`command` is Actions' own way to register one."""

    def __init__(self, page: ReadPage, command: Callable[..., None]) -> None:
        self._page, self._command = page, command
        self._open()
        self._cutting()
        self._looking()
        for preset in PRESETS:
            self._preset(preset)

    def view(self) -> VolumeView | None:
        """The 3D view of the active cell."""
        cell = self._page.grid.active()
        return cell.volume_view if cell is not None else None

    def _ready(self) -> bool:
        view = self.view()
        return view is not None and view.scene is not None

    def _on(self, work: Callable[[VolumeView], object]) -> Callable[[], None]:
        def run() -> None:
            view = self.view()
            if view is not None and view.scene is not None:
                work(view)
                self._page.desk.commands.refresh()

        return run

    def _open(self) -> None:
        self._command(
            "volume",
            "3D",
            self._toggle,
            "Image/3D",
            "T",
            icon="cube-outline",
            tip="The whole series in three dimensions, turned with the hand; again: back to the images",
            checked=lambda: self.view() is not None,
        )
        self._command(
            "volume.surface",
            "Save a surface …",
            self._on(self._save),
            "Image/3D",
            enabled=self._ready,
            tip="A mesh at the value from which the picture is opaque, as STL or PLY in LPS millimetres",
        )

    def _cutting(self) -> None:
        self._command(
            "volume.bone",
            "Remove bone",
            self._on(lambda v: v.remove_bone()),
            "Image/3D",
            enabled=lambda: self._ready() and self._modality() == "CT",
            tip="Dense bone and what hangs together with it is hidden; it can be undone",
        )
        self._command(
            "volume.scissors",
            "Scissors",
            self._on(lambda v: v.take_tool("scissors")),
            "Image/3D",
            "Shift+X",
            enabled=self._ready,
            tip="Draw around what is to be hidden; with Shift, around what stays",
            checked=lambda: self._has_tool("scissors"),
        )
        self._command(
            "volume.crop",
            "Crop box",
            self._on(lambda v: v.take_tool("crop")),
            "Image/3D",
            "Shift+B",
            enabled=self._ready,
            tip="A box in the patient: drag its faces",
            checked=lambda: self._has_tool("crop"),
        )
        self._command(
            "volume.undo",
            "Undo the last cut",
            self._on(lambda v: v.undo()),
            "Image/3D",
            "Shift+Z",
            enabled=lambda: self._ready() and self.view().can_undo,
        )
        self._command(
            "volume.whole",
            "Show everything again",
            self._on(lambda v: v.whole()),
            "Image/3D",
            enabled=self._ready,
        )

    def _looking(self) -> None:
        self._command(
            "volume.light",
            "Light",
            self._on(lambda v: v.toggle_light()),
            "Image/3D",
            enabled=self._ready,
            tip="Surfaces lit from where you stand",
            checked=lambda: self._ready() and self.view().scene.shaded,
        )
        self._command(
            "volume.next",
            "Next 3D preset",
            self._on(lambda v: v.next_preset(1)),
            "Image/3D",
            "Shift+T",
            enabled=self._ready,
        )
        for side in SIDES:
            self._command(
                f"volume.from.{side}",
                words.t("From {side}").format(side=words.t(side)),
                self._on(lambda v, s=side: v.look_from(s)),
                "Image/3D/Seen from",
                enabled=self._ready,
            )

    def _preset(self, preset: Preset) -> None:
        self._command(
            f"volume.preset.{preset.name.lower().replace(' ', '_')}",
            preset.name,
            self._on(lambda v: v.take_preset(preset)),
            "Image/3D/Preset",
            enabled=lambda: self._ready() and preset in self.view().presets(),
            checked=lambda: self._ready() and self.view().scene.function.name == preset.name,
        )

    def _modality(self) -> str:
        view = self.view()
        return view.source.grid.modality if view is not None and view.source is not None else ""

    def _has_tool(self, name: str) -> bool:
        view = self.view()
        return view is not None and view.tool == name

    def _toggle(self) -> None:
        cell = self._page.grid.active()
        if cell is not None:
            cell.toggle_volume()
            self._page.desk.commands.refresh()

    # ── surfaces ─────────────────────────────────────────────────────────────────────────────────────

    def _save(self, view: VolumeView) -> None:
        name, _ = QFileDialog.getSaveFileName(
            self._page, words.t("Save a surface"), "surface.stl", "STL (*.stl);;PLY (*.ply)"
        )
        if not name or view.client is None or view.scene is None or view.source is None:
            return
        path = Path(name)
        kind = "ply" if path.suffix.lower() == ".ply" else "stl"
        z, y, x = view.source.grid.shape
        step = 2 if z * y * x > MOST_VOXELS_WHOLE else 1
        wish = SurfaceWish(opaque_from(view.scene.function), step=step, keep=0.5)
        done = view.client.surface(wish.plain(), kind)
        self._page.desk.say(words.t("Making the surface …"), "quiet")
        done.add_done_callback(lambda d: self._written(view, d, path))

    @staticmethod
    def _written(view: VolumeView, done: Any, path: Path) -> None:
        """On the job's thread: the file, or words why there is none."""
        failure = done.exception() if not done.cancelled() else None
        try:
            if failure is None and not done.cancelled():
                path.write_bytes(done.result())
                view.tell_words(words.t("The surface was saved: {file}").format(file=path.name))
                return
        except OSError as error:
            failure = error
        view.tell_words(words.t("No surface was saved: {why}").format(why=failure))


def opaque_from(function: TransferFunction) -> float:
    """The value at which a transfer function has half of its greatest opacity."""
    most = max(p.opacity for p in function.opacity)
    for before, after in zip(function.opacity, function.opacity[1:], strict=False):
        if after.opacity >= most / 2:
            rise = after.opacity - before.opacity
            share = (most / 2 - before.opacity) / rise if rise > 0 else 0.0
            return before.value + max(0.0, min(1.0, share)) * (after.value - before.value)
    return function.opacity[0].value
