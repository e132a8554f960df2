"""Never lost in the window: strokes and drafts in a small synced file, replayed after a crash.

One file of JSON lines for each person and window. A record is written at once (so it survives the death
of this process) and synced by a thread of its own within a moment (so it survives the machine's); what the
archive has acknowledged is marked `kept`, and the file is written anew when little of it is still needed.
A torn last line, the trace of a power cut, is passed over.
"""

from __future__ import annotations

import json
import logging
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pacs_core.domain.measurement import Measurement, Quantity
from workstation.session.file_lock import FileLock

log = logging.getLogger("reading_room.view")
REWRITE_ABOVE = 512 * 1024


@dataclass(frozen=True, slots=True)
class SpooledStroke:
    """A stroke the archive may not have: kept by tracking UID, `removed` when it was deleted."""

    measurement: Measurement
    removed: bool = False


@dataclass(frozen=True, slots=True)
class SpooledDraft:
    """A draft the archive may not have, as the composer's JSON text."""

    study_uid: str
    template: str
    content: str
    addendum_to: int | None = None


class Spool:
    """The strokes and drafts of one person that the archive has not yet said to keep.

    `open` takes a file no other window holds, and adopts what crashed windows left behind.
    """

    def __init__(self, path: Path, lock: FileLock) -> None:
        self.path = path
        self._lock = lock
        self._waiting: dict[str, dict[str, Any]] = {}
        self._number = 0
        self._guard = threading.Lock()
        self._dirty = threading.Event()
        self._closing = False
        self._file: int = -1
        self._thread = threading.Thread(target=self._keep_synced, name="spool", daemon=True)

    @classmethod
    def open(cls, folder: Path, person: str) -> Spool:
        """Open the spool of a person in the workstation's own folder."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        stem = quote(person, safe="") or "nobody"
        for number in range(100):
            path = folder / f"{stem}-{number}.jsonl"
            lock = FileLock(path.with_suffix(".lock"))
            if lock.take():
                spool = cls(path, lock)
                spool._begin(folder, stem)
                return spool
        raise OSError(f"a hundred windows hold the spool of {person}")

    def _begin(self, folder: Path, stem: str) -> None:
        own = re.compile(re.escape(stem) + r"-\d+\.jsonl")
        left = [p for p in folder.iterdir() if own.fullmatch(p.name) and p != self.path]
        locks = [(p, FileLock(p.with_suffix(".lock"))) for p in left]
        adopted = [(p, lock) for p, lock in locks if lock.take()]
        for path in sorted((self.path, *(p for p, _ in adopted)), key=_written_last):
            self._adopt(path)
        self._rewrite()
        for path, lock in adopted:  # held until now: nobody began a new file under the name
            path.unlink(missing_ok=True)
            lock.release()
        self._thread.start()

    def _adopt(self, path: Path) -> None:
        """Take over what waits in a file; of one draft in two files the one adopted last counts."""
        for key, record in sorted(_read(path).items(), key=lambda kept: int(kept[1]["number"])):
            self._number += 1  # every window counts from 1: here each record has a number of its own
            self._waiting[key] = {**record, "number": self._number}

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────

    def stroke(self, measurement: Measurement, removed: bool = False) -> int:
        """Keep a stroke; the answer is the number to give to `kept` once the archive has it."""
        return self._put(
            "stroke",
            f"stroke:{measurement.tracking_uid}",
            {"measurement": asdict(measurement), "removed": removed},
        )

    def draft(self, draft: SpooledDraft) -> int:
        """Keep a draft as it is at this keystroke."""
        return self._put("draft", f"draft:{draft.study_uid}", {"draft": asdict(draft)})

    def kept(self, number: int) -> None:
        """The archive has that record and everything older of the same stroke or draft."""
        with self._guard:
            for key, record in list(self._waiting.items()):
                if record["number"] == number and self._file >= 0:
                    self._write({"kind": "kept", "key": key, "number": number})
                    del self._waiting[key]

    def forget_draft(self, study_uid: str) -> None:
        """The draft was signed or thrown away."""
        with self._guard:
            record = self._waiting.pop(f"draft:{study_uid}", None)
            if record is not None and self._file >= 0:
                self._write({"kind": "kept", "key": f"draft:{study_uid}", "number": record["number"]})

    def _put(self, kind: str, key: str, content: dict[str, Any]) -> int:
        with self._guard:
            self._number += 1
            record = {"kind": kind, "key": key, "number": self._number, **content}
            self._waiting[key] = record
            self._write(record)
            return self._number

    def _write(self, record: dict[str, Any]) -> None:
        os.write(self._file, json.dumps(record, ensure_ascii=False).encode() + b"\n")
        self._dirty.set()
        if os.fstat(self._file).st_size > REWRITE_ABOVE * (1 + len(self._waiting)):
            self._rewrite()

    def _rewrite(self) -> None:
        """Write only what still waits to a new file, sync it, put it in the old one's place."""
        fresh = self.path.with_suffix(".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | getattr(os, "O_BINARY", 0)
        file = os.open(fresh, flags, 0o600)
        for record in sorted(self._waiting.values(), key=lambda r: int(r["number"])):
            os.write(file, json.dumps(record, ensure_ascii=False).encode() + b"\n")
        os.fsync(file)
        os.close(file)
        if self._file >= 0:
            os.close(self._file)
        fresh.replace(self.path)
        sync_folder(self.path.parent)
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))

    # ── syncing ──────────────────────────────────────────────────────────────────────────────────────

    def _keep_synced(self) -> None:
        while not self._closing:
            self._dirty.wait()
            self._dirty.clear()
            self._sync()

    def _sync(self) -> None:
        with self._guard:
            if self._file < 0:
                return
            file = os.dup(self._file)
        try:
            os.fsync(file)
        finally:
            os.close(file)

    # ── replaying ────────────────────────────────────────────────────────────────────────────────────

    def waiting(self) -> Iterator[tuple[int, SpooledStroke | SpooledDraft]]:
        """What the archive may not have, in the order it was made, with the number for `kept`."""
        with self._guard:
            records = sorted(self._waiting.values(), key=lambda r: int(r["number"]))
        for record in records:
            yield int(record["number"]), _thing(record)

    def draft_of(self, study_uid: str) -> SpooledDraft | None:
        """The draft of a study that the archive may not have."""
        record = self._waiting.get(f"draft:{study_uid}")
        return SpooledDraft(**record["draft"]) if record else None

    def close(self) -> None:
        """Sync what is there and let the file go."""
        if self._file < 0:
            return
        self._sync()
        self._closing = True
        self._dirty.set()
        if self._thread.is_alive():
            self._thread.join(5)
        with self._guard:
            os.close(self._file)
            self._file = -1
        if not self._waiting:
            self.path.unlink(missing_ok=True)
        self._lock.release()


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """What still waits in a file, by key; a torn record is passed over."""
    waiting: dict[str, dict[str, Any]] = {}
    for line in (path.read_bytes() if path.is_file() else b"").split(b"\n"):
        try:
            record = json.loads(line) if line.strip() else None
        except ValueError:
            log.warning("a torn record in the spool was passed over")
            continue
        if not isinstance(record, dict):
            continue
        key = str(record.get("key", ""))
        if record.get("kind") != "kept":
            waiting[key] = {**record, "number": int(record.get("number", 0))}
        elif waiting.get(key, {}).get("number") == record.get("number"):
            del waiting[key]
    return waiting


def _written_last(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0


def _thing(record: dict[str, Any]) -> SpooledStroke | SpooledDraft:
    if record["kind"] == "draft":
        return SpooledDraft(**record["draft"])
    return SpooledStroke(measurement_of(record["measurement"]), bool(record["removed"]))


def measurement_of(values: dict[str, Any]) -> Measurement:
    """A measurement from its JSON form."""
    fields = dict(values)
    fields["points"] = tuple((float(x), float(y), float(z)) for x, y, z in fields["points"])
    fields["quantities"] = tuple(Quantity(**q) for q in fields["quantities"])
    return Measurement(**fields)


def sync_folder(folder: Path) -> None:
    """Sync a folder's entries, where the platform lets a folder be opened (Windows does not)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
