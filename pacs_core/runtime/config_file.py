"""Writing `config.toml`: single values changed where they stand, all that people wrote beside them kept."""

from __future__ import annotations

import json
import os
import re
import secrets
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pacs_core.domain.errors import Refused
from pacs_core.storage.folder import sync_directory, sync_file

Value = str | int | bool | tuple[str, ...]
Changes = Mapping[tuple[str, str], Value | None]
"""(section, key) → the new value; None takes the key out, so that its default holds."""

_HEADER = re.compile(r"\s*\[\s*([A-Za-z0-9_-]+)\s*\]\s*(?:#.*)?$")
_KEY = re.compile(r"(\s*)([A-Za-z0-9_-]+)\s*=")


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where a key stands: its section, and its lines from `first` up to `end`."""

    section: str
    key: str
    first: int
    end: int


def write_changes(file: Path, changes: Changes) -> None:
    """Change the file in one step that a crash cannot halve; raises Refused where it may not be written."""
    try:
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        fresh = edited(text, changes)
        _replace(file, fresh)
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror}", "--config") from error


def edited(text: str, changes: Changes) -> str:
    """The text with the changes; comments and order stay, unless it is written in a way we cannot follow.

    Then it is written anew, without its comments.
    """
    wanted = _changed_tree(tomllib.loads(text), changes)
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    for place, value in changes.items():
        lines = _with(lines, place, value)
    fresh = "".join(lines)
    try:
        if tomllib.loads(fresh) == wanted:
            return fresh
    except tomllib.TOMLDecodeError:
        pass  # such as dotted keys or inline tables, which are read and not edited
    return _plain(wanted)


def literal(value: Value) -> str:
    """A value as TOML writes it (TOML 1.0)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return "[" + ", ".join(literal(one) for one in value) + "]"


def _changed_tree(tree: dict[str, Any], changes: Changes) -> dict[str, Any]:
    after = {section: dict(keys) if isinstance(keys, dict) else keys for section, keys in tree.items()}
    for (section, key), value in changes.items():
        if value is None:
            after.get(section, {}).pop(key, None)
        else:
            after.setdefault(section, {})[key] = list(value) if isinstance(value, tuple) else value
    return after


def _with(lines: list[str], place: tuple[str, str], value: Value | None) -> list[str]:
    section, key = place
    entries = list(_entries(lines))
    known = next((e for e in entries if (e.section, e.key) == place), None)
    if known is not None:
        old = lines[known.first : known.end]
        new = [] if value is None else [_line(old, key, value)]
        return [*lines[: known.first], *new, *lines[known.end :]]
    if value is None:
        return lines
    new = [f"{key} = {literal(value)}\n"]
    after = max((e.end for e in entries if e.section == section), default=_header_of(lines, section))
    if after:
        return [*lines[:after], *new, *lines[after:]]
    gap = ["\n"] if lines else []
    return [*lines, *gap, f"[{section}]\n", *new]


def _header_of(lines: list[str], section: str) -> int:
    """The line after a section's header; 0 where it has none."""
    for number, line in enumerate(lines):
        found = _HEADER.match(line)
        if found and found[1] == section:
            return number + 1
    return 0


def _entries(lines: list[str]) -> Iterator[_Entry]:
    section, number = "", 0
    while number < len(lines):
        header, key = _HEADER.match(lines[number]), _KEY.match(lines[number])
        if header:
            section = header[1]
        if key is None:
            number += 1
            continue
        end = _end_of_value(lines, number)
        yield _Entry(section, key[2], number, end)
        number = end


def _end_of_value(lines: list[str], first: int) -> int:
    """The line after a value, which may go over several lines."""
    for end in range(first + 1, len(lines) + 1):
        if _reads("".join(lines[first:end])):
            return end
    return first + 1


def _line(old: list[str], key: str, value: Value) -> str:
    """The new line with the old one's indent, and the comment behind it."""
    indent = (_KEY.match(old[0]) or [""] * 2)[1]
    last = old[-1].rstrip("\r\n")
    comment = ""
    for place, letter in enumerate(last):
        if letter == "#" and _reads("".join(old[:-1]) + last[:place]):
            comment = "  " + last[place:]
            break
    return f"{indent}{key} = {literal(value)}{comment}\n"


def _reads(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _plain(tree: dict[str, Any]) -> str:
    parts = []
    for section, keys in tree.items():
        rows = [f"{k} = {literal(tuple(v) if isinstance(v, list) else v)}\n" for k, v in keys.items()]
        parts.append(f"[{section}]\n" + "".join(rows))
    return "\n".join(parts)


def _replace(file: Path, text: str) -> None:
    """Written aside, synced, put in place, its folder synced."""
    aside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o600
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as handle:
            handle.write(text.encode())
            sync_file(handle)
        aside.replace(file)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    sync_directory(file.parent)
