"""Where in a TOML file a key stands, so that a mistake can be named by its line."""

from __future__ import annotations

import re
from collections.abc import Sequence

Path = Sequence[str | int]
_HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\- ]+?)\s*\]\]?\s*(?:#.*)?$")


def line_of(text: str, path: Path) -> int:
    """The line (from 1) of a key by its path (``("stage", 1, "cell", 0, "window")``), else of the table it is
    missing from, else 1.
    """
    lines = text.splitlines()
    table, wanted = _split(path)
    start = _table(lines, table)
    if start is None:
        return line_of(text, path[:-1]) if len(path) > 1 else 1
    for number in range(start, len(lines)):
        line = lines[number]
        if number > start - 1 and _HEADER.match(line):
            break
        if wanted and re.match(rf"\s*[\"']?{re.escape(wanted)}[\"']?\s*=", line):
            return number + 1
    return max(1, start)


def _split(path: Path) -> tuple[list[tuple[str, int]], str]:
    """The tables a path goes through, each with its place among those of its name, and the key at its end."""
    parts, wanted = list(path), ""
    if parts and isinstance(parts[-1], str):
        wanted = str(parts.pop())
    tables: list[tuple[str, int]] = []
    for part in parts:
        if isinstance(part, str):
            tables.append((part, 0))
        elif tables:
            tables[-1] = (tables[-1][0], part)
    return tables, wanted


def _table(lines: list[str], tables: list[tuple[str, int]]) -> int | None:
    """The index of the first line within a table; None where no header opens it."""
    seen = [-1] * len(tables)
    for number, line in enumerate(lines):
        found = _HEADER.match(line)
        if found is None:
            continue
        names = [name.strip() for name in found[2].split(".")]
        depth = len(names) - 1
        if depth >= len(tables) or names != [name for name, _ in tables[: depth + 1]]:
            continue
        seen[depth] += 1 if found[1] == "[[" or seen[depth] < 0 else 0
        seen[depth + 1 :] = [-1] * (len(tables) - depth - 1)
        if depth == len(tables) - 1 and seen == [place for _, place in tables]:
            return number + 1
    return 0 if not tables else None
