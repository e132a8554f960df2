"""DICOMweb put together: search, retrieval and storage below one root (PS3.18 chapter 10)."""

from __future__ import annotations

from pacs_core.web.blocking import Blocking
from pacs_core.web.frames import Frames
from pacs_core.web.metadata import Metadata
from pacs_core.web.node import WebNode
from pacs_core.web.qido import Qido
from pacs_core.web.routing import At
from pacs_core.web.stow import Stow
from pacs_core.web.views import Views
from pacs_core.web.wado import Wado


class DicomWeb:
    """Every resource of DICOMweb."""

    def __init__(self, node: WebNode, blocking: Blocking, max_object: int) -> None:
        views = Views(node)
        self._rooms = (
            Qido(node, blocking),
            Stow(node, blocking, max_object),
            Wado(node, blocking, views),
            Metadata(node, blocking, views),
            Frames(node, blocking, views),
        )

    def endpoints(self) -> list[At]:
        """Every endpoint."""
        return [at for room in self._rooms for at in room.endpoints()]
