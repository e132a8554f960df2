"""Key images: a stroke without a shape, on an image as a whole; saved, undone and kept as others are."""

from __future__ import annotations

from pacs_core.domain.measurement import Measurement
from workstation.imaging.view_frame import ViewFrame
from workstation.rendering.display_list import DisplayList, Text
from workstation.rendering.overlays import MARGIN, text_size
from workstation.session.reading_session import ReadingSession
from workstation.tools.tool import Scene, measurement
from workstation.ui import words

KIND = "key_image"
BELOW_THE_LETTER = 30.0


def marked(session: ReadingSession, study_uid: str, frame: ViewFrame) -> Measurement | None:
    """The reader's own mark of the image of a picture."""
    here = (frame.instance_uid, frame.frame)
    for one in session.strokes_on(study_uid):
        if one.kind == KIND and frame.instance_uid and (one.instance_uid, one.frame) == here:
            return one
    return None


def places(session: ReadingSession, study_uid: str) -> set[tuple[str, int]]:
    """(SOP Instance UID, frame) of every image of a study that is marked."""
    return {(m.instance_uid, m.frame) for m in session.strokes_on(study_uid) if m.kind == KIND}


def toggle(session: ReadingSession, scene: Scene) -> None:
    """Mark the image, or take the mark away."""
    mark = marked(session, scene.study_uid, scene.frame)
    if mark is not None:
        session.remove(mark.tracking_uid)
    else:
        session.put(measurement(scene, KIND, (), ()))


def badge(frame: ViewFrame, own: bool, others: tuple[str, ...]) -> DisplayList:
    """ "Key image", and who else says so, under the letter of the upper edge."""
    size = text_size(frame.width, frame.height)
    if not (own or others) or size == 0.0:
        return DisplayList()
    lines = ((words.t("Key image"),) if own else ()) + tuple(
        words.t("Key image of {maker}").format(maker=who) for who in others
    )
    at = (frame.width / 2, MARGIN + BELOW_THE_LETTER * size)
    return DisplayList((Text(lines, at, "top", "current" if own else "foreign", size),))
