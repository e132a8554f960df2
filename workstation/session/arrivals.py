"""What came while nobody looked: counted from the change feed, told in words without any patient's name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pacs_core.domain.events import Change


@dataclass
class Arrivals:
    """Counts since it was made; `news` is what to tell now, once for each thing.

    A study is told when its sender has gone: while images still come there is nothing to say.
    """

    images: int = 0
    orders: int = 0
    studies: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    stuck: set[str] = field(default_factory=set)

    def hear(self, changes: Iterable[Change]) -> list[str]:
        """Count the changes; what is worth a word of its own, oldest first."""
        told = []
        for change in changes:
            if change.kind == "images.stored":
                count = change.detail.get("count", 1)
                self.images += count if isinstance(count, int) else 1
                self.studies.add(change.study_uid)
            elif change.kind == "order.placed":
                self.orders += 1
            elif change.kind == "study.received":
                told.append(_study(change))
            elif change.kind == "study.held" and change.study_uid not in self.held:
                self.held.add(change.study_uid)
                told.append("A study does not fit its order: it waits in the inbox")
            elif change.kind == "delivery.dead" and change.subject not in self.stuck:
                self.stuck.add(change.subject)
                told.append("A result was refused: it needs a person")
        return told

    def words(self) -> str:
        """All of it in one line; empty where nothing came."""
        parts = [
            _counted(self.images, "image", "images"),
            _counted(len(self.studies), "study", "studies"),
            _counted(self.orders, "order", "orders"),
        ]
        return ", ".join(part for part in parts if part)


def _study(change: Change) -> str:
    count = change.detail.get("images", 0)
    return f"A study is complete: {_counted(count if isinstance(count, int) else 0, 'image', 'images')}"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}" if number else ""
