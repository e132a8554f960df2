"""Which places there are, who may enter them, and the desk a person is laid when they sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from pacs_core.archive.protocol import Archive
from pacs_core.domain.access import Verb
from workstation.session.reading_session import ReadingSession
from workstation.session.spool import Spool
from workstation.ui import words
from workstation.ui.bridge import Bridge
from workstation.ui.desk import Desk
from workstation.ui.inbox.counting import Counting
from workstation.ui.keeper import Keeper
from workstation.ui.widgets.states import StatePanel

if TYPE_CHECKING:
    from workstation.ui.shell import Workstation

NEEDS = {
    "worklist": Verb.VIEW,
    "read": Verb.VIEW,
    "schedule": Verb.SCHEDULE,
    "inbox": Verb.RECONCILE,
    "settings": Verb.SELF,
}


def may_enter(desk: Desk, key: str) -> bool:
    """Whether this person's role opens the place."""
    return desk.may(NEEDS[key])


def lay_desk(window: Workstation, archive: Archive) -> Desk:
    """All that a signed-in person's places are handed."""
    commands = window._commands()
    spool = Spool.open(window.settings.folder / "spool", archive.who.name)
    desk = Desk(
        archive,
        window.tasks,
        commands,
        Bridge(archive),
        window.preferences,
        ReadingSession(),
        spool,
        window.status.say,
        window.go,
        window.show_count,
        window,
        sound_file=window.settings.sound_file,
        imports=window.imports,
    )
    desk.keeper = Keeper(desk)
    desk.closing.append(spool.close)
    if may_enter(desk, "inbox"):
        Counting(desk)
    return desk


def build(desk: Desk, key: str) -> QWidget:
    """Build a place, or the words that say it is closed to this person."""
    if not may_enter(desk, key):
        return _closed(desk, key)
    if key == "worklist":
        from workstation.ui.worklist.page import WorklistPage

        return WorklistPage(desk)
    if key == "read":
        from workstation.ui.reading.page import ReadPage
        from workstation.ui.reporting.panel import ReportPanel

        return ReadPage(desk, ReportPanel)
    if key == "schedule":
        from workstation.ui.schedule.page import SchedulePage

        return SchedulePage(desk)
    if key == "inbox":
        from workstation.ui.inbox.page import InboxPage

        return InboxPage(desk)
    from workstation.ui.settings.page import SettingsPage

    return SettingsPage(desk)


def _closed(desk: Desk, key: str) -> QWidget:
    answer = StatePanel(key)
    answer.show_state(
        "denied",
        words.t("Not for this role"),
        words.t(
            "You are signed in as {role}. Ask an administrator for another role, or sign in as "
            "somebody who has it."
        ).format(role=words.role(desk.archive.who.role)),
    )
    return answer
