"""What lies in a path to import: files, folders, zips and DICOMDIR media, with what attacks refused by name.

Limits guard against zip bombs (size, ratio, count) and names that point outside (``..``, links, absolute).
"""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MOST_FILES = 200_000
MOST_UNPACKED = 64 << 30
MOST_ONE = 4 << 30
MOST_RATIO = 200
RATIO_FROM = 1 << 20
DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Found:
    """One file to import, or why it is refused or skipped; `content` reads its bytes."""

    name: str
    content: Callable[[], bytes]
    refusal: str = ""
    skip: str = ""


def find(path: Path) -> Iterator[Found]:
    """Every file below a path."""
    if not path.exists():
        yield _refused(str(path), "there is no such file or folder")
    elif path.is_dir():
        yield from _folder(path, path.resolve(), 0)
    elif zipfile.is_zipfile(path):
        yield from _zip(path)
    else:
        yield _file(path)


def expected(path: Path) -> int:
    """About how many files `find` will tell of, without opening any file of a folder."""
    if path.is_dir():
        return sum(len(files) for _folder, _folders, files in os.walk(path))
    if path.is_file() and zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                return min(len(archive.infolist()), MOST_FILES)
        except (zipfile.BadZipFile, OSError):
            return 1
    return 1


def _folder(folder: Path, root: Path, depth: int) -> Iterator[Found]:
    if depth > DEEPEST:
        yield _refused(str(folder), f"folders nested deeper than {DEEPEST}")
        return
    for entry in sorted(os.scandir(folder), key=lambda e: e.name):
        path = Path(entry.path)
        if entry.is_symlink() and root not in path.resolve().parents:
            yield _refused(entry.path, "a link that points outside the folder")
        elif entry.is_symlink() and entry.is_dir():
            yield Found(entry.path, bytes, skip="a link to a folder that is read itself")
        elif entry.is_dir():
            yield from _folder(path, root, depth + 1)
        elif not entry.is_file():
            yield _refused(entry.path, "neither file nor folder")
        elif zipfile.is_zipfile(path):
            yield from _zip(path)
        else:
            yield _file(path)


def _file(path: Path) -> Found:
    if path.name.upper() == "DICOMDIR":
        return Found(str(path), path.read_bytes, skip="the medium's index; its files are read themselves")
    if path.stat().st_size > MOST_ONE:
        return _refused(str(path), f"larger than {MOST_ONE >> 30} GiB")
    return Found(str(path), path.read_bytes)


def _zip(path: Path) -> Iterator[Found]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        yield _refused(str(path), f"a damaged zip: {error}")
        return
    with archive:
        entries = archive.infolist()
        reason = _bomb(entries, path.stat().st_size)
        if reason:
            yield _refused(str(path), reason)
            return
        for entry in entries:
            if not entry.is_dir():
                yield _entry(path, archive, entry)


def _bomb(entries: list[zipfile.ZipInfo], packed: int) -> str:
    if len(entries) > MOST_FILES:
        return f"a zip with more than {MOST_FILES} entries"
    total = sum(e.file_size for e in entries)
    if total > MOST_UNPACKED:
        return f"a zip that unpacks to more than {MOST_UNPACKED >> 30} GiB"
    if total > RATIO_FROM and total / max(1, packed) > MOST_RATIO:
        return f"a zip bomb: it unpacks to {total // max(1, packed)} times its size"
    return ""


def _entry(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Found:
    shown = f"{path}!{entry.filename}"
    inside = PurePosixPath(entry.filename.replace("\\", "/"))
    if inside.is_absolute() or ".." in inside.parts or ":" in entry.filename[:3]:
        return _refused(shown, "a name that points outside the zip")
    if stat.S_ISLNK(entry.external_attr >> 16):
        return _refused(shown, "a link inside a zip")
    if entry.flag_bits & 1:
        return _refused(shown, "encrypted")
    if entry.file_size > MOST_ONE:
        return _refused(shown, f"larger than {MOST_ONE >> 30} GiB")
    if inside.name.upper() == "DICOMDIR":
        return Found(shown, bytes, skip="the medium's index; its files are read themselves")
    return Found(shown, lambda: _read(archive, entry))


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """An entry's bytes, never more than its header says (a length that lies ends in OSError)."""
    try:
        with archive.open(entry) as packed:
            content = packed.read(entry.file_size + 1)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise OSError(0, f"damaged in the zip: {error}") from error
    if len(content) > entry.file_size:
        raise OSError(0, "longer than the zip says")
    return content


def _refused(name: str, why: str) -> Found:
    return Found(name, bytes, refusal=why)
