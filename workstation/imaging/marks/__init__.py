"""What other objects draw on images: presentation states, structured reports, key objects; read-only. No Qt.

How the window uses it::

    from workstation.imaging.marks import WITH_MARKS, marks_of
    marks = marks_of(content)      # of a DICOM file of one of these kinds; bad input is fewer marks
    marks[0].images                # (SOP Instance UID, frame) pairs it lies on, frame 0 for all of them

``model``   `Mark`: a shape in an image, in the patient or on the display, its words, its maker.
"""

from workstation.imaging.marks.model import Mark
from workstation.imaging.marks.reading import WITH_MARKS, marks_of

__all__ = ["WITH_MARKS", "Mark", "marks_of"]
