"""The commands of what is drawn: undo, delete, words, key images, the list, what is kept of it in DICOM."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pacs_core.domain.measurement import Measurement
from workstation.imaging.geometry import VolumeGeometry
from workstation.session.stroke_places import go_to
from workstation.tools.calibrating import CALIBRATION, remeasured_without
from workstation.tools.measures import Refusal
from workstation.tools.stacking import STACKED, stack_of, told_anew, volume_of, with_volume
from workstation.ui import words
from workstation.ui.commands import WINDOW
from workstation.ui.keeping import keep_as_dicom
from workstation.ui.reading import key_image

if TYPE_CHECKING:
    from workstation.ui.reading.page import ReadPage


class StrokeActions:
    """Registers the commands and carries them out on the strokes of the session."""

    def __init__(self, page: ReadPage, command: Callable[..., None]) -> None:
        self._page, self._session, self._room = page, page.desk.session, page.room
        self._add_changes(command)
        self._add_marks(command)

    def _add_changes(self, command: Callable[..., None]) -> None:
        history = self._session.history
        command(
            "undo", "Undo", self._undo, "Edit", "Ctrl+Z", icon="undo", enabled=lambda: bool(history.can_undo)
        )
        command(
            "redo",
            "Redo",
            self._redo,
            "Edit",
            "Ctrl+Shift+Z",
            icon="redo",
            enabled=lambda: bool(history.can_redo),
        )
        command(
            "delete",
            "Delete the chosen measurement",
            self.delete,
            "Edit",
            "Del",
            "Backspace",
            icon="delete-outline",
            enabled=self._has_chosen,
        )
        command(
            "stack",
            "Volume of the regions",
            self._stack,
            "Tools/Measure",
            "Shift+V",
            icon="layers-plus",
            tip="Adds up the regions of this series that have the same words as the chosen one",
            enabled=self._has_region,
        )
        command(
            "label",
            "Words beside the chosen measurement",
            self._label,
            "Edit",
            "Return",
            icon="pencil-outline",
            enabled=self._has_chosen,
        )

    def _add_marks(self, command: Callable[..., None]) -> None:
        command(
            "key_image",
            "Key image",
            self._mark_key_image,
            "Edit",
            "K",
            icon="key-outline",
            tip="Mark the image in front as a key image; again: take the mark away",
            checked=self._is_key_image,
        )
        command(
            "list",
            "List of measurements",
            self._page.toggle_strokes,
            "Edit",
            "F9",
            icon="format-list-bulleted",
            tip="Every measurement with its change since the prior; a click brings its image",
            scope=WINDOW,
            checked=lambda: not self._page.strokes.isHidden(),
        )
        command(
            "others_marks",
            "Marks of other objects",
            self._room.others.toggle,
            "Image",
            icon="comment-eye-outline",
            tip="What presentation states, reports and key objects of others say on the images",
            checked=lambda: self._room.others.shown,
        )
        command(
            "keep",
            "Keep measurements as DICOM",
            lambda: keep_as_dicom(self._page.desk, self._page, self._session.study_uid),
            "Edit",
            "Ctrl+Shift+S",
            icon="content-save-outline",
            tip="Measurements and key images as objects of the study: SR, presentation states, key objects",
            scope=WINDOW,
        )

    def _has_chosen(self) -> bool:
        return self._session.selected in self._session.measurements

    def delete(self) -> None:
        """Delete the chosen stroke; what an image's calibration gave millimetres loses them with it."""
        stroke = self._session.measurements.get(self._session.selected)
        if stroke is None:
            return
        if stroke.kind != CALIBRATION:
            self._remove(stroke)
            return
        cell = self._page.grid.active()
        scene = cell.hand.scene() if cell is not None else None
        if scene is None or scene.frame.instance_uid != stroke.instance_uid:
            go_to(self._session, stroke)
            self._page.desk.say(
                words.t("Its image is in front now: delete the calibration there."), "waiting"
            )
            return
        self._session.replace_all(remeasured_without(scene, stroke), (stroke,), "delete calibration")

    def _remove(self, stroke: Measurement) -> None:
        """Delete a stroke; a volume its region was part of is told anew, or no more."""
        others = [
            m for m in self._session.strokes_on(stroke.study_uid) if m.tracking_uid != stroke.tracking_uid
        ]
        volumes = told_anew(stroke, others, self._geometry(stroke))
        if volumes:
            self._session.replace_all(volumes, (stroke,), f"delete {stroke.kind.replace('_', ' ')}")
        else:
            self._session.remove(stroke.tracking_uid)

    def _geometry(self, stroke: Measurement) -> VolumeGeometry | None:
        """The geometry of a stroke's series, where a cell shows it."""
        for cell in self._page.grid.cells:
            if cell.request is not None and cell.request.volume.display_set.series_uid == stroke.series_uid:
                return cell.request.volume.geometry
        return None

    def _stack(self) -> None:
        """Tell the volume of the regions that belong to the chosen one."""
        chosen = self._session.measurements.get(self._session.selected)
        if chosen is None:
            return
        stack, geometry = stack_of(chosen, self._session.strokes_on(chosen.study_uid)), self._geometry(chosen)
        found = volume_of(stack, geometry) if geometry is not None else Refusal("the series is no volume")
        if isinstance(found, Refusal):
            self._page.desk.say(words.t("No volume: {why}").format(why=found.reason), "waiting")
            return
        told = with_volume(stack, chosen, found)
        changed = [m for m in told if m != self._session.measurements[m.tracking_uid]]
        if changed:
            self._session.replace_all(changed, (), "volume")

    def _has_region(self) -> bool:
        chosen = self._session.measurements.get(self._session.selected)
        return chosen is not None and chosen.kind in STACKED

    def _label(self) -> None:
        """Write the chosen stroke's words, on its image."""
        stroke = self._session.measurements.get(self._session.selected)
        cell = self._page.grid.active()
        if stroke is not None and cell is not None and not cell.caption.ask(stroke):
            go_to(self._session, stroke)
            self._page.desk.say(words.t("Its image is in front now: write its words there."), "waiting")

    def _mark_key_image(self) -> None:
        cell = self._page.grid.active()
        scene = cell.hand.scene() if cell is not None else None
        if scene is None or not scene.frame.acquired:
            self._page.desk.say(words.t("Only an image as it was acquired can be a key image."), "waiting")
            return
        key_image.toggle(self._session, scene)

    def _is_key_image(self) -> bool:
        cell = self._page.grid.active()
        picture = cell.shown.picture if cell is not None else None
        if cell is None or cell.state is None or picture is None:
            return False
        return key_image.marked(self._session, cell.state.study_uid, picture.frame) is not None

    def _undo(self) -> None:
        done = self._session.history.undo()
        if done is not None:
            self._page.desk.say(f"{words.t('Undone')}: {done.words}", "quiet")

    def _redo(self) -> None:
        done = self._session.history.redo()
        if done is not None:
            self._page.desk.say(f"{words.t('Done again')}: {done.words}", "quiet")
