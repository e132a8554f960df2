"""Which exam a reader is offered next."""

from __future__ import annotations

from collections.abc import Sequence

from pacs_core.archive.models import ExamRow

TO_READ = ("arrived", "draft", "preliminary")


def next_to_read(queue: Sequence[ExamRow], here: str, who: str) -> ExamRow | None:
    """The exam after `here` in the worklist as it is shown, of those that nobody else has open.

    An unread STAT goes before all others, the first in the worklist's order where there are several, wherever
    in the list it stands. Without one the list is followed downwards from `here`, then from its top. None
    where nothing is left.
    """
    first = below = None
    passed = False
    for row in queue:
        if row.study_uid == here:
            passed = True
        elif row.status in TO_READ and row.locked_by in ("", who):
            if row.priority == "STAT" and row.status == "arrived":
                return row
            first = first or row
            if passed:
                below = below or row
    return below or first
