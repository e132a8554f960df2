"""The catalogue of the words of the window: whole, so that a translator misses none."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

from pacs_core.archive.priors import DAYS
from pacs_core.domain.errors import Conflict
from pacs_core.domain.report import VersionKind
from pacs_core.runtime.changing import WORDS as SETTINGS
from pacs_core.services.tracing import STAGES
from workstation.imaging import luts
from workstation.imaging.documents.kinds import Kind
from workstation.imaging.meaning import VOCABULARY
from workstation.rendering.volume.camera import SIDES as SEEN_FROM
from workstation.rendering.volume.client import GPU_LOST, STARTED_AGAIN
from workstation.rendering.volume.presets import PRESETS
from workstation.session.protocols.choosing import REASONS, REFUSALS
from workstation.session.protocols.library import library
from workstation.session.view_state import Plane, SlabMode
from workstation.ui import theme, words
from workstation.ui.assets import resource
from workstation.ui.rail import PLACES
from workstation.ui.reading.fusion_actions import COLOURS
from workstation.ui.reading.tool_names import TOOLS
from workstation.ui.reporting.controls import HEADINGS, STATES
from workstation.ui.schedule.forms import BODY_PARTS, PRIORITIES, SEXES, SIDES
from workstation.ui.settings.node_settings import SECTIONS
from workstation.ui.settings.subjects import ADDENDUM_CODES, RIGHTS, ROLES, YES_NO
from workstation.ui.worklist.importing import OUTCOMES
from workstation.ui.worklist.page import FILTERS

FOLDER = Path(words.__file__).parent
CAPTIONED = {"Column", "text", "choice", "lines", "date", "time", "_command", "command", "add", "_chip"}
"""Calls whose second text (for `_chip` the first) is said through `t` by what they call."""
SEEN = {"turning MIP", "fused", "as axial", "as coronal", "as sagittal", "as oblique"}
SEEN |= {window.label for shipped in luts.PRESETS.values() for window in shipped}
DATA_TABLES = ("EXAM", "RECONCILIATION", "DELIVERY", "STEP", "STAGE", "REPORT")

BELOW = {
    "pacs_core/archive/priors.py": (
        *("same body part", "neighbouring body part", "same modality", "read beside it", "the other side"),
        *("same patient", "the same day", "day earlier", "later than this study", "with a report"),
    ),
    "pacs_core/services/tracing.py": (
        *("registered", "no ADT came", "no order came", "fetched", "no scanner asked for it"),
        *("no image came", "nothing to reconcile yet", "held", "nobody opened it", "opened", "measurements"),
        *("not signed", "signed", "it has nowhere to go", " by ", " from "),
    ),
    "pacs_core/services/reconciling.py": (
        "the study is linked to that order already",
        "the study is not held",
        "there is nothing to undo",
        "the study was decided on again since then: undo that first",
        "a report was signed on this study: correct the report first",
    ),
    "pacs_core/services/reporting.py": (
        "a correction needs its reason",
        "the report is empty",
        "the report is signed already: add an addendum or a correction",
    ),
    "pacs_core/services/patients.py": ("a patient cannot be merged with itself",),
    "pacs_core/services/order_numbers.py": ("this accession number belongs to another patient",),
    "pacs_core/services/access.py": ("the account is disabled", "the last admin cannot be disabled"),
    "pacs_core/archive/schedule.py": (
        "an order needs a modality",
        "an order says which procedure it is for",
        "a time is written HH:MM",
        "a patient needs a name",
    ),
    "pacs_core/storage/folder.py": (
        "the disk of the data folder is nearly full",
        "the stored file is missing",
    ),
    "pacs_core/remote/connection.py": ("the archive is not reachable",),
    "pacs_core/remote/archive.py": ("this session was ended: sign in again",),
    "workstation/session/reading_session.py": ("linked", "not linked", "approximate"),
    "workstation/session/arrivals.py": (
        "A study does not fit its order: it waits in the inbox",
        "A result was refused: it needs a person",
        "A study is complete",
        *("image", "images", "study", "studies", "order", "orders"),
    ),
    "workstation/imaging/anchors.py": (
        "set by hand",
        "by the middle of both series",
        "by the outline of the body",
    ),
}
"""What the layers below say in pieces (`words.pieces`), by the file that says it."""


def said() -> set[str]:
    """Every text given to `t(...)` in the window, and the words of its states."""
    found: set[str] = set()
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                found |= _of_call(node)
    for name in DATA_TABLES:
        found |= {state.word for state in getattr(words, name).values()}
    found |= {title for _n, title, _k, _i, _tip in TOOLS} | {tip for *_rest, tip in TOOLS}
    found |= {name for _k, name, _i in PLACES} | {name for name, _statuses in FILTERS}
    found |= set(REASONS) | set(REFUSALS) | _of_series() | _of_protocols()
    found |= {preset.name for preset in PRESETS} | {GPU_LOST, STARTED_AGAIN}
    found |= {word for word, _token in OUTCOMES.values()}
    found |= {title(text) for text in (*STAGES, *VersionKind, *theme.THEMES)} | set(words.WEEKDAYS)
    found |= {str(kind) for kind in Kind} | {piece.strip() for pieces in BELOW.values() for piece in pieces}
    found |= {one.value for one in (*Plane, *SlabMode)} | {*COLOURS, *SEEN_FROM, *HEADINGS}
    found |= {*SECTIONS.values(), *SETTINGS.values()} | {text for *_look, text in STATES.values()}
    found |= {f"order {what}" for what in ("placed", "changed", "noted", "rescheduled")}
    found |= {"matched", "none"}
    found |= {f"{unit} earlier" for *_days, unit in DAYS}
    for pairs in (SEXES, PRIORITIES, SIDES, ROLES, YES_NO, RIGHTS, BODY_PARTS, ADDENDUM_CODES):
        found |= {said_ for _value, said_ in pairs}
    return {text for text in found if text}


def title(text: str) -> str:
    """Its first letter as at the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def _of_series() -> set[str]:
    """What a series means, as it is told."""
    kernels = {f"{kernel} kernel" for kernel in VOCABULARY["kernel"]}
    contrast = {f"{word} contrast" for word in VOCABULARY["contrast"]}
    telling = ("side", "view", "plane", "weighting", "diffusion", "phase", "correction", "projection")
    words_ = set().union(*(VOCABULARY[fact] for fact in telling))
    return words_ | kernels | contrast | {"localizer", "document", "reformatted", "fat suppressed"} | SEEN


