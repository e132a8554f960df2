"""What a study's strokes become in DICOM: one report, a presentation state for each series, key objects."""

from __future__ import annotations

from pacs_core.dicom.annotations.key_objects import KIND as KEY_IMAGE
from pacs_core.dicom.annotations.key_objects import key_object_selection
from pacs_core.dicom.annotations.making import Made, Task, prepared
from pacs_core.dicom.annotations.presentation import presentation_states
from pacs_core.dicom.annotations.report import measurement_report

__all__ = ["KEY_IMAGE", "Made", "Task", "annotation_objects", "prepared"]


def annotation_objects(task: Task) -> tuple[Made, ...]:
    """Every object the strokes of a task make; none where nothing was drawn or marked on its images.

    Raises ValueError where an image cannot be referred to.
    """
    single = (measurement_report(task), key_object_selection(task))
    return tuple(made for made in (*single, *presentation_states(task)) if made is not None)
