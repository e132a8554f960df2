"""The commands of loops: play and stop, slower and faster."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from workstation.ui.reading.cine import plays

if TYPE_CHECKING:
    from workstation.ui.reading.page import ReadPage


class CineActions:
    """`command` is Actions' own way to register one."""

    def __init__(self, page: ReadPage, command: Callable[..., None]) -> None:
        self._session, self._cine = page.desk.session, page.grid.cine
        playing = self._playing
        command(
            "cine",
            "Play the loop",
            lambda: self._cine.toggle(self._session.active),
            "Image/Cine",
            "Ctrl+Space",
            icon="play-outline",
            tip="By the timing of the tags, 15 images a second without; again: stop",
            enabled=lambda: plays(self._session.active_cell),
            checked=playing,
        )
        command("cine.slower", "Slower", lambda: self._pace(-1), "Image/Cine", "[", enabled=playing)
        command("cine.faster", "Faster", lambda: self._pace(1), "Image/Cine", "]", enabled=playing)

    def _playing(self) -> bool:
        return self._cine.is_playing(self._session.active)

    def _pace(self, by: int) -> None:
        self._cine.faster(self._session.active, by)
