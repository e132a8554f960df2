"""What every place of the window is handed: the archive, the tasks, the session, and ways to speak and go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from pacs_core.archive.models import NodeInfo
from pacs_core.archive.protocol import Archive
from pacs_core.domain.access import Role, Verb, allows
from workstation.session.importing import Imports
from workstation.session.preferences import Preferences
from workstation.session.reading_session import ReadingSession
from workstation.session.spool import Spool
from workstation.ui.bridge import Bridge
from workstation.ui.commands import Commands
from workstation.ui.tasks import Tasks

if TYPE_CHECKING:
    from workstation.ui.keeper import Keeper


@dataclass
class Desk:
    """One signed-in person's place. `say(words, token)` writes the status line; `go(place)` changes the
    room; `kept` are told the name of a preference that was changed.
    """

    archive: Archive
    tasks: Tasks
    commands: Commands
    bridge: Bridge
    preferences: Preferences
    session: ReadingSession
    spool: Spool
    say: Callable[[str, str], None]
    go: Callable[[str], None]
    show_count: Callable[[str, int], None]
    window: QWidget
    node: NodeInfo | None = None
    keeper: Keeper | None = None
    sound_file: Path | None = None
    imports: Imports = field(default_factory=Imports)
    closing: list[Callable[[], None]] = field(default_factory=list)
    kept: list[Callable[[str], None]] = field(default_factory=list)

    def may(self, verb: Verb) -> bool:
        """Whether the archive lets this person do that; the archive itself decides, this only greys out."""
        return allows(Role(self.archive.who.role), verb)
