"""Objects of a series that are no images, each presented as what it is. No Qt.

How the window uses it::

    from workstation.imaging.documents import documents, present

    for found in documents(series_manifest):        # what to offer: DocumentRef(kind, title, why_not, ...)
        content = archive.studies.file(found.sop_instance_uid)
        shown = present(found, content)             # Document(title, blocks, warnings); bad input is words

A `Document` is a list of blocks: `Facts` (name, value), `Table`, `Tree` (a structured report), `Text`,
`Pages` (a PDF: render(page, width) -> RGB), `Curves` (waveforms in their units), `Film` (video through the
system's ffmpeg). What cannot be shown is a block of words that say why.
"""

from workstation.imaging.documents.kinds import DocumentRef, documents
from workstation.imaging.documents.model import (
    Block,
    Channel,
    Curves,
    Document,
    Facts,
    Film,
    Node,
    Pages,
    Pictures,
    Table,
    Text,
    Tree,
)
from workstation.imaging.documents.present import present

__all__ = [
    "Block",
    "Channel",
    "Curves",
    "Document",
    "DocumentRef",
    "Facts",
    "Film",
    "Node",
    "Pages",
    "Pictures",
    "Table",
    "Text",
    "Tree",
    "documents",
    "present",
]
