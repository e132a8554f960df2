"""How things are said in the window: ages, dates, names, states and failures, one place for each.

A catalogue `resources/i18n/<language>.toml` may give other words for any English ones.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from pacs_core.domain import errors
from workstation.ui.assets import resource

_language: list[str] = ["en"]


def speak(language: str) -> None:
    """Take the words of a language from now on."""
    _language[:] = [language]


def t(english: str) -> str:
    """These words in the chosen language; English where the catalogue has none."""
    return _catalogue(_language[0]).get(english, english)


def language() -> str:
    """The chosen language, by its code (``de``)."""
    return _language[0]


JOINTS = re.compile("(, |: |; | by | from )")


def pieces(text: str) -> str:
    """Words put together by the layers below, ``same body part, 3 years earlier`` or ``fetched by CT1``: each
    piece in the chosen language where the catalogue has it, and what joins it to the next.
    """
    if text in _catalogue(_language[0]):
        return t(text)
    parts = JOINTS.split(text)
    told = _piece(parts[0])
    for before, joint, after in zip(parts[::2], parts[1::2], parts[2::2], strict=False):
        known = joint.strip().isalpha() and _piece(before) != before
        told += (f" {t(joint.strip())} " if known else joint) + _piece(after)
    return told


def _piece(text: str) -> str:
    number, _, noun = text.partition(" ")
    return f"{number} {t(noun)}" if number.isdigit() and noun else t(text)


def role(name: str) -> str:
    """A role of an account in words."""
    return t(name.replace("-", " "))


def right_to_left() -> bool:
    """Whether the chosen language is written from right to left."""
    return _catalogue(_language[0]).get("direction") == "right to left"


@lru_cache(maxsize=8)
def _catalogue(language: str) -> dict[str, str]:
    path = resource("i18n", f"{language}.toml")
    return tomllib.loads(path.read_text("utf-8")).get("words", {}) if path.is_file() else {}


# ── dates, ages, names ───────────────────────────────────────────────────────────────────────────────


WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def parse_date(text: str) -> date | None:
    """A civil date from ``YYYY-MM-DD`` or DICOM's ``YYYYMMDD``; None for anything else."""
    digits = text.replace("-", "")[:8]
    try:
        return datetime.strptime(digits, "%Y%m%d").date()
    except ValueError:
        return None


def iso_date(text: str, weekday: bool = False) -> str:
    """The date as ISO, with its weekday where asked; what cannot be read stays as it came."""
    day = parse_date(text)
    if day is None:
        return text
    return f"{day.isoformat()} {t(WEEKDAYS[day.weekday()])}" if weekday else day.isoformat()


def clock(text: str) -> str:
    """``HH:MM`` of a civil time given as ``HH:MM:SS`` or DICOM's ``HHMMSS``."""
    digits = text.replace(":", "")
    return f"{digits[:2]}:{digits[2:4]}" if len(digits) >= 4 and digits[:4].isdigit() else text


def when(day: str, time: str) -> str:
    """A civil date and time."""
    return " ".join(part for part in (iso_date(day), clock(time)) if part)


def local_moment(utc: str) -> str:
    """A UTC instant of ours in this machine's civil time, with the date where it is not today."""
    try:
        moment = datetime.fromisoformat(utc).astimezone()
    except ValueError:
        return utc
    today = datetime.now().astimezone().date()
    return moment.strftime("%H:%M:%S" if moment.date() == today else "%Y-%m-%d %H:%M")


