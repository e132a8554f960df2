"""The protocols there are: those that come with the program, and the reader's own beside them.

An own file takes the place of a shipped one of the same name. A file with a mistake is told and left out:
what it would have hung is hung by the next that fits.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from pacs_core.domain.anatomy import spoken
from workstation.session.protocols.model import Protocol
from workstation.session.protocols.reading_file import ProtocolError, read_protocol
from workstation.session.protocols.writing_file import protocol_text

log = logging.getLogger("reading_room.view")


@dataclass(frozen=True, slots=True)
class Library:
    """Protocols by name, and the mistakes of the files that hold none."""

    protocols: tuple[Protocol, ...] = ()
    mistakes: tuple[ProtocolError, ...] = ()


def library(shipped: Path, own: Path | None = None) -> Library:
    """Every protocol of both folders."""
    found: dict[str, Protocol] = {}
    mistakes: list[ProtocolError] = []
    for folder, is_own in ((shipped, False), (own, True)):
        for path in _files(folder):
            try:
                found[path.stem] = _read(path, is_own)
            except ProtocolError as error:
                log.warning("a hanging protocol is left out: %s", error)
                mistakes.append(error)
    return Library(tuple(sorted(found.values(), key=lambda p: p.name)), tuple(mistakes))


def _files(folder: Path | None) -> Iterable[Path]:
    return sorted(folder.glob("*.toml")) if folder is not None and folder.is_dir() else ()


def _read(path: Path, own: bool) -> Protocol:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProtocolError(path.name, 1, "", f"it cannot be read: {error}") from None
    return read_protocol(text, path.stem, own, path)


def key_of(name: str) -> str:
    """A file name for a protocol's name."""
    return re.sub(r"[^a-z0-9]+", "_", spoken(name)).strip("_") or "layout"


def keep(protocol: Protocol, folder: Path) -> Protocol:
    """Write a protocol as the reader's own, whole or not at all; raises OSError."""
    return keep_text(protocol_text(protocol), replace(protocol, own=True), folder)


def keep_text(text: str, protocol: Protocol, folder: Path) -> Protocol:
    """The same with the file's text as the reader wrote it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{protocol.key}.toml"
    fresh = path.with_suffix(".new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    return replace(protocol, own=True, path=path)
