"""A hanging protocol as its TOML file, so that `read_protocol` reads the same back."""

from __future__ import annotations

import json
from collections.abc import Iterable

from workstation.session.hanging import Layout, Role
from workstation.session.protocols.model import CellRule, Facts, Look, Match, Protocol, Stage
from workstation.session.view_state import Plane, SlabMode, Window

HEAD = "# A hanging protocol written at this workstation; docs/hanging.md says what its fields mean."


def protocol_text(protocol: Protocol) -> str:
    """The whole file."""
    lines = [HEAD, f"name = {_text(protocol.name)}", "", "[match]", *_match(protocol.match)]
    for stage in protocol.stages:
        lines += ["", "[[stage]]", *_stage(stage)]
        for cell in stage.cells:
            lines += ["", "[[stage.cell]]", *_cell(cell)]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _words(words: Iterable[str]) -> str:
    return "[" + ", ".join(_text(word) for word in words) + "]"


def _facts(facts: Facts) -> str:
    return "{ " + ", ".join(f"{fact} = {_words(words)}" for fact, words in facts) + " }"


def _match(match: Match) -> list[str]:
    named = (("modality", match.modality), ("body_part", match.body_part), ("side", match.side),
             ("procedure", match.procedure))  # fmt: skip
    lines = [f"{key} = {_words(words)}" for key, words in named if words]
    for key, limits in (("priors", match.priors), ("monitors", match.monitors)):
        if limits is not None:
            least, most = limits
            said = f"{least}+" if most is None else f"{least}" if most == least else f"{least}-{most}"
            lines.append(f"{key} = {_text(said)}")
    for wish in match.holds:
        lines += ["", "[[match.holds]]", *(f"{fact} = {_words(words)}" for fact, words in wish.want)]
    return lines


def _layout(layout: Layout) -> str:
    return _text(f"{layout.rows}x{layout.columns}")


def _stage(stage: Stage) -> list[str]:
    lines = [f"name = {_text(stage.name)}", f"layout = {_layout(stage.layout)}"]
    lines += [f"alone = {_layout(stage.alone)}"] if stage.alone else []
    lines += [f"prior_layout = {_layout(stage.prior_layout)}"] if stage.prior_layout else []
    usual = (("prior", stage.prior, "beside"), ("missing", stage.missing, "close"),
             ("size", stage.size, "fit"))  # fmt: skip
    lines += [f"{key} = {_text(value)}" for key, value, else_ in usual if value != else_]
    return lines + [f"{key} = true" for key, on in (("pages", stage.pages), ("planes", stage.planes)) if on]


def _cell(cell: CellRule) -> list[str]:
    lines = [f"of = {_text(cell.role.value)}"] if cell.role is not Role.CURRENT else []
    lines += [f"want = {_facts(cell.wish.want)}"] if cell.wish.want else []
    lines += [f"prefer = {_facts(cell.wish.prefer)}"] if cell.wish.prefer else []
    return lines + _look(cell.look)


def _look(look: Look) -> list[str]:
    lines = [f"plane = {_text(look.plane.value)}"] if look.plane is not Plane.ACQUIRED else []
    lines += [f"reformat = {_text(look.reformat.value)}"] if look.reformat else []
    if isinstance(look.window, Window):
        lines.append(f"window = [{look.window.centre:g}, {look.window.width:g}]")
    elif look.window:
        lines.append(f"window = {_text(look.window)}")
    flags = (("invert", look.invert), ("flip_horizontal", look.flip_horizontal),
             ("flip_vertical", look.flip_vertical), ("turning", look.turning))  # fmt: skip
    lines += [f"{key} = true" for key, on in flags if on]
    lines += [f"rotation = {look.rotation % 4}"] if look.rotation % 4 else []
    lines += [f"slab = {look.slab:g}"] if look.slab else []
    lines += [f"slab_mode = {_text(look.slab_mode.value)}"] if look.slab_mode is not SlabMode.MAXIMUM else []
    lines += [f"fuse = {_facts(look.fuse.want)}"] if look.fuse is not None else []
    return lines + ([f"facing = {_text(look.facing)}"] if look.facing else [])