def age(birth_date: str, on: str = "") -> str:
    """Years, months under two years, days under one month; empty where the birth date is unknown."""
    born, day = parse_date(birth_date), parse_date(on) or datetime.now().astimezone().date()
    if born is None or born > day:
        return ""
    months = (day.year - born.year) * 12 + day.month - born.month - (day.day < born.day)
    if months < 1:
        return t("{n} d").format(n=(day - born).days)
    return t("{n} mo").format(n=months) if months < 24 else t("{n} y").format(n=months // 12)


def sex(code: str) -> str:
    """The sex in words; empty where it is not known."""
    return {"M": t("male"), "F": t("female"), "O": t("other")}.get(code, "")


def sex_and_age(code: str, birth_date: str, on: str = "") -> str:
    """``F 65 y`` for a list."""
    letter = {"M": t("M"), "F": t("F"), "O": t("O")}.get(code, code)
    return " ".join(part for part in (letter, age(birth_date, on)) if part)


def count(number: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number} {one if number == 1 else many}"


# ── states: a shape, a colour and a word each ────────────────────────────────────────────────────────


@dataclass(frozen=True)
class State:
    """How a state looks and what it is called; `icon` is its shape, `token` its colour."""

    word: str
    icon: str
    token: str


EXAM = {
    "scheduled": State("Scheduled", "calendar-blank-outline", "quiet"),
    "arriving": State("Arriving", "progress-download", "waiting"),
    "arrived": State("Unread", "circle-outline", "link"),
    "reading": State("Being read", "eye-outline", "waiting"),
    "draft": State("Draft", "pencil-outline", "waiting"),
    "preliminary": State("Preliminary", "circle-half-full", "waiting"),
    "signed": State("Signed", "check-circle-outline", "good"),
    "cancelled": State("Cancelled", "cancel", "quiet"),
}
RECONCILIATION = {
    "matched": State("Matched", "link-variant", "good"),
    "linked": State("Linked by hand", "link-variant-plus", "good"),
    "held": State("Held", "alert-octagon-outline", "wrong"),
    "none": State("No order", "link-variant-off", "quiet"),
}
DELIVERY = {
    "waiting": State("Result waiting", "clock-outline", "waiting"),
    "silent": State("No answer yet", "timer-sand", "waiting"),
    "refused": State("Refused, trying again", "alert-outline", "wrong"),
    "delivered": State("Delivered", "check-all", "good"),
    "needs a person": State("Needs a person", "account-alert-outline", "wrong"),
    "withdrawn": State("Withdrawn", "undo-variant", "quiet"),
}
STEP = {
    "scheduled": State("Scheduled", "calendar-blank-outline", "quiet"),
    "in progress": State("In progress", "progress-clock", "waiting"),
    "completed": State("Completed", "check-circle-outline", "good"),
    "cancelled": State("Cancelled", "cancel", "quiet"),
    "discontinued": State("Discontinued", "close-octagon-outline", "wrong"),
}
STAGE = {
    "done": State("done", "check-circle-outline", "good"),
    "waiting": State("waiting", "clock-outline", "waiting"),
    "missing": State("missing", "circle-outline", "quiet"),
    "failed": State("failed", "alert-octagon-outline", "wrong"),
}
REPORT = {
    "draft": State("Draft", "pencil-outline", "waiting"),
    "preliminary": State("Preliminary", "circle-half-full", "waiting"),
    "final": State("Final", "check-circle-outline", "good"),
    "addended": State("With addendum", "check-circle-outline", "good"),
    "corrected": State("Corrected", "check-circle-outline", "good"),
    "entered in error": State("Entered in error", "alert-octagon-outline", "wrong"),
}
UNKNOWN = State("", "help-circle-outline", "quiet")


def state(table: dict[str, State], key: str) -> State:
    """The look of a state; one we do not know is shown by its own word."""
    return table.get(key) or State(t(key.capitalize()), UNKNOWN.icon, UNKNOWN.token)


# ── failures ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Failure:
    """What happened, what is safe and what to do; `details` for behind a fold."""

    title: str
    words: str
    kind: str
    details: str = ""


def failure(error: BaseException, what: str = "") -> Failure:
    """A failure in words a reader can act on."""
    if isinstance(error, errors.Denied):
        return Failure(t("Not allowed"), _sentence(error.message), "denied")
    if isinstance(error, errors.NotSignedIn):
        return Failure(t("Not signed in"), _sentence(error.message), "denied")
    if isinstance(error, errors.StorageFailure | errors.OutOfSpace):
        words = (
            _sentence(error.message) + " " + t("Nothing was changed; what you wrote is kept on this machine.")
        )
        return Failure(t("Could not be stored"), words, "failed")
    if isinstance(error, errors.Busy):
        return Failure(
            t("The archive is busy"), t("It will be tried again; nothing is lost."), "failed", error.message
        )
    if isinstance(error, errors.ReadingRoomError):
        return Failure(what or t("That did not work"), _sentence(error.message), "failed", error.where)
    if isinstance(error, OSError):
        words = t(
            "The archive cannot be reached. What you wrote is kept on this machine and sent when it is back."
        )
        return Failure(t("No connection"), words, "failed", str(error))
    return Failure(
        what or t("That did not work"),
        t("Something unexpected went wrong; nothing was changed."),
        "failed",
        f"{type(error).__name__}: {error}",
    )


def _sentence(message: str) -> str:
    text = pieces(message.strip())
    first = text.partition(" ")[0]
    if first.isalpha():  # a name such as dr.lee stays as it is written
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + "."
