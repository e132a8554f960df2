"""From an object's file to a document; bad input becomes words, never an exception."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from workstation.imaging.documents import objects, video
from workstation.imaging.documents.kinds import DocumentRef, Kind
from workstation.imaging.documents.model import Block, Document, Text
from workstation.imaging.documents.pdf import PdfPages, Unreadable
from workstation.imaging.documents.reading import UNUSABLE, number, read, text, value
from workstation.imaging.documents.structured_report import report
from workstation.imaging.documents.waveform import waveform

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Presented = tuple[tuple[Block, ...], tuple[str, ...]]


def present(found: DocumentRef, content: bytes) -> Document:
    """What is to be shown of an object, of which `content` is the DICOM file."""
    if found.why_not:
        return _described(found, content, found.why_not)
    try:
        blocks, warnings = PRESENTERS[found.kind](read(content))
    except Unreadable as why:
        return _described(found, content, f"{str(why)[:1].upper()}{str(why)[1:]}.")
    except (*UNUSABLE, EOFError, OSError, RecursionError) as why:
        return _described(found, content, f"It cannot be read: {why}.")
    return Document(found.title, blocks, warnings)


def _described(found: DocumentRef, content: bytes, why: str) -> Document:
    """The reason, and what the header says where it can be read."""
    try:
        blocks: tuple[Block, ...] = (objects.description(read(content)),)
    except (*UNUSABLE, EOFError, OSError, RecursionError):
        blocks = ()
    return Document(found.title, (Text(why), *blocks), (why,))


def _plain(make: Callable[[Dataset], tuple[Block, ...]]) -> Callable[[Dataset], Presented]:
    return lambda data: (make(data), ())


def _pdf(data: Dataset) -> Presented:
    content = value(data, "EncapsulatedDocument") or b""
    length = number(data, "EncapsulatedDocumentLength")
    pages = PdfPages(bytes(content[: int(length)] if length else content))
    early = length is not None and length > len(content)
    return (pages,), (("The PDF ends early: some of it may be missing.",) if early else ())


def _clinical_document(data: Dataset) -> Presented:
    """The words of a CDA document; its own style sheet is not followed."""
    content = value(data, "EncapsulatedDocument") or b""
    said = content.decode("utf-8", "replace")
    words = re.sub(r"<(?:style|script)\b.*?</(?:style|script)>|<[^>]+>", "\n", said, flags=re.DOTALL)
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    told = "Only the words of the clinical document are shown, not its layout."
    return (Text("\n".join(lines)),), (told,)


def _model(data: Dataset) -> Presented:
    why = (
        f"A 3D model ({text(data, 'MIMETypeOfEncapsulatedDocument') or 'of unknown type'}) is not shown here."
    )
    return (Text(why), objects.description(data)), (why,)


def _video(data: Dataset) -> Presented:
    from pydicom.encaps import generate_frames

    program = video.player()
    if program is None:
        return (Text(video.NO_PLAYER), objects.description(data)), (video.NO_PLAYER,)
    rows, columns = int(number(data, "Rows") or 0), int(number(data, "Columns") or 0)
    if rows < 1 or columns < 1:
        raise ValueError(f"{rows} rows, {columns} columns are no picture")
    stream = b"".join(generate_frames(data.PixelData, number_of_frames=1))
    shown = number(data, "FrameTime")
    rate = number(data, "CineRate") or (1000.0 / shown if shown else 0.0)
    return (video.VideoFilm(stream, rows, columns, rate, program),), ()


def _other(data: Dataset) -> Presented:
    return (objects.description(data),), ()


PRESENTERS: dict[Kind, Callable[[Dataset], Presented]] = {
    Kind.REPORT: _plain(report),
    Kind.KEY_OBJECTS: _plain(objects.key_objects),
    Kind.PRESENTATION: _plain(objects.presentation_state),
    Kind.SEGMENTATION: _plain(objects.segmentation),
    Kind.STRUCTURES: _plain(objects.structures),
    Kind.DOSE: _plain(objects.dose),
    Kind.PLAN: _plain(objects.plan),
    Kind.MAP: _plain(objects.real_world_values),
    Kind.REAL_WORLD_VALUES: _plain(objects.real_world_values),
    Kind.REGISTRATION: _plain(objects.registration),
    Kind.WAVEFORM: waveform,
    Kind.PDF: _pdf,
    Kind.CDA: _clinical_document,
    Kind.MODEL: _model,
    Kind.VIDEO: _video,
    Kind.OTHER: _other,
}
