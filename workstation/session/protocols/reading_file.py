"""A hanging protocol from its TOML file; every mistake is named by line and field.

name = "CT chest"                       # what the reader calls it
[match]                                 # for which studies; what is left out asks nothing
modality = ["CT"]
body_part = ["chest"]
priors = "1+"                           # also "0", "1-2"; monitors alike
[[match.holds]]                         # a series the study has to have
modality = "CT"
[[stage]]
name = "Lung"
layout = "1x2"                          # rows x columns of each study; alone = where there is no prior
[[stage.cell]]
want = { plane = "axial" }              # facts of `Meaning`: all of them
prefer = { kernel = ["lung", "bone"] }  # the first is liked best
window = "Lung"                         # a preset, or [centre, width]
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pacs_core.domain.anatomy import REGIONS
from workstation.imaging.luts import PRESETS
from workstation.imaging.meaning import FACTS, VOCABULARY
from workstation.session.hanging import Layout, Role
from workstation.session.protocols.file_lines import line_of
from workstation.session.protocols.model import CellRule, Facts, Look, Match, Protocol, Stage, Wish
from workstation.session.view_state import Plane, SlabMode, Window

MOST = 6
SUV = "SUV"
WINDOWS = frozenset({SUV, *(window.label for shipped in PRESETS.values() for window in shipped)})
PLANES = {p.value: p for p in Plane if p is not Plane.OBLIQUE}
SLABS = {m.value: m for m in SlabMode}


@dataclass
class ProtocolError(ValueError):
    """A mistake in a protocol file: its name, the line (from 1), the field, and what is wrong."""

    file: str
    line: int
    field: str
    words: str

    def __str__(self) -> str:
        field = f", {self.field}" if self.field else ""
        return f"{self.file}, line {self.line}{field}: {self.words}"


def read_protocol(text: str, key: str, own: bool = False, path: Path | None = None) -> Protocol:
    """The protocol a TOML text describes; raises ProtocolError."""
    file = f"{key}.toml"
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        at = re.search(r"line (\d+)", said)
        line = int(at[1]) if at else text.count("\n") + 1
        raise ProtocolError(file, line, "", re.sub(r"\s*\(at .*\)$", "", said)) from None
    whole = _Table(tree, (), text, file)
    name = whole.text("name", needed=True)
    match = _match(whole.table("match"))
    stages = tuple(_stage(one) for one in whole.tables("stage"))
    if not stages:
        raise whole.wrong("stage", "there is no stage")
    whole.done()
    return Protocol(key, name, match, stages, own, path)


class _Table:
    """A table of the file: what was asked of it is ticked off, what is left is a mistake."""

    def __init__(self, values: Mapping[str, object], at: tuple[str | int, ...], text: str, file: str) -> None:
        self._values, self._at, self._text, self._file = values, at, text, file
        self._asked: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def wrong(self, key: str, words: str) -> ProtocolError:
        names = [str(part) if isinstance(part, str) else f"{part + 1}" for part in (*self._at, key)]
        return ProtocolError(self._file, line_of(self._text, (*self._at, key)), " ".join(names), words)

    def done(self) -> None:
        for key in self._values:
            if key not in self._asked:
                raise self.wrong(key, f"no such field; there are {', '.join(sorted(self._asked))}")

    def _get(self, key: str) -> object:
        self._asked.add(key)
        return self._values.get(key)

    def text(self, key: str, needed: bool = False) -> str:
        value = self._get(key)
        if value is None and not needed:
            return ""
        if not isinstance(value, str) or (needed and not value.strip()):
            raise self.wrong(key, "a text in quotes is wanted")
        return value.strip()

    def choice(self, key: str, among: Mapping[str, object] | frozenset[str], else_: str) -> str:
        value = self.text(key) or else_
        if value and value not in among:
            raise self.wrong(key, f"{value!r} is none of {', '.join(sorted(among))}")
        return value

    def words(self, key: str, among: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """One text or several."""
        value = self._get(key)
        given = () if value is None else (value,) if isinstance(value, str) else value
        if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
            raise self.wrong(key, "a text, or a list of texts, is wanted")
        for one in given:
            if among and one not in among:
                raise self.wrong(key, f"{one!r} is none of {', '.join(sorted(a for a in among if a))}")
        return tuple(str(one) for one in given)

    def flag(self, key: str) -> bool:
        value = self._get(key)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(key, "true or false is wanted")
        return value is True

    def number(self, key: str) -> float:
        value = self._get(key)
        if value is None:
            return 0.0
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(key, "a number is wanted")
        return float(value)

    def pair(self, key: str) -> tuple[float, float] | None:
        """Two numbers, None where the field is none such."""
        value = self._get(key)
        if not isinstance(value, list):
            return None
        if len(value) != 2 or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in value):
            raise self.wrong(key, "two numbers, [centre, width], are wanted")
        return float(value[0]), float(value[1])

    def table(self, key: str) -> _Table:
        value = self._get(key)
        if value is not None and not isinstance(value, Mapping):
            raise self.wrong(key, "a table is wanted")
        return _Table(value or {}, (*self._at, key), self._text, self._file)

    def tables(self, key: str) -> list[_Table]:
        value = self._get(key)
        given = value if isinstance(value, list) else [] if value is None else None
        if given is None or not all(isinstance(one, Mapping) for one in given):
            raise self.wrong(key, f"a list of tables, each headed [[{key}]], is wanted")
        return [_Table(one, (*self._at, key, n), self._text, self._file) for n, one in enumerate(given)]

    def fields(self) -> tuple[str, ...]:
        return tuple(self._values)


def _match(table: _Table) -> Match:
    found = Match(
        modality=table.words("modality"),
        body_part=table.words("body_part", REGIONS),
        side=table.words("side", VOCABULARY["side"]),
        procedure=table.words("procedure"),
        priors=_range(table, "priors"),
        monitors=_range(table, "monitors"),
        holds=tuple(Wish(_facts(one)) for one in table.tables("holds")),
    )
    table.done()
    return found


def _range(table: _Table, key: str) -> tuple[int, int | None] | None:
    """``"2"``, ``"1-3"`` or ``"2+"``."""
    said = table.text(key)
    if not said:
        return None
    found = re.fullmatch(r"(\d+)(?:(\+)|-(\d+))?", said)
    if found is None:
        raise table.wrong(key, f'{said!r} is no number such as "0", "1-2" or "1+"')
    least = int(found[1])
    return least, None if found[2] else int(found[3] or least)


def _facts(table: _Table) -> Facts:
    found = []
    for fact in table.fields():
        if fact not in FACTS:
            raise table.wrong(fact, f"no such fact; there are {', '.join(FACTS)}")
        known = REGIONS if fact == "body_part" else VOCABULARY.get(fact, frozenset())
        words = table.words(fact, known | {""} if known else known)
        if not words:
            raise table.wrong(fact, "at least one word is wanted")
        found.append((fact, words))
    return tuple(found)


def _stage(table: _Table) -> Stage:
    cells = tuple(_cell(one) for one in table.tables("cell"))
    layout = _layout(table, "layout")
    if layout is None:
        raise table.wrong("layout", 'a layout such as "1x2" (rows x columns) is wanted')
    found = Stage(
        name=table.text("name", needed=True),
        layout=layout,
        cells=cells,
        alone=_layout(table, "alone"),
        prior_layout=_layout(table, "prior_layout"),
        prior=table.choice("prior", frozenset({"beside", "over", "none"}), "beside"),
        missing=table.choice("missing", frozenset({"close", "next", "empty"}), "close"),
        pages=table.flag("pages"),
        size=table.choice("size", frozenset({"fit", "same", "true"}), "fit"),
        planes=table.flag("planes"),
    )
    if not found.of_current:
        raise table.wrong("cell", "a stage needs at least one cell of the current study")
    table.done()
    return found


def _layout(table: _Table, key: str) -> Layout | None:
    said = table.text(key)
    if not said:
        return None
    found = re.fullmatch(r"(\d)\s*[x×]\s*(\d)", said)
    if found is None or not (0 < int(found[1]) <= MOST and 0 < int(found[2]) <= MOST):
        raise table.wrong(key, f'{said!r} is no layout such as "1x2", of 1 to {MOST} rows and columns')
    return Layout(int(found[1]), int(found[2]))


def _cell(table: _Table) -> CellRule:
    wish = Wish(_facts(table.table("want")), _facts(table.table("prefer")))
    role = Role(table.choice("of", frozenset(r.value for r in Role), Role.CURRENT.value))
    found = CellRule(wish, _look(table), role)
    table.done()
    return found


def _look(table: _Table) -> Look:
    window = table.pair("window")
    reformat = table.choice("reformat", PLANES, "")
    rotation = table.number("rotation")
    if rotation not in (0, 1, 2, 3):
        raise table.wrong("rotation", "quarter turns clockwise, 0 to 3, are wanted")
    return Look(
        plane=PLANES[table.choice("plane", PLANES, Plane.ACQUIRED.value)],
        reformat=PLANES[reformat] if reformat else None,
        window=Window(*window) if window else table.choice("window", WINDOWS, ""),
        invert=table.flag("invert"),
        rotation=int(rotation),
        flip_horizontal=table.flag("flip_horizontal"),
        flip_vertical=table.flag("flip_vertical"),
        slab=table.number("slab"),
        slab_mode=SLABS[table.choice("slab_mode", SLABS, SlabMode.MAXIMUM.value)],
        fuse=Wish(_facts(table.table("fuse"))) if "fuse" in table else None,
        turning=table.flag("turning"),
        facing=table.choice("facing", frozenset({"left", "right"}), ""),
    )
