"""Why this layout, in words: the protocol, its reasons, what hangs in which cell, and why not another."""

from __future__ import annotations

from workstation.session.hanging import Place, Role
from workstation.session.protocols.choosing import REFUSALS, Judged, Reason
from workstation.session.protocols.hung import Hanging
from workstation.session.reading_session import ReadingSession
from workstation.session.view_state import Plane, ViewState
from workstation.ui import words

OTHERS = 6


def reason_words(reason: Reason) -> str:
    """One reason as a sentence's part."""
    what = ", ".join(words.t(part) for part in reason.what.split(", "))
    return words.t(reason.words).format(what=what)


def facts_words(facts: tuple[str, ...]) -> str:
    """What a series means, its words joined."""
    return ", ".join(words.t(fact) for fact in facts)


def stage_words(hanging: Hanging) -> str:
    """The stage that hangs, with its page where it has several."""
    step = hanging.step
    name = words.t(step.stage.name)
    if step.pages < 2:
        return name
    return words.t("{name}, page {n} of {of}").format(name=name, n=step.page + 1, of=step.pages)


def title(session: ReadingSession) -> str:
    """What the room hangs by."""
    hanging = session.hangings.now
    if session.layout is not None:
        return words.t("Your own layout, {rows} × {columns}").format(
            rows=session.layout.rows, columns=session.layout.columns
        )
    return words.t(hanging.protocol.name) if hanging is not None else words.t("Best series first")


def why(session: ReadingSession) -> tuple[str, ...]:
    """The reasons, each a line."""
    hanging = session.hangings.now
    if session.layout is not None:
        return (words.t("You chose the layout; the best series hang in it."),)
    if hanging is None:
        return (words.t("No hanging protocol fits this study."),)
    chosen = (words.t("You chose it."),) if hanging.by_hand else ()
    return (*chosen, *(reason_words(reason) for reason in hanging.judged.reasons))


def cell_lines(session: ReadingSession) -> tuple[str, ...]:
    """What hangs in each cell, and as what; what was wanted of an empty one."""
    plan = session.plan
    places = (*plan.current, *plan.prior) if plan is not None else ()
    return tuple(_cell_line(session, n, place) for n, place in enumerate(places))


def _cell_line(session: ReadingSession, number: int, place: Place) -> str:
    cell = session.cells[number]
    whose = words.t("current") if place.role is Role.CURRENT else words.t("prior")
    if cell.display_set is None:
        what = wanted_words(session, number) or words.t("empty")
    else:
        shown = cell.display_set
        name = f"{shown.series_number or ''} {shown.description or shown.modality}".strip()
        facts = facts_words((*session.hangings.meaning_words(shown), *_seen(cell.view)))
        what = f"{name} ({facts})" if facts else name
    return f"{number + 1} · {whose} · {what}"


def _seen(view: ViewState) -> tuple[str, ...]:
    """What a view makes of its series, as it was hung."""
    if view.turn is not None:
        return ("turning MIP",)
    cut = (f"as {view.plane.value}",) if view.plane is not Plane.ACQUIRED else ()
    window = (view.window.label,) if view.window is not None and view.window.label else ()
    return (*cut, *(("fused",) if view.fusion is not None else ()), *window)


def wanted_words(session: ReadingSession, number: int) -> str:
    """What an empty cell waits for; empty where nothing."""
    wanted = session.stages.wanted(number)
    if not wanted:
        return ""
    place = session.cells[number]
    said = words.t("{what}: the study has no such series.")
    if place.role is Role.PRIOR:
        said = words.t("{what}: the prior has no such series.")
    return said.format(what=facts_words(wanted))


def others(session: ReadingSession) -> tuple[Judged, ...]:
    """The next protocols by their score, those that fit first; none of another modality."""
    now = session.hangings.now
    rest = [j for j in session.hangings.all if now is None or j.protocol.key != now.protocol.key]
    return tuple(j for j in rest if j.fits or j.reasons[0].words != REFUSALS[0])[:OTHERS]


def other_line(judged: Judged) -> str:
    """Why another protocol was not taken."""
    if judged.fits:
        return words.t("fits too, with {n} points").format(n=f"{judged.score:g}")
    return reason_words(judged.reasons[0])


def tip(session: ReadingSession) -> str:
    """All of it that a tool-tip holds."""
    hanging = session.hangings.now
    head = title(session)
    if hanging is not None and session.layout is None:
        head = f"{head}: {stage_words(hanging)} ({hanging.place[0]}/{hanging.place[1]})"
    return "\n".join((head, *why(session)))