def _of_protocols() -> set[str]:
    shipped = library(resource("hanging_protocols")).protocols
    return {p.name for p in shipped} | {stage.name for p in shipped for stage in p.stages}


def _of_call(node: ast.Call) -> set[str]:
    if _is_t(node.func) and node.args:
        return _texts(node.args[0])
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name not in CAPTIONED or len(node.args) < 2:
        return set()
    found = _texts(node.args[0 if name == "_chip" else 1])
    if name in ("_command", "command", "add"):
        found |= set().union(*(_texts(k.value) for k in node.keywords if k.arg == "tip"))
    return found | (_texts(node.args[3]) if name in ("_command", "command") else set())


def _is_t(function: ast.expr) -> bool:
    named = isinstance(function, ast.Name) and function.id == "t"
    return named or (isinstance(function, ast.Attribute) and function.attr == "t")


def _texts(node: ast.expr) -> set[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.IfExp):
        return _texts(node.body) | _texts(node.orelse)
    return set()


def catalogue(language: str) -> dict[str, str]:
    content = tomllib.loads(resource("i18n", f"{language}.toml").read_text("utf-8"))
    return {str(k): str(v) for k, v in content["words"].items()}


def test_the_english_catalogue_has_every_word_of_the_window() -> None:
    missing = sorted(said() - set(catalogue("en")))
    assert not missing, "\n".join(f"{ascii_toml(text)} = {ascii_toml(text)}" for text in missing)


def test_the_catalogue_has_nothing_that_nobody_says() -> None:
    assert not sorted(set(catalogue("en")) - said())


@pytest.mark.parametrize("file", BELOW)
def test_what_is_translated_in_pieces_is_still_said_below(file: str) -> None:
    text = (FOLDER.parents[1] / file).read_text("utf-8")
    assert not [piece for piece in BELOW[file] if piece not in text]


def test_words_of_the_layers_below_are_said_in_pieces() -> None:
    words.speak("de")
    try:
        assert words.pieces("same body part, 3 years earlier") == "gleiche Körperregion, 3 Jahre früher"
        assert words.pieces("A study is complete: 3 images") == "Eine Studie ist vollständig: 3 Bilder"
        assert words.pieces("fetched by CT1") == "abgerufen von CT1"
        assert words.failure(Conflict("the study is not held")).words == "Die Studie ist nicht angehalten."
        assert words.pieces("drawn by hand: T1, 3 of them") == "drawn by hand: T1, 3 of them"
        assert words.pieces("T1, 3 of them") == "T1, 3 of them"
        assert words.iso_date("20261122", weekday=True) == "2026-11-22 So"
        assert words.sex_and_age("F", "19600101", "20260101") == "W 66 J"
    finally:
        words.speak("en")


def ascii_toml(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def test_what_a_catalogue_does_not_have_is_said_in_english() -> None:
    words.speak("no such language")
    try:
        assert words.t("Sign in") == "Sign in"
        assert not words.right_to_left()
    finally:
        words.speak("en")
