"""From an object's file to its marks; bad input is fewer marks, never an exception."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from workstation.imaging.documents.kinds import Kind
from workstation.imaging.documents.reading import UNUSABLE, items, meaning, read, references, text
from workstation.imaging.marks import presentation_states, structured_reports
from workstation.imaging.marks.model import Form, Mark

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

log = logging.getLogger("reading_room.view")
WITH_MARKS = frozenset({Kind.PRESENTATION, Kind.REPORT, Kind.KEY_OBJECTS})
MOST = 5000
"""Marks of one object that are shown."""


def marks_of(kind: Kind, content: bytes) -> tuple[Mark, ...]:
    """What an object of one of these kinds says on images."""
    try:
        data = read(content)
    except (*UNUSABLE, EOFError, OSError, RecursionError) as error:
        log.warning("an object with marks cannot be read: %s", type(error).__name__)
        return ()
    found: list[Mark] = []
    uid = text(data, "SOPInstanceUID")
    try:
        for mark in _marks(kind, data):
            found.append(replace(mark, source_uid=uid))
            if len(found) == MOST:
                break
    except (*UNUSABLE, RecursionError) as error:
        log.warning("the marks of an object end early: %s", type(error).__name__)
    return tuple(found)


def _marks(kind: Kind, data: Dataset) -> Iterator[Mark]:
    maker = maker_of(data)
    if kind is Kind.PRESENTATION:
        return presentation_states.marks(data, maker)
    if kind is Kind.REPORT:
        return structured_reports.marks(data, maker)
    return _key_images(data, maker)


def _key_images(data: Dataset, maker: str) -> Iterator[Mark]:
    """The images of a key object selection, with why they were marked (PS3.16 TID 2010)."""
    title = meaning(data, "ConceptNameCodeSequence")
    for item in items(data, "ContentSequence"):
        for uid, frame in references(item):
            yield Mark(Form.KEY, images=frozenset({(uid, frame)}), words=(title,), maker=maker)


def maker_of(data: Dataset) -> str:
    """Who made an object: the person where one is named, and the maker of the program."""
    who = text(data, "ContentCreatorName") or _observer(data)
    return " · ".join(part for part in (who, text(data, "Manufacturer")) if part)


def _observer(data: Dataset) -> str:
    """The first person among the observers (PS3.16 TID 1003)."""
    for item in items(data, "ContentSequence"):
        if text(item, "ValueType") == "PNAME":
            return text(item, "PersonName")
    return ""
