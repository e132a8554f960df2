"""The segments one patient or order is read from, and the search through a field map's places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pacs_core.domain.field_map import Place
from pacs_core.hl7.message import Repetition, Segment


@dataclass(frozen=True, slots=True)
class Found:
    """A value and where it lay."""

    place: Place
    segment: Segment
    repetition: Repetition

    @property
    def text(self) -> str | None:
        """The component the place names, the first one where it names none."""
        return self.repetition.text(self.place.component or 1, self.place.subcomponent or 1)

    @property
    def location(self) -> str:
        """The place as ERR-2 writes it."""
        parts = [self.segment.name, str(self.segment.sequence), str(self.place.field)]
        return "^".join([*parts, "1", str(self.place.component)] if self.place.component else parts)


@dataclass(frozen=True, slots=True)
class Scope:
    """Segments in the order they are searched, what was noticed while reading them, and the site's day."""

    segments: Sequence[Segment]
    notes: list[str]
    today: str = ""

    def every(self, places: Sequence[Place]) -> Iterator[Found]:
        """Every non-empty value, place by place in the map's order."""
        for place in places:
            for segment in self.segments:
                if segment.name == place.segment:
                    for repetition in segment.repetitions(place.field):
                        found = Found(place, segment, repetition)
                        if not place.component or found.text is not None:
                            yield found

    def first(self, places: Sequence[Place]) -> Found | None:
        """The first non-empty value."""
        return next(self.every(places), None)

    def text(self, places: Sequence[Place]) -> str | None:
        """The first value's text; None where nothing is said, empty where it is deleted."""
        return next((found.text for found in self.every(places) if found.text is not None), None)

    def ignore(self, found: Found, why: str) -> None:
        """Note a value that was left out; never the value itself."""
        self.notes.append(f"{found.place} ignored: {why}")
