"""Areas that scroll, safe to ask about: a screen reader may ask for a child that has meanwhile gone."""

from __future__ import annotations

from PySide6.QtWidgets import QScrollArea


class QWidget(QScrollArea):
    """A scroll area of which a screen reader is told as of a plain widget; the name does it.

    Qt chooses what it tells a screen reader by the nearest class name it knows. What it has for "QScrollArea"
    (QAccessibleAbstractScrollArea::child, seen in 6.12) takes the child out of a list without looking how
    long the list is, and the list shrinks whenever a scroll bar or the whole area is hidden: who counted
    before and asks after takes the process down. What it has for "QWidget" looks first.
    """


ScrollArea = QWidget
