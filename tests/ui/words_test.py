"""The catalogue of the words of the window: whole, so that a translator misses none."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

from workstation.imaging import luts
from workstation.imaging.meaning import VOCABULARY
from workstation.rendering.volume.client import GPU_LOST, STARTED_AGAIN
from workstation.rendering.volume.presets import PRESETS
from workstation.session.protocols.choosing import REASONS, REFUSALS
from workstation.session.protocols.library import library
from workstation.ui import words
from workstation.ui.assets import resource
from workstation.ui.rail import PLACES
from workstation.ui.reading.tool_names import TOOLS
from workstation.ui.schedule.forms import PRIORITIES, SEXES, SIDES
from workstation.ui.settings.subjects import RIGHTS, ROLES, YES_NO
from workstation.ui.worklist.importing import OUTCOMES
from workstation.ui.worklist.page import FILTERS

FOLDER = Path(words.__file__).parent
CAPTIONED = {"Column", "text", "choice", "lines", "date", "time", "_command", "command", "add", "_chip"}
"""Calls whose second text (for `_chip` the first) is said through `t` by what they call."""
SEEN = {"turning MIP", "fused", "as axial", "as coronal", "as sagittal", "as oblique"}
SEEN |= {window.label for shipped in luts.PRESETS.values() for window in shipped}
DATA_TABLES = ("EXAM", "RECONCILIATION", "DELIVERY", "STEP", "STAGE", "REPORT")


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
    for pairs in (SEXES, PRIORITIES, SIDES, ROLES, YES_NO, RIGHTS):
        found |= {said_ for _value, said_ in pairs}
    return {text for text in found if text}


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
    if name in ("_command", "command"):
        found |= set().union(
            *(_texts(k.value) for k in node.keywords if k.arg == "tip"), _texts(node.args[3])
        )
    return found


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
