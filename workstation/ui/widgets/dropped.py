"""Files that are dragged onto the window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData


def paths_of(dropped: QMimeData) -> tuple[Path, ...]:
    """The files and folders of this machine that are dragged; none where anything else is among them."""
    urls = dropped.urls()
    return tuple(Path(url.toLocalFile()) for url in urls) if all(url.isLocalFile() for url in urls) else ()
